"""What a run has cost so far, as far as the log knows it: seconds of each task, parameters, the monitor's share."""

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlite_utils import Database


@dataclass(frozen=True)
class LoggedCost:
    """Numbers of one run; 0 or None where they were not recorded."""

    trained_parameters: int
    backbone_parameters: int
    seconds: tuple[float, ...]  # of each whole task, its tests and measurements included
    monitor_share: float | None  # of the time, by the NTK monitor


def cost(db: Database, run: int) -> LoggedCost:
    """Return what the log knows of a run's cost."""
    said = db.execute(
        "SELECT kind, time, fields FROM event WHERE run = ? AND kind IN ('RunStarted', 'TaskEnded') ORDER BY n",
        [run],
    ).fetchall()
    started: dict[str, Any] = next(
        (json.loads(fields) for kind, _, fields in said if kind == "RunStarted"), {}
    )
    times = [time for _, time, _ in said]
    (share,) = db.execute("SELECT monitor_share FROM run_summary WHERE run = ?", [run]).fetchone()
    return LoggedCost(
        int(started.get("trainable_parameters", 0)), int(started.get("backbone_parameters", 0)),
        tuple(end - begin for begin, end in pairwise(times)), share,
    )  # fmt: skip
