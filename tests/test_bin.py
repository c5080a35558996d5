"""Discarding a run that really trains: the question, the log after, and the way back."""

import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.opened import feature, opened, train, until
from tests.trained import folders, quick_config
from workbench.events import Stopped
from workbench.face.bin import Bin
from workbench.face.question import Question
from workbench.face.run_verbs import RunVerbs
from workbench.face.window import Window
from workbench.session import Session

pytestmark = pytest.mark.slow


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    with opened(tmp_path / "home", qtbot) as made:
        yield made


def shown(window: Window) -> list[str]:
    return [run.name for run in window.desk.history.model.runs()]


def move_the_first_row(window: Window) -> None:
    window.desk.reread_log()
    window.desk.history.table.selectRow(0)
    window.actions_by_id["bin_run"].trigger()


def test_a_run_is_discarded_after_a_question_and_the_toast_takes_it_back(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    discard = window.actions_by_id["discard_run"]
    assert not discard.isEnabled()
    train(window, qtbot, tmp_path / "pictures")
    assert discard.isEnabled()
    discard.trigger()
    question = feature(window, Bin).question
    assert question is not None
    sentence = r"Discard run-0001\? \d+ (s|min) of training go to the bin\."
    assert re.fullmatch(sentence, question.text())
    assert list(question.answers) == ["Discard", "Stop and keep"]
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
        question.answers["Discard"].click()
    toast = window.desk.toast
    assert (toast.label.text(), toast.button.text()) == ("run-0001 was moved to the bin.", "Undo")
    assert shown(window) == []
    assert isinstance(window.desk.session.events("run-0001")[-1], Stopped)
    toast.button.click()
    assert shown(window) == ["run-0001"]
    assert not discard.isEnabled()


def test_stop_and_keep_keeps_it_and_a_run_that_ends_takes_the_question_along(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    train(window, qtbot, tmp_path / "pictures")
    window.actions_by_id["discard_run"].trigger()
    question = feature(window, Bin).question
    assert question is not None
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
        question.answers["Stop and keep"].click()
    assert shown(window) == ["run-0001"]
    window.commands.train()
    until(window, qtbot, "running")
    window.actions_by_id["discard_run"].trigger()
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
        window.desk.training.stop()
    assert feature(window, Bin).question is None
    assert shown(window) == ["run-0002", "run-0001"]


def test_the_run_that_trains_is_stopped_and_moved_from_the_table(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    train(window, qtbot, tmp_path / "pictures")
    move_the_first_row(window)
    toast = window.desk.toast
    assert toast.label.text() == "Stop run-0001 first."
    assert toast.button.text() == "Stop and move to bin"
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
        toast.button.click()
    assert shown(window) == []
    assert toast.label.text() == "run-0001 was moved to the bin."


def test_stop_and_move_to_bin_means_the_run_it_names(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    train(window, qtbot, tmp_path / "pictures")
    move_the_first_row(window)
    call = window.desk.toast._call
    assert call is not None
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
        window.desk.training.stop()
    window.commands.train()
    until(window, qtbot, "running")
    call()
    assert window.desk.training.state == "running"
    assert shown(window) == ["run-0002"]


def test_running_again_after_another_has_begun_enters_nothing(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    train(window, qtbot, tmp_path / "pictures")
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
        window.desk.training.stop()
    window.desk.history.table.selectRow(0)
    feature(window, RunVerbs).run_again()
    question = feature(window, RunVerbs)._question
    assert question is not None
    window.desk.begin(window.desk.session.start(window.desk.draft.state.run_config()))
    until(window, qtbot, "running")
    question.answers["Run again"].click()
    assert window.desk.toast.label.text() == "run-0002 is training."
    assert [run.name for run in window.desk.session.runs()] == ["run-0002", "run-0001"]


def test_running_again_says_how_many_pictures_changed_since(tmp_path: Path, qtbot: QtBot) -> None:
    session = Session(tmp_path / "home", entry_points=False)
    assert session.start(quick_config(folders(tmp_path / "pictures"))).work() == "finished"
    session.close()
    finches = tmp_path / "pictures" / "finches" / "red"
    shutil.copy(finches / "0001.png", finches / "0000.png")
    with opened(tmp_path / "home", qtbot) as window:
        window.desk.history.table.selectRow(0)
        feature(window, RunVerbs).run_again()
        (question,) = window.findChildren(Question)
        said = "1 picture of task 1 has changed since run-0001 began."
        qtbot.waitUntil(lambda: said in question.informativeText(), timeout=20_000)
        same = "Versions and folders are as they were."
        assert question.informativeText().splitlines() == [same, said]
        question.reject()
        window.desk.strips.clear_strip("pictures")
        window.actions_by_id["use_settings"].trigger()
        qtbot.waitUntil(lambda: "pictures" in window.desk.strips.texts(), timeout=20_000)
        assert window.desk.strips.texts()["pictures"] == said


def test_a_pause_is_no_training_time(tmp_path: Path) -> None:
    session = Session(tmp_path / "home", entry_points=False)
    run = session.start(quick_config(folders(tmp_path / "pictures"), epochs=5000))
    assert run.seconds == 0.0
    worker = threading.Thread(target=run.work)
    began = time.monotonic()
    worker.start()
    run.pause()
    while run.state != "paused":
        time.sleep(0.01)
    before = run.seconds
    assert 0 < before <= time.monotonic() - began
    time.sleep(0.3)
    assert run.seconds == before
    run.stop()
    worker.join()
    assert run.seconds <= time.monotonic() - began - 0.3
