"""The NTK monitor: looks at a fixed probe while tasks are learnt, and says what the kernel says.

At a task's start it takes references; after each epoch it compares (`core.readings`). Nothing here
changes what is trained. Its cost is counted in passes of one picture, not in seconds, so that the
same configuration measures at the same points every time.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from workbench.config import MonitorConfig
from workbench.core import readings
from workbench.core.feeder import Feeder
from workbench.core.gaps import Value
from workbench.core.learner import Learner
from workbench.core.network import Network
from workbench.core.probe import Eye, Part, Probed, draw
from workbench.core.readings import MAX_ROWS, Reference, Scene
from workbench.core.tasks import TaskData
from workbench.events import Event, Measured, Note, Stage

TEXT = "Measuring the NTK gap"
TRAINING_PASSES = 4  # of one branch: its slow copy once, the current one forward and backward


@dataclass
class Budget:
    """Work in passes of one picture through the backbone: training's and the monitor's."""

    share: float
    trained: float = 0.0
    spent: float = 0.0

    def allows(self, cost: float) -> bool:
        """Whether the monitor stays within its share of all work if it does `cost` more."""
        return self.spent + cost <= self.share * (self.trained + self.spent + cost)


class Monitor:
    """One run's monitor: `start_task` once a task, `measure` after each of its epochs.

    `seed` draws the probe and nothing else. With a probe or a budget of 0 it says so once and rests.
    """

    _eye: Eye
    _learner: Learner
    _reference: Reference

    def __init__(self, config: MonitorConfig, seed: int) -> None:
        self._size, self._seed = config.probe_per_task, seed
        self._off = not config.probe_per_task or not config.budget
        self._budget = Budget(config.budget)
        self._probes: list[Probed] = []
        self._thinned = False

    def start_task(
        self, network: Network, learner: Learner, feeder: Feeder, task: TaskData, step: int
    ) -> Iterator[Event]:
        """Draw the task's probe and take the references; to be called after `learner.begin_task`."""
        if self._off:
            if learner.task == 0:
                yield Note("The NTK monitor is off, because its probe or its budget is 0.")
            return
        if not self._probes:
            self._eye = Eye(network, feeder.plain)
        self._learner, self._thinned = learner, False
        self._probes.append(self._draw(task))
        self._eye.renew()
        yield from self._row_limit()
        self._budget.spent += self._cost(at_start=True)
        scene = yield from self._look()
        self._reference = readings.refer(scene)
        yield from self._read(scene, 0, step)

    def measure(self, epoch: int, step: int, *, at_end: bool = False) -> Iterator[Event]:
        """Measure after one more epoch, if the budget has room or it is the task's last."""
        if self._off:
            return
        network, cost = self._eye.network, self._cost()
        passes = network.use_pretrained + TRAINING_PASSES * len(network.branches)
        self._budget.trained += self._probes[-1].trained * passes
        if not at_end and not self._budget.allows(cost):
            if not self._thinned:
                self._thinned = True
                yield Note(
                    f"Task {len(self._probes)}: the NTK gap is not measured after every epoch, to keep "
                    f"the monitor within {self._budget.share:.0%} of the work."
                )
            return
        self._budget.spent += cost
        scene = yield from self._look()
        yield from self._read(scene, epoch, step)

    def _draw(self, task: TaskData) -> Probed:
        number = len(self._probes)
        sides = ((task.train, task.train_labels), (task.test, task.test_labels))
        train, test = (
            draw(Part(tuple(i.tolist()), tuple(y.tolist())), self._size, (self._seed, number, side))
            for side, (i, y) in enumerate(sides)
        )
        classes, counts = np.unique(task.train_labels, return_counts=True)
        known = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        return Probed(task.info.class_ids, known, train, test)

    def _look(self) -> Generator[Stage, None, Scene]:
        parts = [probe.train for probe in self._probes] + [probe.test for probe in self._probes]
        views = yield from self._eye.look(parts, TEXT)
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

    def _cost(self, *, at_start: bool = False) -> float:
        """Passes a measurement takes; eigenvectors, ~10 N³ operations, are ten times slower than a pass's."""
        network, backbone = self._eye.network, self._eye.network.backbone
        N, d = backbone.tokens, backbone.width
        operations = backbone.depth * N * (24 * d**2 + 4 * N * d)  # of one pass
        pictures = sum(len(probe.train) + len(probe.test) for probe in self._probes)
        rows = readings.kernel_pictures(self._probes[-1]) * len(self._probes[-1].class_ids)
        passes = len(network.branches) * (2 if at_start else 1)
        return pictures * passes + 100 * rows**3 / operations


def _said(values: Mapping[str, Value], where: tuple[int, int, int]) -> Iterator[Measured]:
    for name, found in values.items():
        yield Measured(name, *where, found.value, found.reason)
