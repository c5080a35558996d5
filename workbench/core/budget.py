"""What the monitor may do, and what it costs, in passes of one picture through the backbone.

Counted, not timed, so that the same configuration measures at the same points every time.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workbench.config import MonitorConfig
from workbench.core import pairs, snapshot
from workbench.core.learner import Learner
from workbench.core.network import Network
from workbench.core.plan import KINDS, VECTORS, KernelPlan, fitted
from workbench.core.probe import Probed
from workbench.core.readings import kernel_pictures

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


@dataclass(frozen=True)
class Costs:
    """The cost of each kind of measurement while the last of `probes` is learnt."""

    learner: Learner
    plan: KernelPlan
    probes: Sequence[Probed]

    @property
    def network(self) -> Network:
        """The learner's."""
        return self.learner.network

    @property
    def branches(self) -> int:
        """Branches a picture goes through."""
        return len(self.network.branches)

    @property
    def pictures(self) -> int:
        """Pictures of all tasks' probes."""
        return sum(len(probe.train) + len(probe.test) for probe in self.probes)

    @property
    def new(self) -> int:
        """Pictures of the newest task's probe."""
        return len(self.probes[-1].train) + len(self.probes[-1].test)

    def start(self) -> float:
        """Only the new pictures are unknown: to the frozen backbone, the slow copies and the current ones."""
        looks = (2 * self.branches + self.network.use_pretrained) * self.new
        return _DEAR * (looks + self._own_rows()) + self._eigen()

    def epoch(self) -> float:
        """The current subnetworks have moved; the slow copies have not."""
        return _DEAR * (self.branches * self.pictures + self._own_rows()) + self._eigen()

    def end(self) -> float:
        """As after an epoch, with what is said of pairs of tasks."""
        rows, operations = pairs.MAX_ROWS, self.network.backbone.operations
        between = _DEAR * self._pair_rows() + self._old * 200 * rows**3 / operations
        return self.epoch() + between + (self._linearity() if self.plan.linear else 0.0)

    def settled(self) -> float:
        """The slow copies have changed, and the current ones where what they changed was drawn back; the heat map is made."""
        looks = self.branches * self.pictures * (1 + self.learner.compares(self._old))
        shown = min(snapshot.MOST, sum(len(probe.train) for probe in self.probes))
        rows = self.plan.passes(self.network, shown, VECTORS) if self.plan.kind != "closed" else 0.0
        return _DEAR * (looks + rows)

    @property
    def _old(self) -> int:
        return len(self.probes) - 1

    def _linearity(self) -> float:
        """Two looks at the old tasks with parameters displaced."""
        return 2 * _DEAR * self.branches * sum(len(probe.train) for probe in self.probes[:-1])

    def _own_rows(self) -> float:
        """The task's own rows, one for each of its outputs, in the full kernel."""
        if self.plan.kind != "full":
            return 0.0
        return self.plan.passes(self.network, self.new, len(self.probes[-1].class_ids))

    def _pair_rows(self) -> float:
        if self.plan.kind == "closed" or not self._old:
            return 0.0
        pictures = sum(len(probe.train) for probe in self.probes)
        return self.plan.passes(self.network, pictures, VECTORS)

    def _eigen(self) -> float:
        """Eigenvectors of N rows take ~10 N³ operations, each ten times slower than a pass's."""
        rows = kernel_pictures(self.probes[-1]) * len(self.probes[-1].class_ids)
        return 100 * rows**3 / self.network.backbone.operations


FEWEST = 4  # pictures of a task below which no budget makes the probe
Probes = Callable[[int], Sequence[Probed]]  # all tasks' probes for a size asked


def choose(
    learner: Learner, config: MonitorConfig, probes: Probes, room: float
) -> tuple[KernelPlan, int, float]:
    """Return the plan, the probe's size and what all starts and ends will take, at most `room` if that can be.

    The richest kernel for which the whole probe has room; if none has, the plainest on fewer pictures,
    and without the linearity index where even the fewest have no room for it.
    """
    asked = config.probe_per_task
    kinds = KINDS if config.kernel == "auto" else (config.kernel,)
    plans = [fitted(kind, learner.network, config, _rows(kind, probes(asked))) for kind in kinds]
    plan = next((p for p in plans if least(learner, p, probes(asked)) <= room), plans[-1])
    sizes = range(1, asked + 1)
    fitting = bisect_right(sizes, room, key=lambda size: least(learner, plan, probes(size)))
    size = min(max(fitting, FEWEST), asked)
    if fitting < size:
        plan = replace(plan, linear=False)
    return plan, size, least(learner, plan, probes(size))


def least(learner: Learner, plan: KernelPlan, probes: Sequence[Probed]) -> float:
    """Return the passes that the starts and ends of all tasks take."""
    costs = [Costs(learner, plan, probes[: seen + 1]) for seen in range(len(probes))]
    return sum(cost.start() + cost.end() + cost.settled() for cost in costs)


def _rows(kind: str, probes: Sequence[Probed]) -> int:
    """Return the most rows that are kept at once."""
    along = VECTORS * sum(len(probe.train) for probe in probes)
    own = (len(p.class_ids) * (len(p.train) + len(p.test)) for p in probes)
    return max(along, *own) if kind == "full" else along
