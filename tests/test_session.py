"""The door to the engine: runs entered, worked, stopped, broken, found again, taken away."""

import itertools
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import make_class_folders
from tests.said import lasting
from tests.trained import folders, quick_config, trained_session
from workbench.config import RunConfig, TaskFolder, to_dict, with_values
from workbench.core.adapter_file import load_adapter
from workbench.errors import UsageError, WorkbenchError
from workbench.events import (
    Checkpointed,
    Event,
    Failed,
    Finished,
    Pace,
    RunStarted,
    Stage,
    Step,
    Stopped,
)
from workbench.paths import LOG_NAME, run_folder
from workbench.report import Guess, ScanReport
from workbench.session import Run, Session, ThreadEngine

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def session(tmp_path):
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        yield session


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """A run that was trained to its end: its session, its id, the pictures."""
    root = tmp_path_factory.mktemp("learnt")
    session, run_id = trained_session(root / "home", root / "pictures")
    with closing(session):
        yield session, run_id, root / "pictures"


class Scripted(ThreadEngine):
    """An engine that says what it is given, raises what is an exception and calls what can be called."""

    def __init__(self, *script: Event | BaseException | Callable[[], None]) -> None:
        super().__init__()
        self.script = script
        self.closed = False

    def events(
        self, config: RunConfig, home: Path, folder: Path, clock: object = None
    ) -> Generator[Event, None, None]:
        try:
            for item in self.script:
                if isinstance(item, BaseException):
                    raise item
                if isinstance(item, Event):
                    yield item
                else:
                    item()
        finally:
            self.closed = True


def run_with(session, engine, pictures):
    entered = session.start(quick_config(folders(pictures)))
    return Run(session.home, entered.id, entered.config, engine)


def test_a_run_without_tasks_is_refused_and_not_entered(session):
    with pytest.raises(UsageError, match=r"There is no task to learn. Add a folder"):
        session.start(RunConfig())
    assert session.runs() == []


def test_a_run_with_a_folder_that_is_not_there_is_refused_and_not_entered(session, tmp_path):
    config = quick_config([*folders(tmp_path / "pictures"), tmp_path / "gone"])
    with pytest.raises(UsageError, match=r"folder of task 'gone' is not there \(.*gone\)"):
        session.start(config)
    assert session.runs() == []


def test_a_value_out_of_range_is_refused_and_not_entered(session, tmp_path):
    config = quick_config(folders(tmp_path / "pictures"))
    with pytest.raises(UsageError, match="batch_size"):
        session.start(replace(config, train=replace(config.train, batch_size=0)))
    assert session.runs() == []


def test_runs_are_numbered_unless_they_are_named(session, tmp_path):
    config = quick_config(folders(tmp_path / "pictures"))
    names = [
        session.start(replace(config, name=name)).name for name in ("", "", "mine", "run-0005", "")
    ]
    assert names == ["run-0001", "run-0002", "mine", "run-0005", "run-0006"]
    assert [run.name for run in session.runs()] == names[::-1]
    assert {run.state for run in session.runs()} == {"starting"}


def test_one_folder_is_split_into_tasks_before_the_run_is_entered(session, tmp_path):
    folder = make_class_folders(tmp_path / "all", dict.fromkeys("abcde", 2))
    config = with_values(quick_config([folder]), {"data.first_classes": 3, "data.increment": 1})
    run = session.start(config)
    assert [len(task.classes) for task in run.config.data.tasks] == [3, 1, 1]
    assert session.details(run.id).config == to_dict(run.config)
    with pytest.raises(UsageError, match="9 is not possible with 5 classes"):
        session.start(with_values(config, {"data.first_classes": 9}))


def test_a_run_goes_from_starting_over_running_to_finished(learnt):
    session, run_id, _ = learnt
    summary = session.details(run_id).summary
    assert (summary.state, summary.state_reason, summary.tasks_done) == ("finished", "", 2)
    assert summary.final_accuracy is not None
    assert summary.forgetting is not None
    assert summary.ended is not None
    assert summary.ended > summary.created


def test_what_is_replayed_is_what_was_sent(session, tmp_path):
    run = session.start(quick_config(folders(tmp_path / "pictures")))
    assert run.work() == run.state == "finished"
    live = run.news()
    assert run.news() == []
    assert session.events(run.id) == lasting(live)
    times = [event.time for event in session.events(run.id)]
    assert times == [event.time for event in lasting(live)]  # told apart from what is equal
    assert times == sorted(times)
    assert times[0] < times[-1]
    assert isinstance(live[-1], Finished)
    of_the_clock = [
        type(a) is type(b) for a, b in itertools.pairwise(live) if isinstance(a, (Stage, Pace))
    ]
    assert not any(of_the_clock)  # only the newest is kept


def test_a_run_that_is_asked_to_stop_ends_within_one_step(session, tmp_path):
    steps = [Step(0, 0, number, 0.1, {"total": 1.0}) for number in range(9)]
    engine = Scripted()
    run = run_with(session, engine, tmp_path)
    engine.script = (Stage("loading"), *steps[:2], run.stop, *steps[2:], Finished(9))
    assert run.work() == "stopped"
    assert lasting(run.news()) == [*steps[:3], Stopped(3)]
    assert engine.closed
    assert session.details(run.id).summary.state == "stopped"


def test_a_real_run_that_is_stopped_leaves_no_task_half_learnt(session, tmp_path):
    run = session.start(quick_config(folders(tmp_path), epochs=1000))
    run.stop()
    assert run.stop_when == "now"
    assert run.work() == "stopped"
    summary = session.details(run.id).summary
    assert (summary.state, summary.tasks_done) == ("stopped", 0)
    with pytest.raises(UsageError, match="has no adapter yet: it is saved after the first task"):
        session.predict(run.id, [str(tmp_path)])
    with pytest.raises(WorkbenchError, match="no adapter yet"):
        session.export(run.id, tmp_path / "out")
    assert not (tmp_path / "out" / "adapter").exists()


def test_a_stop_that_comes_after_the_end_changes_nothing(session, tmp_path):
    run = run_with(session, Scripted(Finished(9)), tmp_path)
    run.stop()
    assert run.work() == "finished"


def test_what_is_wrong_outside_the_program_ends_the_run_with_its_sentence_alone(session, tmp_path):
    values = {"model.backbone": "vit_tiny_patch16_224.augreg_in21k", "model.weights": "/no.pt"}
    run = session.start(with_values(quick_config(folders(tmp_path)), values))
    assert run.work() == "failed"
    said = lasting(run.news())
    assert isinstance(said[-1], Failed)
    assert "The weights file '/no.pt' is not there" in said[-1].sentence
    assert said[-1].detail == ""
    summary = session.details(run.id).summary
    assert (summary.state, summary.state_reason) == ("failed", said[-1].sentence)


def test_a_mistake_of_the_program_ends_the_run_with_its_traceback(session, tmp_path):
    run = run_with(session, Scripted(Stage("x"), ZeroDivisionError("by nothing")), tmp_path)
    assert run.work() == "failed"
    (failed,) = session.events(run.id)
    assert isinstance(failed, Failed)
    assert "made a mistake (ZeroDivisionError: by nothing)" in failed.sentence
    assert "Traceback" in failed.detail
    assert "tests" in failed.detail
    assert session.details(run.id).summary.state == "failed"


def test_a_gpu_that_is_full_is_said_with_a_way_out(session, tmp_path):
    class OutOfMemoryError(RuntimeError):
        """What torch calls it."""

    run = run_with(session, Scripted(OutOfMemoryError("CUDA")), tmp_path)
    assert run.work() == "failed"
    assert session.details(run.id).summary.state_reason == (
        "The GPU ran out of memory before the first task. No task was learnt to its end; what was logged is kept. "
        "Fewer pictures at a time were tried already; what may help is to close other programs, a smaller backbone, or the "
        "processor (device cpu)."
    )


def test_ctrl_c_in_the_thread_that_trains_is_logged_and_passed_on(session, tmp_path):
    run = run_with(session, Scripted(Step(0, 0, 4, 0.1, {}), KeyboardInterrupt()), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run.work()
    assert run.state == session.details(run.id).summary.state == "stopped"
    assert session.events(run.id)[-1] == Stopped(5)


def test_a_log_that_cannot_be_written_is_told_to_who_listens(session, tmp_path):
    run = run_with(session, Scripted(Finished(0)), tmp_path)
    with closing(sqlite3.connect(session.home / LOG_NAME)) as log, log:
        log.execute("PRAGMA foreign_keys = OFF")
        log.execute("DELETE FROM run")
    assert run.work() == "failed"
    assert isinstance(run.news()[-1], Failed)


def test_a_run_whose_process_died_is_interrupted_at_the_next_start(tmp_path):
    code = """
import os, sys
from tests.trained import folders, quick_config
from workbench.log.writer import Writer
from workbench.session import Session
from pathlib import Path
session = Session(sys.argv[1] + "/home")
run = session.start(quick_config(folders(Path(sys.argv[1]) / "pictures")))
Writer(session.home / "workbench.db", run.id).flush()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=True)
    log = tmp_path / "home" / LOG_NAME
    with closing(sqlite3.connect(log)) as db, db:
        db.execute("UPDATE run SET state = 'running'")
    with closing(Session(log.parent, entry_points=False)) as session:
        mine = session.start(quick_config(folders(tmp_path / "pictures")))
        assert [(run.name, run.state) for run in session.runs()] == [
            ("run-0002", "starting"),
            ("run-0001", "interrupted"),
        ]
        assert "ended without a word" in session.runs()[1].state_reason
        assert session.cut_off == ("run-0001 was cut off today before its first step.",)
    with closing(Session(log.parent, entry_points=False)) as session:
        assert session.details(mine.id).summary.state == "starting"  # this process lives
        assert session.cut_off == ()


def test_another_program_sees_a_run_grow_and_takes_nothing_from_it(session, tmp_path):
    code = """
import sys
from workbench.session import Session
session = Session(sys.argv[1])
print([len(session.events(run.id)) for run in session.runs()])
session.close()
"""
    seen = []

    def look() -> None:
        with closing(Session(session.home, entry_points=False)):  # as a thread of the window does
            pass
        command = [sys.executable, "-c", code, str(session.home)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        seen.append(json.loads(done.stdout))

    started = RunStarted((), {}, "sample", "", 1, 1, "cpu", "open")
    run = run_with(
        session,
        Scripted(look, started, look, Checkpointed(0, 0, 1, "checkpoint/1"), look, Finished(0)),
        tmp_path,
    )
    assert run.work() == "finished"
    assert seen == [[0], [1], [2]]
    assert (session.home / f"{LOG_NAME}-wal").exists()
    assert len(session.events(run.id)) == 3


def guesses(session, run, *pictures):
    return [
        item for item in session.predict(run, [str(p) for p in pictures]) if isinstance(item, Guess)
    ]


def test_pictures_are_classified_by_a_runs_name_id_and_folder(learnt, tmp_path):
    session, run_id, pictures = learnt
    by_name = guesses(session, "run-0001", pictures / "finches")
    assert len(by_name) == 16
    assert guesses(session, run_id, pictures / "finches") == by_name
    assert guesses(session, run_id[:8], pictures / "finches") == by_name
    session.export(run_id, tmp_path, numbers=False)
    assert guesses(session, str(tmp_path / "adapter"), pictures / "finches") == by_name
    assert (
        guesses(session, str(tmp_path / "adapter" / "adapter.safetensors"), pictures / "finches")
        == by_name
    )
    assert set(by_name[0].classes) == {"red", "green", "grey", "blue"}


def test_a_picture_that_cannot_be_read_is_answered_with_a_sentence(learnt, tmp_path):
    session, run_id, pictures = learnt
    (tmp_path / "bad.png").write_bytes(b"no picture")
    good = next((pictures / "finches" / "red").iterdir())
    bad, answered = guesses(session, run_id, tmp_path / "bad.png", good)
    assert "bad.png" in bad.problem
    assert bad.classes == ()
    assert answered.problem == ""


def test_a_run_that_is_not_there_is_a_sentence_with_the_nearest_name(learnt):
    session, _, _ = learnt
    for ask in (session.details, session.events, lambda run: session.predict(run, ["x"])):
        with pytest.raises(
            UsageError, match=r"'run-001' is not in this log. Did you mean 'run-0001'"
        ):
            ask("run-001")


def test_adapter_and_numbers_are_exported_together_or_apart(learnt, tmp_path):
    session, run_id, _ = learnt
    both = session.export(run_id, tmp_path / "both")
    adapter = {"adapter.safetensors", "adapter.json", "README.md"}
    numbers = {"curves.csv", "accuracy_matrix.csv", "steps.csv", "run.json"}
    numbers |= {"answers.csv", "confusion.csv", "classes.csv"}
    assert {path.name for path in both} == adapter | numbers
    assert all(path.is_file() for path in both)
    assert sorted(p.name for p in (tmp_path / "both").iterdir()) == sorted([*numbers, "adapter"])
    kept = run_folder(session.home, run_id) / "adapter"
    for name in adapter:
        assert (tmp_path / "both" / "adapter" / name).read_bytes() == (kept / name).read_bytes()
    assert {p.name for p in session.export(run_id, tmp_path / "a", numbers=False)} == adapter
    assert {p.name for p in session.export(run_id, tmp_path / "n", adapter=False)} == numbers
    tensors, card = load_adapter(tmp_path / "a" / "adapter")
    assert [entry.name for entry in card.classes] == ["green", "red", "blue", "grey"]
    assert len(tensors["prototypes.weight"]) == 4
    details = json.loads((tmp_path / "n" / "run.json").read_text("utf-8"))
    assert details["id"] == run_id


@pytest.mark.parametrize("damage", ["bytes", "card", "answers"])
def test_a_damaged_adapter_is_not_exported_and_a_good_export_stays(learnt, tmp_path, damage):
    session, run_id, _ = learnt
    session.export(run_id, tmp_path / "before", numbers=False)
    good = {p.name: p.read_bytes() for p in (tmp_path / "before" / "adapter").iterdir()}
    kept = run_folder(session.home, run_id)
    shutil.copytree(kept, tmp_path / "backup")
    try:
        _damage(kept, damage)
        for place in ("before", "new"):
            with pytest.raises(WorkbenchError) as caught:
                session.export(run_id, tmp_path / place, numbers=False)
            assert not isinstance(caught.value, UsageError)
        assert not (tmp_path / "new" / "adapter").exists()
        assert list((tmp_path / "new").iterdir()) == []
        assert {p.name: p.read_bytes() for p in (tmp_path / "before" / "adapter").iterdir()} == good
        assert [p.name for p in (tmp_path / "before").iterdir()] == ["adapter"]
    finally:
        shutil.rmtree(kept)
        shutil.copytree(tmp_path / "backup", kept)


def _damage(folder: Path, damage: str) -> None:
    adapter, check = folder / "adapter" / "adapter.safetensors", folder / "check.safetensors"
    path = {"bytes": adapter, "card": adapter.with_suffix(".json"), "answers": check}[damage]
    content = bytearray(path.read_bytes())
    if damage == "answers":  # the last tensor of the file: the logits come first, then the pixels
        content[-4000:] = bytes(4000)
    else:
        content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_an_export_to_where_nothing_can_be_written_is_a_sentence(learnt, tmp_path):
    session, run_id, _ = learnt
    (tmp_path / "file").write_text("")
    for adapter in (True, False):
        with pytest.raises(WorkbenchError, match=r"^Could not write to .*file"):
            session.export(run_id, tmp_path / "file", adapter=adapter, numbers=not adapter)


def test_a_scan_can_be_accepted_as_tasks(session, tmp_path):
    paths = folders(tmp_path)
    *_, report = session.scan([str(path) for path in paths])
    assert isinstance(report, ScanReport)
    classes = [("green", "red"), ("blue", "grey")]
    expected = [TaskFolder(p.name, str(p), c) for p, c in zip(paths, classes, strict=True)]
    assert [task.folder for task in report.tasks] == expected
    assert [len(part.classes) for part in session.pictures.split(report.tasks[0], 1, 1, 0)] == [
        1,
        1,
    ]
    *_, again = session.scan([str(paths[0])], report.tasks)
    assert [problem.kind for problem in again.problems] == ["same_folder"]
    *_, loose = session.scan([str(paths[0] / "red")])
    assert loose.tasks[0].question == "one_class"
    assert session.answer_one_class(loose.tasks[0]).usable


def test_a_run_can_be_given_another_name(session, tmp_path):
    run = session.start(quick_config(folders(tmp_path)))
    session.rename("run-0001", " better ")
    assert session.details("better").summary.id == run.id


def test_the_sample_is_five_tasks_of_four_classes(session):
    config = session.sample_config()
    assert len(config.data.tasks) == 5
    assert config.model.backbone == "sample"
    assert session.sample_config(full=True).data.tasks == config.data.tasks
    assert session.sample_config(full=True) != config


def test_choices_hold_the_sample_first_and_every_preset(session):
    choices = session.choices()
    assert choices.backbones[0].name == "sample"
    assert choices.backbones[0].present
    assert len({choice.name for choice in choices.backbones}) == len(choices.backbones) > 20
    assert {preset.name for preset in choices.presets} >= {"sample", "balanced", "quick"}


def test_the_logs_health_is_told(session):
    health = session.health()
    assert health["quick_check"] == "ok"
    assert health["runs"] == 0


def test_torch_stays_out_until_something_is_trained_or_answered(tmp_path):
    code = """
import sys
from tests.trained import folders, quick_config
from workbench.session import Session
from pathlib import Path
session = Session(sys.argv[1] + "/home")
session.choices(), session.sample_config(), session.runs(), session.health()
*_, report = session.scan([str(p) for p in folders(Path(sys.argv[1]) / "pictures")])
session.pictures.split(report.tasks[0], 1, 1, 0)
run = session.start(quick_config([Path(t.folder.path) for t in report.tasks]))
session.details(run.id), session.events(run.id)
session.export(run.id, sys.argv[1] + "/out", adapter=False)
session.close()
print([name for name in ("torch", "torchvision", "timm", "PySide6") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_a_run_tells_the_device_and_the_weights(learnt):
    session, run_id, _ = learnt
    started = next(event for event in session.events(run_id) if isinstance(event, RunStarted))
    assert started.device == "cpu"
    assert len(started.weights_sha256) == 64
