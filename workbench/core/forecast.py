"""Which learnt tasks and classes would suffer if a folder were learnt next, said before a step is made.

How old logits would move is `core.newcomer`'s; here it is put beside what they are now: disturbance
‖Δ̂‖² / (n C V), and answers before and after, the new classes among the choices.
"""

import copy
import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from workbench.config import RunConfig, TaskFolder, effective_switches
from workbench.core import gaps
from workbench.core.card import load_learnt
from workbench.core.device import choose_device
from workbench.core.fusion import Fusion
from workbench.core.gaps import Value
from workbench.core.glimpse import PICTURES, Glimpse, look_at
from workbench.core.network import Network
from workbench.core.newcomer import (
    Movement,
    NewTask,
    movement,
    new_task,
    planned,
    why_not,
)
from workbench.core.readings import why_no_fusion
from workbench.core.rules import Rule
from workbench.core.scores import class_movement
from workbench.errors import Cancelled, WorkbenchError
from workbench.events import Note, Stage
from workbench.report import ClassForecast, Forecast, TaskForecast

Ranked = TypeVar("Ranked", TaskForecast, ClassForecast)


@dataclass(frozen=True)
class Learnt:
    """A task of the run: `class_ids[i]` is the global number of `class_names[i]`."""

    folder: TaskFolder
    class_names: tuple[str, ...]
    class_ids: tuple[int, ...]


def forecast(
    source: Path, config: RunConfig, learnt: Sequence[Learnt], candidate: TaskFolder, home: Path
) -> Generator[Stage | Note, None, Forecast]:
    """Forecast what learning `candidate` next would do to the tasks of the adapter in `source`.

    Raises:
        WorkbenchError: adapter, what lies beside it, backbone or candidate cannot be read.
    """
    network = yield from load_learnt(source, home, choose_device("auto"))
    found = Forecast(run="", candidate=candidate)
    if not isinstance(network.fusion, Fusion):
        return replace(found, reason=why_no_fusion(network))
    size = max(PICTURES, config.monitor.probe_per_task)
    seen = yield from look_at(network, candidate, config, size, len(learnt), tests=False)
    found = replace(found, new_classes=seen.classes)
    reason = why_not(seen)
    if reason:
        return replace(found, pictures=len(seen.train_labels), reason=reason)
    yield Stage(f"Forecasting '{candidate.name}'")
    new = new_task(seen, *planned(config.train, seen.pictures))
    tasks, classes = yield from _old_tasks(network, config, learnt, (seen, new), size)
    return replace(
        found, tasks=_worst_first(tasks), classes=_worst_first(classes), pictures=len(new.residual),
        ridge=new.ridge.value, steps=new.steps, rate=new.rate, method=_method(new, size),
        notes=_notes(config, seen, new, size),
    )  # fmt: skip


def _old_tasks(
    network: Network,
    config: RunConfig,
    learnt: Sequence[Learnt],
    new: tuple[Glimpse, NewTask],
    size: int,
) -> Generator[Stage | Note, None, tuple[list[TaskForecast], list[ClassForecast]]]:
    rules = _rules(network, new[0])
    tasks, sides = [], []
    for position, task in enumerate(learnt):
        try:
            seen = yield from look_at(network, task.folder, config, size, position)
        except Cancelled:
            raise
        except WorkbenchError as error:
            tasks.append(TaskForecast(position, task.folder.name, reason=str(error).rstrip(".")))
            continue
        if not _same_classes(seen.classes, task.class_names):
            reason = f"its classes are not those it was learnt with ({len(task.class_ids)} then, {len(seen.classes)} now)"
            tasks.append(TaskForecast(position, task.folder.name, reason=reason))
            continue
        yield Stage(f"Forecasting for '{task.folder.name}'")
        side = _Side.of(task, seen, rules, new[1])
        sides.append(side)
        tasks.append(side.told(position))
    return tasks, _classes(sides)


@dataclass(frozen=True)
class _Side:
    """One old task with its movement; labels are global class ids."""

    task: Learnt
    labels: list[int]  # of the training probe
    logits: Tensor  # (n, C_old), of the training probe
    moved: Movement
    test_labels: Tensor  # (m,)
    right: tuple[Tensor, Tensor, Tensor]  # (m,) of bool: now, with competition, afterwards

    @classmethod
    def of(cls, task: Learnt, seen: Glimpse, rules: tuple[Rule, Rule], new: NewTask) -> "_Side":
        old, added = rules
        ids = torch.tensor(task.class_ids, device=seen.test_labels.device)
        truth, main = ids[seen.test_labels], seen.test.main
        before, beside = old(main), added(main)
        shift = movement(seen.test, old, new).main
        after = before if shift is None else before + shift
        answers = (before, torch.cat([before, beside], 1), torch.cat([after, beside], 1))
        now, competing, afterwards = (logits.argmax(1) == truth for logits in answers)
        return cls(
            task, ids[seen.train_labels].tolist(), old(seen.train.main),
            movement(seen.train, old, new), truth, (now, competing, afterwards),
        )  # fmt: skip

    def told(self, position: int) -> TaskForecast:
        """Return the task's numbers."""
        planned, ridge = (self._disturbance(m) for m in (self.moved.planned, self.moved.ridge))
        now, competing, after = (
            float(right.double().mean()) if len(right) else None for right in self.right
        )
        reason = (planned.reason or ridge.reason) if planned.value is ridge.value is None else ""
        return TaskForecast(
            position, self.task.folder.name, planned.value, ridge.value, now, competing, after,
            test_pictures=len(self.test_labels), reason=reason,
        )  # fmt: skip

    def _disturbance(self, moved: Tensor | None) -> Value:
        if moved is None:
            return Value(None, "the new task's kernel allows no forecast")
        return gaps.interplay([moved], [self.logits])


def _classes(sides: Sequence[_Side]) -> list[ClassForecast]:
    """Return the learnt classes; one of several tasks is pooled over them."""
    if not sides:
        return []
    labels = [side.labels for side in sides]
    by_kind = []
    for kind in ("planned", "ridge"):
        moved = [getattr(side.moved, kind) for side in sides]
        by_kind.append({} if moved[0] is None else class_movement(moved, labels))
    planned, ridge = by_kind
    truth = torch.cat([side.test_labels for side in sides])
    now, after = (torch.cat([side.right[i] for side in sides]).double() for i in (0, 2))
    names = {
        number: (name, side.task.folder.name)
        for side in sides
        for number, name in zip(side.task.class_ids, side.task.class_names, strict=True)
    }
    found = []
    for number, (name, task) in sorted(names.items()):
        own = truth == number
        lost = float((now - after)[own].mean()) if own.any() else None
        found.append(ClassForecast(number, name, task, planned.get(number), ridge.get(number), lost))  # fmt: skip
    return found


def _rules(network: Network, new: Glimpse) -> tuple[Rule, Rule]:
    """Return the rule for the old classes, held fixed, and that for the candidate's, by pictures that stand for all of its."""
    head = copy.deepcopy(network.prototypes).double()
    later, old, classes = copy.deepcopy(head), len(head.counts), len(new.classes)
    later.grow(old + classes)
    for place in range(classes):
        own = new.train.main[new.train_labels == place]
        share = len(own) / len(new.train_labels)
        later.learn(old + place, own, max(1, round(share * new.pictures)))
    later.settle_roughly()
    rule = head.with_classes_of(later).rule()
    return rule.of(range(old)), rule.of(range(old, old + classes))


def _same_classes(found: Sequence[str], learnt: Sequence[str]) -> bool:
    """Whether these folders are the classes of the log, where a clash of names has added the task's."""
    pairs = zip(found, learnt, strict=False)
    return len(found) == len(learnt) and all(
        shown == name or shown.startswith(f"{name} (") for name, shown in pairs
    )


def _worst_first(found: Sequence[Ranked]) -> tuple[Ranked, ...]:
    """Sort by the steps planned, else by the ridge; what has no number comes last."""

    def size(item: Ranked) -> float:
        value = item.ridge if item.planned is None else item.planned
        return math.inf if value is None else -value

    return tuple(sorted(found, key=size))


def _method(new: NewTask, size: int) -> str:
    ridge = "none" if new.ridge.value is None else f"{new.ridge.value:g}"
    return (
        f"Computed from the closed-form kernel of the fusion layer as the run left it, on up to {size} training and "
        f"{size} test pictures of each learnt task and {len(new.residual)} training pictures of the new one. "
        f"As planned: {new.steps} steps of gradient descent of mean size {new.rate:.3g}. To the end: ridge "
        f"regression, λ = {ridge} of the mean eigenvalue, chosen by leaving one picture out. Trust the order "
        "more than the sizes: adapters and prompts, which are trained too, are not in this kernel."
    )


def _notes(config: RunConfig, seen: Glimpse, new: NewTask, size: int) -> tuple[str, ...]:
    notes = []
    if seen.pictures < size:
        notes.append(
            f"The new task has {seen.pictures} training pictures, fewer than the probe's {size}: all were taken."
        )
    elif len(new.residual) < len(seen.train_labels):
        notes.append(
            f"With {len(seen.classes)} classes the kernel takes {len(new.residual)} pictures of the new task."
        )
    if not new.stable:
        notes.append(
            "Nothing is said for the steps planned: at this learning rate, gradient descent on this kernel "
            "would grow without bound. The ranking is by ridge regression."
        )
    if new.ridge.value is None:
        notes.append(f"No ridge could be chosen: {new.ridge.reason}.")
    skips = effective_switches(config)["ema_last_task"] == "skip"
    if config.method.sequence == "closed" and skips:
        notes.append(
            "The run left out the averaging step after its last task, which a longer run would make first."
        )
    return tuple(notes)
