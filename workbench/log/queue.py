"""Runs that wait for their turn, and groups of runs: rows in, rows out."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from workbench.errors import UsageError
from workbench.log import cost, reading
from workbench.log.rows import json_of, text_of, utc
from workbench.report import RunSummary

Transaction = Callable[[], AbstractContextManager[Database]]


@dataclass(frozen=True)
class QueuedRow:
    """One run that waits. `state` is "waiting", or "refused" with a `reason` why it could not start."""

    id: int
    label: str  # what tells it from the others of its group, such as "seed 2"
    config: Mapping[str, Any]
    group: str = ""
    member: Mapping[str, Any] | None = None  # what it is in its group: a seed, an order, a bound
    created: str = ""
    state: str = "waiting"
    reason: str = ""


@dataclass(frozen=True)
class GroupRow:
    """What several runs were trained for; `facts` is what was found out about the group as a whole."""

    id: str
    kind: str
    title: str
    created: str
    of_run: str
    facts: Mapping[str, Any]


_COLUMNS = "id, label, config, group_id, member, created, state, reason"


class QueueTables:
    """The queue's part of a log. Each method is one transaction."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading, self._writing = reading, writing

    def rows(self) -> list[QueuedRow]:
        """Return what waits, in order."""
        with self._reading() as db:
            return _rows(db)

    def add(self, rows: list[QueuedRow], group: GroupRow | None = None) -> list[int]:
        """Put runs at the end, with the group that they belong to if it is new; return their numbers."""
        with self._writing() as db:
            if group is not None:
                known = (group.id, group.kind, text_of(group.title), group.created, group.of_run, json_of(group.facts))  # fmt: skip
                db.execute("INSERT OR IGNORE INTO run_group VALUES (?, ?, ?, ?, ?, ?)", known)
            (last,) = db.execute("SELECT COALESCE(MAX(position), 0) FROM queued").fetchone()
            return [_put(db, row, last + place) for place, row in enumerate(rows, 1)]

    def take_out(self, key: int) -> tuple[QueuedRow, int]:
        """Take a run out; return it and its place, which `put_back` takes."""
        with self._writing() as db:
            rows = _rows(db)
            place = next((i for i, row in enumerate(rows) if row.id == key), -1)
            if place < 0:
                raise UsageError(f"No run {key} waits in the queue any more.")
            db.execute("DELETE FROM queued WHERE id = ?", [key])
        return rows[place], place

    def put_back(self, row: QueuedRow, place: int) -> None:
        """Undo `take_out`; the row gets a new number, as its old one may be another's by now."""
        with self._writing() as db:
            key = _put(db, row, 0)
            found = db.execute("SELECT id FROM queued WHERE id <> ? ORDER BY position, id", [key])
            keys = [other for (other,) in found]
            keys.insert(place, key)
            _number(db, keys)

    def order(self, keys: list[int]) -> None:
        """Put what waits into this order; runs that are not named follow behind."""
        with self._writing() as db:
            known = [key for (key,) in db.execute("SELECT id FROM queued ORDER BY position, id")]
            named = [key for key in keys if key in known]
            _number(db, [*named, *(key for key in known if key not in named)])

    def change(self, key: int, *, config: Mapping[str, Any], state: str, reason: str) -> None:
        """Replace what a waiting run is asked, and whether it still waits."""
        with self._writing() as db:
            db.execute(
                "UPDATE queued SET config = ?, state = ?, reason = ? WHERE id = ?",
                [json_of(config), state, text_of(reason), key],
            )

    def groups(self) -> list[GroupRow]:
        """Return all groups, newest first."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT id, kind, title, created, of_run, facts FROM run_group ORDER BY created DESC, id"
            ).fetchall()
        return [
            GroupRow(key, kind, title, created, of_run, json.loads(facts))
            for key, kind, title, created, of_run, facts in rows
        ]

    def members(self) -> list[tuple[RunSummary, Mapping[str, Any]]]:
        """Return every run of a group, not those in the bin, and what it is in it, in the order they were begun."""
        with self._reading() as db:
            rows = db.execute("SELECT id, member FROM run WHERE group_id <> ''").fetchall()
            facts = {key: json.loads(member) for key, member in rows}
            return [(run, facts[run.id]) for run in reading.grouped(db)]

    def shown(self, group: str) -> dict[str, tuple[str, Mapping[str, str]]]:
        """Return for each run of a group what tells its pictures from others', and the versions it was made with."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT id, versions, (SELECT group_concat(fingerprint, '+') FROM run_task t WHERE t.run = r.number) "
                "FROM run r WHERE group_id = ?",
                [group],
            ).fetchall()
        return {
            key: ("+".join(sorted((prints or "").split("+"))), json.loads(versions))
            for key, versions, prints in rows
        }

    def finished(self, most: int = 50) -> list[tuple[Mapping[str, Any], float]]:
        """Return configuration and seconds of the newest runs that came to their end on this computer."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT config, number FROM run WHERE state = 'finished' AND imported IS NULL "
                "ORDER BY number DESC LIMIT ?",
                [most],
            ).fetchall()
            worked = [sum(cost.cost(db, number).seconds) for _, number in rows]
        return [(json.loads(row[0]), s) for row, s in zip(rows, worked, strict=True) if s > 0]

    def note_facts(self, group: str, facts: Mapping[str, Any]) -> None:
        """Keep what was found out about a group."""
        with self._writing() as db:
            db.execute("UPDATE run_group SET facts = ? WHERE id = ?", [json_of(facts), group])


def started(db: Database, key: int, run_id: str) -> None:
    """Within a transaction that enters a run: let it take the group of waiting run `key`, which is no more."""
    row = db.execute("SELECT group_id, member FROM queued WHERE id = ?", [key]).fetchone()
    if row is None:
        raise UsageError(f"No run {key} waits in the queue any more.")
    db.execute("UPDATE run SET group_id = ?, member = ? WHERE id = ?", [*row, run_id])
    db.execute("DELETE FROM queued WHERE id = ?", [key])


def _rows(db: Database) -> list[QueuedRow]:
    found = db.execute(f"SELECT {_COLUMNS} FROM queued ORDER BY position, id")
    return [
        QueuedRow(key, label, json.loads(config), group, json.loads(member), *rest)
        for key, label, config, group, member, *rest in found
    ]


def _put(db: Database, row: QueuedRow, position: int) -> int:
    values = [
        position, text_of(row.label), json_of(row.config), row.group, json_of(row.member or {}),
        row.created or utc(time.time()), row.state, text_of(row.reason),
    ]  # fmt: skip
    cursor = db.execute(
        "INSERT INTO queued (position, label, config, group_id, member, created, state, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    return int(cursor.lastrowid or 0)


def _number(db: Database, keys: list[int]) -> None:
    for position, key in enumerate(keys, 1):
        db.execute("UPDATE queued SET position = ? WHERE id = ?", [position, key])
