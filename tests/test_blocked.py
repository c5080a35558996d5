"""A disk that fills up while a run trains: the run waits, says so, and goes on as if nothing had been."""

import subprocess
import threading
from pathlib import Path

from tests.engines import wait_for, working
from tests.said import decided
from tests.test_log_faults import small_disk
from tests.trained import folders, quick_config
from workbench.events import Blocked, Failed, Finished, RunStarted, Step
from workbench.session import Run, Session


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    filler = disk / "filler"
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
