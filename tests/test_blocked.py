"""A disk that fills up while a run trains: the run waits, says so, and goes on as if nothing had been."""

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from time import monotonic

import psutil
import pytest
from pytestqt.qtbot import QtBot

from tests.engines import wait_for, working
from tests.opened import feature, opened
from tests.said import decided
from tests.test_log_faults import small_disk
from tests.trained import folders, quick_config, trained_session
from workbench.config import RunConfig, with_values
from workbench.errors import CannotWrite
from workbench.events import Blocked, Event, Failed, Finished, Paused, RunStarted, Step
from workbench.face.settling import Settling
from workbench.log import writer
from workbench.log.store import UNDER_WAY
from workbench.session import Run, Session
from workbench.session.steering import Steering
from workbench.session.work import Job, ThreadEngine, Work


def fill(disk: Path, name: str = "filler") -> Path:
    """Take every byte that is left."""
    filler = disk / name
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], capture_output=True)
    return filler


def begun(tmp_path: Path, disk: Path) -> tuple[Session, Run, threading.Thread]:
    session = Session(disk / "home", entry_points=False)
    run = session.start(quick_config(folders(tmp_path / "pictures"), epochs=3))
    thread = working(run)
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
        assert decided(session.events(run.id)) == decided(whole.events(plain.id))
        assert isinstance(session.events(run.id)[-1], Finished)
        session.close()
        whole.close()


class WithoutRoom(ThreadEngine):
    """Says what an engine says whose checkpoint does not fit, and is done once it was asked again."""

    def events(
        self, config: RunConfig, home: Path, folder: Path, clock: Callable[[], float] = monotonic
    ) -> Generator[Event, None, None]:
        """Return the two words."""
        yield Blocked("No space left for a checkpoint.")
        yield Finished(0)


def test_where_checkpoint_and_log_are_both_full_the_user_goes_on_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "FLUSH_SECONDS", 0.0)  # every event is written at once
    told: list[Event] = []
    steering = Steering()
    with small_disk(tmp_path / "d", "2m") as disk, closing(Session(disk / "home")) as session:
        run = session.start(quick_config(folders(tmp_path / "pictures")))
        work = Work(WithoutRoom(), Job(disk / "home", run.id, run.config), steering, told.append)
        thread = threading.Thread(target=work.do)
        filler = fill(disk)
        thread.start()
        wait_for(lambda: any(isinstance(event, Paused) for event in told))
        filler.unlink()
        steering.go_on()
        thread.join(60)
        assert not thread.is_alive()
        assert isinstance(told[-1], Finished)


def test_a_run_waits_while_there_is_no_room_for_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no memory for them, all go to one temporary file, here on a disk of their own."""
    plain = quick_config(folders(tmp_path / "pictures"))
    config = with_values(plain, {"data.cache_megabytes": 0})
    with small_disk(tmp_path / "d", "1m") as disk, closing(Session(tmp_path / "home")) as session:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        filler = fill(disk)
        run = session.start(config)
        thread = threading.Thread(target=run.work)
        thread.start()
        wait_for(lambda: run.state == "paused")
        (said,) = [event for event in run.news() if isinstance(event, Blocked)]
        assert said.sentence.startswith(f"Decoded pictures cannot be kept in {disk}: No space left")
        assert said.folder == ""
        filler.unlink()
        run.go_on()
        thread.join(120)
        assert run.state == "finished"
        other = session.start(plain)
        assert other.work() == "finished"
        assert decided(session.events(run.id)) == decided(session.events(other.id))


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
        fillers = [fill(disk)]
        qtbot.waitUntil(lambda: training.state == "paused", timeout=120_000)
        fillers.append(fill(disk, "rest"))  # room that a checkpoint half-written left as it went
        with qtbot.waitSignal(training.ended, timeout=120_000):
            training.stop()
        assert settling.unsettled == [run]
        assert session.details(run.id).summary.state in UNDER_WAY
        for filler in fillers:
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


def test_an_export_onto_a_full_disk_says_so_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    session, run_id = trained_session(tmp_path / "home", tmp_path / "pictures")
    with small_disk(tmp_path / "d", "100k") as disk, closing(session):
        fill(disk).rename(disk / "keep")
        os.truncate(disk / "keep", os.path.getsize(disk / "keep") - 20_000)  # an adapter needs more
        with pytest.raises(CannotWrite, match="the disk is full"):
            session.export(run_id, disk / "out")
        assert [path.name for path in disk.rglob("*") if path.is_file()] == ["keep"]
        assert session.export(run_id, tmp_path / "out")
