"""A disk that fills up while a run trains: the run waits, says so, and goes on as if nothing had been."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
from pytestqt.qtbot import QtBot

from tests.opened import feature, opened
from tests.test_log_faults import small_disk
from tests.trained import folders, quick_config
from workbench.events import (
    Blocked,
    Checkpointed,
    Event,
    Failed,
    Finished,
    Pace,
    Paused,
    Resumed,
    RunStarted,
    Stage,
    Step,
)
from workbench.face.settling import Settling
from workbench.log.store import UNDER_WAY
from workbench.session import Run, Session

_CLOCK = (Stage, Pace, Paused, Resumed, Blocked, Checkpointed)


def wait_for(happens: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    filler = disk / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], capture_output=True)
    return filler


def fixed(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, _CLOCK)]


def begun(tmp_path: Path, disk: Path) -> tuple[Session, Run, threading.Thread]:
    session = Session(disk / "home", entry_points=False)
    run = session.start(quick_config(folders(tmp_path / "pictures"), epochs=3))
    thread = threading.Thread(target=run.work)
    thread.start()
    wait_for(lambda: any(isinstance(event, Step) for event in run.news()))
    return session, run, thread


def test_a_run_waits_while_the_disk_is_full_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "d", "96m") as disk:
        session, run, thread = begun(tmp_path, disk)
        filler = fill(disk)
        wait_for(lambda: run.state == "paused")
        said = [event for event in run.news() if isinstance(event, Blocked)]
        assert said
        assert "space" in said[0].sentence.lower()
        filler.unlink()
        run.go_on()
        thread.join(120)
        assert run.state == "finished"
        whole = Session(tmp_path / "plain", entry_points=False)
        plain = whole.start(run.config)
        plain.work()
        assert fixed(session.events(run.id)) == fixed(whole.events(plain.id))
        assert isinstance(session.events(run.id)[-1], Finished)
        session.close()
        whole.close()


def test_a_run_that_is_stopped_while_the_disk_is_full_ends_and_what_was_logged_is_kept(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "d", "96m") as disk:
        session, run, thread = begun(tmp_path, disk)
        filler = fill(disk)
        wait_for(lambda: run.state == "paused")
        run.stop()
        thread.join(60)
        assert not thread.is_alive()
        assert run.state in ("stopped", "failed")
        filler.unlink()
        kinds = [type(event) for event in session.events(run.id)]
        assert RunStarted in kinds
        assert Failed not in kinds
        session.close()


def test_a_run_that_ended_on_a_full_disk_is_no_longer_running_once_there_is_room(
    tmp_path: Path, qtbot: QtBot
) -> None:
    with small_disk(tmp_path / "d", "96m") as disk, opened(disk / "home", qtbot) as window:
        training, session = window.desk.training, window.desk.session
        settling = feature(window, Settling)
        settling.timer.setInterval(200)
        run = session.start(quick_config(folders(tmp_path / "pictures"), epochs=30))
        window.desk.begin(run, of_draft=False)
        qtbot.waitUntil(lambda: training.state == "running", timeout=120_000)
        filler = fill(disk)
        qtbot.waitUntil(lambda: training.state == "paused", timeout=120_000)
        with qtbot.waitSignal(training.ended, timeout=120_000):
            training.stop()
        assert settling.unsettled == [run]
        assert session.details(run.id).summary.state in UNDER_WAY
        filler.unlink()
        qtbot.waitUntil(lambda: not settling.unsettled, timeout=120_000)
        ended = session.details(run.id).summary
        assert ended.state == run.state
        assert not session.resuming.refusal(ended)


def test_a_last_word_never_ends_a_run_that_another_program_resumed(tmp_path: Path) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        run = session.start(quick_config(folders(tmp_path / "pictures")))
        run.stop()
        assert run.work() == "stopped"
        other = psutil.Process(os.getppid())
        with session.log() as log, log.change() as db:
            db.execute(
                "UPDATE run SET state = 'running', pid = ?, pid_started = ?",
                [other.pid, other.create_time()],
            )
        assert run.settle()
        assert session.details(run.id).summary.state == "running"
