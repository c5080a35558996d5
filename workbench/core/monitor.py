"""The NTK monitor: looks at a fixed probe while tasks are learnt, and says what the kernel says.

At a task's start it takes references; after each epoch it compares (`core.readings`). Nothing here
changes what is trained. Its cost is counted in passes of one picture, not in seconds, so that the
same configuration measures at the same points every time. The start and the end of a task are
always measured, on a probe small enough for that; epochs between them as the budget allows.
"""

import math
from bisect import bisect_right
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from workbench.config import MonitorConfig
from workbench.core import linearity, readings
from workbench.core.feeder import Feeder
from workbench.core.gaps import Value, drift_error
from workbench.core.learner import Learner
from workbench.core.network import Network
from workbench.core.pace import Pacer
from workbench.core.probe import Eye, Part, Probed, draw
from workbench.core.readings import MAX_ROWS, Reference, Scene
from workbench.core.tasks import TaskData
from workbench.events import Event, Measured, Note, Stage

TEXT = "Measuring the NTK gap"
FEWEST = 4  # pictures of a task below which no budget makes the probe
_DEAR = (
    1.2  # a pass of the monitor in passes of training: its prompts are many and its pieces small
)


@dataclass
class Budget:
    """The monitor's work in passes of one picture through the backbone.

    Attributes:
        share: the monitor's part of all work, its own included.
        reserved: what the starts and ends of tasks to come will take.
        spent: what it has taken.
    """

    share: float
    reserved: float = 0.0
    spent: float = 0.0

    def of(self, work: float) -> float:
        """Return what the monitor may do beside `work` of others."""
        return work * self.share / (1 - self.share) if self.share < 1 else math.inf

    def allows(self, cost: float, done: float, whole: float) -> bool:
        """Whether `cost` more fits, beside the work of others `done` so far and the run's `whole`."""
        spent = self.spent + cost
        return spent <= self.of(done) and spent + self.reserved <= self.of(whole)

    def spend_reserved(self, cost: float) -> None:
        """Do what was reserved."""
        self.spent += cost
        self.reserved -= cost


class Monitor:
    """One run's monitor: `plan` once, `start_task` once a task, `measure` after each of its epochs.

    `seed` draws the probe and nothing else; `pacer` knows the work of others. With a probe or a
    budget of 0 it says so once and rests.
    """

    _eye: Eye
    _learner: Learner
    _reference: Reference
    _start: dict[str, Tensor]  # every trained parameter as the task began

    def __init__(self, config: MonitorConfig, seed: int, pacer: Pacer) -> None:
        self._size, self._seed, self._pacer = config.probe_per_task, seed, pacer
        self._off = not config.probe_per_task or not config.budget
        self._budget = Budget(config.budget)
        self._probes: list[Probed] = []
        self._thinned = False

    def plan(self, network: Network, tasks: Sequence[TaskData]) -> Iterator[Note]:
        """Make the probe small enough that the tasks' starts and ends alone are within the budget."""
        if self._off:
            yield Note("The NTK monitor is off, because its probe or its budget is 0.")
            return
        asked, room = self._size, self._budget.of(self._pacer.passes)
        sizes = range(1, asked + 1)
        fitting = bisect_right(sizes, room, key=lambda size: self._least(network, tasks, size))
        self._size = min(max(fitting, FEWEST), asked)
        self._budget.reserved = self._least(network, tasks, self._size)
        if self._size < asked:
            yield Note(
                f"The NTK gap is measured on {self._size} instead of {asked} pictures of each task, to keep "
                f"the monitor within {self._budget.share:.0%} of the work. A larger monitor.budget allows more."
            )

    def start_task(
        self, network: Network, learner: Learner, feeder: Feeder, task: TaskData, step: int
    ) -> Iterator[Event]:
        """Draw the task's probe and take the references; to be called after `learner.begin_task`."""
        if self._off:
            return
        if not self._probes:
            self._eye = Eye(network, feeder.plain)
        self._learner = learner
        self._probes.append(self._draw(task, len(self._probes), self._size))
        self._eye.renew()
        yield from self._row_limit()
        self._budget.spend_reserved(_cost(network, self._probes, at_start=True))
        scene = yield from self._look(moved=False)
        self._reference, self._start = readings.refer(scene), linearity.trained(network)
        yield from self._read(scene, 0, step)

    def measure(self, epoch: int, step: int, *, at_end: bool = False) -> Iterator[Event]:
        """Measure after one more epoch, if the budget has room or it is the task's last."""
        if self._off:
            return
        cost = _cost(self._eye.network, self._probes)
        if at_end:
            self._budget.spend_reserved(cost)
        elif not self._afford(cost):
            yield from self._thinning()
            return
        scene = yield from self._look()
        yield from self._read(scene, epoch, step)
        if at_end:
            yield from self._linearity(scene, epoch, step)

    def _linearity(self, scene: Scene, epoch: int, step: int) -> Iterator[Event]:
        """Say how far the task's training was from linear, on the old tasks' logits."""
        old = [probe.train for probe in self._probes[:-1]]
        cost = 2 * _DEAR * len(scene.network.branches) * sum(map(len, old))
        if not old:
            found = Value(None, "there is no earlier task yet")
        elif not self._afford(cost):
            found = Value(None, "left out, to keep the monitor within its share of the work")
        else:
            eye, sides = self._eye.elsewhere(), []
            for share in (linearity.STEP, -linearity.STEP):
                with linearity.displaced(scene.network, self._start, share):
                    views = yield from eye.look(old, TEXT)
                sides.append([self._reference.prototypes(view.main) for view in views])
            linear = linearity.first_order(*sides)
            found = drift_error(linear, readings.moved(scene, self._reference))
        yield from _said({"ntk.linearity": found}, (len(old), epoch, step))

    def _afford(self, cost: float) -> bool:
        """Spend `cost` if the budget has room for it; return whether it had."""
        room = self._budget.allows(cost, self._pacer.done, self._pacer.passes)
        if room:
            self._budget.spent += cost
        return room

    def _thinning(self) -> Iterator[Note]:
        if not self._thinned:
            self._thinned = True
            yield Note(
                f"From task {len(self._probes)} on, the NTK gap is not measured after every epoch, to keep "
                f"the monitor within {self._budget.share:.0%} of the work."
            )

    def _least(self, network: Network, tasks: Sequence[TaskData], size: int) -> float:
        """Return the passes that starts and ends of all tasks take with probes of this size."""
        probes = [self._draw(task, number, size) for number, task in enumerate(tasks)]
        return sum(
            _cost(network, probes[: seen + 1], at_start=at_start)
            for seen in range(len(probes))
            for at_start in (True, False)
        )

    def _draw(self, task: TaskData, number: int, size: int) -> Probed:
        sides = ((task.train, task.train_labels), (task.test, task.test_labels))
        train, test = (
            draw(Part(tuple(i.tolist()), tuple(y.tolist())), size, (self._seed, number, side))
            for side, (i, y) in enumerate(sides)
        )
        classes, counts = np.unique(task.train_labels, return_counts=True)
        known = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        return Probed(task.info.class_ids, known, train, test)

    def _look(self, *, moved: bool = True) -> Generator[Stage, None, Scene]:
        parts = [probe.train for probe in self._probes] + [probe.test for probe in self._probes]
        views = yield from self._eye.look(parts, TEXT, moved=moved)
        tasks = len(self._probes)
        return Scene(
            self._eye.network, self._learner.proxy, self._probes, views[:tasks], views[tasks:]
        )

    def _read(self, scene: Scene, epoch: int, step: int) -> Iterator[Event]:
        where = (len(scene.probes) - 1, epoch, step)
        yield Stage(TEXT)
        yield from _said(readings.interplay(scene, self._reference), where)
        yield Stage(TEXT)
        yield from _said(readings.kernel(scene, self._reference), where)
        yield Stage(TEXT)
        yield from _said(readings.accuracy(scene), where)

    def _row_limit(self) -> Iterator[Note]:
        probe = self._probes[-1]
        taken, drawn = readings.kernel_pictures(probe), len(probe.train)
        if taken < drawn:
            yield Note(
                f"Task {len(self._probes)}: the kernel is measured on {taken} of {drawn} probe pictures; "
                f"with {len(probe.class_ids)} classes, more would exceed {MAX_ROWS} rows."
            )


def _cost(network: Network, probes: Sequence[Probed], *, at_start: bool = False) -> float:
    """Return the passes a measurement takes while the last of `probes` is learnt.

    At a start the slow copies have changed, but of the current subnetworks and of the frozen
    backbone only the new pictures are unknown. Eigenvectors of N rows take ~10 N³ operations, each
    ten times slower than a pass's.
    """
    branches, new = len(network.branches), len(probes[-1].train) + len(probes[-1].test)
    passes = branches * sum(len(probe.train) + len(probe.test) for probe in probes)
    if at_start:
        passes += (branches + network.use_pretrained) * new
    rows = readings.kernel_pictures(probes[-1]) * len(probes[-1].class_ids)
    return _DEAR * passes + 100 * rows**3 / network.backbone.operations


def _said(values: Mapping[str, Value], where: tuple[int, int, int]) -> Iterator[Measured]:
    for name, found in values.items():
        yield Measured(name, *where, found.value, found.reason)
