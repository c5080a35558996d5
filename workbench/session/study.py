"""A study: methods × data × class orders × seeds, and how the settings of each method are chosen."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from workbench import config as configs
from workbench.config import RunConfig

RULES = {
    "best": "the highest mean over the validation parts; of equals the first listed",
    "one standard error": "the first listed whose mean is within one standard error of the highest",
}
# What a seed decides. Class order is an order's.
VARIED = ("initialisation", "data_order", "augmentation", "dropout", "split", "probe")


@dataclass(frozen=True)
class StudyData:
    """Pictures in tasks, with the settings that every method shares on them."""

    name: str
    config: RunConfig


@dataclass(frozen=True)
class StudyMethod:
    """One method of a study: what is set for it, and what is to be chosen among."""

    label: str
    name: str
    set: Mapping[str, Any] = field(default_factory=dict)
    tries: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def candidates(self) -> tuple[dict[str, Any], ...]:
        """Every combination of the values to choose among, the last key fastest; one that is empty if there are none."""
        return tuple(
            dict(zip(self.tries, values, strict=True)) for values in product(*self.tries.values())
        )


@dataclass(frozen=True)
class Choosing:
    """How a method's values are chosen: on validation parts of the training pictures of the first tasks."""

    tasks: int = 1
    folds: int = 3
    measure: str = "average_accuracy"
    rule: str = "one standard error"

    @property
    def sentence(self) -> str:
        """The rule in words."""
        measure = "average accuracy" if self.measure == "average_accuracy" else "final accuracy"
        tasks = "the first task" if self.tasks == 1 else f"the first {self.tasks} tasks"
        return (
            f"By {measure} on each of {self.folds} parts of the training pictures of {tasks}, in the first order and with the "
            f"first seed: {RULES[self.rule]}."
        )


@dataclass(frozen=True)
class Study:
    """What a study asks. Two that ask the same have the same `digest`."""

    name: str
    data: tuple[StudyData, ...]
    methods: tuple[StudyMethod, ...]
    seeds: tuple[int, ...]
    orders: int
    choosing: Choosing
    baseline: str
    crossed: bool = True  # every seed in every order; else each seed in one, the orders in turn

    @property
    def digest(self) -> str:
        """SHA-256 of what it asks, whatever the file looks like."""
        return hashlib.sha256(json.dumps(study_tree(self), sort_keys=True).encode()).hexdigest()

    @property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """Each (order, seed) that every method is tested in, orders from 1; those of a seed together."""
        if self.crossed:
            return tuple(
                (order, seed) for seed in self.seeds for order in range(1, self.orders + 1)
            )
        return tuple((1 + i % self.orders, seed) for i, seed in enumerate(self.seeds))

    @property
    def runs(self) -> int:
        """How many runs are tested on the test part."""
        return len(self.data) * len(self.methods) * len(self.cells)

    @property
    def trials(self) -> int:
        """How many runs choosing takes."""
        counts = (len(each.candidates) for each in self.methods if each.tries)
        return sum(counts) * len(self.data) * self.choosing.folds


def study_tree(study: Study) -> dict[str, Any]:
    """Return the study as plain values, which `study_from` takes."""
    choosing = study.choosing
    return {
        "name": study.name, "seeds": list(study.seeds), "orders": study.orders, "crossed": study.crossed, "baseline": study.baseline,
        "choose": {"tasks": choosing.tasks, "folds": choosing.folds, "measure": choosing.measure, "rule": choosing.rule},
        "data": [{"name": each.name, "run": configs.to_dict(each.config)} for each in study.data],
        "method": [
            {"label": each.label, "name": each.name, "set": dict(each.set), "try": {key: list(values) for key, values in each.tries.items()}}
            for each in study.methods
        ],
    }  # fmt: skip


def changed(known: Study, study: Study) -> str:
    """Return the sentence for a study that is not what it was when it began."""
    before, after = study_tree(known), study_tree(study)
    what = next(key for key in before if before[key] != after[key])
    return (
        f"The study {study.name!r} began with other contents: {what} was {_brief(before[what])} and is {_brief(after[what])}. "
        "What it has found is kept. Put the file back as it was, or give the changed study another name."
    )


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
