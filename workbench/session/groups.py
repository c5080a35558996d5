"""Groups of runs: how far each is, and what its runs say together.

Mean and sample standard deviation, s = √( Σ (xᵢ − x̄)² / (n − 1) ), over the runs that have finished.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench import config as configs
from workbench.errors import UsageError
from workbench.events import Note, Stage
from workbench.report import RunSummary
from workbench.session.engine import LOADING, starting
from workbench.session.spread import Spread, spread_of

if TYPE_CHECKING:
    from workbench.session.session import Session

FORMULA = "Mean ± s over the finished runs, s = √( Σ (xᵢ − x̄)² / (n − 1) ), the sample standard deviation."
MEASURED = ("final_accuracy", "average_accuracy", "forgetting")  # fields of RunSummary


@dataclass(frozen=True)
class Member:
    """One run of a group that has begun, and what it is in the group: its label, seed, order or role."""

    run: RunSummary
    facts: Mapping[str, Any]

    @property
    def label(self) -> str:
        """What tells it from the others."""
        return str(self.facts.get("label", ""))


@dataclass(frozen=True)
class RunGroup:
    """Several runs trained for one purpose."""

    id: str
    kind: str  # seeds, orders, bounds or study
    title: str
    created: str
    of_run: str  # id of the run that bounds are for
    facts: Mapping[str, Any]
    members: tuple[Member, ...]
    waiting: int  # runs that have not begun

    @property
    def finished(self) -> tuple[Member, ...]:
        """The runs that came to their end."""
        return tuple(each for each in self.members if each.run.state == "finished")

    @property
    def total(self) -> int:
        """How many runs the group has, begun or not."""
        return len(self.members) + self.waiting

    def spread(self, field: str) -> Spread:
        """Return mean and sample standard deviation of one field of the summaries."""
        return spread_of(getattr(each.run, field) for each in self.finished)


class Groups:
    """What a session's window or command asks of groups."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def all(self) -> list[RunGroup]:
        """Return every group of which a run waits or has begun, newest first."""
        with self._session.log() as log:
            rows, queued = log.queue.groups(), log.queue.rows()
            members = [Member(*pair) for pair in log.queue.members()]
        groups = [
            RunGroup(
                row.id, row.kind, row.title, row.created, row.of_run, row.facts,
                tuple(each for each in members if each.run.group == row.id),
                sum(each.group == row.id for each in queued),
            )
            for row in rows
        ]  # fmt: skip
        return [group for group in groups if group.total]

    def group(self, key: str) -> RunGroup:
        """Return one group; raises UsageError if there is none of this id."""
        found = next((group for group in self.all() if group.id == key), None)
        if found is None:
            raise UsageError(f"Group {key!r} is not in this log.")
        return found

    def kind(self, key: str) -> str:
        """Return what a group is for: seeds, orders, bounds or study; empty if there is none of this id. Cheap."""
        with self._session.log() as log:
            return next((row.kind for row in log.queue.groups() if row.id == key), "")

    def bounds(self, run: str) -> dict[str, RunSummary]:
        """Return the newest finished run of each role, "joint" or "plain fine-tuning", that bounds `run`."""
        found: dict[str, RunSummary] = {}
        with self._session.log() as log:
            rows = log.queue.groups()
        if not any(row.kind == "bounds" and row.of_run == run for row in rows):
            return found
        for group in self.all():
            if group.kind == "bounds" and group.of_run == run:
                for each in group.finished:
                    found.setdefault(str(each.facts["role"]), each.run)
        return found

    def predict(self, key: str) -> Iterator[Stage | Note | RunGroup]:
        """Compute the kernel's predicted interplay of each order of a study and keep it; the group comes last.

        Raises:
            UsageError: it is no study of orders, or no kernel can be made.
        """
        group = self.group(key)
        if group.kind != "orders" or not group.members:
            raise UsageError(f"{group.title} is no study of orders that has begun.")
        yield Stage(LOADING)
        with starting():
            from workbench.core.order import totals

        orders = [tuple(each.facts["order"]) for each in group.members]
        found = yield from totals(self._present(group), self._session.home, orders)
        predicted = {each.run.id: total for each, total in zip(group.members, found, strict=True)}
        with self._session.log() as log:
            log.queue.note_facts(key, {**group.facts, "predicted": predicted})
        yield self.group(key)

    def _present(self, group: RunGroup) -> configs.RunConfig:
        """Return the configuration of a study with its tasks in the order that the study began from."""
        first = group.members[0]
        config = configs.from_dict(self._session.details(first.run.id).config)
        learnt = zip(first.facts["order"], config.data.tasks, strict=True)
        tasks = tuple(task for _, task in sorted(learnt, key=lambda pair: pair[0]))
        return replace(config, data=replace(config.data, tasks=tasks))


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return Spearman's ρ, equal values sharing their mean rank; None where a side does not vary or n < 3."""
    if len(a) < 3 or len(set(a)) < 2 or len(set(b)) < 2:
        return None
    return statistics.correlation(_ranks(a), _ranks(b))


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [ordered.index(value) + (ordered.count(value) + 1) / 2 for value in values]
