"""The runs as a table in SQL: filtered, sorted by any column, page by page; tags, notes, stars, the bin.

Everything a person typed is a bound parameter. Functions take a connection within the caller's
transaction; each change is one statement, but for tags, which are two.
"""

import json
import time
from collections.abc import Sequence
from datetime import datetime, time as clock
from typing import Any

from sqlite_utils import Database

from workbench.errors import UsageError
from workbench.log import reading
from workbench.log.rows import json_of, text_of, utc
from workbench.query import SETTINGS, Query, Term, days_of, number_of
from workbench.report import LearntRun, RunSummary

# What the table sorts by.
COLUMNS = {
    "name": "r.name COLLATE NOCASE", "state": "r.state", "tasks": "s.tasks_done",
    "mean": "s.average_accuracy", "acc": "s.final_accuracy", "forget": "s.forgetting",
    "floor": "s.baseline_accuracy", "method": reading.METHOD, "profile": "r.profile", "backbone": "r.backbone COLLATE NOCASE",
    "seed": "r.seed", "created": "r.created", "device": "r.device COLLATE NOCASE", "note": "r.note COLLATE NOCASE", "star": "r.starred",
    "tags": "(SELECT group_concat(tag, ', ') FROM run_tag t WHERE t.run = r.number) COLLATE NOCASE",
}  # fmt: skip
_TEXTS = {
    "name": "r.name", "note": "r.note", "backbone": "r.backbone", "profile": "r.profile", "device": "r.device",
    "precision": "r.precision", "method": reading.METHOD,
}  # fmt: skip
_NUMBERS = {
    "acc": "100 * s.final_accuracy", "mean": "100 * s.average_accuracy", "forget": "100 * s.forgetting",
    "floor": "100 * s.baseline_accuracy", "tasks": "s.tasks_done", "seed": "r.seed",
}  # fmt: skip
_FLAGS = {
    "starred": "r.starred", "imported": "r.imported IS NOT NULL", "noted": "r.note <> ''",
    "tagged": "EXISTS (SELECT 1 FROM run_tag t WHERE t.run = r.number)", "learnt": "s.tasks_done > 0",
    "baseline": "r.id = (SELECT value FROM setting WHERE key = 'baseline')",
}  # fmt: skip
_TAG = "EXISTS (SELECT 1 FROM run_tag t WHERE t.run = r.number AND t.tag LIKE ? ESCAPE '\\')"
_TASK = "EXISTS (SELECT 1 FROM run_task t WHERE t.run = r.number AND t.name LIKE ? ESCAPE '\\')"

Condition = tuple[str, list[Any]]  # SQL with a ? for each value


def page(
    db: Database,
    query: Query,
    *,
    order: str = "created",
    descending: bool = True,
    limit: int = -1,
    offset: int = 0,
    binned: bool = False,
) -> list[RunSummary]:
    """Return one page of the runs that the query lets through; runs without the number come last."""
    where, values = condition(query, binned=binned)
    way = "DESC" if descending else "ASC"
    rest = (
        f"WHERE {where} ORDER BY {COLUMNS[order]} {way} NULLS LAST, r.created DESC, r.number DESC "
        "LIMIT ? OFFSET ?"
    )
    return reading.summaries(db, rest, [*values, limit, offset])


def count(db: Database, query: Query, *, binned: bool = False) -> int:
    """Return how many runs the query lets through."""
    where, values = condition(query, binned=binned)
    sql = f"SELECT COUNT(*) FROM run r JOIN run_summary s ON s.run = r.number WHERE {where}"
    return int(db.execute(sql, values).fetchone()[0])


def some(db: Database, run_ids: Sequence[str]) -> list[RunSummary]:
    """Return these runs, in the bin or not, newest first; unknown ids are passed over."""
    rest = "WHERE r.id IN (SELECT value FROM json_each(?)) ORDER BY r.created DESC, r.number DESC"
    return reading.summaries(db, rest, [json_of(list(run_ids))])


def learnt(db: Database) -> list[LearntRun]:
    """Return the runs outside the bin that have an adapter, or work on one, newest first."""
    sql = """
        SELECT r.id, r.name, r.backbone, r.state, s.tasks_done, s.final_accuracy
        FROM run r JOIN run_summary s ON s.run = r.number
        WHERE r.deleted IS NULL AND (s.tasks_done > 0 OR r.state IN ('starting', 'running', 'paused'))
        ORDER BY r.created DESC, r.number DESC
    """
    return [LearntRun(*row) for row in db.execute(sql)]


def length(db: Database, run_id: str) -> int:
    """Return the number of a run's events."""
    sql = "SELECT s.last_event FROM run_summary s JOIN run r ON r.number = s.run WHERE r.id = ?"
    return next((int(last) for (last,) in db.execute(sql, [run_id])), 0)


def likeness(db: Database, query: Query, key: str, *, binned: bool = False) -> dict[str, str]:
    """Return for each run a text that is equal for runs which differ only in the setting `key`.

    `key` is "section.name" or a section such as "seeds"; the run's name never counts.
    """
    if key not in SETTINGS and key not in {name.partition(".")[0] for name in SETTINGS}:
        raise UsageError(f"Runs cannot be grouped by {key!r}: it is no setting.")
    where, values = condition(query, binned=binned)
    sql = (
        "SELECT r.id, json_remove(r.config, '$.name', ?) FROM run r "
        f"JOIN run_summary s ON s.run = r.number WHERE {where}"
    )
    return dict(db.execute(sql, [f"$.{key}", *values]).fetchall())


def condition(query: Query, *, binned: bool = False) -> Condition:
    """Return the WHERE clause of a query."""
    parts = ["r.deleted IS NOT NULL" if binned else "r.deleted IS NULL"]
    values: list[Any] = []
    for term in query.terms:
        sql, bound = _condition(term)
        parts.append(f"NOT COALESCE({sql}, 0)" if term.negated else f"({sql})")
        values += bound
    return " AND ".join(parts), values


def _condition(term: Term) -> Condition:
    key = term.key
    if not key:
        columns = ("r.name", "r.note", "r.backbone")
        sql = " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for column in columns)
        return f"({sql} OR {_TAG})", [_within(term.value)] * 4
    if key == "is":
        return _FLAGS[term.value], []
    if key == "state":
        return "r.state = ?", [term.value]
    if key in ("tag", "task"):
        pattern = (
            _within(term.value) if (key, term.operator) == ("task", ":") else _exactly(term.value)
        )
        return (_TAG if key == "tag" else _TASK), [pattern]
    if key in _TEXTS:
        pattern = _within(term.value) if term.operator == ":" else _exactly(term.value)
        return f"{_TEXTS[key]} LIKE ? ESCAPE '\\'", [pattern]
    if key == "created":
        return _on_days(term)
    if key in _NUMBERS:
        return _compared(_NUMBERS[key], term.operator, number_of(term.value))
    return _of_setting(term)


def _compared(column: str, operator: str, value: float) -> Condition:
    if operator in (":", "="):
        return f"abs({column} - ?) < 1e-9", [value]
    return f"{column} {operator} ?", [value]


def _of_setting(term: Term) -> Condition:
    column, path = "json_extract(r.config, ?)", f"$.{term.key}"
    try:
        sql, values = _compared(f"CAST({column} AS REAL)", term.operator, number_of(term.value))
    except ValueError:
        operator = "LIKE" if term.operator in (":", "=") else term.operator
        pattern = {":": _within, "=": _exactly}.get(term.operator, text_of)(term.value)
        escape = " ESCAPE '\\'" if operator == "LIKE" else ""
        return f"CAST({column} AS TEXT) {operator} ?{escape}", [path, pattern]
    number = f"json_type(r.config, ?) IN ('integer', 'real') AND {sql}"
    return number, [path, path, *values]


def _on_days(term: Term) -> Condition:
    """Days are those of the person's own clock; the log counts in UTC."""
    first, after = (
        datetime.combine(day, clock()).astimezone().timestamp() for day in days_of(term.value)
    )
    start, end = utc(first), utc(after)
    return {
        ">": ("r.created >= ?", [end]),
        ">=": ("r.created >= ?", [start]),
        "<": ("r.created < ?", [start]),
        "<=": ("r.created < ?", [end]),
    }.get(term.operator, ("r.created >= ? AND r.created < ?", [start, end]))


def _exactly(text: str) -> str:
    text = text_of(text)  # first, since it writes what no UTF-8 can hold with a backslash
    for letter in "\\%_":
        text = text.replace(letter, f"\\{letter}")
    return text


def _within(text: str) -> str:
    return f"%{_exactly(text)}%"


def set_note(db: Database, run_id: str, note: str) -> None:
    """Keep a person's words about a run."""
    _set(db, run_id, "note", text_of(note.strip()))


def set_star(db: Database, run_id: str, starred: bool) -> None:
    """Put a star on a run, or take it off."""
    _set(db, run_id, "starred", int(starred))


def move_to_bin(db: Database, run_id: str, moved: bool) -> None:
    """Put a run into the bin, or take it out again."""
    _set(db, run_id, "deleted", utc(time.time()) if moved else None)


def set_tags(db: Database, run_id: str, tags: Sequence[str]) -> None:
    """Give a run exactly these tags; letters' case does not tell tags apart."""
    run = reading.number_of(db, run_id)
    wanted = json_of([tag.strip() for tag in tags if tag.strip()])
    db.execute(
        "DELETE FROM run_tag WHERE run = ? AND tag NOT IN (SELECT value FROM json_each(?))",
        [run, wanted],
    )
    db.execute("INSERT OR IGNORE INTO run_tag SELECT ?, value FROM json_each(?)", [run, wanted])


def tags(db: Database) -> list[str]:
    """Return every tag in use, in alphabetical order."""
    return [tag for (tag,) in db.execute("SELECT DISTINCT tag FROM run_tag ORDER BY tag")]


def baseline(db: Database) -> str:
    """Return the id of the pinned run, or an empty string."""
    row = db.execute("SELECT value FROM setting WHERE key = 'baseline'").fetchone()
    return str(row[0]) if row else ""


def pin(db: Database, run_id: str) -> None:
    """Pin the run that others are compared with; an empty id pins none."""
    db.execute("INSERT OR REPLACE INTO setting VALUES ('baseline', ?)", [run_id])


def remove(db: Database, run_id: str) -> None:
    """Take a run that lies in the bin out of every table that speaks of it."""
    run = reading.number_of(db, run_id)
    (deleted,) = db.execute("SELECT deleted FROM run WHERE number = ?", [run]).fetchone()
    if deleted is None:
        raise UsageError(f"run {run_id!r} is not in the bin.")
    for table in db.table_names():
        for key in db.table(table).foreign_keys:
            if key.other_table == "run":
                db.execute(f"DELETE FROM [{table}] WHERE [{key.column}] = ?", [run])
    db.execute("DELETE FROM setting WHERE key = 'baseline' AND value = ?", [run_id])
    db.execute("DELETE FROM run WHERE number = ?", [run])


def configurations(db: Database, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return of each run its `config`, `switches`, `versions`, `device`, `precision`, `weights` and `tasks`."""
    rows = db.execute(
        "SELECT r.id, r.config, r.switches, r.versions, r.device, r.precision, r.weights_sha256, (SELECT json_group_array("
        "json_array(name, fingerprint, test_counts)) FROM run_task t WHERE t.run = r.number) "
        "FROM run r WHERE r.id IN (SELECT value FROM json_each(?))",
        [json_of(list(run_ids))],
    )
    return {
        run_id: {
            "config": json.loads(config),
            "switches": json.loads(switches),
            "versions": json.loads(versions),
            "device": device or "",
            "precision": precision,
            "weights": weights or "",
            "tasks": json.loads(tasks),
        }
        for run_id, config, switches, versions, device, precision, weights, tasks in rows
    }


def finals(db: Database, run_ids: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Return of each run the last value of every measure of the whole run, by its name."""
    found: dict[str, dict[str, float | None]] = {run_id: {} for run_id in run_ids}
    rows = db.execute(
        # CROSS JOIN keeps this order: one range of the metric's primary key for each run and measure
        "SELECT r.id, k.name, m.value, MAX(m.n) FROM run r CROSS JOIN metric_key k "
        "CROSS JOIN metric m ON m.run = r.number AND m.metric_key = k.id "
        "WHERE k.kind = 'measure' AND m.other IS NULL AND r.id IN (SELECT value FROM json_each(?)) "
        "GROUP BY r.number, k.id",
        [json_of(list(run_ids))],
    )
    for run_id, name, value, _ in rows:
        found[run_id][name] = value
    return found


def _set(db: Database, run_id: str, column: str, value: Any) -> None:
    cursor = db.execute(f"UPDATE run SET {column} = ? WHERE id = ?", [value, run_id])
    if not cursor.rowcount:
        raise UsageError(f"run {run_id!r} is not in this log.")
