"""Rows back to events and reports: the way back of `rows`. Every function reads within the caller's snapshot."""

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlite_utils import Database

from workbench.errors import UsageError, nearest
from workbench.events import Event, Measured, Step, from_json
from workbench.log.cost import LoggedCost, cost
from workbench.log.faults import rebuilding
from workbench.log.rows import utc
from workbench.report import RunDetails, RunSummary

Matrix = tuple[tuple[float | None, ...], ...]

# Of a log that was damaged, a configuration may be no JSON.
METHOD = (
    "COALESCE(CASE WHEN json_valid(r.config) THEN json_extract(r.config, '$.method.name') END, '')"
)
# In the order of RunSummary's fields.
_SUMMARY = f"""
    SELECT r.id, r.name, r.state, r.state_reason, r.created, r.ended, r.profile, r.backbone, r.seed,
           s.tasks_done, r.tasks_total, s.average_accuracy, s.final_accuracy, s.forgetting, s.baseline_accuracy,
           r.note, r.starred, (SELECT json_group_array(tag) FROM run_tag t WHERE t.run = r.number),
           r.deleted, r.imported,
           r.group_id, r.parent_run, COALESCE(r.device, ''), r.precision,
           {METHOD}
    FROM run r JOIN run_summary s ON s.run = r.number
"""

# CROSS JOIN keeps SQLite at this order: a key first, then its curve as one range of the primary key.
_CURVES = """
    FROM metric_key k CROSS JOIN metric m ON m.run = ? AND m.metric_key = k.id
    WHERE k.kind = ?
"""


def summaries(
    db: Database, rest: str = "ORDER BY r.created DESC, r.number DESC", values: Sequence[Any] = ()
) -> list[RunSummary]:
    """Return runs, all and newest first unless `rest` of the statement says otherwise."""
    return [_summary(row) for row in db.execute(f"{_SUMMARY} {rest}", values)]


def _summary(row: Sequence[Any]) -> RunSummary:
    values = dict(zip((item.name for item in fields(RunSummary)), row, strict=True))
    values |= {"starred": bool(values["starred"]), "tags": tuple(json.loads(values["tags"]))}
    return RunSummary(**values)


def grouped(db: Database) -> list[RunSummary]:
    """Return the runs that belong to a group and are not in the bin, in the order they were begun."""
    rows = db.execute(f"{_SUMMARY} WHERE r.group_id <> '' AND r.deleted IS NULL ORDER BY r.number")
    return [_summary(row) for row in rows]


def number_of(db: Database, run_id: str) -> int:
    """Return the number that tables know the run by; raises UsageError if there is no such id."""
    row = db.execute("SELECT number FROM run WHERE id = ?", [run_id]).fetchone()
    if row is None:
        raise UsageError(f"run {run_id!r} is not in this log.")
    return int(row[0])


def find(db: Database, text: str) -> str:
    """Return the id of the run with this id, this name, or the only one whose id begins so.

    Raises UsageError: with the nearest name if there is none, with the ids if there are several.
    """
    known = [(str(key), str(name)) for key, name in db.execute("SELECT id, name FROM run")]
    found = (
        [key for key, _ in known if key == text]
        or [key for key, name in known if name == text]
        or [key for key, _ in known if text and key.startswith(text)]
    )
    if len(found) > 1:
        ids = ", ".join(found[:4]) + (", ..." if len(found) > 4 else "")
        raise UsageError(f"{text!r} fits {len(found)} runs. Give the whole id of one: {ids}.")
    if not found:
        words = [word for pair in known for word in pair]
        hint = nearest(text, words) or " 'runs' lists what there is."
        raise UsageError(f"run {text!r} is not in this log.{hint}")
    return found[0]


def events(db: Database, run: int) -> Iterator[Event]:
    """Yield the run's events in the order they were said, each with its time, from three tables.

    Steps, of which there may be very many, are read along; the others are few.
    """
    with rebuilding():
        others = sorted([*_events_said(db, run), *_measured(db, run)], key=_place)
        for _, event in heapq.merge(_steps(db, run), others, key=_place):
            yield event


def _events_said(db: Database, run: int) -> Iterator[tuple[int, Event]]:
    for n, time, kind, words in db.execute(
        "SELECT n, time, kind, fields FROM event WHERE run = ?", [run]
    ):
        yield n, from_json(kind, words, time)


def _measured(db: Database, run: int) -> Iterator[tuple[int, Event]]:
    for n, time, *values in db.execute(
        f"SELECT m.n, m.time, k.name, m.task, m.epoch, m.step, m.value, m.reason, m.other {_CURVES}",
        [run, "measure"],
    ):
        yield n, Measured(*values, time=time)


def _steps(db: Database, run: int) -> Iterator[tuple[int, Event]]:
    """Yield steps with their terms, whose curves are read side by side."""
    keys = db.execute("SELECT id, name FROM metric_key WHERE kind = 'loss' ORDER BY id").fetchall()
    sql = "SELECT n, value FROM metric WHERE run = ? AND metric_key = ? ORDER BY n"
    curves = [(name, db.execute(sql, [run, key])) for key, name in keys]
    heads = [(name, curve, curve.fetchone()) for name, curve in curves]
    for n, time, task, epoch, step, lr in db.execute(
        "SELECT n, time, task, epoch, step, lr FROM step WHERE run = ? ORDER BY n", [run]
    ):
        terms = {}
        for place, (name, curve, head) in enumerate(heads):
            while head is not None and head[0] <= n:
                if head[0] == n:
                    terms[name] = head[1]
                head = curve.fetchone()
            heads[place] = name, curve, head
        yield n, Step(task, epoch, step, lr, terms, time=time)


def _place(pair: tuple[int, Event]) -> int:
    return pair[0]


def details(db: Database, run: int) -> RunDetails:
    """Return everything but the loss terms, which can be millions: they are in the run's events."""
    row = db.execute(f"{_SUMMARY} WHERE r.number = ?", [run]).fetchone()
    texts = db.execute(
        "SELECT config, switches, versions FROM run WHERE number = ?", [run]
    ).fetchone()
    config, switches, versions = map(json.loads, texts)
    return RunDetails(
        summary=_summary(row),
        config=config,
        switches=switches,
        tasks=_tasks(db, run),
        accuracy_matrix=_matrix(db, run, "value"),
        metrics=_metrics(db, run),
        baseline=_matrix(db, run, "baseline"),
        versions=versions,
        files=_files(db, run),
        forecasts=tuple(forecasts(db, run)),
        cost=asdict(_cost(db, run)),
    )


def _cost(db: Database, run: int) -> LoggedCost:
    with rebuilding():
        return cost(db, run)


def forecasts(db: Database, run: int) -> list[dict[str, Any]]:
    """Return what was forecast from the run, oldest first; `score` is None until it is known."""
    rows = db.execute(
        "SELECT id, created, forecast, scored, score FROM forecast WHERE run = ? ORDER BY id", [run]
    )
    return [
        {
            "number": number,
            "created": created,
            **json.loads(forecast),
            "scored": scored,
            "score": json.loads(score) if score else None,
        }
        for number, created, forecast, scored, score in rows
    ]


def _files(db: Database, run: int) -> tuple[Mapping[str, Any], ...]:
    names = ("kind", "path", "bytes", "sha256")
    rows = db.execute(f"SELECT {', '.join(names)} FROM artifact WHERE run = ? ORDER BY path", [run])
    return tuple(dict(zip(names, row, strict=True)) for row in rows)


def _tasks(db: Database, run: int) -> tuple[Mapping[str, Any], ...]:
    rows = db.execute(
        "SELECT name, classes, class_ids, train_counts, test_counts, fingerprint FROM run_task "
        "WHERE run = ? ORDER BY position",
        [run],
    )
    return tuple(
        {
            "name": name,
            "classes": json.loads(classes),
            "class_ids": json.loads(ids),
            "counts": {"train": json.loads(train), "test": json.loads(test)},  # per class
            "fingerprint": fingerprint,
        }
        for name, classes, ids, train, test, fingerprint in rows
    )


def _matrix(db: Database, run: int, column: str) -> Matrix:
    """Return R as T rows "after task" of T columns "on task"; None where nothing was evaluated."""
    rows = db.execute(f"SELECT after_task, on_task, {column} FROM accuracy WHERE run = ?", [run])
    cells = {(after, on): value for after, on, value in rows}
    (tasks,) = db.execute("SELECT COUNT(*) FROM run_task WHERE run = ?", [run]).fetchone()
    return tuple(tuple(cells.get((after, on)) for on in range(tasks)) for after in range(tasks))


def _metrics(db: Database, run: int) -> tuple[Mapping[str, Any], ...]:
    names = ("name", "unit", "formula", "task", "epoch", "step", "value", "reason", "other", "time")
    rows = db.execute(
        "SELECT k.name, k.unit, k.formula, m.task, m.epoch, m.step, m.value, m.reason, m.other, m.time "
        f"{_CURVES} ORDER BY m.n",
        [run, "measure"],
    )
    metrics = (dict(zip(names, row, strict=True)) for row in rows)
    return tuple(m | {"time": m["time"] if m["time"] is None else utc(m["time"])} for m in metrics)
