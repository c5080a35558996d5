"""The window offers runs that ended early to go on, asks what has changed, and extends finished ones."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.opened import feature, opened
from tests.pictures import make_task_folders
from tests.test_resume_session import stopped_at, unmonitored
from tests.trained import folders, quick_config, trained_session
from workbench.config import RunConfig
from workbench.events import Checkpointed, Step
from workbench.face.extending import Extending
from workbench.face.question import Question
from workbench.face.resuming import MOST_STRIPS, Resuming, show
from workbench.face.window import Window
from workbench.session import Session

LONG = 120_000  # ms a tiny run may take on a busy machine


def cut_off(home: Path, pictures: Path, runs: int = 1) -> list[str]:
    """Leave runs behind that were stopped early, as if their process had died."""
    with closing(Session(home, entry_points=False)) as session:
        config = quick_config(folders(pictures))
        made = []
        for _ in range(runs):
            run = session.start(config)
            run.stop()
            run.work()
            made.append(run.id)
        with session.log() as log, log.change() as db:
            db.execute("UPDATE run SET state = 'running', pid = 0, pid_started = 0")
    return made


def texts(window: Window) -> dict[str, str]:
    return window.desk.strips.texts()


def action(window: Window, name: str) -> QAction:
    found = window.findChild(QAction, name)
    assert isinstance(found, QAction)
    return found


@pytest.fixture
def found_dead(tmp_path: Path, qtbot: QtBot) -> Iterator[tuple[Window, str]]:
    (run_id,) = cut_off(tmp_path / "home", tmp_path / "pictures")
    with opened(tmp_path / "home", qtbot) as window:
        yield window, run_id


def test_a_run_found_dead_is_told_of_once_with_three_ways(found_dead: tuple[Window, str]) -> None:
    window, run_id = found_dead
    said = [text for text in texts(window).values() if "cut off" in text]
    assert len(said) == 1
    assert said[0].startswith("run-0001 was cut off today ")
    strip = window.desk.strips.strip(f"cut off {run_id}")
    assert list(strip.buttons) == ["Resume", "Keep as it is", "To the bin"]


def test_resume_asks_what_any_start_asks_and_trains_it_to_its_end(
    found_dead: tuple[Window, str], qtbot: QtBot
) -> None:
    window, run_id = found_dead
    held: list[Callable[[], None]] = []

    def asks(_: RunConfig, go_on: Callable[[], None]) -> bool:
        held.append(go_on)
        return True

    window.desk.start_questions.append(asks)
    window.desk.strips.strip(f"cut off {run_id}").buttons["Resume"].click()
    qtbot.waitUntil(lambda: bool(held), timeout=LONG)
    assert window.desk.training.state == "idle"
    assert [run.state for run in window.desk.session.runs()] == ["interrupted"]
    with qtbot.waitSignal(window.desk.training.ended, timeout=LONG) as ended:
        held[0]()
    assert len(held) == 1
    assert ended.args == ["finished"]
    (run,) = window.desk.session.runs()
    assert (run.id, run.state, run.tasks_done) == (run_id, "finished", 2)
    assert not [text for text in texts(window).values() if "cut off" in text]
    assert window.desk.training.tasks == 2


def test_kept_as_it_is_it_is_not_offered_again(
    found_dead: tuple[Window, str], tmp_path: Path, qtbot: QtBot
) -> None:
    window, run_id = found_dead
    window.desk.strips.strip(f"cut off {run_id}").buttons["Keep as it is"].click()
    assert f"cut off {run_id}" not in texts(window)
    window.desk.memory.sync()
    with opened(tmp_path / "home", qtbot) as second:
        assert f"cut off {run_id}" not in texts(second)


def test_it_goes_to_the_bin_and_comes_back(found_dead: tuple[Window, str]) -> None:
    window, run_id = found_dead
    window.desk.strips.strip(f"cut off {run_id}").buttons["To the bin"].click()
    assert window.desk.session.runs() == []
    assert window.desk.toast.button.text() == "Undo"
    window.desk.toast.button.click()
    assert [run.id for run in window.desk.session.runs()] == [run_id]


def test_only_the_newest_are_told_of(tmp_path: Path, qtbot: QtBot) -> None:
    made = cut_off(tmp_path / "home", tmp_path / "pictures", MOST_STRIPS + 2)
    with opened(tmp_path / "home", qtbot) as window:
        told = [subject for subject in texts(window) if subject.startswith("cut off")]
        assert set(told) == {f"cut off {run_id}" for run_id in made[-MOST_STRIPS:]}


def test_what_is_not_as_it_was_is_asked_before(tmp_path: Path, qtbot: QtBot) -> None:
    (run_id,) = cut_off(tmp_path / "home", tmp_path / "pictures")
    with (
        closing(Session(tmp_path / "home", entry_points=False)) as session,
        session.log() as log,
        log.change() as db,
    ):
        db.execute("UPDATE run SET versions = json_set(versions, '$.torch', '1.0')")
    with opened(tmp_path / "home", qtbot) as window:
        resuming = feature(window, Resuming)
        resuming.resume(run_id)
        qtbot.waitUntil(lambda: resuming.question is not None, timeout=LONG)
        question = resuming.question
        assert question is not None
        assert question.text().startswith("Made with torch 1.0, now ")
        assert window.desk.training.state == "idle"
        with qtbot.waitSignal(window.desk.training.ended, timeout=LONG):
            question.answers["Resume"].click()
        notes = [
            text for text in map(str, window.desk.session.events(run_id)) if "torch 1.0" in text
        ]
        assert notes


def left_dead(home: Path, pictures: Path) -> tuple[RunConfig, str]:
    """Leave a run that died in its second task, behind three checkpoints or more; return its settings and its id."""
    with closing(Session(home, entry_points=False)) as session:
        run = stopped_at(session, unmonitored(pictures), 8)
        with session.log() as log, log.change() as db:
            db.execute("UPDATE run SET state = 'running', pid = 0, pid_started = 0")
        return run.config, run.id


def asked_on_resume(window: Window, qtbot: QtBot, run_id: str) -> Question:
    """Press Resume in the strip about the run; return what is asked."""
    resuming = feature(window, Resuming)
    window.desk.strips.strip(f"cut off {run_id}").buttons["Resume"].click()
    qtbot.waitUntil(lambda: resuming.question is not None, timeout=LONG)
    assert resuming.question is not None
    return resuming.question


@pytest.mark.parametrize("answer", ["Resume anyway", "New run"])
def test_changed_pictures_are_asked_about_and_either_answer_trains(
    tmp_path: Path, qtbot: QtBot, answer: str
) -> None:
    config, run_id = left_dead(tmp_path / "home", tmp_path / "pictures")
    first, second = (next(Path(task.path).rglob("*.png")) for task in config.data.tasks)
    first.write_bytes(second.read_bytes())
    sentence = (
        "1 picture of task 1 has changed since this run began. Resuming would mix two data sets."
    )
    with opened(tmp_path / "home", qtbot) as window:
        question = asked_on_resume(window, qtbot, run_id)
        assert question.text() == sentence
        assert list(question.answers) == ["Resume anyway", "New run"]
        with qtbot.waitSignal(window.desk.training.ended, timeout=LONG) as ended:
            question.answers[answer].click()
        assert ended.args == ["finished"]
        runs = window.desk.session.runs()
        if answer == "New run":
            assert [(run.name, run.state) for run in runs] == [
                ("run-0002", "finished"), ("run-0001", "interrupted"),
            ]  # fmt: skip
        else:
            assert [(run.id, run.state) for run in runs] == [(run_id, "finished")]
            assert any(sentence in str(event) for event in window.desk.session.events(run_id))


def test_a_damaged_checkpoint_is_told_and_the_one_before_is_resumed_from(
    tmp_path: Path, qtbot: QtBot
) -> None:
    _, run_id = left_dead(tmp_path / "home", tmp_path / "pictures")
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        kept = [event for event in session.events(run_id) if isinstance(event, Checkpointed)]
    newest = tmp_path / "home" / "runs" / run_id / kept[-1].path
    newest.write_bytes(newest.read_bytes()[:-100])
    before = kept[-2].step
    assert before < kept[-1].step
    with opened(tmp_path / "home", qtbot) as window:
        question = asked_on_resume(window, qtbot, run_id)
        assert question.text() == (
            f"The last checkpoint is damaged; the one before (step {before}) is good."
        )
        assert list(question.answers) == [f"Resume from {before}"]
        with qtbot.waitSignal(window.desk.training.ended, timeout=LONG) as ended:
            question.answers[f"Resume from {before}"].click()
        assert ended.args == ["finished"]
        steps = [e.step for e in window.desk.session.events(run_id) if isinstance(e, Step)]
        assert steps == list(range(len(steps)))


def made_with_another_torch(home: Path) -> None:
    with (
        closing(Session(home, entry_points=False)) as session,
        session.log() as log,
        log.change() as db,
    ):
        db.execute("UPDATE run SET versions = json_set(versions, '$.torch', '1.0')")


def test_an_answer_that_comes_when_another_run_trains_changes_nothing(
    tmp_path: Path, qtbot: QtBot
) -> None:
    (run_id,) = cut_off(tmp_path / "home", tmp_path / "pictures")
    made_with_another_torch(tmp_path / "home")
    with opened(tmp_path / "home", qtbot) as window:
        resuming, session = feature(window, Resuming), window.desk.session
        before = session.events(run_id)
        resuming.resume(run_id)
        qtbot.waitUntil(lambda: resuming.question is not None, timeout=LONG)
        assert resuming.question is not None
        config = quick_config(folders(tmp_path / "others"), epochs=200)
        window.desk.begin(session.start(config), of_draft=False)
        resuming.question.answers["Resume"].click()
        assert window.desk.toast.label.text() == "run-0002 is training."
        assert session.details(run_id).summary.state == "interrupted"
        assert session.events(run_id) == before


def test_a_run_that_is_ready_when_another_one_trains_counts_as_stopped(
    tmp_path: Path, qtbot: QtBot
) -> None:
    (run_id,) = cut_off(tmp_path / "home", tmp_path / "pictures")
    with opened(tmp_path / "home", qtbot) as window:
        session = window.desk.session
        run = session.resuming.resume(run_id)
        config = quick_config(folders(tmp_path / "others"), epochs=200)
        window.desk.begin(session.start(config), of_draft=False)
        show(window.desk, run, session.events(run_id))
        assert texts(window)["resume"].startswith("run-0001 waits, because another run trains.")
        state = session.details(run_id).summary.state
        assert (state, window.desk.training.run.name) == ("stopped", "run-0002")


def test_each_answer_is_about_the_run_it_was_asked_of(tmp_path: Path, qtbot: QtBot) -> None:
    first, second = cut_off(tmp_path / "home", tmp_path / "pictures", 2)
    made_with_another_torch(tmp_path / "home")
    with opened(tmp_path / "home", qtbot) as window:
        resuming, questions = feature(window, Resuming), []
        for run_id in (first, second):
            resuming.question = None
            resuming.resume(run_id)
            qtbot.waitUntil(lambda: resuming.question is not None, timeout=LONG)
            qtbot.waitUntil(lambda: not resuming._looking.busy, timeout=LONG)
            questions.append(resuming.question)
        with qtbot.waitSignal(window.desk.training.ended, timeout=LONG):
            questions[0].answers["Resume"].click()
        assert window.desk.training.run.id == first


def test_a_missing_folder_is_said_and_nothing_starts_until_it_is_found(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run_id,) = cut_off(tmp_path / "home", tmp_path / "pictures")
    (tmp_path / "pictures" / "finches").rename(tmp_path / "elsewhere")
    with opened(tmp_path / "home", qtbot) as window:
        feature(window, Resuming).resume(run_id)
        qtbot.waitUntil(lambda: "resume" in texts(window), timeout=LONG)
        assert "The folder of task 'finches' is not there" in texts(window)["resume"]
        assert window.desk.training.state == "idle"
        assert [run.state for run in window.desk.session.runs()] == ["interrupted"]
        buttons = window.desk.strips.strip("resume").buttons  # noqa: B005  (no string)
        assert list(buttons) == ["Check again", "Find it…"]
        place = str(tmp_path / "elsewhere")
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: place)
        with qtbot.waitSignal(window.desk.training.ended, timeout=LONG):
            buttons["Find it…"].click()
        assert [run.state for run in window.desk.session.runs()] == ["finished"]


def test_a_run_that_waits_for_its_folder_is_told_where_it_is(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path / "home", qtbot) as window:
        training = window.desk.training
        run = window.desk.session.start(quick_config(folders(tmp_path / "pictures")))
        folder, place = tmp_path / "pictures" / "finches", tmp_path / "elsewhere"
        folder.rename(place)
        window.desk.begin(run, of_draft=False)
        qtbot.waitUntil(lambda: training.state == "paused", timeout=LONG)
        assert f"'finches' is no longer there ({folder})" in texts(window)["blocked"]
        buttons = window.desk.strips.strip("blocked").buttons
        assert list(buttons) == ["Check again", "Find it…", "Stop"]
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")  # none chosen
        buttons["Find it…"].click()
        assert training.state == "paused"
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(place))
        with qtbot.waitSignal(training.ended, timeout=LONG) as ended:
            buttons["Find it…"].click()
        assert ended.args == ["finished"]
        assert "blocked" not in texts(window)


def test_the_gpu_is_freed_and_the_run_offered_again(tmp_path: Path, qtbot: QtBot) -> None:
    with opened(tmp_path / "home", qtbot) as window:
        run = window.desk.session.start(quick_config(folders(tmp_path / "pictures"), epochs=200))
        window.desk.begin(run, of_draft=False)
        qtbot.waitUntil(lambda: window.desk.training.state == "running", timeout=LONG)
        with qtbot.waitSignal(window.desk.training.ended, timeout=LONG):
            action(window, "pause_and_free").trigger()
        assert texts(window)["resume"] == "run-0001 waits on the disk, and the GPU is free."
        assert window.desk.session.runs()[0].state == "stopped"
        assert action(window, "resume_run").isEnabled()
        assert not action(window, "extend_run").isEnabled()


def test_a_finished_run_without_a_checkpoint_says_why_it_cannot_be_extended(
    tmp_path: Path, qtbot: QtBot
) -> None:
    session, run_id = trained_session(tmp_path / "home", tmp_path / "pictures")
    folder = session.home / "runs" / run_id / "checkpoint"
    for file in folder.glob("*") if folder.exists() else ():
        os.remove(file)
    session.close()
    (more,) = make_task_folders(tmp_path / "more", {"owls": {"tawny": 8, "snowy": 8}})
    with opened(tmp_path / "home", qtbot) as window:
        extending = feature(window, Extending)
        window.desk.page.replay(run_id, "run-0001", window.desk.session.events(run_id))
        window.desk.changed.emit()
        assert action(window, "extend_run").isEnabled()
        assert not action(window, "resume_run").isEnabled()
        action(window, "extend_run").trigger()
        assert extending.question is not None
        assert list(extending.question.answers) == ["A further folder…", "More epochs…"]
        extending.question.reject()
        extending.scan([str(more)])
        qtbot.waitUntil(lambda: extending.sheet is not None, timeout=LONG)
        assert extending.sheet is not None
        qtbot.mouseClick(extending.sheet.add_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: "extend" in texts(window), timeout=LONG)
        assert (
            "run-0001 cannot be extended from the end of its last task" in texts(window)["extend"]
        )
        assert len(window.desk.session.runs()) == 1
