"""What tells runs apart, and which did better: differences of settings, versions and pictures; last numbers."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.config import effective_switches, from_dict, settings_of
from workbench.errors import UsageError
from workbench.measures import MEASURES
from workbench.report import RunSummary

SAME = 1e-12  # numbers closer than this are called equal
_LABELS = {"precision": "precision in force", "weights": "weights (SHA-256)"}
_FIRST = ("average_accuracy", "accuracy_seen", "forgetting")  # listed before other measures


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same in all runs; `values` in the order of the runs, as text."""

    key: str
    label: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class FinalNumber:
    """One measure's last value in each run; None where it was not recorded."""

    name: str
    label: str
    share: bool  # a fraction, shown in per cent
    better: str  # "higher", "lower" or ""
    values: tuple[float | None, ...]

    def verdict(self, place: int, baseline: int) -> str:
        """Return "better", "worse", "equal", or "" where there is nothing to compare."""
        return self.verdict_of_mean([place], baseline)

    def verdict_of_mean(self, places: Sequence[int], baseline: int) -> str:
        """Return the same for the mean over a group; "" too if the baseline is one of it, or none is pinned."""
        pinned = self.values[baseline] if baseline >= 0 else None
        known = [value for place in places if (value := self.values[place]) is not None]
        if pinned is None or not known or baseline in places or not self.better:
            return ""
        mean = math.fsum(known) / len(known)
        if abs(mean - pinned) <= SAME:
            return "equal"
        return "better" if (mean > pinned) == (self.better == "higher") else "worse"


@dataclass(frozen=True)
class Comparison:
    """Runs side by side, newest first. `baseline` is the place of the pinned one, or -1."""

    runs: tuple[RunSummary, ...] = ()
    differences: tuple[Difference, ...] = ()
    pictures: tuple[Difference, ...] = ()  # of the tasks whose pictures differ
    numbers: tuple[FinalNumber, ...] = ()
    baseline: int = -1

    @property
    def comparable(self) -> bool:
        """Whether all runs were tested on the same pictures, as far as the log knows."""
        return not self.pictures

    @property
    def split_differs(self) -> bool:
        """Whether test parts were drawn differently, where a folder brings none of its own."""
        return any(each.key in ("seeds.split", "data.test_share") for each in self.differences)


def compare(
    runs: Sequence[RunSummary],
    facts: Mapping[str, Mapping[str, Any]],
    finals: Mapping[str, Mapping[str, float | None]],
    baseline: str,
) -> Comparison:
    """Compare runs by what the log knows of each."""
    known = [facts[run.id] for run in runs]
    ids = [run.id for run in runs]
    return Comparison(
        tuple(runs),
        tuple(_differences(known)),
        tuple(_pictures(known)),
        tuple(_numbers([finals[run.id] for run in runs])),
        ids.index(baseline) if baseline in ids else -1,
    )


def _differences(facts: Sequence[Mapping[str, Any]]) -> list[Difference]:
    labels: dict[str, str] = {}
    columns = []
    for fact in facts:
        values, named = _values_of(fact)
        labels |= named
        columns.append(values)
    rows = ((key, tuple(column.get(key, "–") for column in columns)) for key in labels)
    return [Difference(key, labels[key], row) for key, row in rows if len(set(row)) > 1]


def _values_of(fact: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what one run was made of as texts by key, and what each key is called."""
    values, labels = _settings(fact)
    for name, value in fact["switches"].items():  # in force, whatever the profile
        values[f"switches.{name}"] = str(value)
        labels.setdefault(f"switches.{name}", name.replace("_", " "))
    told = {
        "device": fact["device"],
        "precision": fact["precision"],
        "weights": fact["weights"][:12],
    }
    told |= {f"version.{name}": version for name, version in fact["versions"].items()}
    for key, value in told.items():
        values[key] = str(value) or "–"
        labels[key] = _LABELS.get(key, key.replace("version.", "version of "))
    return values, labels


def _settings(fact: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    values, labels = {}, {}
    try:
        config = from_dict(fact["config"])
    except UsageError:  # of another version: as it is written
        for section, inner in fact["config"].items():
            if isinstance(inner, dict):
                for name, value in inner.items():
                    values[f"{section}.{name}"] = json.dumps(value)
                    labels[f"{section}.{name}"] = f"{section}.{name}"
        return values, labels
    for key, item, value in settings_of(config):
        if key == "name" or key.startswith("switches."):
            continue
        values[key] = f"{value:g}" if isinstance(value, float) else str(value)
        labels[key] = item.metadata.get("label") or key
    values["data.tasks"] = ", ".join(task.name for task in config.data.tasks)
    labels["data.tasks"] = "Tasks"
    for name, value in effective_switches(config).items():
        values[f"switches.{name}"] = value
        labels[f"switches.{name}"] = _switch_label(config, name)
    return values, labels


def _switch_label(config: Any, name: str) -> str:
    fields = type(config.switches).__dataclass_fields__
    return str(fields[name].metadata.get("label") or name)


def _pictures(facts: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Return the tasks whose pictures are not the same in all runs, whatever their order.

    A run that never began has no pictures yet and is passed over.
    """
    begun = [fact["tasks"] for fact in facts if fact["tasks"]]
    if len({_prints(tasks) for tasks in begun}) < 2:
        return []
    most = max(len(tasks) for tasks in begun)
    found = []
    for place in range(most):
        prints = {tasks[place][1] if place < len(tasks) else "" for tasks in begun}
        if len(prints) > 1:
            values = tuple(_task_text(fact["tasks"], place) for fact in facts)
            found.append(Difference(f"task {place + 1}", f"Task {place + 1}", values))
    return found


def _prints(tasks: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """Return the fingerprints of a run's folders; a run of all tasks at once names them joined by "+"."""
    return tuple(sorted(part for task in tasks for part in task[1].split("+")))


def _task_text(tasks: Sequence[Sequence[Any]], place: int) -> str:
    if place >= len(tasks):
        return "–"
    name, fingerprint, counts = tasks[place]
    return f"{name}: {sum(json.loads(counts))} test pictures, content {fingerprint[:8]}"


def _numbers(finals: Sequence[Mapping[str, float | None]]) -> list[FinalNumber]:
    seen = dict.fromkeys(name for each in finals for name in each)
    names = [name for name in _FIRST if name in seen]
    names += [name for name in MEASURES if name in seen and name not in names]
    names += [name for name in seen if name not in names]
    found = []
    for name in names:
        measure = MEASURES.get(name)
        values = tuple(each.get(name) for each in finals)
        found.append(
            FinalNumber(
                name,
                measure.label if measure else name,
                bool(measure and measure.unit == "fraction"),
                measure.better if measure else "",
                values,
            )
        )
    return found
