"""What the tested runs of a study say: means, paired differences with an interval, ranks, and what each method costs.

Two methods are compared over the cells (order, seed) in which both finished: the same pictures in the same order. The
interval is d̄ ± t · s/√n with Student's t at n − 1 degrees of freedom (95 %). Cells that share test pictures are not
wholly independent, so it is a lower bound of what repeating with new pictures would show.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workbench.log.cost import LoggedCost
from workbench.report import RunSummary
from workbench.session.groups import Member
from workbench.session.spread import Spread, spread_of
from workbench.session.study import Study

HIGHER = ("average_accuracy", "final_accuracy")  # better when higher; forgetting, when lower
Cell = tuple[object, object]


@dataclass(frozen=True)
class Paired:
    """A method less the baseline over the cells both have: mean, and half the width of its 95 % interval (None for n < 2)."""

    n: int
    mean: float | None
    half: float | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.mean is not None and self.half is not None and abs(self.mean) > self.half


@dataclass(frozen=True)
class MethodRow:
    """One method on one data set; accuracies and forgetting are fractions, `floor` is the average accuracy of frozen class means."""

    method: str
    n: int
    failed: int
    average: Spread
    final: Spread
    forgetting: Spread
    floor: Spread
    seconds: Spread  # of learning and testing; not of the first look through the frozen backbone, which runs share
    values: Spread  # numbers kept beside the backbone at the end, those to learn further included
    peak: Spread  # bytes, the most that the process had held
    final_difference: Paired  # to the study's baseline
    average_difference: Paired
    best_other: str  # of the other methods here the one with the highest mean final accuracy; empty: there is none
    best_difference: Paired  # to it, of final accuracy


@dataclass(frozen=True)
class DataTable:
    """All methods on one data set, in the study's order."""

    data: str
    rows: tuple[MethodRow, ...]


@dataclass(frozen=True)
class Ranked:
    """A method's mean rank by final accuracy over the cells that all methods finished (1 is best), and where it was best."""

    method: str
    rank: float
    cells: int
    best: int  # data sets on which its mean is highest


@dataclass(frozen=True)
class StudyResults:
    """Everything that a study's page and its ledger show."""

    tables: tuple[DataTable, ...]
    ranking: tuple[Ranked, ...]
    odd: tuple[str, ...]  # what makes numbers less comparable, in sentences


def results(
    study: Study,
    tested: Iterable[Member],
    failed: Iterable[Member],
    costs: Mapping[str, LoggedCost],
    pictures: Mapping[str, str],
) -> StudyResults:
    """Return what a study shows so far.

    Args:
        tested: the runs that were tested to their end.
        failed: those that failed.
        costs: by run id, where they are known.
        pictures: a fingerprint of all test pictures by run id.
    """
    runs = {(e.facts["data"], e.facts["method"], _cell(e)): e.run for e in tested}
    lost = [(each.facts["data"], each.facts["method"]) for each in failed]
    tables = []
    for data in study.data:
        by = {
            method.label: {
                cell: run
                for (name, label, cell), run in runs.items()
                if (name, label) == (data.name, method.label)
            }
            for method in study.methods
        }
        rows = (
            _row(label, by, study.baseline, lost.count((data.name, label)), costs) for label in by
        )
        tables.append(DataTable(data.name, tuple(rows)))
    odd = tuple(_odd(data.name, runs, pictures) for data in study.data)
    return StudyResults(
        tuple(tables), _ranking(study, runs, tables), tuple(each for each in odd if each)
    )


def paired(one: Mapping[Cell, RunSummary], other: Mapping[Cell, RunSummary], field: str) -> Paired:
    """Return the mean of `one` less `other` in a field of the summaries, over the cells that both have."""
    found = []
    for cell in one.keys() & other.keys():
        a, b = getattr(one[cell], field), getattr(other[cell], field)
        if a is not None and b is not None:
            found.append(a - b)
    spread = spread_of(sorted(found))
    if spread.deviation is None:
        return Paired(spread.n, spread.mean, None)
    half = student_975(spread.n - 1) * spread.deviation / math.sqrt(spread.n)
    return Paired(spread.n, spread.mean, half)


def student_975(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t, to 1e-9.

    The upper tail for ν degrees is ½ I_x(ν/2, ½) at x = ν/(ν + t²), and for whole ν that integral is a finite sum
    (Abramowitz and Stegun 26.7.3-4); it is halved in.
    """
    low, high = 1.0, 13.0
    while high - low > 1e-10:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """Return the probability that |T| < t."""
    angle = math.atan(t / math.sqrt(freedom))
    square = math.cos(angle) ** 2
    if freedom % 2:
        term, total = math.cos(angle), 0.0
        for k in range(1, (freedom - 1) // 2 + 1):
            total += term
            term *= square * 2 * k / (2 * k + 1)
        return 2 / math.pi * (angle + math.sin(angle) * total)
    term, total = 1.0, 0.0
    for k in range(1, freedom // 2 + 1):
        total += term
        term *= square * (2 * k - 1) / (2 * k)
    return math.sin(angle) * total


def _cell(member: Member) -> Cell:
    return member.facts["order"], member.facts["seed"]


def _row(
    label: str,
    by: Mapping[str, Mapping[Cell, RunSummary]],
    baseline: str,
    failed: int,
    costs: Mapping[str, LoggedCost],
) -> MethodRow:
    found = by[label]
    others = {
        name: spread_of(run.final_accuracy for run in runs.values())
        for name, runs in by.items()
        if name != label
    }
    best = _best(others)
    known = [costs[run.id] for run in found.values() if run.id in costs]

    def spread(field: str) -> Spread:
        return spread_of(getattr(run, field) for run in found.values())

    return MethodRow(
        label, len(found), failed,
        spread("average_accuracy"), spread("final_accuracy"), spread("forgetting"), spread("baseline_accuracy"),
        spread_of(math.fsum(cost.learning_seconds) for cost in known),
        spread_of(_last(cost.kept_values) for cost in known),
        spread_of(_last(cost.peak_bytes) for cost in known),
        paired(found, by[baseline], "final_accuracy"), paired(found, by[baseline], "average_accuracy"),
        best, paired(found, by.get(best, {}), "final_accuracy"),
    )  # fmt: skip


def _last(values: Sequence[int | None]) -> float | None:
    return None if not values or values[-1] is None else float(values[-1])


def _ranking(
    study: Study,
    runs: Mapping[tuple[object, object, Cell], RunSummary],
    tables: Sequence[DataTable],
) -> tuple[Ranked, ...]:
    """Rank methods in each cell that all of them finished; equal accuracies share their mean rank."""
    labels = [method.label for method in study.methods]
    ranks: dict[str, list[float]] = {label: [] for label in labels}
    for name, cell in dict.fromkeys((name, cell) for name, _, cell in runs):
        here = [runs.get((name, label, cell)) for label in labels]
        scores = [run.final_accuracy for run in here if run and run.final_accuracy is not None]
        if len(scores) < len(labels):
            continue
        for label, score in zip(labels, scores, strict=True):
            above, equal = sum(s > score for s in scores), scores.count(score)
            ranks[label].append(above + (equal + 1) / 2)
    best = [_best({row.method: row.final for row in table.rows}) for table in tables]
    found = [
        Ranked(label, math.fsum(each) / len(each), len(each), best.count(label))
        for label, each in ranks.items()
        if each
    ]
    return tuple(sorted(found, key=lambda each: each.rank))


def _best(finals: Mapping[str, Spread]) -> str:
    """Return whose mean is highest, or "" where none is known."""
    means = {name: final.mean for name, final in finals.items() if final.mean is not None}
    return max(means, key=lambda name: means[name]) if means else ""


def _odd(
    data: str,
    runs: Mapping[tuple[object, object, Cell], RunSummary],
    pictures: Mapping[str, str],
) -> str:
    """Return a sentence if two methods did not see the same pictures in some cell."""
    seen: dict[Cell, set[str]] = {}
    for (name, _, cell), run in runs.items():
        if name == data and run.id in pictures:
            seen.setdefault(cell, set()).add(pictures[run.id])
    differing = sum(len(prints) > 1 for prints in seen.values())
    if not differing:
        return ""
    where = "one cell" if differing == 1 else f"{differing} cells"
    return (
        f"On {data!r}, methods were not shown the same pictures in {where}: "
        "files were changed between runs, so that their difference there is not the methods' alone."
    )
