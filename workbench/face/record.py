"""What one run has said so far, sorted into curves: the same for a live run and a replayed one."""

import math
from collections.abc import Sequence

import numpy as np

from workbench.events import (
    Evaluated,
    Event,
    Measured,
    Note,
    RunStarted,
    Snapshot,
    Step,
    TaskInfo,
    TaskStarted,
)
from workbench.face.pyramid import Floats
from workbench.face.series import Series
from workbench.face.words import bare_name

TOO_FAR = 0.5  # linearity index above which predictions are not to be believed
_UNBROKEN = frozenset({"accuracy_seen", "baseline_seen", "forgetting"})  # lines across tasks


class RunRecord:
    """Curves by name over the run's steps, and the accuracy matrix by rows.

    Names are those of `workbench.measures`; `loss.<term>` for the terms of a step, and
    `task.<j>.accuracy`, `task.<j>.forgetting` for single tasks. All values are as the run sent
    them, fractions where the measure is one. RunStarted begins anew.
    """

    def __init__(self) -> None:
        self.tasks: tuple[TaskInfo, ...] = ()
        self.starts: list[int] = []  # the run's step before each task
        self.rows: list[Evaluated] = []
        self._steps_of_last = 1
        self.snapshots: list[Snapshot] = []
        self.said: dict[
            str, list[Measured]
        ] = {}  # numbers of one task, with reasons for absent ones
        self.pairs: dict[str, list[Measured]] = {}  # numbers of two tasks
        self.notes: list[str] = []
        self._curves: dict[str, Series] = {}
        self._task_of: dict[str, int] = {}

    def take(self, events: Sequence[Event]) -> None:
        """Sort the events in, oldest first; kinds that draw nothing are passed over."""
        for event in events:
            if isinstance(event, Step):
                for term, value in event.terms.items():
                    self._put(f"loss.{term}", event.task, event.step, _marked(value))
            elif isinstance(event, Snapshot):
                self.snapshots.append(event)
            elif isinstance(event, Note):
                self.notes.append(event.text)
            elif isinstance(event, Measured):
                self._put_number(event)
            elif isinstance(event, Evaluated):
                self._put_row(event)
            elif isinstance(event, TaskStarted):
                self.starts.append(event.step)
                self._steps_of_last = max(event.steps, 1)
            elif isinstance(event, RunStarted):
                self.clear()
                self.tasks = event.tasks

    def clear(self) -> None:
        """Forget everything."""
        self.tasks, self.starts, self.rows = (), [], []
        self.snapshots, self.notes = [], []
        self.said, self.pairs = {}, {}
        self._curves, self._task_of = {}, {}

    def curve(self, name: str) -> Series:
        """Return the curve of this name, empty if nothing was said of it."""
        return self._curves.get(name) or Series()

    def names(self, prefix: str) -> list[str]:
        """Return the names of curves that begin with `prefix`, in order of first appearance."""
        return [name for name in self._curves if name.startswith(prefix)]

    def last(self, name: str) -> float | None:
        """Return the last value that is not absent, or None."""
        for value in self.curve(name).y[::-1]:
            if np.isfinite(value):
                return float(value)
        return None

    def in_tasks(self, steps: Floats) -> Floats:
        """Return steps as a place among tasks: task j (0-based) runs from j to j + 1."""
        if not self.starts:
            return np.zeros_like(steps)
        edges = [*self.starts, self.starts[-1] + self._steps_of_last]
        return np.interp(steps, edges, np.arange(len(edges)))

    def doubtful(self, *, by_task: bool) -> list[tuple[float, float]]:
        """Return from where to where tasks lie whose training was too far from linear to believe the kernel."""
        ends = [float(said.step) for said in self.too_far().values()]
        spans = [(max((s for s in self.starts if s < end), default=0), end) for end in ends]
        edges = np.array(spans, dtype=np.float64).reshape(-1, 2)
        drawn = self.in_tasks(edges.ravel()).reshape(-1, 2) if by_task else edges
        return [(float(low), float(high)) for low, high in drawn]

    def too_far(self) -> dict[int, Measured]:
        """Return the linearity index of each task whose training was too far from linear."""
        said = self.said.get("ntk.linearity", ())
        return {m.task: m for m in said if m.value is not None and m.value > TOO_FAR}

    def boundaries(self, *, by_task: bool) -> list[tuple[float, str]]:
        """Return where each task begins, with its number and name."""
        return [
            (float(index if by_task else step), self.task_label(index))
            for index, step in enumerate(self.starts)
        ]

    def task_label(self, index: int) -> str:
        """Return "2 gulls" for the second task, or only its number while its name is not known."""
        name = self.tasks[index].name if index < len(self.tasks) else ""
        return f"{index + 1} {bare_name(index + 1, name)}".strip()

    def class_name(self, label: int) -> str:
        """Return the name of a class by its global number."""
        for task in self.tasks:
            if label in task.class_ids:
                return task.class_names[task.class_ids.index(label)]
        return f"class {label}"

    def _put(self, name: str, task: int, step: int, value: float | None) -> None:
        curve = self._curves.setdefault(name, Series())
        known = self._task_of.setdefault(name, task)
        if known != task:  # the quantity starts anew with each task: no line from end to start
            self._task_of[name] = task
            if name not in _UNBROKEN:
                curve.append(step, None)
        curve.append(step, value)

    def _put_number(self, said: Measured) -> None:
        if said.other is not None:
            self.pairs.setdefault(said.name, []).append(said)
            return
        self.said.setdefault(said.name, []).append(said)
        self._put(said.name, said.task, said.step, said.value)

    def _put_row(self, row: Evaluated) -> None:
        self.rows.append(row)
        for task, value in enumerate(row.accuracy):
            self._put(f"task.{task}.accuracy", 0, row.step, value)
            if task < row.after_task:
                fall = best_before(self.rows, task) - value
                self._put(f"task.{task}.forgetting", 0, row.step, fall)


def best_before(rows: Sequence[Evaluated], task: int) -> float:
    """Return the best accuracy on `task` in all rows but the last: max over j <= l < t of R[l, j]."""
    return max(row.accuracy[task] for row in rows[:-1] if task < len(row.accuracy))


def _marked(value: float | None) -> float:
    """Return a loss, infinity where it was not finite: the log keeps NaN as nothing."""
    return math.inf if value is None else value
