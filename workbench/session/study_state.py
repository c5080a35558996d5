"""How far a study is, as the log tells it: which runs waited, ended, failed, and what was chosen."""

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.errors import UsageError
from workbench.log.queue import GroupRow, QueuedRow
from workbench.session.groups import Member
from workbench.session.study import Study
from workbench.session.study_choice import Choice
from workbench.session.study_file import study_from
from workbench.session.study_plan import CHOOSING, TESTING, Cell, cell_of

UNDER_WAY = ("starting", "running")


@dataclass(frozen=True)
class StudyState:
    """How far a study is. `waiting` are the labels of its runs in the queue; `refused`, why some cannot start."""

    id: str
    created: str
    study: Study
    members: tuple[Member, ...]  # every attempt, in the order they were begun
    waiting: tuple[str, ...]
    refused: tuple[str, ...]
    chosen: tuple[Choice, ...] | None  # None until the trials have ended

    def of_stage(self, stage: str) -> tuple[Member, ...]:
        """Return the runs of one stage, of each cell the one that counts: what finished, else the newest."""
        found: dict[Cell, Member] = {}
        for each in self.members:
            cell = cell_of(each.facts)
            if each.facts.get("stage") == stage and not _finished(found.get(cell)):
                found[cell] = each
        return tuple(found.values())

    @property
    def tested(self) -> tuple[Member, ...]:
        """The runs that were tested to their end."""
        return tuple(each for each in self.of_stage(TESTING) if _finished(each))

    @property
    def failed(self) -> tuple[Member, ...]:
        """The runs of either stage that failed."""
        both = (*self.of_stage(CHOOSING), *self.of_stage(TESTING))
        return tuple(each for each in both if each.run.state == "failed")

    @property
    def left(self) -> int:
        """How many runs of its plan have neither finished nor failed."""
        ended = [each for each in self.of_stage(TESTING) if each.run.state in ("finished", "failed")]  # fmt: skip
        tried = [each for each in self.of_stage(CHOOSING) if each.run.state in ("finished", "failed")]  # fmt: skip
        dropped = sum(not each.found for each in self.chosen or ())
        cells = len(self.study.cells)
        return self.study.runs + self.study.trials - dropped * cells - len(ended) - len(tried)

    @property
    def stage(self) -> str:
        """Return "choosing", "testing", "done", or "halted" where runs are left and none of them waits or trains."""
        if self.under_way:
            return CHOOSING if self.chosen is None else TESTING
        return "halted" if self.left else "done"

    @property
    def under_way(self) -> bool:
        """Whether any of its runs waits or trains."""
        return bool(self.waiting) or any(each.run.state in UNDER_WAY for each in self.members)


def state_of(row: GroupRow, queued: Iterable[QueuedRow], members: Iterable[Member]) -> StudyState:
    """Return how far the study of a group is; raises UsageError where the log does not say it in a way known here."""
    study = study_from(row.facts.get("study", {}))
    mine = [each for each in queued if each.group == row.id]
    kept = row.facts.get("chosen")
    try:
        chosen = None if kept is None else tuple(Choice.of(each) for each in kept)
    except (LookupError, TypeError, ValueError) as error:  # a damaged log
        raise UsageError(
            f"What the study {row.title!r} has chosen cannot be read: {error}."
        ) from error
    return StudyState(
        row.id, row.created, study, tuple(each for each in members if each.run.group == row.id),
        tuple(each.label for each in mine if each.state == "waiting"),
        tuple(f"{each.label}: {each.reason}" for each in mine if each.state == "refused"), chosen,
    )  # fmt: skip


def _finished(member: Member | None) -> bool:
    return member is not None and member.run.state == "finished"
