"""Events to rows: steps and numbers go to narrow tables, everything else is kept as its own JSON.

`reading` is the way back. Within a run every stored event has a running number `n` over all tables.
"""

import json
import math
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from sqlite_utils import Database

from workbench.events import (
    Blocked,
    Evaluated,
    Event,
    Failed,
    Finished,
    Interrupted,
    Measured,
    Pace,
    Paused,
    Resumed,
    RunStarted,
    Stage,
    Step,
    Stopped,
    TaskEnded,
    to_json,
)
from workbench.measures import LOSS_TERMS, MEASURES

NOT_STORED = (Stage, Pace, Blocked)  # what they say is over when it has been said
END_STATES = {
    Finished: "finished", Stopped: "stopped", Failed: "failed", Interrupted: "interrupted",
}  # fmt: skip

# The measures that the table of runs shows, and their columns of run_summary.
SHOWN = {
    "accuracy_seen": "final_accuracy",
    "average_accuracy": "average_accuracy",
    "forgetting": "forgetting",
    "baseline_average": "baseline_accuracy",
}

# Unit and formula of each loss term; their labels are in `measures`.
TERMS = {
    "total": ("nat", "Σ_k w_k term_k over the terms in force, w from the configuration"),
    "cross_entropy_s1": ("nat", "−(1/B) Σ_i log softmax(z_i)[y_i], z: logits of the adapters' feature"),
    "cross_entropy_s2": ("nat", "−(1/B) Σ_i log softmax(z_i)[y_i], z: logits of the prompts' feature"),
    "cross_entropy_hybrid": ("nat", "−(1/B) Σ_i log softmax(z_i)[y_i], z: logits of the hybrid feature"),
    "mutual_information": ("nat", "contrast of a feature with its class against the old prototypes, as the switch says"),
    "orthogonality": ("1", "part of the features in the old prototypes' span U, as the switch says; projection: Σ_b mean ‖Uᵀ ẑ_b‖²"),
    "regularisation": ("1", "Σ ‖w − w_previous‖² over the parameters the switch names"),
}  # fmt: skip


def utc(seconds: float) -> str:
    """Return a unix time as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def text_of(text: str) -> str:
    """Return `text` as SQLite takes it; what no UTF-8 can hold (odd file names) is written as \\udc80.

    Inside JSON that is the escape for the same letter, so it is read back as it was.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_of(value: Any) -> str:
    """Return `value` as strict JSON that SQLite takes."""
    return text_of(json.dumps(value, ensure_ascii=False, allow_nan=False))


def describe(kind: str, name: str) -> tuple[str, str, str, str]:
    """Return label, unit, formula and better direction of a "loss" term or a "measure"."""
    if kind == "loss":
        return LOSS_TERMS.get(name, name), *TERMS.get(name, ("", "")), "lower"
    measure = MEASURES.get(name)
    if measure is None:
        return name, "", "", ""
    return measure.label, measure.unit, measure.formula, measure.better


class Recorder:
    """Puts events of one run into the tables, within a transaction that the caller has opened."""

    def __init__(self, db: Database, run: int) -> None:
        self._db = db
        self._run = run
        self._share: float | None = None  # of the time, by the monitor
        self._keys: dict[tuple[str, str], int] = {
            (kind, name): key
            for key, kind, name in db.execute("SELECT id, kind, name FROM metric_key")
        }
        (self._n,) = db.execute(
            "SELECT last_event FROM run_summary WHERE run = ?", [run]
        ).fetchone()

    def put(self, time: float, event: Event) -> None:
        """Add one event that was said at unix time `time`."""
        if isinstance(event, Pace):
            self._share = event.monitor
        if isinstance(event, NOT_STORED):
            return
        if isinstance(event, RunStarted) and (began := self._began()) is not None:
            self._begin_anew(began, event)
            return
        self._n += 1
        if isinstance(event, Step):
            self._put_step(time, event)
        elif isinstance(event, Measured):
            self._put_measured(time, event)
            self.keep_current(time, event)
        else:
            row = (self._run, self._n, time, type(event).__name__, text_of(to_json(event)))
            self._db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", row)
            self.keep_current(time, event)

    def finish(self) -> None:
        """Note the last running number, once a batch is in."""
        self._summary("last_event", self._n)
        if self._share is not None:
            self._summary("monitor_share", _finite(self._share))

    def _put_step(self, time: float, event: Step) -> None:
        row = (self._run, self._n, time, event.task, event.epoch, event.step, _finite(event.lr))
        self._db.execute("INSERT INTO step VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        for name, value in event.terms.items():
            self._put_number(("loss", name), event, value, "", (None, None))

    def _put_measured(self, time: float, event: Measured) -> None:
        key, rest = ("measure", event.name), (event.other, time)
        self._put_number(key, event, event.value, event.reason, rest)

    def _put_number(
        self,
        key: tuple[str, str],
        event: Step | Measured,
        value: float | None,
        reason: str,
        rest: tuple[int | None, float | None],  # the other task, the unix time
    ) -> None:
        if value is not None and not math.isfinite(value):
            reason = reason or f"The value is not a finite number ({value})."
            value = None
        row = (
            self._run, self._key(*key), event.step, self._n, event.task, event.epoch, value, text_of(reason), *rest,
        )  # fmt: skip
        self._db.execute("INSERT INTO metric VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _key(self, kind: str, name: str) -> int:
        if (kind, name) not in self._keys:
            cursor = self._db.execute(
                "INSERT INTO metric_key (kind, name, label, unit, formula, better) VALUES (?, ?, ?, ?, ?, ?)",
                (kind, name, *describe(kind, name)),
            )
            self._keys[kind, name] = int(cursor.lastrowid or 0)
        return self._keys[kind, name]

    def keep_current(self, time: float, event: Event) -> None:
        """Bring what is kept beside the events in step with one of them: state, summary, accuracies."""
        if isinstance(event, Measured) and event.name in SHOWN:
            self._summary(SHOWN[event.name], _finite(event.value))
        elif isinstance(event, RunStarted):
            self._put_start(time, event)
        elif isinstance(event, Evaluated):
            self._put_accuracy(event)
        elif isinstance(event, TaskEnded):
            self._summary("tasks_done", event.task + 1)
        elif isinstance(event, (Paused, Resumed)):
            state = "paused" if isinstance(event, Paused) else "running"
            self._db.execute("UPDATE run SET state = ? WHERE number = ?", (state, self._run))
        elif type(event) in END_STATES:
            reason = event.sentence if isinstance(event, (Failed, Interrupted)) else ""
            self._db.execute(
                "UPDATE run SET state = ?, state_reason = ?, ended = ? WHERE number = ?",
                (END_STATES[type(event)], text_of(reason), utc(time), self._run),
            )

    def _began(self) -> float | None:
        """Return when the run began, if it did: one that goes on with more tasks says so a second time."""
        row = self._db.execute(
            "SELECT time FROM event WHERE run = ? AND kind = 'RunStarted'", [self._run]
        ).fetchone()
        return None if row is None else float(row[0])

    def _begin_anew(self, began: float, event: RunStarted) -> None:
        sql = "UPDATE event SET fields = ? WHERE run = ? AND kind = 'RunStarted'"
        self._db.execute(sql, (text_of(to_json(event)), self._run))
        self.keep_current(began, event)

    def _put_start(self, time: float, event: RunStarted) -> None:
        order = [name for task in event.tasks for name in task.class_names]
        values = {
            "state": "running", "state_reason": "", "started": utc(time), "switches": json_of(dict(event.switches)),
            "backbone": event.backbone, "class_order": json_of(order), "sequence": event.sequence,
            "device": event.device, "precision": event.precision, "weights_sha256": event.weights_sha256,
            "feature_width": event.feature_width,
            "trainable_parameters": event.trainable_parameters, "tasks_total": len(event.tasks),
        }  # fmt: skip
        columns = ", ".join(f"{name} = :{name}" for name in values)
        self._db.execute(
            f"UPDATE run SET {columns} WHERE number = :number", {**values, "number": self._run}
        )
        others = (
            "DELETE FROM run_task WHERE run = ? AND position >= ?"  # of the run it was made from
        )
        self._db.execute(others, (self._run, len(event.tasks)))
        for position, task in enumerate(event.tasks):
            lists = (task.class_names, task.class_ids, task.train_counts, task.test_counts)
            row = (self._run, position, text_of(task.name), *map(json_of, lists), task.fingerprint)
            self._db.execute("INSERT OR REPLACE INTO run_task VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _put_accuracy(self, event: Evaluated) -> None:
        columns = zip_longest(
            event.accuracy, event.task_incremental, event.task_id, event.baseline, event.sizes
        )
        for on_task, (*shares, pictures) in enumerate(columns):
            row = (self._run, event.after_task, on_task, *map(_finite, shares), pictures)
            self._db.execute("INSERT OR REPLACE INTO accuracy VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _summary(self, column: str, value: float | None) -> None:
        self._db.execute(f"UPDATE run_summary SET {column} = ? WHERE run = ?", (value, self._run))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
