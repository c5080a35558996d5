"""How a log's file is opened: looked at first, refused, or brought up to date by the migrations of `log.schema`.

Sources: sqlite-utils 4 (`Database.atomic`),
https://www.sqlite.org/wal.html and https://www.sqlite.org/pragma.html.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types
from sqlite_utils import Database, Migrations

from workbench.errors import WorkbenchError
from workbench.log.schema import MIGRATIONS

APPLICATION_ID = 0x4E544B43  # "NTKC": marks the file as ours
WAIT_MS = 30_000  # how long a connection waits for another one's lock
REMOTE = (
    "nfs",
    "cifs",
    "smb",
    "afp",
    "davfs",
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.gvfs",
)
SMALLEST = 512  # bytes of an SQLite file; fewer SQLite takes for an empty one and overwrites

_CAUSES = {
    sqlite3.SQLITE_BUSY: "another program keeps it locked. Close that program and try again",
    sqlite3.SQLITE_FULL: "the disk is full. Free some space and try again",
    sqlite3.SQLITE_IOERR: "the disk reports an error. Choose another place with --home DIR",
    sqlite3.SQLITE_READONLY: "it is read-only. Choose another place with --home DIR",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened. Choose another place with --home DIR",
    sqlite3.SQLITE_CORRUPT: "it is damaged. It was left as it is: move it away, or put a copy in its place",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite file. It was left as it is: move it away to start a new log",
}


@contextmanager
def speaking(path: Path) -> Iterator[None]:
    """Turn what a disk or another program can do to the file into a WorkbenchError; the rest is a bug."""
    try:
        yield
    except sqlite3.Error as error:
        code = _code(error)
        if code not in _CAUSES:
            raise
        raise WorkbenchError(f"The log {path} cannot be used: {_CAUSES[code]}.") from error
    except OSError as error:
        raise WorkbenchError(f"The log {path} cannot be used: {error.strerror}.") from error


def open_file(path: Path, migrations: Migrations = MIGRATIONS) -> tuple[Database, str]:
    """Open the log at `path`, made or brought up to date if needed, and a note if WAL is not to be had.

    Raises WorkbenchError, and leaves the file as it was, if it is damaged, of another program, made
    by a newer version, or if a migration fails.
    """
    patience = time.monotonic() + WAIT_MS / 1000
    with speaking(path):
        while True:
            try:
                return _opened(path, migrations)
            except sqlite3.OperationalError as error:
                # a change of journal mode does not wait by itself for another program that opens
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= patience:
                    raise
            time.sleep(0.02)


def _opened(path: Path, migrations: Migrations) -> tuple[Database, str]:
    _look(path, migrations)
    db = Database(sqlite3.connect(path, timeout=WAIT_MS / 1000))
    try:
        _set_pragmas(db)
        _migrate(db, path, migrations)
        return db, set_journal(db.conn, file_system_of(path))
    except BaseException:
        db.close()
        raise


def _code(error: sqlite3.Error) -> int:
    """Return the low byte of an extended code: what went wrong, without the details."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def schema_known(migrations: Migrations = MIGRATIONS) -> int:
    """Return the number of the newest schema this version can read."""
    return len(_names(migrations))


def set_journal(connection: sqlite3.Connection, file_system: str = "") -> str:
    """Ask for write-ahead logging; without it take DELETE and FULL, and return a sentence that says so.

    Write-ahead logging needs memory that all programs share, which a network's `file_system` has not.
    """
    remote = file_system.lower().startswith(REMOTE)
    wanted = "DELETE" if remote else "WAL"
    (mode,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
    if mode == "wal":
        return ""
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL")
    where = f"lies on a network ({file_system}) and" if remote else "is of a kind that"
    return (
        f"The log's folder {where} cannot do write-ahead logging: "
        "writing is safe but slower, and the window may wait for a run."
    )


def file_system_of(path: Path) -> str:
    """Return the type of the file system that `path` lies on, or an empty string if it is not known."""
    place = path.resolve()
    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    return next((mounts[parent] for parent in place.parents if parent in mounts), "")


def _names(migrations: Migrations) -> set[str]:
    with closing(Database(memory=True)) as empty:
        return {migration.name for migration in migrations.pending(empty)}


def _look(path: Path, migrations: Migrations) -> None:
    """Refuse a file that is not a log we can use, without changing a byte of it.

    Only SQLite may open the file: closing any other handle on it gives up this process's POSIX
    locks, and the next program to close the log would delete the WAL that a run is writing to.
    """
    if not path.exists() or not path.stat().st_size:
        return
    if path.stat().st_size < SMALLEST:
        raise WorkbenchError(f"The log {path} cannot be used: {_CAUSES[sqlite3.SQLITE_NOTADB]}.")
    # The last writer to close merges a WAL left by a crash; a reader leaves it where it is.
    mode = "ro" if path.with_name(f"{path.name}-wal").exists() else "rw"
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    with closing(Database(sqlite3.connect(uri, uri=True, timeout=WAIT_MS / 1000))) as db:
        tables = db.table_names()
        marks = _pragma(db, "application_id"), _pragma(db, "user_version")
        applied = {migration.name for migration in migrations.applied(db)}
    _refuse(path, bool(tables), marks, applied, _names(migrations))


def _refuse(
    path: Path, filled: bool, marks: tuple[int, int], applied: set[str], known: set[str]
) -> None:
    application, version = marks
    if filled and application != APPLICATION_ID:
        raise WorkbenchError(
            f"{path} is an SQLite file of another program. It was not changed. "
            "Move it away, or choose another place with --home DIR."
        )
    if version > len(known) or applied - known:
        raise WorkbenchError(
            f"This log was made by a newer version (schema {max(version, len(applied))}; this one knows "
            f"{len(known)}). It was not changed. Update the workbench, or choose another place with "
            f"--home DIR: {path}"
        )


def _set_pragmas(db: Database) -> None:
    for setting in (
        f"busy_timeout = {WAIT_MS}",
        "foreign_keys = ON",
        "synchronous = NORMAL",
        "temp_store = MEMORY",
    ):
        db.execute(f"PRAGMA {setting}")


def _migrate(db: Database, path: Path, migrations: Migrations) -> None:
    """Apply what is pending in one transaction, so that the schema moves whole or not at all."""
    if not migrations.pending(db):
        return
    old, new = _pragma(db, "user_version"), schema_known(migrations)
    copy = _back_up(db, path, old) if old else None
    db.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {new}")
        db.commit()
    except sqlite3.Error as error:
        db.rollback()
        kept = f" A copy is {copy}." if copy else ""
        raise WorkbenchError(
            f"The log {path} could not be brought from schema {old} to {new}: {error}. "
            f"It was not changed.{kept}"
        ) from error
    except BaseException:
        db.rollback()
        raise


def _back_up(db: Database, path: Path, schema: int) -> Path:
    copy = path.with_name(f"{path.name}.schema-{schema}")
    part = copy.with_name(f"{copy.name}.part")
    part.unlink(missing_ok=True)
    db.conn.execute("VACUUM INTO ?", (str(part),))
    os.replace(part, copy)
    return copy


def _pragma(db: Database, name: str) -> int:
    (value,) = db.execute(f"PRAGMA {name}").fetchone()
    return int(value)
