"""What one run has said so far, sorted into curves: the same for a live run and a replayed one."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

import numpy as np

from workbench.events import (
    Checkpointed,
    Evaluated,
    Event,
    Measured,
    Note,
    Paused,
    Resumed,
    RunStarted,
    Snapshot,
    Step,
    TaskEnded,
    TaskInfo,
    TaskStarted,
)
from workbench.face.language import say
from workbench.face.pyramid import Floats
from workbench.face.series import Series
from workbench.face.words import bare_name

TOO_FAR = 0.5  # linearity index above which predictions are not to be believed
_UNBROKEN = frozenset({"accuracy_seen", "baseline_seen", "forgetting"})  # lines across tasks
Axis = Literal["step", "time", "epoch", "task"]


class RunRecord:
    """Curves by name over the run's steps, time, epochs or tasks, and the accuracy matrix by rows.

    Names are those of `workbench.measures`; `loss.<term>` for the terms of a step, and
    `task.<j>.accuracy`, `task.<j>.forgetting` for single tasks. All values are as the run sent
    them, fractions where the measure is one. RunStarted begins anew.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.tasks: tuple[TaskInfo, ...] = ()
        self.starts: list[int] = []  # the run's step before each task
        self.rows: list[Evaluated] = []
        self.snapshots: list[Snapshot] = []
        self.said: dict[str, list[Measured]] = {}  # of one task, with reasons for absent ones
        self.pairs: dict[str, list[Measured]] = {}  # numbers of two tasks
        self.notes: list[str] = []
        self._curves: dict[str, Series] = {}
        self._timed: dict[str, Series] = {}  # the same values over seconds
        self._changes: dict[str, tuple[list[int], list[int]]] = {}  # from which point on which task
        self._mapped: dict[tuple[str, Axis], tuple[int, Series]] = {}
        self._clock = Clock()
        self._measured_at: dict[int, float] = {}  # seconds of the last number at a step
        self._began: list[float] = []  # seconds at which each task began
        self._epochs: list[float] = [0]  # of the run before each task, and after the last
        self._steps_of_last = 1
        self._laid = 0  # how often the end of the axes has become known: with each task, and where one ended early

    @property
    def trains_nothing(self) -> bool:
        """Whether tasks have begun and none of them has epochs."""
        return bool(self.starts) and self._epochs[-1] == 0

    def become(self, other: "RunRecord") -> None:
        """Hold what another record holds, which is not to be used any more."""
        vars(self).update(vars(other))

    def handed_over(self) -> "RunRecord":
        """Return a record of what this one holds, which is empty from now on."""
        other = RunRecord()
        other.become(self)
        self.clear()
        return other

    def take(self, events: Sequence[Event]) -> None:
        """Sort the events in, oldest first; kinds that draw nothing are passed over."""
        for event in events:
            if isinstance(event, RunStarted):
                self.clear()
                self.tasks = event.tasks
            self._clock.take(event)
            if isinstance(event, Step):
                self._put_losses(event)
            elif isinstance(event, Snapshot):
                self.snapshots.append(event)
            elif isinstance(event, Note):
                self.notes.append(event.text)
            elif isinstance(event, Measured):
                self._put_number(event)
            elif isinstance(event, Evaluated):
                self._put_row(event)
            elif isinstance(event, TaskStarted):
                self._put_start(event)
            elif isinstance(event, TaskEnded):
                self._put_end(event.step)

    @property
    def points(self) -> int:
        """How many points its curves have, over steps and over time."""
        return 2 * sum(len(curve) for curve in self._curves.values())

    def curve(self, name: str, axis: Axis = "step") -> Series:
        """Return the curve of this name, empty if nothing was said of it."""
        steps = self._curves.get(name) or Series()
        if axis == "step" or not len(steps):
            return steps
        if axis == "time":
            return self._timed[name]
        known = self._mapped.get((name, axis))
        if known is None or known[0] != self._laid:
            known = self._mapped[name, axis] = self._laid, Series()
        mapped = known[1]
        if len(mapped) < len(steps):
            new = self._along(steps.x[len(mapped) :], axis)
            mapped = steps.over(np.concatenate([mapped.x, new]))
            self._mapped[name, axis] = self._laid, mapped
        return mapped

    def names(self, prefix: str) -> list[str]:
        """Return the names of curves that begin with `prefix`, in order of first appearance."""
        return [name for name in self._curves if name.startswith(prefix)]

    def last(self, name: str) -> float | None:
        """Return the last value that is not absent, or None."""
        for value in self.curve(name).y[::-1]:
            if np.isfinite(value):
                return float(value)
        return None

    def task_of(self, name: str, index: int) -> str:
        """Return the name of the task during which the index-th point of a curve was made."""
        first, tasks = self._changes[name]
        return self.task_label(tasks[bisect_right(first, index) - 1])

    def in_tasks(self, steps: Floats) -> Floats:
        """Return steps as a place among tasks: task j (0-based) runs from j to j + 1."""
        return self._along(steps, "task")

    def doubtful(self, axis: Axis = "step") -> list[tuple[float, float]]:
        """Return from where to where tasks lie whose training was too far from linear to believe the kernel."""
        spans = []
        for index, said in sorted(self.too_far().items()):
            begin = self.boundaries(axis)[index][0] if index < len(self.starts) else 0.0
            spans.append((begin, self.place(said.step, axis)))
        return spans

    def place(self, step: int, axis: Axis) -> float:
        """Return where a step at which something was measured lies on an axis."""
        if axis == "step":
            return float(step)
        if axis == "time":
            return self._measured_at.get(step, self._clock.seconds)
        return float(self._along(np.array([float(step)]), axis)[0])

    def too_far(self) -> dict[int, Measured]:
        """Return the linearity index of each task whose training was too far from linear."""
        said = self.said.get("ntk.linearity", ())
        return {m.task: m for m in said if m.value is not None and m.value > TOO_FAR}

    def boundaries(self, axis: Axis = "step") -> list[tuple[float, str]]:
        """Return where each task begins, with its number and name."""
        places: dict[Axis, Sequence[float]] = {
            "step": self.starts,
            "time": self._began,
            "epoch": self._epochs[:-1],
            "task": range(len(self.starts)),
        }
        return [(float(x), self.task_label(index)) for index, x in enumerate(places[axis])]

    def task_label(self, index: int) -> str:
        """Return "2 gulls" for the second task, or only its number while its name is not known."""
        name = self.tasks[index].name if index < len(self.tasks) else ""
        return f"{index + 1} {bare_name(index + 1, name)}".strip()

    def class_name(self, label: int) -> str:
        """Return the name of a class by its global number."""
        for task in self.tasks:
            if label in task.class_ids:
                return task.class_names[task.class_ids.index(label)]
        return say("class {number}").format(number=label)

    def _along(self, steps: Floats, axis: Axis) -> Floats:
        if not self.starts:
            return np.zeros_like(steps)
        edges = [*self.starts, self.starts[-1] + self._steps_of_last]
        return np.interp(steps, edges, self._epochs if axis == "epoch" else np.arange(len(edges)))

    def _put(
        self, name: str, task: int, step: int, value: float | None, *, unbroken: bool = False
    ) -> None:
        curve = self._curves.setdefault(name, Series())
        timed = self._timed.setdefault(name, Series())
        first, tasks = self._changes.setdefault(name, ([], []))
        if not tasks or tasks[-1] != task:
            if tasks and not unbroken:  # it starts anew with each task: no line from end to start
                curve.append(step, None)
                timed.append(self._clock.seconds, None)
            first.append(len(curve))
            tasks.append(task)
        curve.append(step, value)
        timed.append(self._clock.seconds, value)

    def _put_losses(self, step: Step) -> None:
        for term, value in step.terms.items():
            self._put(f"loss.{term}", step.task, step.step, _marked(value))

    def _put_start(self, started: TaskStarted) -> None:
        self.starts.append(started.step)
        self._began.append(self._clock.seconds)
        self._epochs.append(self._epochs[-1] + started.epochs)
        self._steps_of_last = max(started.steps, 1)
        self._laid += 1

    def _put_end(self, step: int) -> None:
        """What was planned for a task beyond its end, where that came before the last epoch, is no part of the axes."""
        if not self.starts or step >= self.starts[-1] + self._steps_of_last:
            return
        left = 1 - (step - self.starts[-1]) / self._steps_of_last
        self._epochs[-1] -= left * (self._epochs[-1] - self._epochs[-2])
        self._steps_of_last = max(step - self.starts[-1], 1)
        self._laid += 1

    def _put_number(self, said: Measured) -> None:
        self._measured_at[said.step] = self._clock.seconds
        if said.other is not None:
            self.pairs.setdefault(said.name, []).append(said)
            return
        self.said.setdefault(said.name, []).append(said)
        self._put(said.name, said.task, said.step, said.value, unbroken=said.name in _UNBROKEN)

    def _put_row(self, row: Evaluated) -> None:
        self.rows.append(row)
        now, step = row.after_task, row.step
        for task, value in enumerate(row.accuracy):
            self._put(f"task.{task}.accuracy", now, step, value, unbroken=True)
            if task < now:
                fall = best_before(self.rows, task) - value
                self._put(f"task.{task}.forgetting", now, step, fall, unbroken=True)


def record_of(events: Sequence[Event]) -> RunRecord:
    """Return the record of a whole run."""
    record = RunRecord()
    record.take(events)
    return record


class Clock:
    """Seconds that a run has worked, by the times of its events; never backwards, though clocks are set.

    What it stood still is left out: pauses, and the time from a checkpoint until it went on from there.
    """

    def __init__(self) -> None:
        self._start: float | None = None
        self._stood = 0.0
        self._kept: float | None = None  # when the last checkpoint was written
        self._still: float | None = None  # since when it stands still
        self.seconds = 0.0

    def take(self, event: Event) -> None:
        """Go on to the time of an event; events without a time happen at the last one known."""
        time = event.time
        if time is None:
            return
        self._start = time if self._start is None else self._start
        if isinstance(event, Resumed) and self._still is None:
            self._still = self._kept
        if self._still is not None and not isinstance(event, (Paused, Checkpointed)):
            self._stood += max(time - self._still, 0.0)
            self._still = None
        self.seconds = max(self.seconds, (self._still or time) - self._start - self._stood)
        if isinstance(event, Paused):
            self._still = time
        if isinstance(event, Checkpointed):
            self._kept = time


def best_before(rows: Sequence[Evaluated], task: int) -> float:
    """Return the best accuracy on `task` in all rows but the last: max over j <= l < t of R[l, j]."""
    return max(row.accuracy[task] for row in rows[:-1] if task < len(row.accuracy))


def _marked(value: float | None) -> float:
    """Return a loss, infinity where it was not finite: the log keeps NaN as nothing."""
    return math.inf if value is None else value
