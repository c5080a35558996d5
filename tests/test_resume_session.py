"""Runs that were stopped or killed are trained to their end as if nothing had happened; finished ones take more."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tests.said import decided
from tests.trained import folders, quick_config
from workbench import paths
from workbench.cli import main
from workbench.config import RunConfig, to_toml, with_values
from workbench.errors import CannotWrite, DiskFull, UsageError
from workbench.events import Event, Note, Step, Stopped
from workbench.log import resume as log_resume
from workbench.log.resume import checkpoints
from workbench.session import Run, Session
from workbench.session.resume_words import day

ROOT = Path(__file__).resolve().parent.parent


def told(session: Session, run_id: str) -> list[Event]:
    """Return what the log says of a run, but for what clock and user said."""
    return decided(session.events(run_id))


def adapter_of(session: Session, run_id: str) -> bytes:
    return (paths.run_folder(session.home, run_id) / "adapter" / "adapter.safetensors").read_bytes()


def unmonitored(root: Path) -> RunConfig:
    """Return the tiny run without what depends on the clock: the monitor's thinning."""
    return with_values(quick_config(folders(root), epochs=2), {"monitor.probe_per_task": 0})


def stopped_at(session: Session, config: RunConfig, step: int) -> Run:
    """Train until `step` is done and stop there, as a user would from another thread."""
    run = session.start(config)
    take = run._take

    def listen(event: Event) -> None:
        take(event)
        if isinstance(event, Step) and event.step == step:
            run.stop()

    run._take = listen  # type: ignore[method-assign]  # to stop at exactly this step
    assert run.work() == "stopped"
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, str, RunConfig]:
    root = tmp_path_factory.mktemp("whole")
    session = Session(root / "home", entry_points=False)
    config = unmonitored(root / "pictures")
    run = session.start(config)
    assert run.work() == "finished", run.news()[-1]
    return session, run.id, config


@pytest.mark.parametrize("step", [0, 3, 7])
def test_a_stopped_run_is_resumed_to_the_same_events_and_adapter(
    whole: tuple[Session, str, RunConfig], step: int
) -> None:
    session, uninterrupted, config = whole
    run = stopped_at(session, config, step)
    assert isinstance(session.events(run.id)[-1], Stopped)
    again = session.resuming.resume(run.id)
    assert (again.id, again.steps) == (run.id, step + 1)
    assert session.details(run.id).summary.state == "starting"
    assert again.work() == "finished", again.news()[-1]
    assert told(session, run.id) == told(session, uninterrupted)
    assert adapter_of(session, run.id) == adapter_of(session, uninterrupted)


def test_a_killed_command_is_resumed_to_the_same_run(
    whole: tuple[Session, str, RunConfig], tmp_path: Path
) -> None:
    session, uninterrupted, config = whole
    file = tmp_path / "run.toml"
    file.write_text(to_toml(config), encoding="utf-8")
    home = tmp_path / "home"
    command = [sys.executable, "main.py", "--home", str(home), "run", str(file), "--name", "killed"]
    child = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for_steps(home / paths.LOG_NAME, 2, child)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert main(["--home", str(home), "resume", "killed", "--json"]) == 0
    with closing(Session(home, entry_points=False)) as other:
        (run,) = other.runs()
        assert run.state == "finished"
        assert told(other, run.id) == told(session, uninterrupted)
        assert adapter_of(other, run.id) == adapter_of(session, uninterrupted)


def _wait_for_steps(log: Path, number: int, child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and child.poll() is None:
        if log.exists():
            with closing(sqlite3.connect(log)) as db:
                tables = db.execute("SELECT name FROM sqlite_master WHERE name = 'step'").fetchall()
                if tables and db.execute("SELECT COUNT(*) FROM step").fetchone()[0] >= number:
                    return
        time.sleep(0.05)


def test_only_runs_that_ended_early_can_be_resumed(
    whole: tuple[Session, str, RunConfig],
) -> None:
    session, finished, config = whole
    with pytest.raises(UsageError, match=r"is finished\. Extend it by further folders"):
        session.resuming.resume(finished)
    running = session.start(config)
    with pytest.raises(UsageError, match="is still training"):
        session.resuming.resume(running.id)
    running.stop()
    running.work()


def test_settings_are_changed_on_the_way_and_noted(whole: tuple[Session, str, RunConfig]) -> None:
    session, _, config = whole
    run = stopped_at(session, config, 1)
    with pytest.raises(UsageError, match=r"train\.epochs cannot be changed within a run"):
        session.resuming.resume(run.id, {"train.epochs": 3})
    changes = {"train.learning_rate": 0.01, "train.precision": "bf16"}
    again = session.resuming.resume(run.id, changes)
    assert session.details(run.id).config["train"]["learning_rate"] == 0.01
    notes = [event.text for event in session.events(run.id) if isinstance(event, Note)]
    assert any("learning_rate 0.01, before that 0.025" in note for note in notes)
    assert any(note.endswith("on: precision bf16, before that auto.") for note in notes)
    assert again.work() == "finished"
    notes = [event.text for event in session.events(run.id) if isinstance(event, Note)]
    assert any("on this run is trained in bf16, before that in strict." in note for note in notes)


def test_what_is_not_as_it_was_is_asked_about(tmp_path: Path) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        config = unmonitored(tmp_path / "pictures")
        run = stopped_at(session, config, 2)
        assert _asked(session, run.id) == ()
        first = Path(config.data.tasks[0].path)
        picture = next(first.rglob("*.png"))
        picture.write_bytes(next(Path(config.data.tasks[1].path).rglob("*.png")).read_bytes())
        with session.log() as log, log.change() as db:
            db.execute("UPDATE run SET versions = json_set(versions, '$.torch', '1.0')")
        versions, pictures = _asked(session, run.id)
        assert versions.startswith("Made with torch 1.0, now ")
        assert pictures == (
            "1 picture of task 1 has changed since this run began. Resuming would mix two data sets."
        )
        first.rename(first.with_name("elsewhere"))
        with pytest.raises(UsageError, match="is not there"):
            _asked(session, run.id)


def _asked(session: Session, run_id: str) -> Sequence[str]:
    last = list(session.resuming.questions(run_id))[-1]
    assert isinstance(last, tuple)
    return tuple(doubt.sentence for doubt in last)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    whole: tuple[Session, str, RunConfig],
) -> None:
    session, _, config = whole
    run = stopped_at(session, config, 4)
    folder = paths.run_folder(session.home, run.id)
    with session.log() as log, log.snapshot() as db:
        newest, before, *_ = checkpoints(db, run.id)
    assert session.resuming.points(run.id).step == newest.event.step == 5
    file = folder / newest.event.path
    file.write_bytes(file.read_bytes()[:-5])
    found = session.resuming.points(run.id)
    assert found.step == before.event.step < 5
    assert found.sentence == (
        f"The last checkpoint is damaged; the one before (step {found.step}) is good."
    )
    (folder / before.event.path).unlink()
    assert session.resuming.points(run.id).step == 0
    assert _asked(session, run.id) == ("No checkpoint of this run is whole, so it begins again.",)
    again = session.resuming.resume(run.id)
    assert again.work() == "finished", again.news()[-1]
    assert again.steps == 0


def test_a_run_found_dead_says_when_and_where(tmp_path: Path) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        run = stopped_at(session, unmonitored(tmp_path / "pictures"), 5)
        with session.log() as log, log.change() as db:
            db.execute("UPDATE run SET state = 'running', pid = 0, pid_started = 0")
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        (found,) = session.resuming.cut_off()
        assert found.id == run.id
        assert found.sentence.startswith("run-0001 was cut off ")
        assert found.sentence.endswith(" at task 1, step 6.")
        assert session.cut_off == (found.sentence,)


def test_days_are_named_within_a_week() -> None:
    now = datetime.fromisoformat("2026-11-25T12:00:00+00:00")
    assert day("2026-11-25T01:00:00+00:00", now) == "today"
    assert day("2026-11-20T01:00:00+00:00", now) == "on Friday"
    assert day("2026-11-10T01:00:00+00:00", now) == "on 2026-11-10"


def test_what_cannot_be_extended_is_said(whole: tuple[Session, str, RunConfig]) -> None:
    session, finished, config = whole
    with pytest.raises(UsageError, match="either by further folders or by a number of epochs"):
        session.resuming.extend(finished)
    stopped = stopped_at(session, config, 1)
    with pytest.raises(UsageError, match="only a finished run can be extended"):
        session.resuming.extend(stopped.id, epochs=2)


def test_of_an_extension_that_fails_nothing_is_left(
    whole: tuple[Session, str, RunConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, finished, _ = whole
    folder = session.home / "runs" / finished
    before = sorted(folder.parent.iterdir()), session.runs()
    gone = folder / "kernel.npy"
    gone.symlink_to("nowhere")  # a file that cannot be copied
    with pytest.raises(CannotWrite, match=r"kernel\.npy"):
        session.resuming.extend(finished, epochs=1)
    assert (sorted(folder.parent.iterdir()), session.runs()) == before
    gone.unlink()

    def full(*_: object) -> None:
        raise DiskFull("No space left for the log.")

    monkeypatch.setattr(log_resume, "fork", full)
    with pytest.raises(DiskFull):
        session.resuming.extend(finished, epochs=1)
    assert (sorted(folder.parent.iterdir()), session.runs()) == before


def test_the_command_goes_on_in_another_precision_or_says_which_there_are(
    whole: tuple[Session, str, RunConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    session, _, config = whole
    run = stopped_at(session, config, 1)
    command = ["--home", str(session.home), "resume", run.id, "--precision"]
    assert main([*command, "fp32"]) == 2
    assert "'fp32' is not one of auto, strict, tf32, bf16" in capsys.readouterr().err
    assert main([*command, "bf16"]) == 0
    assert session.details(run.id).config["train"]["precision"] == "bf16"


def test_wrong_use_of_the_commands_is_a_sentence(
    whole: tuple[Session, str, RunConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    session, _, _ = whole
    home = ["--home", str(session.home)]
    assert main([*home, "resume", "run-0001"]) == 2
    assert "is finished. Extend it" in capsys.readouterr().err
    assert main([*home, "extend", "run-0001"]) == 2
    assert main([*home, "resume", "run-9999"]) == 2
