"""How many runs a study makes, and about how long they take, before it has begun."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.session.study import Study

if TYPE_CHECKING:
    from workbench.session.session import Session


@dataclass(frozen=True)
class StudyLength:
    """Runs of a study: those that choose, those that are tested, and the time of those whose like the log knows."""

    trials: int
    tests: int
    known: int  # runs like which one has finished
    seconds: float  # that these take together

    @property
    def runs(self) -> int:
        """All of them."""
        return self.trials + self.tests


def length_of(session: "Session", study: Study) -> StudyLength:
    """Return how much a study asks for; looks into its folders, and so may be slow.

    Raises:
        UsageError: one of its runs could not start.
    """
    first, finals = session.studies.planned(study)
    found = session.queue.seconds([each.config for each in (*first, *finals)])
    known = [seconds for seconds in found if seconds is not None]
    return StudyLength(len(first), len(finals), len(known), sum(known))
