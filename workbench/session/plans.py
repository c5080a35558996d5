"""Runs that belong together, made from one configuration: several seeds, several orders, the two bounds."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

from workbench import config as configs
from workbench.config import RunConfig
from workbench.errors import UsageError
from workbench.report import RunSummary

# What training draws. Class order and test split change the question itself, the probe only what is looked at.
VARIED = ("initialisation", "data_order", "augmentation", "dropout")
OFFERED = (*VARIED, "class_order", "split")
MOST = 100  # runs of one group
EVERY = 7  # tasks up to which orders are drawn from the list of all of them: 5,040

NO_MONITOR = {"monitor.probe_per_task": 0}
JOINT: Mapping[str, Any] = {"data.joint": True, "train.max_steps": 0, **NO_MONITOR}
PLAIN: Mapping[str, Any] = {
    "method.name": "ntk-cl",  # whose terms are off below; a plug-in's method would go on being itself
    "method.weight_mutual_information": 0.0,
    "method.weight_orthogonality": 0.0,
    "method.weight_regularisation": 0.0,
    "switches.mutual_information": "off",
    "switches.orthogonality": "off",
    "switches.ema": "off",
    "switches.interplay": "free",
    "switches.change": "kept",
    "switches.early_stopping": "off",
    "switches.fusion_refit": "none",
    "switches.prototype_drift": "stale",
    "model.use_pretrained_section": False,
    **NO_MONITOR,
}
BOUNDS = {"joint": JOINT, "plain fine-tuning": PLAIN}
_SHARED = {"model.branches": "s1"}  # with adapters of each task's own nothing would be forgotten


@dataclass(frozen=True)
class Planned:
    """One run of a plan: what tells it from the others, and what it is asked."""

    label: str
    config: RunConfig
    member: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """Runs to be trained as one group. `of_run` is the run that bounds are for."""

    kind: str  # seeds, orders or bounds
    title: str
    runs: tuple[Planned, ...]
    of_run: str = ""


def seeds_plan(config: RunConfig, seeds: Sequence[int], varied: Sequence[str] = VARIED) -> Plan:
    """Return one run a seed; the seeds named in `varied` become it, the others stay.

    Raises:
        UsageError: a seed is there twice, is no seed, or nothing would vary.
    """
    _between("seeds", len(seeds), 2, MOST)
    double = next((seed for seed in seeds if list(seeds).count(seed) > 1), None)
    if double is not None:
        raise UsageError(f"Seed {double} is listed twice. Two equal runs say nothing about spread.")
    if not varied or not set(varied) <= set(OFFERED):
        raise UsageError(f"What varies must be some of {', '.join(OFFERED)}, not {list(varied)!r}.")
    runs = []
    for seed in seeds:
        values = {f"seeds.{name}": seed for name in varied}
        runs.append(_planned(configs.with_values(config, values), f"seed {seed}", {"seed": seed}))
    return Plan("seeds", f"{len(seeds)} seeds of {_subject(config)}", tuple(runs))


def orders_plan(config: RunConfig, count: int, seed: int = 0) -> Plan:
    """Return runs of the same tasks in `count` different orders, the present one first.

    Raises:
        UsageError: there are not so many orders, or the tasks depend on their order.
    """
    from workbench.core.tasks import expand

    config = replace(config, data=expand(config.data, config.seeds))
    tasks = config.data.tasks
    if len(tasks) < 2:
        raise UsageError("An order needs at least two tasks. Add another folder.")
    _between("orders", count, 2, min(MOST, math.factorial(len(tasks))))
    bound = next((task for task in tasks if task.same_classes), None)
    if bound is not None and config.data.same_names == "different":
        raise UsageError(
            f"Task {bound.name!r} goes on with the class {bound.same_classes[0]!r} of an earlier task, so its place "
            "is not free. Let all classes of one name be the same (data.same_names = same), or answer anew."
        )
    runs = []
    for number, order in enumerate(orders_of(len(tasks), count, seed), 1):
        data = replace(config.data, tasks=tuple(tasks[place] for place in order))
        member = {"order": list(order), "names": [task.name for task in tasks]}
        runs.append(_planned(replace(config, data=data), f"order {number}", member))
    return Plan("orders", f"{count} orders of {_subject(config)}", tuple(runs))


def orders_of(tasks: int, count: int, seed: int = 0) -> list[tuple[int, ...]]:
    """Return `count` different orders of so many tasks: the present one, then drawn ones."""
    present, chance = tuple(range(tasks)), random.Random(seed)
    if tasks <= EVERY:
        others = list(permutations(present))[1:]
        return [present, *chance.sample(others, count - 1)]
    found = {present: None}  # a dict keeps the order in which they were drawn
    while len(found) < count:
        found[tuple(chance.sample(present, tasks))] = None
    return list(found)


def bounds_plan(config: RunConfig, run: RunSummary) -> Plan:
    """Return the two runs that frame `run`: everything learnt at once, and plain fine-tuning.

    Raises:
        UsageError: the run is itself one of all tasks at once.
    """
    if config.data.joint:
        raise UsageError(f"{run.name} learnt all tasks at once: it is an upper bound itself.")
    runs = []
    for role, values in BOUNDS.items():
        shared = _SHARED if values is PLAIN and config.model.branches == "expanding" else {}
        changed = configs.with_values(config, {**values, **shared})
        named = replace(changed, name=f"{run.name} {role}")
        runs.append(Planned(role, named, {"role": role, "label": role}))
    return Plan("bounds", f"Bounds of {run.name}", tuple(runs), run.id)


def _planned(config: RunConfig, label: str, member: Mapping[str, Any]) -> Planned:
    name = f"{config.name} {label}" if config.name else ""
    return Planned(label, replace(config, name=name), {**member, "label": label})


def _subject(config: RunConfig) -> str:
    if config.name:
        return config.name
    count = len(config.data.tasks)
    return (
        f"{count} tasks" if count > 1 else f"'{config.data.tasks[0].name}'" if count else "nothing"
    )


def _between(what: str, count: int, low: int, high: int) -> None:
    if not low <= count <= high:
        raise UsageError(f"The number of {what} must be from {low} to {high}, not {count}.")
