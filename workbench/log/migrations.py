"""How a log's file is opened: looked at first, refused, or brought up to date by the migrations of `log.schema`.

Sources: sqlite-utils 4 (`Database.atomic`),
https://www.sqlite.org/wal.html and https://www.sqlite.org/pragma.html.
"""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database, Migrations

from workbench.errors import LogFault, WorkbenchError
from workbench.log.backup import back_up, backups
from workbench.log.faults import code_of, fault, speaking
from workbench.log.places import file_system_of, is_remote, make_private
from workbench.log.schema import MIGRATIONS

APPLICATION_ID = 0x4E544B43  # "NTKC": marks the file as ours
WAIT_MS = 30_000  # how long a connection waits for another one's lock
SMALLEST = 512  # bytes of an SQLite file; fewer SQLite takes for an empty one and overwrites


@dataclass(frozen=True)
class Opened:
    """A log's file, open.

    Attributes:
        journal_note: a sentence if WAL is not to be had.
        backup: the copy that was made before the file was brought up to date, if it had to be.
    """

    db: Database
    journal_note: str
    backup: Path | None


def open_file(
    path: Path, migrations: Migrations = MIGRATIONS, wait_ms: int | None = None
) -> Opened:
    """Open the log at `path`, made or brought up to date if needed.

    Raises WorkbenchError, and leaves the file as it was, if it is damaged, of another program, made
    by a newer version, locked for longer than `wait_ms`, or if a migration fails.
    """
    wait = WAIT_MS if wait_ms is None else wait_ms
    patience = time.monotonic() + wait / 1000
    with speaking(path):
        while True:
            try:
                return _opened(path, migrations, wait)
            except sqlite3.OperationalError as error:
                # a change of journal mode does not wait by itself for another program that opens
                if code_of(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= patience:
                    raise
            time.sleep(0.02)


def open_to_read(path: Path, wait_ms: int | None = None) -> Database:
    """Open the log at `path` without a right to change it; raises WorkbenchError as `open_file` does."""
    wait = WAIT_MS if wait_ms is None else wait_ms
    with speaking(path):
        _look(path, MIGRATIONS, wait)
        uri = f"{path.resolve().as_uri()}?mode=ro"
        db = Database(sqlite3.connect(uri, uri=True, timeout=wait / 1000))
        try:
            behind = bool(MIGRATIONS.pending(db))
        except BaseException:
            db.close()
            raise
    if behind:
        db.close()
        raise LogFault(
            f"The log {path} is of an older version and must be brought up to date, which is not possible now: "
            "it is read-only, or in use by another program. Close that program and try again.",
            "locked", str(path),
        )  # fmt: skip
    return db


def _opened(path: Path, migrations: Migrations, wait_ms: int) -> Opened:
    _look(path, migrations, wait_ms)
    if path.parent.is_dir() and not path.exists():
        make_private(path)
    db = Database(sqlite3.connect(path, timeout=wait_ms / 1000))
    try:
        _set_pragmas(db, wait_ms)
        copy = _migrate(db, path, migrations)
        return Opened(db, set_journal(db.conn, file_system_of(path)), copy)
    except BaseException:
        db.close()
        raise


def schema_known(migrations: Migrations = MIGRATIONS) -> int:
    """Return the number of the newest schema this version can read."""
    return len(_names(migrations))


def set_journal(connection: sqlite3.Connection, file_system: str = "") -> str:
    """Ask for write-ahead logging; without it take DELETE and FULL, and return a sentence that says so.

    Write-ahead logging needs memory that all programs share, which a network's `file_system` has not.
    """
    remote = is_remote(file_system)
    wanted = "DELETE" if remote else "WAL"
    (mode,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
    if mode == "wal":
        return ""
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL")
    if remote:
        return (
            f"This log is on a network drive ({file_system}); slower, safer writing is used. "
            "A local folder is recommended."
        )
    return (
        "The disk of this log cannot do write-ahead logging; slower, safer writing is used. "
        "Another folder is recommended."
    )


def _names(migrations: Migrations) -> set[str]:
    with closing(Database(memory=True)) as empty:
        return {migration.name for migration in migrations.pending(empty)}


def _look(path: Path, migrations: Migrations, wait_ms: int) -> None:
    """Refuse a file that is not a log we can use, without changing a byte of it.

    Only SQLite may open the file: closing any other handle on it gives up this process's POSIX
    locks, and the next program to close the log would delete the WAL that a run is writing to.
    """
    if not _size(path):
        if _size(path.with_name(f"{path.name}-wal")) or (path.exists() and backups(path)):
            raise fault(path, sqlite3.SQLITE_CORRUPT)  # it was a log; SQLite would start anew
        return
    if path.stat().st_size < SMALLEST:
        raise _no_database(path)
    # The last writer to close merges a WAL left by a crash; a reader leaves it where it is.
    mode = "ro" if path.with_name(f"{path.name}-wal").exists() else "rw"
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    with closing(Database(sqlite3.connect(uri, uri=True, timeout=wait_ms / 1000))) as db:
        try:
            tables = db.table_names()
            marks = _pragma(db, "application_id"), _pragma(db, "user_version")
            applied = {migration.name for migration in migrations.applied(db)}
        except sqlite3.DatabaseError as error:
            if code_of(error) == sqlite3.SQLITE_NOTADB:
                raise _no_database(path) from error
            raise
    _refuse(path, bool(tables), marks, applied, _names(migrations))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _no_database(path: Path) -> LogFault:
    """A file that is none of SQLite's is another program's, unless copies say that our log was here."""
    code = sqlite3.SQLITE_CORRUPT if backups(path) else sqlite3.SQLITE_NOTADB
    return fault(path, code)


def _refuse(
    path: Path, filled: bool, marks: tuple[int, int], applied: set[str], known: set[str]
) -> None:
    application, version = marks
    if filled and application != APPLICATION_ID:
        raise LogFault(
            f"{path} is an SQLite file of another program. It was not changed; move it away to start a new log.",
            "foreign", str(path),
        ).or_elsewhere()  # fmt: skip
    if version > len(known) or applied - known:
        raise LogFault(
            f"This log was made by a newer version (schema {max(version, len(applied))}; this one knows "
            f"{len(known)}). It was not changed. Update the workbench to open {path}.",
            "newer", str(path),
        ).or_elsewhere()  # fmt: skip


def _set_pragmas(db: Database, wait_ms: int) -> None:
    for setting in (
        f"busy_timeout = {wait_ms}",
        "foreign_keys = ON",
        "synchronous = NORMAL",
        "temp_store = MEMORY",
    ):
        db.execute(f"PRAGMA {setting}")


def _migrate(db: Database, path: Path, migrations: Migrations) -> Path | None:
    """Apply what is pending in one transaction, so that the schema moves whole or not at all; return the copy kept."""
    if not migrations.pending(db):
        return None
    old, new = _pragma(db, "user_version"), schema_known(migrations)
    copy = back_up(db.conn, path) if old else None
    db.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {new}")
        db.commit()
    except sqlite3.Error as error:
        db.rollback()
        if code_of(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT):
            raise  # not the migration's fault
        kept = f" A copy is {copy}." if copy else ""
        raise WorkbenchError(
            f"The log {path} could not be brought from schema {old} to {new}: {error}. "
            f"It was not changed.{kept}"
        ) from error
    except BaseException:
        db.rollback()
        raise
    return copy


def _pragma(db: Database, name: str) -> int:
    (value,) = db.execute(f"PRAGMA {name}").fetchone()
    return int(value)
