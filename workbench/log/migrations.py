"""The log's schema as numbered migrations, and how a log's file is opened: looked at first, refused, or brought up to date.

Append a migration, never edit one. Sources: sqlite-utils 4 (`Migrations`, `Database.atomic`),
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

MIGRATIONS = Migrations("workbench")

_CAUSES = {
    sqlite3.SQLITE_BUSY: "another program keeps it locked. Close that program and try again",
    sqlite3.SQLITE_FULL: "the disk is full. Free some space and try again",
    sqlite3.SQLITE_IOERR: "the disk reports an error. Choose another place with --home DIR",
    sqlite3.SQLITE_READONLY: "it is read-only. Choose another place with --home DIR",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened. Choose another place with --home DIR",
    sqlite3.SQLITE_CORRUPT: "it is damaged. It was left as it is: move it away, or put a copy in its place",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite file. It was left as it is: move it away to start a new log",
}


@MIGRATIONS()
def m001_tables(db: Database) -> None:
    """Runs and what they say; child tables name a run by its short number, not by its id."""
    db.executescript("""
    CREATE TABLE run (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
        state TEXT NOT NULL, state_reason TEXT NOT NULL DEFAULT '',
        created TEXT NOT NULL, started TEXT, ended TEXT,
        config TEXT NOT NULL, switches TEXT NOT NULL, seeds TEXT NOT NULL, versions TEXT NOT NULL,
        profile TEXT NOT NULL, backbone TEXT NOT NULL, seed INTEGER NOT NULL,
        tasks_total INTEGER NOT NULL, class_order TEXT, sequence TEXT, device TEXT,
        weights_sha256 TEXT, feature_width INTEGER, trainable_parameters INTEGER,
        pid INTEGER NOT NULL, pid_started REAL NOT NULL, heartbeat TEXT NOT NULL
    );
    CREATE TABLE run_task (
        run INTEGER NOT NULL REFERENCES run(number), position INTEGER NOT NULL, name TEXT NOT NULL,
        classes TEXT NOT NULL, class_ids TEXT NOT NULL, train_counts TEXT NOT NULL,
        test_counts TEXT NOT NULL, fingerprint TEXT NOT NULL,
        PRIMARY KEY (run, position)
    ) WITHOUT ROWID;
    CREATE TABLE event (
        run INTEGER NOT NULL REFERENCES run(number), n INTEGER NOT NULL, time REAL NOT NULL,
        kind TEXT NOT NULL, fields TEXT NOT NULL,
        PRIMARY KEY (run, n)
    ) WITHOUT ROWID;
    CREATE TABLE step (
        run INTEGER NOT NULL REFERENCES run(number), n INTEGER NOT NULL, time REAL NOT NULL,
        task INTEGER NOT NULL, epoch INTEGER NOT NULL, step INTEGER NOT NULL, lr REAL,
        PRIMARY KEY (run, n)
    ) WITHOUT ROWID;
    CREATE TABLE metric_key (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL,
        unit TEXT NOT NULL, formula TEXT NOT NULL, better TEXT NOT NULL,
        UNIQUE (kind, name)
    );
    CREATE TABLE metric (
        run INTEGER NOT NULL REFERENCES run(number), metric_key INTEGER NOT NULL REFERENCES metric_key(id),
        step INTEGER NOT NULL, n INTEGER NOT NULL, task INTEGER NOT NULL, epoch INTEGER NOT NULL,
        value REAL, reason TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (run, metric_key, step, n)
    ) WITHOUT ROWID;
    CREATE TABLE accuracy (
        run INTEGER NOT NULL REFERENCES run(number), after_task INTEGER NOT NULL, on_task INTEGER NOT NULL,
        value REAL, task_incremental REAL, task_id REAL, baseline REAL, pictures INTEGER,
        PRIMARY KEY (run, after_task, on_task)
    ) WITHOUT ROWID;
    CREATE TABLE run_summary (
        run INTEGER PRIMARY KEY REFERENCES run(number), last_event INTEGER NOT NULL DEFAULT 0,
        tasks_done INTEGER NOT NULL DEFAULT 0, average_accuracy REAL, final_accuracy REAL,
        forgetting REAL, baseline_accuracy REAL
    );
    CREATE TABLE artifact (
        run INTEGER NOT NULL REFERENCES run(number), kind TEXT NOT NULL, path TEXT NOT NULL,
        bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, created TEXT NOT NULL,
        PRIMARY KEY (run, kind, path)
    ) WITHOUT ROWID;
    CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """)


@MIGRATIONS()
def m002_views(db: Database) -> None:
    """The tables as a person reads them; tasks count from 0, accuracies are fractions."""
    db.executescript("""
    CREATE VIEW runs AS
        SELECT r.id, r.name, r.state, r.state_reason, r.created, r.started, r.ended, r.profile, r.backbone,
               r.seed, r.device, s.tasks_done, r.tasks_total, s.average_accuracy, s.final_accuracy,
               s.forgetting, s.baseline_accuracy AS baseline
        FROM run r JOIN run_summary s ON s.run = r.number
        ORDER BY r.created DESC, r.number DESC;
    CREATE VIEW curves AS
        SELECT r.id AS run_id, r.name AS run, k.name AS curve, k.kind, k.label, m.task, t.name AS task_name,
               m.epoch, m.step, m.value, k.unit, m.reason AS absent_because, k.formula
        FROM metric m JOIN run r ON r.number = m.run JOIN metric_key k ON k.id = m.metric_key
        LEFT JOIN run_task t ON t.run = m.run AND t.position = m.task;
    CREATE VIEW accuracy_matrix AS
        SELECT r.id AS run_id, r.name AS run, a.after_task, l.name AS after_task_name, a.on_task,
               o.name AS on_task_name, a.value AS accuracy, a.task_incremental AS accuracy_task_given,
               a.task_id AS task_recognised, a.baseline, a.pictures AS test_pictures
        FROM accuracy a JOIN run r ON r.number = a.run
        LEFT JOIN run_task l ON l.run = a.run AND l.position = a.after_task
        LEFT JOIN run_task o ON o.run = a.run AND o.position = a.on_task;
    """)


@MIGRATIONS()
def m003_pairs(db: Database) -> None:
    """A measure may be about a pair of tasks, and knows when it was made; losses find their time in `step`."""
    db.executescript("""
    ALTER TABLE metric ADD COLUMN other INTEGER;
    ALTER TABLE metric ADD COLUMN time REAL;
    DROP VIEW curves;
    CREATE VIEW curves AS
        SELECT r.id AS run_id, r.name AS run, k.name AS curve, k.kind, k.label, m.task, t.name AS task_name,
               m.other AS other_task, o.name AS other_task_name, m.epoch, m.step, m.value, k.unit,
               m.reason AS absent_because, k.formula, m.time
        FROM metric m JOIN run r ON r.number = m.run JOIN metric_key k ON k.id = m.metric_key
        LEFT JOIN run_task t ON t.run = m.run AND t.position = m.task
        LEFT JOIN run_task o ON o.run = m.run AND o.position = m.other;
    """)


@MIGRATIONS()
def m004_forecasts(db: Database) -> None:
    """Forecasts made before a task was learnt, kept with how good they turned out to be."""
    db.executescript("""
    CREATE TABLE forecast (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(number), candidate TEXT NOT NULL,
        created TEXT NOT NULL, forecast TEXT NOT NULL, scored TEXT, score TEXT
    );
    CREATE INDEX forecast_of_run ON forecast (run);
    CREATE VIEW forecasts AS
        SELECT r.id AS run_id, r.name AS run, f.candidate, f.created, f.forecast, f.scored, f.score
        FROM forecast f JOIN run r ON r.number = f.run
        ORDER BY f.created DESC, f.id DESC;
    """)


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
