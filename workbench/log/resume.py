"""Back to a checkpoint: what was logged behind it goes, what is kept beside the events is made again.

The row of a `Checkpointed` event is what makes a checkpoint count: it is in the log after everything
that happened before it, so a run that goes on there has no row twice and misses none.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no types
from sqlite_utils import Database

from workbench.errors import UsageError
from workbench.events import Checkpointed, Event, Measured, from_json
from workbench.log import reading
from workbench.log.rows import SHOWN, Recorder, json_of, utc

_EVENTS = ("event", "step", "metric")  # tables whose rows have a running number
_CURRENT = (
    "UPDATE run_summary SET last_event = 0, tasks_done = 0, average_accuracy = NULL, "
    "final_accuracy = NULL, forgetting = NULL, baseline_accuracy = NULL WHERE run = ?"
)
_FILE_NAMES = ("path", "pictures")  # fields of events that name a file below the run's folder


@dataclass(frozen=True)
class LoggedCheckpoint:
    """A checkpoint that counts: its row in the log, and what it said."""

    n: int  # running number of the row
    time: float
    event: Checkpointed


def checkpoints(db: Database, run_id: str) -> list[LoggedCheckpoint]:
    """Return the run's checkpoints, newest first; their files may be gone."""
    rows = db.execute(
        "SELECT n, time, fields FROM event WHERE run = ? AND kind = 'Checkpointed' ORDER BY n DESC",
        [reading.number_of(db, run_id)],
    )
    return [
        LoggedCheckpoint(n, said, event)
        for n, said, fields in rows
        if isinstance(event := from_json("Checkpointed", fields, said), Checkpointed)
    ]


def last_step(db: Database, run_id: str) -> tuple[int, int] | None:
    """Return task and number of the last step in the log; None if there is none."""
    row = db.execute(
        "SELECT task, step FROM step WHERE run = ? ORDER BY n DESC LIMIT 1",
        [reading.number_of(db, run_id)],
    ).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def must_have_ended(db: Database, run_id: str, states: Sequence[str]) -> None:
    """Raise UsageError unless the run is in one of these states."""
    name, state = db.execute("SELECT name, state FROM run WHERE id = ?", [run_id]).fetchone()
    if state not in states:
        raise UsageError(
            f"{name} is {state} and cannot be resumed; it would have to be {', '.join(states)}."
        )


def rewind(
    db: Database,
    run_id: str,
    to: LoggedCheckpoint | None,
    config: Mapping[str, Any] | None = None,
) -> None:
    """Make the run one that this process starts from `to`; None: from its very beginning.

    `config` replaces the configuration, if it goes on with another. Call within one transaction.
    """
    run = reading.number_of(db, run_id)
    cut = to.n if to is not None else 0
    for table in _EVENTS:
        db.execute(f"DELETE FROM {table} WHERE run = ? AND n > ?", [run, cut])
    if to is None:
        db.execute("DELETE FROM run_task WHERE run = ?", [run])
        db.execute("UPDATE run SET started = NULL WHERE number = ?", [run])
        db.execute("UPDATE run_summary SET monitor_share = NULL WHERE run = ?", [run])
    if config is not None:
        sql = "UPDATE run SET config = ? WHERE number = ?"
        db.execute(sql, [json_of(dict(config)), run])
    _make_current(db, run, cut)
    _forget_files(db, run, run_id)
    _own(db, run)


def move(db: Database, run_id: str, found: Mapping[str, str]) -> None:
    """Let the run's folders of pictures lie elsewhere: old path -> new path."""
    run = reading.number_of(db, run_id)
    (text,) = db.execute("SELECT config FROM run WHERE number = ?", [run]).fetchone()
    config = json.loads(text)
    for task in config["data"]["tasks"]:
        for place in (task, *task.get("also", ())):
            place["path"] = found.get(place["path"], place["path"])
    db.execute("UPDATE run SET config = ? WHERE number = ?", [json_of(config), run])


def fork(db: Database, parent_id: str, child_id: str, to: LoggedCheckpoint) -> None:
    """Give a run that has just begun its parent's rows up to `to`, as if it had said them itself.

    Raises:
        UsageError: the child has events of its own, or `to` is no row of the parent.
    """
    parent, child = (reading.number_of(db, run_id) for run_id in (parent_id, child_id))
    if to not in checkpoints(db, parent_id):
        raise UsageError(f"run {parent_id!r} has no checkpoint at row {to.n}.")
    (known,) = db.execute("SELECT last_event FROM run_summary WHERE run = ?", [child]).fetchone()
    if known:
        raise UsageError(f"run {child_id!r} has begun already.")
    for table in _EVENTS:
        columns = [name for name in db.table(table).columns_dict if name != "run"]
        listed = ", ".join(columns)
        db.execute(
            f"INSERT INTO {table} (run, {listed}) SELECT ?, {listed} FROM {table} WHERE run = ? AND n <= ?",
            [child, parent, to.n],
        )
    db.execute(
        "UPDATE run_summary SET monitor_share = (SELECT monitor_share FROM run_summary WHERE run = ?) WHERE run = ?",
        [parent, child],
    )
    db.execute("UPDATE run SET parent_run = ? WHERE number = ?", [parent_id, child])
    _make_current(db, child, to.n)
    _copy_files(db, (parent, parent_id), (child, child_id))
    _forget_files(db, child, child_id)
    _own(db, child)


def _make_current(db: Database, run: int, last: int) -> None:
    """Make summary and accuracies again from the events that are there, the last one with number `last`.

    The number of tasks stays: one that goes on with more tasks knows them before it says so.
    """
    (total,) = db.execute("SELECT tasks_total FROM run WHERE number = ?", [run]).fetchone()
    db.execute("DELETE FROM accuracy WHERE run = ?", [run])
    db.execute(_CURRENT, [run])
    db.execute("UPDATE run_summary SET last_event = ? WHERE run = ?", [last, run])
    recorder = Recorder(db, run)
    for said, event in [*_stored(db, run), *_shown(db, run)]:
        recorder.keep_current(said, event)
    db.execute("UPDATE run SET tasks_total = ? WHERE number = ?", [total, run])


def _stored(db: Database, run: int) -> Iterator[tuple[float, Event]]:
    rows = db.execute(
        "SELECT kind, fields, time FROM event WHERE run = ? AND kind IN ('RunStarted', 'Evaluated', 'TaskEnded') "
        "ORDER BY n",
        [run],
    ).fetchall()
    return ((said, from_json(kind, fields, said)) for kind, fields, said in rows)


def _shown(db: Database, run: int) -> Iterator[tuple[float, Event]]:
    """Yield the last value of each measure that the table of runs shows."""
    sql = (
        "SELECT k.name, m.task, m.epoch, m.step, m.value, m.reason, m.other, m.time FROM metric_key k "
        "CROSS JOIN metric m ON m.run = ? AND m.metric_key = k.id WHERE k.kind = 'measure' AND k.name = ? "
        "ORDER BY m.n DESC LIMIT 1"
    )
    for name in SHOWN:
        row = db.execute(sql, [run, name]).fetchone()
        if row is not None:
            yield float(row[-1] or 0.0), Measured(*row[:-1])


def _forget_files(db: Database, run: int, run_id: str) -> None:
    """Strike files off the list that no event of the run names any more."""
    rows = db.execute(
        "SELECT fields FROM event WHERE run = ? AND kind IN ('Snapshot', 'Answered')", [run]
    )
    said = [json.loads(fields) for (fields,) in rows]
    named = [f"runs/{run_id}/{each[key]}" for each in said for key in _FILE_NAMES if key in each]
    db.execute(
        "DELETE FROM artifact WHERE run = ? AND kind IN ('kernel', 'answers') "
        "AND path NOT IN (SELECT value FROM json_each(?))",
        [run, json_of(named)],
    )
    db.execute(
        "DELETE FROM artifact WHERE run = ? AND kind = 'adapter' "
        "AND (SELECT tasks_done FROM run_summary WHERE run = ?) = 0",
        [run, run],
    )


def _copy_files(db: Database, parent: tuple[int, str], child: tuple[int, str]) -> None:
    """List the parent's files as the child's, which has its own of the same names."""
    (number, run_id), (new, new_id) = parent, child
    before, after = f"runs/{run_id}/", f"runs/{new_id}/"
    db.execute(
        "INSERT INTO artifact (run, kind, path, bytes, sha256, created) "
        "SELECT ?, kind, ? || substr(path, ?), bytes, sha256, created FROM artifact "
        "WHERE run = ? AND path LIKE ? AND kind IN ('kernel', 'answers', 'adapter')",
        [new, after, len(before) + 1, number, f"{before}%"],
    )


def _own(db: Database, run: int) -> None:
    """Make this process the one that answers for the run."""
    process = psutil.Process(os.getpid())
    db.execute(
        "UPDATE run SET state = 'starting', state_reason = '', ended = NULL, pid = ?, pid_started = ?, "
        "heartbeat = ? WHERE number = ?",
        [process.pid, process.create_time(), utc(time.time()), run],
    )
