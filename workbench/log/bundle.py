"""One run's rows as plain values, and back into a log: what a bundle holds of the database."""

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from sqlite_utils import Database

from workbench.config import RunConfig, from_dict, to_dict
from workbench.errors import WorkbenchError
from workbench.events import RunStarted, checked
from workbench.fits import misfit
from workbench.log import reading
from workbench.log.rows import utc

# Tables of a run and the column that names it; numbers of curves name their measure instead of its key.
_TABLES = (
    "run_task",
    "event",
    "step",
    "accuracy",
    "run_summary",
    "artifact",
    "run_tag",
    "forecast",
)
_KEY = ("kind", "name", "label", "unit", "formula", "better")
_OWN = {"number", "pid", "pid_started"}  # of the computer it ran on

Row = tuple[str, dict[str, Any]]  # table, values by column


def rows_of(db: Database, run_id: str) -> Iterator[Row]:
    """Yield the run itself first, then every row that speaks of it."""
    run = reading.number_of(db, run_id)
    (own,) = _dicts(db, "SELECT * FROM run WHERE number = ?", run)
    yield "run", {key: value for key, value in own.items() if key not in _OWN}
    for table in _TABLES:
        for row in _dicts(db, f"SELECT * FROM {table} WHERE run = ?", run):
            yield table, {key: value for key, value in row.items() if key not in ("run", "id")}
    names = ", ".join(f"k.{name} AS key_{name}" for name in _KEY)
    sql = f"SELECT m.*, {names} FROM metric m JOIN metric_key k ON k.id = m.metric_key WHERE m.run = ?"
    for row in _dicts(db, sql, run):
        yield (
            "metric",
            {key: value for key, value in row.items() if key not in ("run", "metric_key")},
        )


def put_rows(db: Database, rows: Iterable[Row]) -> int:
    """Enter a bundled run, marked as imported, and return its number.

    What this version has no column for is left out.
    """
    columns = {table: set(db.table(table).columns_dict) for table in ("run", "metric", *_TABLES)}
    keys: dict[tuple[str, str], int] = {}
    number = 0
    for table, values in rows:
        if table == "run":
            marks = {"pid": 0, "pid_started": 0.0, "imported": utc(time.time()), "deleted": None}
            number = _insert(db, "run", _known(values | marks, columns["run"]))
            continue
        if table not in columns or not number:
            raise WorkbenchError(f"The bundle is damaged: it holds rows of {table!r}.")
        more = {"run": number}
        if table == "metric":
            more["metric_key"] = _key_of(db, keys, values)
        _insert(db, table, _known(values | more, columns[table]))
    return number


def check_rows(db: Database, run: int) -> None:
    """Read everything back as the window would; SQLite itself takes any value in any column.

    Raises:
        WorkbenchError: a value is of another type, or speaks of a task that the run does not have.
    """
    found = reading.details(db, run)
    problem = misfit(found.summary)
    if problem:
        raise WorkbenchError(f"The bundle is damaged: its run cannot be shown ({problem}).")
    from_dict(_known_settings(found.config))
    for file in found.files:
        _check_below(f"{file['path']}")
    events = [checked(event) for event in reading.events(db, run)]
    tasks = max([len(each.tasks) for each in events if isinstance(each, RunStarted)], default=0)
    for event in events:
        for name in ("path", "pictures"):  # of Snapshot and Answered
            _check_below(getattr(event, name, ""))
        for name in ("task", "after_task", "other"):
            task = getattr(event, name, None)
            # a checkpoint names the task to go on with, which after the last one is not there yet
            most = tasks if type(event).__name__ == "Checkpointed" else tasks - 1
            if task is not None and not 0 <= task <= most:
                raise WorkbenchError(
                    f"The bundle is damaged: it speaks of task {task + 1}, and its run has {tasks}."
                )


def _check_below(path: str) -> None:
    """Refuse a path that would be read from outside the run's folder."""
    odd = PurePosixPath(path).is_absolute() or ".." in path.split("/")
    if odd or "\\" in path or ":" in path or "\x00" in path:
        raise WorkbenchError(f"The bundle is damaged: {path!r} is no file of its run.")


def _known_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration without what only a newer version has."""
    tree = to_dict(RunConfig())
    return {
        key: _known(value, set(tree[key]))
        if isinstance(tree[key], dict) and isinstance(value, dict)
        else value
        for key, value in config.items()
        if key in tree
    }


def _key_of(db: Database, keys: dict[tuple[str, str], int], values: Mapping[str, Any]) -> int:
    pair = values["key_kind"], values["key_name"]
    if pair not in keys:
        row = [values[f"key_{name}"] for name in _KEY]
        db.execute(
            f"INSERT OR IGNORE INTO metric_key ({', '.join(_KEY)}) VALUES (?, ?, ?, ?, ?, ?)", row
        )
        sql = "SELECT id FROM metric_key WHERE kind = ? AND name = ?"
        keys[pair] = int(db.execute(sql, list(pair)).fetchone()[0])
    return keys[pair]


def _known(values: Mapping[str, Any], columns: set[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in columns}


def _insert(db: Database, table: str, values: Mapping[str, Any]) -> int:
    slots = ", ".join("?" * len(values))
    cursor = db.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({slots})", list(values.values())
    )
    return int(cursor.lastrowid or 0)


def _dicts(db: Database, sql: str, run: int) -> Iterator[dict[str, Any]]:
    cursor = db.execute(sql, [run])
    names = [each[0] for each in cursor.description]
    return (dict(zip(names, row, strict=True)) for row in cursor)
