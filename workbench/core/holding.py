"""What may stay of a task's change: no more than leaves old answers nearly as they were, and nothing that did not help.

Class means, spreads and Gram matrices of earlier tasks were measured through the parameters of their time, and their
pictures are gone. Training that moves features far makes them worthless, however well the new task is learnt. What can
be seen is how far old classes' logits move on the new task's own pictures: the interplay gap of the NTK view, measured
and not predicted. It bounds the step from the parameters before the task to those after it and its averaging. Whether
the step is made at all, `core.worth` judges, on the same pictures.
"""

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.core.evaluate import Seen, fuse, see
from workbench.core.length import judging
from workbench.core.worth import Gain, gain_of
from workbench.events import Note, Stage

if TYPE_CHECKING:
    from workbench.core.running import Running
    from workbench.core.tasks import TaskData

_TRIES = 6  # of drawing back further, where features move less than in proportion
_NEAR = 1.02  # of the limit: near enough


def movement(before: Tensor, after: Tensor) -> float:
    """Return √( Σ (ℓ'_ia − ℓ_ia)² / Σ (ℓ_ia − mean_i ℓ_ia)² ) of logits (n, C): how far they move, in units of their spread."""
    spread = (before - before.mean(0)).square().sum()
    moved = (after - before).square().sum()
    return math.sqrt(float(moved / spread)) if spread > 0 else 0.0


@dataclass(frozen=True)
class Sight:
    """A task's training pictures as the network saw them: by each branch, and the features (n, D) that answers use."""

    seen: Seen
    main: Tensor


class Change:
    """The way from θ, before a task, to θ', after it and its averaging; the network stands somewhere on it.

    Args:
        before: θ, by the names of the network's parameters; θ' are those that it has.
    """

    def __init__(self, run: "Running", task: "TaskData", before: Mapping[str, Tensor]) -> None:
        self._run, self._task, self._before = run, task, before
        named = run.network.named_parameters()
        self._after = {name: p.detach().clone() for name, p in named if name in before}
        self.share = 1.0  # where it stands

    @torch.no_grad()
    def put(self, share: float) -> None:
        """Bring the network to θ + `share` (θ' − θ)."""
        self.share = share
        for name, parameter in self._run.network.named_parameters():
            if name in self._before:
                parameter.copy_(torch.lerp(self._before[name], self._after[name], share))

    def look(self) -> Generator[Stage, None, Sight]:
        """Return what the network makes of the task's training pictures where it stands."""
        run, name = self._run, self._task.info.name
        assert run.place.frozen is not None
        text = f"Looking at what '{name}' has changed"
        seen = yield from see(run.network, run.feeder, self._task.train, run.place.frozen, text)
        return self.sight(seen)

    def sight(self, seen: Seen) -> Sight:
        """Return what the branches made of the pictures with the features that answers use."""
        return Sight(seen, fuse(self._run.network, seen).main)


def settle_change(
    run: "Running", task: "TaskData", before: Mapping[str, Tensor]
) -> Generator[Stage | Note, None, tuple[Seen, bool]]:
    """Leave of the task's change what may stay.

    Returns what the branches make of its training pictures then, and whether the network is another than it was left.

    Args:
        before: the parameters that the task began with, and slow copies of before its averaging, by name.
    """
    change = Change(run, task, before)
    change.put(0.0)
    first = change.sight(run.before) if run.before is not None else (yield from change.look())
    change.put(1.0)
    last = yield from change.look()
    if run.learner.judges(run.learner.task):
        left = torch.from_numpy(judging(task.train_labels))
        gain = gain_of(first.main, last.main, torch.from_numpy(task.local_labels), left)
        if not gain.is_clear(run.config.method.least_gain):
            change.put(0.0)
            yield Note(_taken_back(task.info.name, gain))
            return first.seen, True
    if run.switches["interplay"] == "limited" and len(run.learner.learnt):
        last = yield from _drawn_back(run, task, change, first, last)
    return last.seen, change.share != 1


def _drawn_back(
    run: "Running", task: "TaskData", change: Change, first: Sight, last: Sight
) -> Generator[Stage | Note, None, Sight]:
    """Bring the network to where old logits move by no more than `method.interplay_limit`; return what is seen there."""
    most = run.config.method.interplay_limit * _NEAR
    rule = run.network.prototypes.rule().of(run.learner.learnt.tolist())
    start, share = rule(first.main).double(), 1.0
    far = moved = movement(start, rule(last.main).double())
    for _ in range(_TRIES):
        if moved <= most:
            break
        share *= run.config.method.interplay_limit / moved
        change.put(share)
        last = yield from change.look()
        moved = movement(start, rule(last.main).double())
    if moved > most:
        change.put(0.0)
        last, moved = first, 0.0
    if far > most:
        yield Note(
            f"Task '{task.info.name}' moved the answers for earlier classes by {100 * far:.0f} % of their spread, measured on its own "
            f"pictures; what it changed was drawn back until they moved by {100 * moved:.1f} %."
        )
    return last


def _taken_back(name: str, gain: Gain) -> str:
    return (
        f"Task '{name}': after training, pictures of it that training had left out were not clearly told apart better than before "
        f"({gain.mean:+.3f} ± {gain.error:.3f} nats), so what it changed was taken back, and its classes are answered with the "
        "features there were. More pictures may change that; the switch 'change' at 'kept' keeps it all the same."
    )
