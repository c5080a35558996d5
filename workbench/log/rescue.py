"""A damaged log: what can be read of it is copied, row by row, into a new one. The old file is only read."""

import json
import os
import re
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import LogFault, WorkbenchError
from workbench.events import from_json
from workbench.log.backup import backups
from workbench.log.faults import code_of, speaking
from workbench.log.places import settle
from workbench.log.processes import process_lives
from workbench.log.salvage import UNREADABLE, Reader
from workbench.log.store import UNDER_WAY, Log

# The tables, those that others refer to first, and the integers of their keys in order.
TABLES: dict[str, tuple[str, ...]] = {
    "run": ("number",), "run_summary": ("run",), "metric_key": ("id",), "run_task": ("run", "position"),
    "event": ("run", "n"), "step": ("run", "n"), "accuracy": ("run", "after_task", "on_task"),
    "metric": ("run", "metric_key", "step"), "artifact": ("run",), "forecast": ("id",),
    "run_tag": ("run",), "run_group": (), "queued": ("id",), "setting": (),
}  # fmt: skip
_JSON = {
    "config", "switches", "seeds", "versions", "member", "facts", "forecast", "score", "classes",
    "class_ids", "train_counts", "test_counts", "class_order",
}  # fmt: skip
_TYPES = {"INTEGER": (int,), "REAL": (int, float), "TEXT": (str,)}
_ENDINGS = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Rescued:
    """What could be saved of a damaged log.

    Attributes:
        new: the new file, beside the old one.
        saved: how many runs are in it.
        runs: how many runs the old log held, as far as can be seen.
        gaps: how many of those saved lack rows.
        backup: the copy that was taken because nothing could be read.
    """

    new: Path
    saved: int
    runs: int
    gaps: int = 0
    backup: Path | None = None


def damaged_pages(connection: sqlite3.Connection) -> int:
    """Return how many pages SQLite's own check complains of: 0 if the file is sound, at least 1 if not."""
    try:
        found = [str(line) for (line,) in connection.execute("PRAGMA quick_check(1000)")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if code_of(error) not in UNREADABLE:
            raise
        return 1
    if found == ["ok"]:
        return 0
    return max(1, len(set(re.findall(r"[Pp]age (\d+)", "\n".join(found)))))


def pages_of(path: Path) -> int:
    """Return how many pages of the log at `path` are damaged, as far as it can be opened at all."""
    with speaking(path), closing(_open_old(path)) as old:
        return damaged_pages(old)


def rescue(path: Path) -> Rescued:
    """Copy what can be read of the log at `path` into a new file beside it; else copy the newest backup.

    Raises:
        LogFault: a run is still being written into it.
        DiskFull: the new file does not fit.
    """
    new = path.with_name(f"{path.stem}.rescued.db")
    with speaking(new):
        _remove(new)
        found = _read_out(path, new)
        if found is None:
            _remove(new)
            found = _from_backup(path, new)
        settle(new)
    return found


def put_in_place(path: Path, new: Path) -> Path:
    """Move the log at `path` aside as `*.damaged-<time>`, `new` into its place; return where the old one is.

    No connection of this program may be open on either.
    """
    kept = _free_name(path)
    with speaking(path):
        for ending in _ENDINGS:
            with suppress(FileNotFoundError):
                os.replace(path.with_name(path.name + ending), kept.with_name(kept.name + ending))
        os.replace(new, path)
        settle(path)
    return kept


def _free_name(path: Path) -> Path:
    name = f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    kept, number = path.with_name(name), 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{name}-{number}")
    return kept


def _remove(new: Path) -> None:
    for ending in _ENDINGS:
        new.with_name(new.name + ending).unlink(missing_ok=True)


def _open_old(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)


def _read_out(path: Path, new: Path) -> Rescued | None:
    """Return what could be read, or None if that is not one run."""
    if not path.exists() or not path.stat().st_size:  # SQLite would remove its write-ahead log
        return None
    try:
        with closing(_open_old(path)) as old:
            _nobody_may_write(old, path)
            reader = Reader(old)
            with closing(Log(new)) as log, log.change() as db:
                seen: set[int] = set()
                for table in TABLES:
                    reader.largest = (
                        _largest(db.conn) if table not in ("run", "run_summary") else {}
                    )
                    seen |= _copy(reader, table, db.conn)
                _tidy(db.conn)
                saved = {run for (run,) in db.execute("SELECT number FROM run")}
                gaps = len(saved & (reader.hurt | _gaps(db.conn)))
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if code_of(error) not in UNREADABLE:
            raise
        return None
    return Rescued(new, len(saved), len(saved | seen), gaps) if saved else None


def _nobody_may_write(old: sqlite3.Connection, path: Path) -> None:
    """Raise LogFault if a run of another program is under way: what it writes next would be lost."""
    try:
        runs = old.execute(
            "SELECT name, pid, pid_started FROM run WHERE state IN (?, ?, ?)", UNDER_WAY
        ).fetchall()
        name = next((name for name, *process in runs if process_lives(*process)), "")
    except (sqlite3.DatabaseError, ValueError, TypeError):  # damaged just there
        return
    if name:
        raise LogFault(
            f"The log {path} is damaged, and {name} still trains and writes into it. "
            "Wait for its end, or stop it, and try again.", "locked", str(path),
        )  # fmt: skip


def _largest(new: sqlite3.Connection) -> dict[str, int]:
    """Return how far the keys of the larger tables can go, by what has been read of the smaller ones."""
    asked = {
        "run": "SELECT MAX(n) FROM (SELECT MAX(number) n FROM run UNION SELECT MAX(run) FROM run_summary)",
        "metric_key": "SELECT MAX(id) FROM metric_key",
        "n": "SELECT MAX(last_event) FROM run_summary",
    }
    found = {name: new.execute(sql).fetchone()[0] for name, sql in asked.items()}
    whole = new.execute("SELECT 1 FROM run WHERE number NOT IN (SELECT run FROM run_summary)")
    if whole.fetchone() or not found["n"]:  # a run whose length is not known
        del found["n"]
    else:
        found["step"] = found["n"]  # each step is an event of its own
    return {name: value for name, value in found.items() if value}


def _copy(reader: Reader, table: str, new: sqlite3.Connection) -> set[int]:
    """Copy what can be read of a table; return the numbers of the runs that it speaks of."""
    kinds = {name: kind for _, name, kind, *_ in new.execute(f"PRAGMA table_info([{table}])")}
    columns = [name for name in reader.columns(table) if name in kinds]
    slots = ", ".join("?" for _ in columns)
    insert = f"INSERT OR IGNORE INTO [{table}] ({', '.join(columns)}) VALUES ({slots})"
    key = "number" if table == "run" else "run"
    runs = set()
    for row in reader.rows(table, columns, TABLES[table]):
        values = dict(zip(columns, row, strict=True))
        run = values.get(key)
        if isinstance(run, int) and run > 0:
            runs.add(run)
        try:
            _check(table, values, kinds)
            new.execute(insert, row)
        except (
            sqlite3.IntegrityError,
            WorkbenchError,
            KeyError,
            ValueError,
            TypeError,
        ):  # its bytes changed
            reader.hurt.add(run if isinstance(run, int) else 0)
    return runs


def _check(table: str, values: dict[str, Any], kinds: dict[str, str]) -> None:
    """Raise an error if the row cannot be one that was written."""
    for name, value in values.items():
        if value is not None and not isinstance(value, _TYPES.get(kinds[name], (object,))):
            raise TypeError(name)
        if name in _JSON and value is not None:
            json.loads(str(value))
    if table == "event":
        from_json(values["kind"], values["fields"], values["time"])


def _tidy(new: sqlite3.Connection) -> None:
    """Take out rows of runs that could not be read, and give each run a summary."""
    new.execute("INSERT OR IGNORE INTO run_summary (run) SELECT number FROM run")
    for table, key in TABLES.items():
        if key and key[0] == "run":
            new.execute(f"DELETE FROM [{table}] WHERE run NOT IN (SELECT number FROM run)")
    new.execute("DELETE FROM forecast WHERE run NOT IN (SELECT number FROM run)")
    new.execute("DELETE FROM metric WHERE metric_key NOT IN (SELECT id FROM metric_key)")


def _gaps(new: sqlite3.Connection) -> set[int]:
    """Return the runs in which not every number up to the last event's is there."""
    found = new.execute(
        "SELECT run FROM run_summary s WHERE last_event > (SELECT COUNT(*) FROM ("
        "SELECT n FROM event WHERE run = s.run UNION SELECT n FROM step WHERE run = s.run"
        " UNION SELECT n FROM metric WHERE run = s.run))"
    )
    return {run for (run,) in found}


def _from_backup(path: Path, new: Path) -> Rescued:
    """Copy the newest sound backup, or make an empty log if there is none."""
    for copy in backups(path):
        with suppress(sqlite3.DatabaseError, WorkbenchError):
            if pages_of(copy):
                continue
            shutil.copyfile(copy, new)
            new.chmod(0o600)
            with closing(Log(new)) as log:
                saved = len(log.runs(binned=True))
            return Rescued(new, saved, saved, backup=copy)
    _remove(new)
    Log(new).close()
    return Rescued(new, 0, 0)
