"""How the window looks and reads: nothing without a name, nothing cut, in any of its sizes, themes and languages."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.looking import array_of, cut, in_longer_language, nameless
from tests.test_window import log_a_run, open_window
from workbench.face.theme import apply_theme
from workbench.face.window import Window

SIZES = ((960, 600), (1280, 800))
SCALED = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from tests.looking import cut
from workbench.face import app as start
from workbench.face.theme import apply_theme
from workbench.face.window import Window
from workbench.session import Session
app = start.application()
apply_theme(app, "light")
window = Window(Session(sys.argv[1]))
window.resize(960, 600)
window.show()
window.desk.replay("run1")
def look():
    for place in range(window.desk.tabs.count()):
        window.desk.tabs.setCurrentIndex(place)
        app.processEvents()
        print(*cut(window), sep="\\n", end="")
    picture = window.grab()
    assert picture.devicePixelRatio() == float(sys.argv[2]), picture.devicePixelRatio()
    assert picture.width() == round(960 * float(sys.argv[2]))
    window.close()
QTimer.singleShot(300, look)
sys.exit(app.exec())
"""


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


@pytest.mark.parametrize("factor", ["1.5", "2", "3"])
def test_nothing_is_cut_and_all_is_sharp_on_a_screen_of_more_pixels(
    factor: str, tmp_path: Path
) -> None:
    log_a_run(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", SCALED, str(tmp_path), factor],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": factor},
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""


def test_the_scheme_changes_everywhere_while_a_run_is_shown(
    replayed: Window, qapp: QApplication
) -> None:
    for scheme, darker in (("light", False), ("dark", True), ("light", False)):
        apply_theme(qapp, scheme)
        QCoreApplication.processEvents()
        for title in every_tab(replayed):
            shades = array_of(replayed.grab().toImage()).mean(axis=2)
            assert bool(np.median(shades) < 128) is darker, f"tab {title}"
            wrong = (shades > 200) if darker else (shades < 60)
            assert wrong.mean() < 0.1, f"tab {title}: {wrong.mean():.0%} of the other scheme"
