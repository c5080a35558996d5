"""Every fault of the log's file is survived, and answered with its sentence and buttons: real files, real disks."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from tests.logged import begin, timed
from tests.opened import feature, opened
from tests.recorded import recorded_run
from tests.test_rescue import pages, real_log, wipe
from workbench import paths
from workbench.cli import main
from workbench.errors import DiskFull, LogFault, UsageError
from workbench.events import Event, Note
from workbench.face.log_care import LogCare
from workbench.log import backup
from workbench.log.backup import back_up, backups
from workbench.log.store import Log
from workbench.log.writer import Writer
from workbench.session import Session, upkeep
from workbench.session.upkeep import Health

IN_USE = "The log is in use by another program. Opened for reading only."
root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts a file system"
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    real_log(folder / paths.LOG_NAME, 3)
    return folder


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A file system of its own, of this size."""
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if subprocess.run(words, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program's lock on the right to write."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "START_WAIT_MS", 50)


def test_a_locked_log_opens_for_reading_and_takes_no_run(home: Path, hurried: None) -> None:
    with held(home / paths.LOG_NAME), closing(Session(home, entry_points=False)) as session:
        assert session.upkeep.reading_only == IN_USE
        assert [run.name for run in session.runs()] == ["run-0002", "run-0001", "run-0000"]
        assert len(session.events("run-0001")) == len(recorded_run(3))
        for write in (
            lambda: session.start(session.sample_config()),
            lambda: session.rename("run-0001", "x"),
            lambda: session.table.star("id1", True),
        ):
            with pytest.raises(LogFault, match=IN_USE):
                write()
    with closing(Session(home, entry_points=False)) as session:
        assert session.upkeep.reading_only == ""


def test_a_log_that_cannot_even_be_read_is_a_sentence(home: Path, hurried: None) -> None:
    with closing(sqlite3.connect(home / paths.LOG_NAME)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LogFault, match="another program keeps it locked") as caught:
            Session(home, entry_points=False)
    assert caught.value.kind == "locked"


def test_the_window_on_a_locked_log_shows_past_runs_and_tries_again(
    home: Path, qtbot: QtBot, hurried: None
) -> None:
    with held(home / paths.LOG_NAME), opened(home, qtbot) as window:
        strip = window.desk.strips.strip("log")
        assert window.desk.strips.texts()["log"] == IN_USE
        assert len(window.desk.history.model.runs()) == 3
        train = window.findChild(QAction, "train")
        assert not train.isEnabled()
        assert train.toolTip() == IN_USE
        assert not window.findChild(QAction, "try_sample").isEnabled()
        assert not window.desk.page.zone.sample_button.isEnabled()
        strip.buttons["Try again"].click()
        assert window.desk.opens_again
        assert not window.isVisible()


def test_the_command_line_reads_a_locked_log_and_says_so(
    home: Path, hurried: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with held(home / paths.LOG_NAME):
        assert main(["--home", str(home), "runs"]) == 0
        said = capsys.readouterr()
        assert IN_USE in said.err
        assert "run-0001" in said.out
        assert main(["--home", str(home), "run", "--sample"]) == 1
        assert IN_USE in capsys.readouterr().err


@root
def test_a_read_only_disk_is_a_sentence_with_a_way_out(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        real_log(disk / paths.LOG_NAME, 1)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(UsageError, match=r"cannot be kept in .*disk: the folder is read-only"):
            Session(disk, entry_points=False)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
def test_on_a_network_the_window_says_that_writing_is_slower(
    home: Path, kind: str, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    mounts = psutil.disk_partitions(all=True)
    mine = type(mounts[0])("server:/x", str(home), kind, "rw")
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [*mounts, mine])
    with opened(home, qtbot) as window:
        text = window.desk.strips.texts()["log disk"]
        assert text == (
            f"This log is on a network drive ({kind}); slower, safer writing is used. "
            "A local folder is recommended."
        )
        assert "Open folder" in window.desk.strips.strip("log disk").buttons
        assert window.desk.session.health()["journal_mode"] == "delete"


def test_a_damaged_log_is_found_rescued_and_opened_anew(
    home: Path, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / paths.LOG_NAME
    wipe(path, pages(path, "metric")[2])
    bad = path.read_bytes()
    with opened(home, qtbot) as window:
        care = feature(window, LogCare)
        qtbot.waitUntil(lambda: care.question is not None, timeout=60_000)
        sentence = window.desk.strips.texts()["log"]
        assert sentence.startswith("The log is damaged (1 page). 3 of 3 runs could be saved")
        assert "the old file was kept" in sentence
        assert care.question is not None
        assert list(care.question.answers) == ["Open the new one", "Open folder"]
        assert not window.findChild(QAction, "train").isEnabled()
        new = window.desk.session.upkeep
        care.question.answers["Open the new one"].click()
        assert window.desk.opens_again
    assert new.replacement is not None
    kept = upkeep.put_in_place(home, new.replacement)
    assert kept.read_bytes() == bad
    with closing(Session(home, entry_points=False)) as session:
        assert len(session.runs()) == 3
        assert [h.damaged for h in session.upkeep.look() if isinstance(h, Health)] == [0]


def test_the_command_line_rescues_a_log_that_cannot_be_opened(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / paths.LOG_NAME
    assert main(["--home", str(home), "rescue"]) == 2
    assert "sound; there is nothing to rescue" in capsys.readouterr().err
    with closing(sqlite3.connect(path)) as db:
        back_up(db, path)
    wipe(path, 1)
    assert main(["--home", str(home), "runs"]) == 1
    assert "it is damaged" in capsys.readouterr().err
    assert main(["--home", str(home), "rescue"]) == 0
    said = capsys.readouterr().out
    assert "with 3 runs takes its place; the old file was kept" in said
    assert main(["--home", str(home), "runs"]) == 0
    assert "run-0001" in capsys.readouterr().out


def test_a_lost_write_ahead_log_leaves_an_older_log_that_opens(tmp_path: Path) -> None:
    path = tmp_path / paths.LOG_NAME
    script = (
        "import os, sys; from tests.logged import begin; from workbench.log.store import Log\n"
        "log = Log(sys.argv[1]); begin(log); log.checkpoint(); begin(log, 'run2', 'second')\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)])
    path.with_name(f"{path.name}-wal").unlink()
    with Log(path) as log:
        assert [run.id for run in log.runs()] == ["run1"]
        assert log.health()["quick_check"] == "ok"


def test_an_emptied_log_with_a_backup_or_a_write_ahead_log_is_no_new_log(home: Path) -> None:
    path = home / paths.LOG_NAME
    with closing(sqlite3.connect(path)) as db:
        copy = back_up(db, path)
    path.write_bytes(b"")
    with pytest.raises(LogFault, match="it is damaged"):
        Session(home, entry_points=False)
    copy.unlink()
    wal = path.with_name(f"{path.name}-wal")
    wal.write_bytes(b"rows that were written")
    with pytest.raises(LogFault, match="it is damaged"):
        Session(home, entry_points=False)
    assert wal.read_bytes() == b"rows that were written"


@root
def test_a_full_disk_stops_the_writer_and_nothing_is_lost(tmp_path: Path) -> None:
    events: list[Event] = [Note(f"{number} " + "x" * 900) for number in range(3000)]
    with small_disk(tmp_path / "disk", "3m") as disk:
        path = disk / "log.db"
        filler = disk / "filler"
        filler.write_bytes(b"x" * 1_500_000)
        with Log(path) as log:
            begin(log)
            writer, waited = Writer(path, "run1"), 0
            said: list[DiskFull] = []
            for number, event in enumerate(events[:1200]):
                try:
                    writer.add(event)
                    if number % 50 == 0:
                        writer.flush()
                except DiskFull as error:
                    said.append(error)
                    waited = writer.waiting
                    filler.unlink()
                    writer.flush()
            writer.close()
            (error,) = said
            assert waited
            assert not writer.waiting
            assert error.place == str(disk)
            assert str(error) == (
                f"No space left on {disk} for the log. Free some space; nothing is lost so far."
            )
            assert log.events("run1") == events[:1200]
            assert log.health()["quick_check"] == "ok"


def test_a_file_that_could_not_be_noted_is_noted_with_the_next_flush(tmp_path: Path) -> None:
    path, made = tmp_path / "log.db", tmp_path / "adapter.bin"
    made.write_bytes(b"weights")
    with Log(path) as log:
        begin(log)
        writer = Writer(path, "run1")
        connection = writer._log._db
        (count,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {count}")
        writer._waiting = timed(Note("x" * 1000) for _ in range(50))
        with pytest.raises(DiskFull):
            writer.note_file("adapter", made)
        assert writer.waiting == 51
        connection.execute("PRAGMA max_page_count = 100000")
        writer.flush()
        assert len(log.events("run1")) == 50
        assert log.details("run1").files[0]["bytes"] == 7
        writer.close()


@root
def test_a_copy_that_does_not_fit_is_said_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        real_log(disk / paths.LOG_NAME, 4)
        with closing(Session(disk, entry_points=False)) as session:
            (disk / "filler").write_bytes(b"x" * (shutil.disk_usage(disk).free - 150_000))
            *_, health = session.upkeep.look()
            assert isinstance(health, Health)
            assert health.trouble.startswith("No copy of the log could be made today. No space")
            assert not list(disk.glob("*backup*"))
            assert len(session.runs()) == 4


def test_five_copies_are_kept_and_one_is_made_a_day(home: Path) -> None:
    path = home / paths.LOG_NAME
    with closing(sqlite3.connect(path)) as db:
        for day in range(8):
            back_up(db, path, 1_700_000_000 + day * backup.DAY)
        newest = 1_700_000_000 + 7 * backup.DAY
        assert [backup.made(copy) for copy in backups(path)] == [
            newest - back * backup.DAY for back in range(5)
        ]
        assert not backup.is_due(path, newest + backup.DAY - 1)
        assert backup.is_due(path, newest + backup.DAY)
        assert backup.is_due(path, newest - 30 * backup.DAY)  # the clock was put back
        early = back_up(db, path, newest - 30 * backup.DAY)
        assert early in backups(path)
    with closing(Session(home, entry_points=False)) as session:
        made = [item.backup for item in session.upkeep.look() if isinstance(item, Health)]
        again = [item.backup for item in session.upkeep.look() if isinstance(item, Health)]
    assert made[0] is not None
    assert again == [None]
    with Log(made[0]) as copy:
        assert len(copy.runs()) == 3


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_what_is_made_is_for_its_user_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        home = tmp_path / "new" / "home"
        with closing(Session(home, entry_points=False)) as session:
            with session.log() as log:
                begin(log)
            files = [item for item in home.iterdir() if item.name.startswith("workbench.db")]
            assert len(files) == 3  # the log, its write-ahead log, the index of that
            run = paths.run_folder(home, "run1")
            *_, health = session.upkeep.look()
            assert isinstance(health, Health)
            assert health.backup is not None
            modes = {item.name: item.stat().st_mode & 0o777 for item in [*files, health.backup]}
        assert set(modes.values()) == {0o600}, modes
        assert {f.stat().st_mode & 0o777 for f in (home, run.parent, run)} == {0o700}
    finally:
        os.umask(before)


def test_quitting_leaves_one_file(home: Path) -> None:
    other = Log(home / paths.LOG_NAME)
    session = Session(home, entry_points=False)
    session.rename("run-0001", "renamed")
    session.close()
    assert not (home / f"{paths.LOG_NAME}-wal").stat().st_size  # another program has it open
    other.close()
    with Log(home / paths.LOG_NAME) as log:
        assert log.runs()[1].name == "renamed"


def test_a_clock_put_back_changes_no_order_and_ends_no_living_run(tmp_path: Path) -> None:
    notes: list[Event] = [Note(f"{number}") for number in range(6)]
    times = [100.0, 200.0, 50.0, 60.0, 10.0, 300.0]
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log.write("run1", list(zip(times, notes, strict=True)))
        events = log.events("run1")
        assert [event.text for event in events if isinstance(event, Note)] == list("012345")
        assert [event.time for event in events] == times
        # the system tells the start of this very process an hour off from now on
        log._db.execute("UPDATE run SET pid_started = pid_started + 3600")
        assert log.sweep() == []
        stale = "2020-01-01T00:00:00.000+00:00"
        log._db.execute("UPDATE run SET heartbeat = ?", [stale])
        assert log.sweep() == ["run1"]
