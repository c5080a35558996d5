"""What a run has cost so far, as far as the log knows it: time, memory and what is kept of each task, the monitor's share."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database


@dataclass(frozen=True)
class LoggedCost:
    """Numbers of one run; 0 or None where they were not recorded."""

    trained_parameters: int
    backbone_parameters: int
    seconds: tuple[
        float, ...
    ]  # of each whole task, its tests and measurements included, pauses not
    monitor_share: float | None  # of the time, by the NTK monitor
    # After each whole task:
    kept_values: tuple[int | None, ...] = ()  # numbers beside the backbone
    kept_bytes: tuple[int | None, ...] = ()
    peak_bytes: tuple[int | None, ...] = ()  # the most memory that the process had held by then
    learning_seconds: tuple[
        float, ...
    ] = ()  # as `seconds`, without the first look through the frozen backbone


def cost(db: Database, run: int) -> LoggedCost:
    """Return what the log knows of a run's cost."""
    said = db.execute(
        "SELECT kind, time, fields FROM event WHERE run = ? "
        "AND kind IN ('RunStarted', 'TaskStarted', 'TaskEnded', 'Checkpointed', 'Paused', 'Resumed') ORDER BY n",
        [run],
    ).fetchall()
    started: dict[str, Any] = next(
        (_values(fields) for kind, _, fields in said if kind == "RunStarted"), {}
    )
    ended = [_values(fields) for kind, _, fields in said if kind == "TaskEnded"]

    def after_each(name: str) -> tuple[int | None, ...]:
        return tuple(each.get(name) for each in ended)

    times = [(kind, time) for kind, time, _ in said]
    (share,) = db.execute("SELECT monitor_share FROM run_summary WHERE run = ?", [run]).fetchone()
    return LoggedCost(
        int(started.get("trainable_parameters", 0)), int(started.get("backbone_parameters", 0)),
        _seconds(times, ("RunStarted", "TaskEnded")), share,
        after_each("kept_values"), after_each("kept_bytes"), after_each("peak_bytes"), _seconds(times, ("TaskStarted",)),
    )  # fmt: skip


def _values(fields: str) -> dict[str, Any]:
    values = json.loads(fields)
    if not isinstance(values, dict):
        raise TypeError(f"an event's fields are {type(values).__name__}")
    return values


def _seconds(said: Iterable[tuple[str, float]], begins: tuple[str, ...]) -> tuple[float, ...]:
    """Return the time from each task's beginning, events of the kinds `begins`, to its end, less what the run stood still.

    A run that goes on from a checkpoint stood still since that; what it had done behind it was lost.
    """
    found: list[float] = []
    began, stood, paused, kept = 0.0, 0.0, None, None
    for kind, time in said:
        if kind == "Paused":
            paused = time
        elif kind == "Resumed" and paused is None:
            paused = kept
        if kind not in ("Paused", "Checkpointed") and paused is not None:  # the run goes on
            stood, paused = stood + time - paused, None
        if kind == "Checkpointed":
            kept = time
        if kind == "TaskEnded":
            found.append(time - began - stood)
        if kind in begins:
            began, stood = time, 0.0
    return tuple(found)
