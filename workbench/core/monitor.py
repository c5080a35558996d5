"""The NTK monitor: looks at a fixed probe while tasks are learnt, and says what the kernel says.

At a task's start it takes references and forecasts; after each epoch it compares (`core.readings`,
`core.own_kernel`); at the end it speaks of pairs of tasks (`core.pairs`), and when the prototypes are made, of where
forgetting came from (`core.lost`). Nothing here changes what is trained. Starts and ends of tasks
are always measured, on a probe small enough for that; epochs between them as the budget allows.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workbench.config import MonitorConfig
from workbench.core import heat_map, left_out, linearity, own_kernel, pairs, readings, snapshot
from workbench.core.budget import Budget, Costs, choose
from workbench.core.feeder import Feeder
from workbench.core.gaps import Value, drift_error, interplay
from workbench.core.learner import Learner
from workbench.core.lost import Answers, Losses, Passage, mean_of
from workbench.core.network import Network
from workbench.core.old_kernels import OldKernel
from workbench.core.pace import Pacer
from workbench.core.pairs import Drawn
from workbench.core.plan import KernelPlan
from workbench.core.probe import Eye, Probed, View, draw_task
from workbench.core.probe_rows import ProbeRows
from workbench.core.readings import Reference, Scene
from workbench.core.rules import Rule
from workbench.core.tasks import TaskData
from workbench.events import Event, Measured, Note, Snapshot, Stage

TEXT = "Measuring the NTK gap"

Where = tuple[int, int, int]  # task, epoch, step
Looking = Generator[Stage, None, Scene]


class Monitor:
    """One run's monitor: `plan` once; for each task `start_task`, `measure` after its epochs, `averaged`, `settled`.

    `seed` draws the probe and nothing else; `pacer` knows the work of others; arrays go below
    `folder`, if there is one. With a probe or a budget of 0 it says so once and rests.
    """

    _eye: Eye
    _learner: Learner
    _reference: Reference
    _scene: Scene  # of the last look
    _averaged: list[View]  # test parts after the EMA step
    _start: dict[str, Tensor]  # every trained parameter as the task began
    _before: tuple[Answers, list[Tensor]]  # head and test features when the last task was done
    _plan: KernelPlan
    _rows: ProbeRows

    def __init__(
        self, config: MonitorConfig, seed: int, pacer: Pacer, folder: Path | None = None
    ) -> None:
        self._config, self._size, self._seed = config, config.probe_per_task, seed
        self._pacer, self._folder = pacer, folder
        self._off = not config.probe_per_task or not config.budget
        self._budget = Budget(config.budget)
        self._probes: list[Probed] = []
        self._losses = Losses()
        self._old: list[OldKernel] = []
        self._thinned = False

    def plan(self, learner: Learner, tasks: Sequence[TaskData]) -> Iterator[Note]:
        """Choose the kernel, and make the probe small enough for the budget."""
        if self._off or learner.network.why_no_kernel:
            yield left_out.everything() if self._off else left_out.no_kernel(learner.network)
            self._off = True
            return
        asked, room = self._size, self._budget.of(self._pacer.passes)
        plan, self._size, self._budget.reserved = choose(
            learner,
            self._config,
            lambda size: [draw_task(task, n, size, self._seed) for n, task in enumerate(tasks)],
            room,
        )
        self._plan = plan
        if plan.columns and plan.kind != "closed" and self._config.gradients == "exact":
            yield left_out.of_gradients(plan.columns, self._config.memory_gb)
        if self._size < asked:
            yield left_out.of_probes(self._size, asked, self._budget.share)

    def end(self) -> bool:
        """Measure nothing more; return whether it would have."""
        was_on, self._off = not self._off, True
        return was_on

    def extend(self, tasks: Sequence[TaskData], learner: Learner, *, between: bool) -> None:
        """Reserve work for the tasks after those that were begun: they are not those that were meant.

        `between` two tasks nothing else is reserved any more; within one, its own end still is.
        """
        if self._off:
            return
        if between:
            self._budget.reserved = 0.0
        probes = [draw_task(task, n, self._size, self._seed) for n, task in enumerate(tasks)]
        begun = len(self._probes)
        costs = [Costs(learner, self._plan, probes[: n + 1]) for n in range(begun, len(probes))]
        self._budget.reserved += sum(c.start() + c.end() + c.settled() for c in costs)

    def start_task(
        self, network: Network, learner: Learner, feeder: Feeder, task: TaskData, step: int
    ) -> Iterator[Event]:
        """Draw the task's probe, take the references and forecast; to be called after `learner.begin_task`."""
        if self._off:
            return
        if not self._probes:
            self._eye = Eye(network, feeder.plain)
            self._rows = ProbeRows(self._eye, self._plan)
        self._learner = learner
        self._probes.append(draw_task(task, len(self._probes), self._size, self._seed))
        yield from left_out.of_task(len(self._probes), self._probes[-1], self._size)
        self._budget.spend_reserved(self._costs.start())
        # what a task that is not trained on leaves: `measure` is not asked then
        self._scene = scene = yield from self._look(moved=False)
        self._reference, self._start = readings.refer(scene), linearity.trained(network)
        where = (len(self._probes) - 1, 0, step)
        yield from self._read(scene, where, "start")
        yield Stage(TEXT)
        gap, each = pairs.forecast(scene, self._reference, learner)
        yield from _said(gap, where)
        for other, value in enumerate(each):
            yield from _said({"ntk.disturbance_forecast": value}, where, other)

    def measure(self, epoch: int, step: int, *, at_end: bool = False) -> Iterator[Event]:
        """Measure after one more epoch, if the budget has room or it is the task's last."""
        if self._off:
            return
        if at_end:
            self._budget.spend_reserved(self._costs.end())
        elif not self._afford(self._costs.epoch()):
            yield from self._thinning()
            return
        self._scene = scene = yield from self._look()
        where = (len(self._probes) - 1, epoch, step)
        yield from self._read(scene, where, "end" if at_end else f"epoch-{epoch + 1}")
        if at_end:
            yield from _said(pairs.scores(scene, self._reference), where)
            yield from self._pairs(scene, where)
            yield from self._linearity(scene, where)

    def averaged(self, *, changed: bool, drawn_back: bool) -> Iterator[Stage]:
        """Look again after the EMA step and what was drawn back, before anything else.

        Args:
            changed: whether the slow copies are others than in the task.
            drawn_back: whether the current subnetworks are others than after training.
        """
        if self._off:
            return
        self._budget.spend_reserved(self._costs.settled())
        if changed:
            self._eye.renew()
        scene = yield from self._look(moved=drawn_back)
        self._averaged = list(scene.test)

    def settled(self, epoch: int, step: int) -> Iterator[Event]:
        """Say where forgetting came from, and how far old kernels have come, now that the prototypes are made."""
        if self._off:
            return
        where = (len(self._probes) - 1, epoch, step)
        scene = yield from self._look(moved=False)
        yield from self._forgotten(scene, where)
        moved = pairs.disturbances(readings.moved(scene, self._reference), self._reference)
        for other, (old, disturbance) in enumerate(zip(self._old, moved, strict=True)):
            yield Stage(TEXT)
            drift, cka = old.since(scene.train[other])
            values = {"old_drift": drift, "old_cka": cka, "disturbance_settled": disturbance}
            yield from _said({f"ntk.{name}": v for name, v in values.items()}, where, other)
        self._old.append(OldKernel.of(scene.network, scene.train[-1], self._probes[-1].class_ids))
        yield from self._last_map(scene, where)

    def _read(self, scene: Scene, where: Where, moment: str) -> Iterator[Event]:
        yield Stage(TEXT)
        yield from _said(readings.interplay(scene, self._reference), where)
        yield Stage(TEXT)
        rows = yield from self._rows.own(scene)
        yield from _said(own_kernel.kernel(scene, self._reference, rows), where)
        yield Stage(TEXT)
        rule = readings.provisional(scene)
        yield from _said(readings.accuracy(scene, rule), where)
        yield from _said(readings.network_gap(scene), where)
        if self._plan.kind == "closed":
            yield from self._map(scene, rule, where, moment)

    def _pairs(self, scene: Scene, where: Where) -> Iterator[Event]:
        """Say what learning the task did to each old one."""
        moved = pairs.disturbances(readings.moved(scene, self._reference), self._reference)
        known = tuple(torch.nonzero(scene.network.prototypes.counts > 0).flatten().tolist())
        of_new = (yield from self._rows.of_training(scene)) if moved else None
        for other, value in enumerate(moved):
            yield Stage(TEXT)
            of_old, part = None, self._probes[other].train
            if of_new is not None:
                rule = self._reference.rule
                of_old = yield from self._rows.of_inference(part, rule, known, "g")
            drawn = (of_old, of_new) if of_old and of_new else None
            found = pairs.pair(scene, self._reference, other, drawn)
            yield from _said({"ntk.disturbance": value, **found}, where, other)

    def _linearity(self, scene: Scene, where: Where) -> Iterator[Event]:
        """Say how far the task's training was from linear, on the old tasks' logits, and what every block predicts."""
        old = [probe.train for probe in self._probes[:-1]]
        found = predicted = Value(None, "there is no earlier task yet")
        if old and not self._plan.linear:
            found = predicted = Value(
                None, "left out, to keep the monitor within its share of the work"
            )
        elif old:
            eye, sides = self._eye.elsewhere(), []
            for share in (linearity.STEP, -linearity.STEP):
                with linearity.displaced(scene.network, self._start, share):
                    views = yield from eye.look(old, TEXT)
                sides.append([self._reference.rule(view.main) for view in views])
            linear = linearity.first_order(*sides)
            found = drift_error(linear, readings.moved(scene, self._reference))
            predicted = interplay(linear, self._reference.logits)
        yield from _said({"ntk.linearity": found, "ntk.interplay_full": predicted}, where)

    def _forgotten(self, scene: Scene, where: Where) -> Iterator[Event]:
        now = Answers.of(scene.network.prototypes)
        features = [view.main for view in scene.test]
        told = []
        if self._losses.parts:
            head, before = self._before
            labels = [torch.tensor(p.test.labels, device=f.device) for p, f in zip(self._probes, before, strict=False)]  # fmt: skip
            sides = (self._scene.test, self._averaged)
            trained, averaged = ([view.main for view in side[: len(before)]] for side in sides)
            passage = Passage(before, trained, averaged, features[: len(before)], labels)
            told = self._losses.add(passage, head, now)
        yield from _said({f"lost.{name}": v for name, v in mean_of(told).items()}, where)
        for other, each in enumerate(told):
            yield from _said({f"lost.{name}": v for name, v in each.items()}, where, other)
        self._losses.learn()
        self._before = (now, features)

    def _last_map(self, scene: Scene, where: Where) -> Iterator[Event]:
        """The kernel among all tasks as they stand now, with how far the old classes moved."""
        network, parts = scene.network, [probe.train for probe in self._probes]
        ids = tuple(torch.nonzero(network.prototypes.counts > 0).flatten().tolist())
        picked, rule = heat_map.picked(parts), readings.known_rule(network)
        drawn = yield from self._rows.of_inference(picked, rule, ids, "map")
        more = {}
        if len(parts) > 1:
            deltas = readings.moved(self._scene, self._reference)
            said = self._reference.forecast
            of_forecast = pairs.by_class(scene, said) if said else {}
            settled = pairs.by_class(scene, readings.moved(scene, self._reference))
            more = snapshot.class_arrays(pairs.by_class(scene, deltas), of_forecast, settled)
        yield from self._map(scene, rule, where, "done", drawn, more)

    def _map(
        self,
        scene: Scene,
        rule: Rule,
        where: Where,
        moment: str,
        drawn: Drawn | None = None,
        more: Mapping[str, np.ndarray] | None = None,
    ) -> Iterator[Event]:
        """Write the kernel among pictures of all tasks, if there is a place for it and it is a number."""
        arrays = heat_map.arrays(scene, rule, drawn) if self._folder is not None else {}
        if arrays and self._folder is not None:
            name = f"{where[0] + 1:03d}-{moment}"
            path = snapshot.write(self._folder, name, {**arrays, **(more or {})})
            yield Snapshot(*where, path, self._plan.sentence(scene.network))

    @property
    def _costs(self) -> Costs:
        return Costs(self._learner, self._plan, self._probes)

    def _afford(self, cost: float) -> bool:
        """Spend `cost` if the budget has room for it; return whether it had."""
        room = self._budget.allows(cost, self._pacer.done, self._pacer.passes)
        if room:
            self._budget.spent += cost
        return room

    def _thinning(self) -> Iterator[Note]:
        if not self._thinned:
            self._thinned = True
            yield left_out.of_epochs(len(self._probes), self._budget.share)

    def _look(self, *, moved: bool = True) -> Looking:
        parts = [probe.train for probe in self._probes] + [probe.test for probe in self._probes]
        views = yield from self._eye.look(parts, TEXT, moved=moved)
        tasks = len(self._probes)
        return Scene(
            self._eye.network, self._learner.proxy, self._probes, views[:tasks], views[tasks:]
        )


def _said(
    values: Mapping[str, Value], where: Where, other: int | None = None
) -> Iterator[Measured]:
    for name, found in values.items():
        yield Measured(name, *where, found.value, found.reason, other)
