"""Opening a log: from nothing, from the first schema, and every file that must be refused untouched."""

import sqlite3
from pathlib import Path

import psutil
import pytest
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot
from sqlite_utils import Database, Migrations

from tests.logged import begin
from tests.opened import opened
from workbench.cli import main
from workbench.errors import WorkbenchError
from workbench.log import migrations as schema
from workbench.log.migrations import (
    MIGRATIONS,
    file_system_of,
    open_file,
    schema_known,
    set_journal,
)
from workbench.log.store import Log
from workbench.paths import LOG_NAME


def first_schema(path: Path) -> None:
    """A file as the first version left it: the tables, a run, no views."""
    db = Database(path)
    MIGRATIONS.apply(db, stop_before="m002_views")
    db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    db.execute(
        "INSERT INTO run (id, name, state, created, config, switches, seeds, versions, profile, backbone,"
        " seed, tasks_total, pid, pid_started, heartbeat)"
        " VALUES ('old', 'of old', 'finished', '2026', '{}', '{}', '{}', '{}', 'paper', 'sample', 0, 1, 1, 0, '2026')"
    )
    db.execute("INSERT INTO run_summary (run) VALUES (1)")
    db.close()


def failing(error: Exception) -> Migrations:
    """Our migrations and one more, which does half its work and then fails."""
    more = Migrations("workbench")
    for step in MIGRATIONS.pending(Database(memory=True)):
        more(name=step.name)(step.fn)

    @more()
    def m999_half(db: Database) -> None:
        db.execute("CREATE TABLE half (a)")
        db.execute("DELETE FROM run_summary")
        raise error

    return more


def test_an_empty_place_becomes_a_log_of_the_newest_schema(tmp_path: Path) -> None:
    for name in ("new.db", "empty #1 é.db"):
        path = tmp_path / name
        if name.startswith("empty"):
            path.touch()
        with Log(path) as log:
            assert log.runs() == []
            assert log.health()["schema"] == schema_known()
        with Log(path) as log:
            assert log.journal_note == ""
    assert sorted(item.name for item in tmp_path.iterdir()) == ["empty #1 é.db", "new.db"]


def test_every_connection_has_the_pragmas(tmp_path: Path) -> None:
    log = open_file(tmp_path / "log.db")
    db, note = log.db, log.journal_note
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "temp_store")
    found = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    db.close()
    assert found == ["wal", 1, 1, 30_000, 2]
    assert note == ""


def test_the_first_schema_is_brought_up_to_date_and_a_copy_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    first_schema(path)
    with Log(path) as log:
        assert [run.name for run in log.runs()] == ["of old"]
        assert log.health()["schema"] == schema_known()
    (kept,) = tmp_path.glob("log-backup-*.db")
    copy = Database(kept)
    assert copy.execute("SELECT name FROM run").fetchall() == [("of old",)]
    assert copy.view_names() == []
    copy.close()


def test_the_window_and_a_command_say_once_that_a_copy_was_kept(
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    for home in (tmp_path / "window", tmp_path / "command"):
        home.mkdir()
        first_schema(home / LOG_NAME)
    with opened(tmp_path / "window", qtbot) as window:
        (copy,) = (tmp_path / "window").glob("*-backup-*.db")
        sentence = (
            f"The log was brought up to date for this version. A copy was kept as {copy.name}."
        )
        assert window.desk.strips.texts()["log_version"] == sentence
        buttons = window.desk.strips.strip("log_version").buttons  # noqa: B005  (no string)
        buttons["Open folder"].click()
        assert shown == [str(tmp_path / "window")]
    with opened(tmp_path / "window", qtbot) as window:
        assert "log_version" not in window.desk.strips.texts()
    for said in (True, False):
        assert main(["--home", str(tmp_path / "command"), "runs"]) == 0
        assert ("A copy was kept as workbench-backup-" in capsys.readouterr().err) == said


@pytest.mark.parametrize("wal", [False, True])
def test_a_failed_migration_leaves_the_file_as_it_was(tmp_path: Path, wal: bool) -> None:
    path = tmp_path / "log.db"
    first_schema(path)
    if wal:
        db = Database(path)
        db.enable_wal()
        db.close()
    before = path.read_bytes()
    with pytest.raises(
        WorkbenchError,
        match=rf"from schema 1 to {schema_known() + 1}: no good\. It was not changed\. A copy is",
    ):
        open_file(path, failing(sqlite3.OperationalError("no good")))
    assert path.read_bytes() == before
    with pytest.raises(ZeroDivisionError):  # a bug keeps its traceback, and the file is whole too
        open_file(path, failing(ZeroDivisionError()))
    assert path.read_bytes() == before
    with Log(path) as log:
        assert len(log.runs()) == 1


def test_a_failed_first_migration_leaves_no_tables(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with pytest.raises(
        WorkbenchError,
        match=rf"from schema 0 to {schema_known() + 1}: no good\. It was not changed\.$",
    ):
        open_file(path, failing(sqlite3.OperationalError("no good")))
    with Log(path) as log:
        assert log.runs() == []


def made_newer(path: Path, how: str) -> None:
    with Log(path) as log:
        begin(log)
    db = Database(path)
    if how == "user_version":
        db.execute("PRAGMA user_version = 99")
    else:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('workbench', 'm003_later', '')"
        )
    db.close()


@pytest.mark.parametrize(
    ("how", "number"), [("user_version", 99), ("migration", schema_known() + 1)]
)
def test_a_newer_log_is_refused_unchanged(tmp_path: Path, how: str, number: int) -> None:
    path = tmp_path / "log.db"
    made_newer(path, how)
    before = path.read_bytes()
    says = rf"newer version \(schema {number}; this one knows {schema_known()}\)\. It was not changed\."
    with pytest.raises(WorkbenchError, match=says):
        Log(path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["log.db"]


def test_a_newer_log_left_by_a_crash_is_refused_with_its_write_ahead_log(tmp_path: Path) -> None:
    path, crashed = tmp_path / "log.db", tmp_path / "crashed.db"
    db = open_file(path).db
    db.execute("PRAGMA user_version = 99")
    for ending in ("", "-wal"):  # as a killed process leaves them
        crashed.with_name(f"crashed.db{ending}").write_bytes(
            path.with_name(f"log.db{ending}").read_bytes()
        )
    db.close()
    files = [crashed, crashed.with_name("crashed.db-wal")]
    before = [file.read_bytes() for file in files]
    with pytest.raises(WorkbenchError, match="schema 9"):
        Log(crashed)
    assert [file.read_bytes() for file in files] == before


def test_another_programs_file_is_refused_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    db = Database(path)
    db.execute("CREATE TABLE album (name)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(WorkbenchError, match="SQLite file of another program"):
        Log(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("lines", [1, 100])
def test_a_file_that_is_no_database_is_refused_unchanged(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "log.db"
    path.write_text("Dear diary, today I trained a network." * lines)
    before = path.read_bytes()
    with pytest.raises(WorkbenchError, match="it is not an SQLite file"):
        Log(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_a_damaged_log_is_refused_unchanged(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "log.db"
    with Log(path) as log:
        begin(log)
    whole = path.read_bytes()
    bad = whole[:5000] if damage == "cut" else whole[:100] + b"\xff" * 4000 + whole[4100:]
    path.write_bytes(bad)
    with pytest.raises(WorkbenchError, match="it is damaged"):
        Log(path)
    assert path.read_bytes() == bad


def test_a_place_that_cannot_be_a_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="cannot be opened"):
        Log(tmp_path / "missing" / "log.db")
    with pytest.raises(WorkbenchError, match="cannot be opened"):
        Log(tmp_path)


def test_a_bug_in_sql_is_not_dressed_up_as_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), schema.speaking(tmp_path):
        sqlite3.connect(":memory:").execute("SELECT * FROM missing")


def test_without_write_ahead_logging_the_log_is_safe_and_says_so(tmp_path: Path) -> None:
    uri = f"{(tmp_path / 'log.db').as_uri()}?vfs=unix-dotfile"  # a VFS without shared memory
    connection = sqlite3.connect(uri, uri=True)
    note = set_journal(connection)
    modes = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous")
    ]
    connection.close()
    assert "cannot do write-ahead logging" in note
    assert modes == ["delete", 2]


@pytest.mark.parametrize("kind", ["nfs4", "CIFS", "fuse.sshfs"])
def test_on_a_network_the_log_does_not_trust_shared_memory(tmp_path: Path, kind: str) -> None:
    connection = sqlite3.connect(tmp_path / "log.db")
    assert set_journal(connection, "ext4") == ""
    note = set_journal(connection, kind)
    modes = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous")
    ]
    connection.close()
    assert f"is on a network drive ({kind})" in note
    assert modes == ["delete", 2]


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    mounts = [(Path(item.mountpoint), item.fstype) for item in psutil.disk_partitions(all=True)]
    nearest = max((m for m in mounts if m[0] in tmp_path.parents), key=lambda m: len(m[0].parts))
    assert file_system_of(tmp_path / "log.db") in {
        kind for place, kind in mounts if place == nearest[0]
    }
