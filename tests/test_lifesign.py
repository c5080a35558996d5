import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.engines import engines
from tests.opened import feature, fill, opened
from tests.trained import folders, quick_config
from workbench.events import Stage
from workbench.face.lifesign import PATIENCE_MS, LifeSign
from workbench.face.window import Window
from workbench.session import SessionApart, run
from workbench.session.engine import LOADING

AT_WORK = "The engine is at work, but its step has taken 30 s so far."
pytestmark = pytest.mark.slow


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    with opened(tmp_path / "home", qtbot) as made:
        yield made


def answer(window: Window, text: str) -> None:
    """Press a button of the strip about a run that is silent."""
    subject = "silence"
    window.desk.strips.strip(subject).buttons[text].click()


def test_the_first_word_comes_with_the_click(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    fill(window, qtbot, tmp_path / "pictures", epochs=5000)
    window.commands.train()
    assert window.desk.page.run_panel.stage.text() == "Starting the engine"
    assert window.desk.page.run_panel.isVisible()
    assert feature(window, LifeSign).timer.interval() == PATIENCE_MS == 30_000


def test_a_run_that_is_silent_is_told_of_and_a_paused_one_is_not(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    fill(window, qtbot, tmp_path / "pictures", epochs=5000)
    window.commands.train()
    training, strips, watch = window.desk.training, window.desk.strips, feature(window, LifeSign)
    qtbot.waitUntil(lambda: training.state == "running", timeout=120_000)
    assert watch.timer.isActive()
    watch.timer.timeout.emit()
    assert strips.texts()["silence"] == "No sign of life from training for 30 s."
    qtbot.waitUntil(lambda: "silence" not in strips.texts(), timeout=30_000)  # it spoke
    watch.timer.timeout.emit()
    answer(window, "Wait")
    assert "silence" not in strips.texts()
    assert watch.timer.isActive()
    training.pause()
    qtbot.waitUntil(lambda: training.state == "paused", timeout=30_000)
    assert not watch.timer.isActive()
    training.go_on()
    assert watch.timer.isActive()
    watch.timer.timeout.emit()
    with qtbot.waitSignal(training.ended, timeout=30_000):
        answer(window, "Stop")
    assert not watch.timer.isActive()
    assert "silence" not in strips.texts()


def test_a_slow_first_start_is_said_in_the_stage_line(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    fill(window, qtbot, tmp_path / "pictures", epochs=5000)
    window.commands.train()
    window.desk.training.news.emit([Stage(LOADING)])
    feature(window, LifeSign).timer.timeout.emit()
    text = "Still loading torch. The first start after installation takes longer."
    assert window.desk.page.run_panel.stage.text() == text
    assert "silence" not in window.desk.strips.texts()


def test_a_step_that_does_not_end_can_be_forced_to(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = SessionApart(tmp_path / "home", entry_points=False)
    window = Window(session)
    window.show()
    training, hold = window.desk.training, window.desk.page.run_panel.hold
    window.desk.begin(session.start(quick_config(folders(tmp_path / "pictures"), epochs=1000)))
    qtbot.waitUntil(lambda: training.state == "running", timeout=120_000)
    qtbot.waitUntil(lambda: training.seconds_left is not None, timeout=120_000)
    assert re.search(r"is still training \(.+ left\)\.$", window.closing.sentence())
    watch, subject = feature(window, LifeSign), "silence"
    watch.timer.timeout.emit()
    assert window.desk.strips.texts()[subject] == AT_WORK
    (engine,) = engines()
    engine.suspend()
    monkeypatch.setattr(run, "SIGN_SECONDS", 1.0)
    qtbot.waitUntil(
        lambda: training.run is not None and not training.run.is_at_work, timeout=60_000
    )
    watch.timer.timeout.emit()
    said = window.desk.strips.texts()[subject]
    assert said.startswith("No sign of life from training for ")
    assert list(window.desk.strips.strip(subject).buttons) == ["Wait", "Stop", "Force stop"]
    training.stop()
    assert training.patience.interval() == 10_000
    assert not hold.stop.isEnabled()
    training.patience.timeout.emit()
    assert hold.stop.text() == "Force stop"
    assert hold.stop.isEnabled()
    with qtbot.waitSignal(training.ended, timeout=60_000) as ended:
        hold.stop.click()
    assert ended.args == ["interrupted"]
    said = window.desk.strips.strip("run")
    assert said.accessibleName().startswith("Training was stopped by force.")
    assert list(said.buttons) == ["Details"]
    assert training.state == "idle"
    assert not training.overdue
    window.close()
    session.close()
    window.deleteLater()
    assert engines() == []
