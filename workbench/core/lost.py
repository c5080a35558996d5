"""Where forgetting comes from: competition, training, the EMA step, corrections, adding up exactly.

Between the end of one task and the end of the next, an old task's accuracy on its test probe is
measured with one cause added at a time; the differences add up over causes and over tasks to
a[τ, τ] − a[t, τ]. Competition costs accuracy even where no feature moves (arXiv 2407.17120 keeps old
prototypes and adds new ones), so a kernel's drift is never all of forgetting.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from workbench.core.gaps import Value
from workbench.core.heads import PrototypeHead

CAUSES = ("competition", "training", "ema", "corrections")


@dataclass(frozen=True)
class Answers:
    """The head as it stands, and which of its C classes it answers with (C,)."""

    head: PrototypeHead
    learnt: Tensor

    @classmethod
    def of(cls, head: PrototypeHead) -> "Answers":
        """Copy a head."""
        return cls(copy.deepcopy(head).double(), head.counts > 0)

    def beside_those_of(self, later: "Answers") -> "Answers":
        """Return this head, answering for the later one's new classes too, by what is theirs then."""
        return Answers(self.head.with_classes_of(later.head), later.learnt)

    def accuracy(self, features: Tensor, labels: Tensor) -> Value:
        """Return the class-incremental accuracy on features (n, D) with global labels (n,)."""
        if not len(labels):
            return Value(None, "the task has no test pictures in the probe")
        logits: Tensor = self.head(features)  # (n, C)
        logits[:, ~self.learnt] = -torch.inf
        if logits[:, self.learnt].isnan().any():
            return Value(None, "the logits are not finite")
        return Value(float((logits.argmax(1) == labels).double().mean()))


@dataclass(frozen=True)
class Passage:
    """The test probe of the old tasks on the way from one task's end to the next: features (n, D) each."""

    before: Sequence[Tensor]
    trained: Sequence[Tensor]  # slow copies as before
    averaged: Sequence[Tensor]  # slow copies averaged
    settled: Sequence[Tensor]  # fusion fitted again
    labels: Sequence[Tensor]


@dataclass
class Losses:
    """What every old task has lost to each cause since it was learnt."""

    parts: list[dict[str, Value]] = field(default_factory=list)  # by task

    def learn(self) -> None:
        """Begin the account of a task that was just learnt."""
        self.parts.append(dict.fromkeys(CAUSES, Value(0.0)))

    def add(self, passage: Passage, before: Answers, now: Answers) -> list[Mapping[str, Value]]:
        """Book one passage; return, for each old task, what it lost to each cause and in "total"."""
        mixed = before.beside_those_of(now)
        stages = (
            (before, passage.before), (mixed, passage.before), (mixed, passage.trained),
            (mixed, passage.averaged), (now, passage.settled),
        )  # fmt: skip
        told: list[Mapping[str, Value]] = []
        for task, labels in enumerate(passage.labels):
            scores = [answers.accuracy(seen[task], labels) for answers, seen in stages]
            for cause, a, b in zip(CAUSES, scores, scores[1:], strict=False):
                self.parts[task][cause] = _plus(self.parts[task][cause], a, b)
            told.append({**self.parts[task], "total": _sum(list(self.parts[task].values()))})
        return told


def mean_of(told: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """Return the mean over old tasks of each part; absent where one is absent, or without an old task."""
    if not told:
        return dict.fromkeys((*CAUSES, "total"), Value(None, "there is no earlier task yet"))
    sums = {name: _sum([each[name] for each in told]) for name in told[0]}
    return {
        name: found if found.value is None else Value(found.value / len(told))
        for name, found in sums.items()
    }


def _plus(so_far: Value, before: Value, after: Value) -> Value:
    for value in (so_far, before, after):
        if value.value is None:
            return value
    assert so_far.value is not None
    assert before.value is not None
    assert after.value is not None
    return Value(so_far.value + before.value - after.value)


def _sum(values: Sequence[Value]) -> Value:
    absent = next((value for value in values if value.value is None), None)
    return absent or Value(sum(value.value for value in values if value.value is not None))
