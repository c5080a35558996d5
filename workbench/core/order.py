"""In which order tasks would disturb each other least, from a glimpse of each before any training.

Every task is seen through the untrained network (or one that a run left), with the unit class means
for its head. All tasks share the fusion layer, each has its own head, so the kernel between two is
the fusion's and that of one with itself has its head beside. The total of an order is Σ_τ G_τ by
ridge regression, task after task (`core.ridge`, eq. (1) to (3) of Bennani, Doan & Sugiyama 2020, arXiv
2006.11942, with its cross terms). Of few tasks every order is tried; of more, pairs choose one.
"""

from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workbench.config import RunConfig, effective_switches
from workbench.core import gaps, permute
from workbench.core.build import build_network
from workbench.core.card import load_network
from workbench.core.device import Stream, choose_device
from workbench.core.fusion import Fusion
from workbench.core.glimpse import PICTURES, look_at
from workbench.core.kernel import value_kernel
from workbench.core.network import Network
from workbench.core.newcomer import NewTask, new_task, why_not
from workbench.core.readings import why_no_fusion
from workbench.core.ridge import RidgeSequence, ridge_sequence
from workbench.core.tasks import expand
from workbench.core.weights import load_weights
from workbench.errors import UsageError
from workbench.events import Note, Stage
from workbench.report import OrderStudy

Order = tuple[int, ...]

EVERY = 5  # tasks up to which every order is learnt in sequence: 120 orders
_SEARCHES = (
    "the order that is best by pairs was found exactly",
    "an order that is good by pairs was found by moving single tasks",
)


class Tasks:
    """All tasks before training, with the kernels between them."""

    def __init__(self, tasks: Sequence[NewTask], kernels: Sequence[Sequence[Tensor]]) -> None:
        self.tasks = tasks
        self.kernels = kernels  # [a][b], (N_a, N_b)

    def learnt(self, order: Order) -> RidgeSequence:
        """Return what ridge regression on the tasks in this order does."""
        chosen = [self.tasks[place] for place in order]
        return ridge_sequence(
            [[self.kernels[a][b] for b in order] for a in order],
            [task.residual for task in chosen],
            [torch.zeros_like(task.residual) for task in chosen],
            [(task.ridge.value or 0.0) * task.parts.mean for task in chosen],
            [task.parts for task in chosen],
        )

    def pairs(self) -> tuple[permute.Costs, list[list[float | None]]]:
        """Return G_a of a followed by b alone, [a, b], and how far b disturbs a of its own signal."""
        places = range(len(self.tasks))
        cost = np.zeros((len(self.tasks), len(self.tasks)))
        disturbance: list[list[float | None]] = [[None for _ in places] for _ in places]
        for a in places:
            for b in places:
                if a != b:
                    pair = self.learnt((a, b))
                    cost[a, b] = pair.interplay[0]
                    disturbance[a][b] = self._disturbance(a, pair)
        return cost, disturbance

    def _disturbance(self, a: int, pair: RidgeSequence) -> float | None:
        task = self.tasks[a]
        learnt = task.outputs + pair.outputs[1][0].reshape(task.outputs.shape)
        return gaps.interplay([pair.drifts[1][0].reshape(learnt.shape)], [learnt]).value


def study(
    config: RunConfig, home: Path, source: Path | None = None
) -> Generator[Stage | Note, None, OrderStudy]:
    """Suggest an order of the configuration's tasks; `source` is an adapter to see pictures through.

    Raises:
        UsageError: there are fewer than two tasks, or one of them allows no kernel.
        WorkbenchError: a folder or the weights cannot be read.
    """
    config = replace(config, data=expand(config.data, config.seeds))
    tasks = yield from _seen(config, home, source)
    names = tuple(folder.name for folder in config.data.tasks)
    return (yield from compare(tasks, names, _method(tasks.tasks, source)))


def totals(
    config: RunConfig, home: Path, orders: Sequence[Order]
) -> Generator[Stage | Note, None, list[float]]:
    """Return the predicted interplay of each of these orders of the configuration's tasks.

    Raises:
        UsageError: there are fewer than two tasks, or one of them allows no kernel.
        WorkbenchError: a folder or the weights cannot be read.
    """
    tasks = yield from _seen(config, home, None)
    found = []
    for done, order in enumerate(orders):
        yield Stage("Comparing orders", done, len(orders))
        found.append(tasks.learnt(order).total)
    return found


def _seen(
    config: RunConfig, home: Path, source: Path | None
) -> Generator[Stage | Note, None, Tasks]:
    """Look at every task and return them with the kernels between them."""
    folders = config.data.tasks
    if len(folders) < 2:
        raise UsageError("An order needs at least two tasks. Add another folder.")
    network = yield from _network(config, home, source)
    if not isinstance(network.fusion, Fusion):
        raise UsageError(f"No order can be suggested: {why_no_fusion(network)}.")
    size = max(PICTURES, config.monitor.probe_per_task)
    tasks = []
    for number, folder in enumerate(folders):
        seen = yield from look_at(network, folder, config, size, number, tests=False)
        reason = why_not(seen)
        if reason:
            raise UsageError(f"No order can be suggested: of task '{folder.name}', {reason}.")
        tasks.append(new_task(seen, rate=0.0, steps=0))
    return Tasks(tasks, (yield from _kernels(tasks)))


def compare(
    tasks: Tasks, names: tuple[str, ...], method: str
) -> Generator[Stage, None, OrderStudy]:
    """Suggest the order of the least total found, if that is less than the present order's."""
    cost, disturbance = tasks.pairs()
    present = tuple(range(len(names)))
    orders = [permute.least(cost)] if len(names) > EVERY else list(permutations(present))
    best, least = present, tasks.learnt(present).total
    before, notes = least, tuple[str, ...]()
    for done, order in enumerate(orders):
        if done % 10 == 0:
            yield Stage("Comparing orders", done, len(orders))
        total = tasks.learnt(order).total
        if total < least:
            best, least = order, total
    if len(names) > EVERY and best == present != orders[0]:
        notes = (_not_better(names, orders[0], tasks.learnt(orders[0]).total),)
    return OrderStudy(names, best, before, least, tuple(map(tuple, disturbance)), method, notes)


def _not_better(names: tuple[str, ...], order: Order, total: float) -> str:
    listed = ", ".join(f"'{names[place]}'" for place in order)
    return f"By pairs alone, {listed} looked better; learnt in sequence its total is {total:.3g}."


def _network(
    config: RunConfig, home: Path, source: Path | None
) -> Generator[Stage | Note, None, Network]:
    device = choose_device("auto")
    if source is not None:
        network, _ = yield from load_network(source, home, device)
        return network
    yield Stage("Loading the backbone's weights")
    weights = yield from load_weights(config.model.backbone, config.model.weights, home)
    with Stream(config.seeds.initialisation, "initialisation"):
        return build_network(config.model, effective_switches(config), weights, device).eval()


def _kernels(tasks: Sequence[NewTask]) -> Generator[Stage, None, list[list[Tensor]]]:
    """Return the kernels between all pairs; a task's own has its head in it."""
    rows = []
    for number, a in enumerate(tasks):
        yield Stage("Computing kernels", number, len(tasks))
        rows.append([a.own if a is b else value_kernel(a.s1, a.q, b.s1, b.q) for b in tasks])
    return rows


def _method(tasks: Sequence[NewTask], source: Path | None) -> str:
    seen = "the network that the run left" if source else "the untrained network"
    pictures = sum(len(task.residual) for task in tasks)
    search = (
        "every order was tried" if len(tasks) <= EVERY else _SEARCHES[len(tasks) > permute.EXACT]
    )
    return (
        f"Computed from the closed-form kernel of the fusion layer of {seen}, on {pictures} training pictures of "
        f"{len(tasks)} tasks; {search}. The totals are of ridge regression on all tasks in "
        "sequence. Training also moves adapters and prompts, which are not in this kernel: take the suggestion as "
        "a hint, and small differences as none."
    )
