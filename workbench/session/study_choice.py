"""Which of several values a method gets in a study: by a declared rule, from validation parts alone."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.session.groups import Member
from workbench.session.spread import Spread, spread_of
from workbench.session.study import Study, StudyData, StudyMethod


@dataclass(frozen=True)
class Trial:
    """What one candidate has shown: accuracy on each validation part that came to its end."""

    values: Mapping[str, Any]
    accuracies: tuple[float, ...]
    failed: int  # parts that failed; a candidate with any is out

    @property
    def spread(self) -> Spread:
        """Mean and sample standard deviation over the parts."""
        return spread_of(self.accuracies)


@dataclass(frozen=True)
class Choice:
    """What was chosen for one method on one data set, and what for; `place` is −1 if every candidate failed."""

    data: str
    method: str
    place: int
    trials: tuple[Trial, ...]

    @property
    def found(self) -> bool:
        """Whether any candidate could be chosen."""
        return self.place >= 0

    @property
    def values(self) -> Mapping[str, Any]:
        """The values chosen."""
        return self.trials[self.place].values

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Choice":
        """Return the choice that the log keeps as plain values."""
        trials = (
            Trial(each["values"], tuple(each["accuracies"]), each["failed"])
            for each in kept["trials"]
        )
        return cls(kept["data"], kept["method"], kept["place"], tuple(trials))


def choices(study: Study, ended: Iterable[Member]) -> tuple[Choice, ...]:
    """Choose for each method that has something to choose, on each data set, from trials that have all ended."""
    members = list(ended)
    found = []
    for data in study.data:
        for method in study.methods:
            if method.tries:
                tried = _tried(study, data, method, members)
                found.append(
                    Choice(data.name, method.label, chosen(tried, study.choosing.rule), tried)
                )
    return tuple(found)


def chosen(tried: Sequence[Trial], rule: str) -> int:
    """Return the place of the candidate that the rule takes; −1 if each failed on some part.

    "best" takes the highest mean, of equals the first. "one standard error" takes the first whose mean is no more than
    s/√n of the best below it (Breiman et al. 1984, the 1-SE rule), so that what stands first is left only for a reason.
    """
    whole = {place: each.spread for place, each in enumerate(tried) if not each.failed}
    means = {place: spread.mean for place, spread in whole.items() if spread.mean is not None}
    if not means:
        return -1
    best = max(means, key=lambda place: (means[place], -place))
    margin = 0.0
    if rule == "one standard error":
        margin = (whole[best].deviation or 0.0) / math.sqrt(whole[best].n)
    return next(place for place, mean in means.items() if mean >= means[best] - margin)


def _tried(
    study: Study, data: StudyData, method: StudyMethod, members: Sequence[Member]
) -> tuple[Trial, ...]:
    found = []
    for number, values in enumerate(method.candidates):
        cell = (data.name, method.label, number)
        mine = [
            each.run
            for each in members
            if (each.facts["data"], each.facts["method"], each.facts["candidate"]) == cell
        ]
        scores = [getattr(run, study.choosing.measure) for run in mine if run.state == "finished"]
        known = tuple(score for score in scores if score is not None)
        found.append(Trial(values, known, study.choosing.folds - len(known)))
    return tuple(found)
