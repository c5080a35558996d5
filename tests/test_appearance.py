"""How the window looks and reads: nothing without a name, nothing cut, in any of its sizes, themes and languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.looking import cut, in_longer_language, nameless
from tests.test_window import log_a_run, open_window
from workbench.face.theme import apply_theme
from workbench.face.window import Window

SIZES = ((960, 600), (1280, 800))


@pytest.fixture
def replayed(tmp_path: Path, qtbot: QtBot) -> Window:
    """A window that shows a past run."""
    return a_replay(tmp_path, qtbot)


def a_replay(home: Path, qtbot: QtBot) -> Window:
    log_a_run(home)
    window = open_window(home, qtbot)
    window.desk.replay("run1")
    return window


def every_tab(window: Window) -> Iterator[str]:
    """Show each tab in turn; yield its title."""
    tabs = window.desk.tabs
    for place in range(tabs.count()):
        tabs.setCurrentIndex(place)
        QCoreApplication.processEvents()
        yield tabs.tabText(place)


@pytest.fixture
def longer(qapp: QApplication) -> Iterator[None]:
    """A language that is 40 % longer than English."""
    language = in_longer_language(qapp)
    yield
    QCoreApplication.removeTranslator(language)


def test_every_control_has_a_name_for_a_screen_reader(replayed: Window) -> None:
    for title in every_tab(replayed):
        assert not nameless(replayed), f"tab {title}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_text_is_cut(
    scheme: str, size: tuple[int, int], replayed: Window, qapp: QApplication
) -> None:
    apply_theme(qapp, scheme)
    replayed.resize(*size)
    for title in every_tab(replayed):
        assert not cut(replayed), f"tab {title}"


def test_no_text_is_cut_in_a_language_that_is_longer(
    longer: None, tmp_path: Path, qtbot: QtBot
) -> None:
    window = a_replay(tmp_path, qtbot)
    window.resize(1280, 800)
    assert window.desk.tabs.tabText(0).endswith("~")
    for title in every_tab(window):
        assert not cut(window), f"tab {title}"
