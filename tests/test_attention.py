"""Who looks elsewhere is told; only the desktop's own notification area is a stand-in here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from tests.opened import feature, fill, opened
from workbench.face.attention import Attention
from workbench.face.window import Window

pytestmark = [
    pytest.mark.slow,
    pytest.mark.qt_log_ignore("systemTrayWindowChanged", extend=True),  # no tray offscreen
]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the desktop a notification area that keeps what it is told."""
    kept: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    monkeypatch.setattr(
        QSystemTrayIcon, "showMessage", lambda self, title, text, *rest: kept.append(text)
    )
    monkeypatch.setattr(QApplication, "alert", lambda window, *rest: kept.append("alert"))
    return kept


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    with opened(tmp_path / "home", qtbot) as made:
        yield made


def finish(window: Window, qtbot: QtBot, pictures: Path) -> None:
    fill(window, qtbot, pictures)
    window.commands.train()
    with qtbot.waitSignal(window.desk.training.ended, timeout=120_000):
        pass


def test_the_end_of_a_run_is_told_to_who_looks_elsewhere(
    window: Window, qtbot: QtBot, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Window, "isActiveWindow", lambda self: False)
    finish(window, qtbot, tmp_path / "pictures")
    assert told == ["alert", "run-0001 is finished."]
    tray = feature(window, Attention).tray
    assert tray is not None
    assert not tray.icon().isNull()
    tray.messageClicked.emit()
    assert not tray.isVisible()


def test_a_pause_between_tasks_is_told_too(
    window: Window, qtbot: QtBot, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Window, "isActiveWindow", lambda self: False)
    fill(window, qtbot, tmp_path / "pictures")
    window.actions_by_id["pause_between"].trigger()
    window.commands.train()
    qtbot.waitUntil(lambda: window.desk.training.state == "paused", timeout=120_000)
    assert told == ["alert", "Task 1 is learnt; the run waits."]


def test_who_looks_at_the_window_is_not_disturbed(
    window: Window, qtbot: QtBot, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Window, "isActiveWindow", lambda self: True)
    finish(window, qtbot, tmp_path / "pictures")
    assert told == []
