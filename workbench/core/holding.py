"""Holding a task back: what it has changed is drawn back until old classes are answered nearly as before.

Class means, spreads and Gram matrices of earlier tasks were measured through the parameters of their time, and their
pictures are gone. Training that moves features far makes them worthless, however well the new task is learnt. What can
be seen is how far old classes' logits move on the new task's own pictures: the interplay gap of the NTK view, measured
and not predicted. It bounds the step from the parameters before the task to those after it and its averaging.
"""

import math
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.core.evaluate import fuse, see
from workbench.core.rules import Rule
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


def hold_back(
    run: "Running", task: "TaskData", before: Mapping[str, Tensor]
) -> Generator[Stage | Note, None, None]:
    """Bring the network to θ + s (θ' − θ), s ≤ 1, so that old logits move by no more than `method.interplay_limit`.

    Args:
        before: θ, by the names of the network's parameters; θ' are those that it has.
    """
    limit, old = run.config.method.interplay_limit, run.learner.learnt
    if not len(old) or len(task.train) < 2:
        return
    rule = run.network.prototypes.rule().of(old.tolist())
    after = {name: p.detach().clone() for name, p in run.network.named_parameters() if name in before}  # fmt: skip
    _put(run, before, after, 0.0)
    first = yield from _logits(run, task, rule)
    share = 1.0
    moved = far = 0.0
    for number in range(_TRIES):
        _put(run, before, after, share)
        moved = movement(first, (yield from _logits(run, task, rule)))
        far = far or moved
        if moved <= limit * _NEAR:
            break
        share *= limit / moved
        if number == _TRIES - 1:
            _put(run, before, after, 0.0)
            moved = 0.0
    if far > limit * _NEAR:
        yield Note(
            f"Task '{task.info.name}' moved the answers for earlier classes by {100 * far:.0f} % of their spread, measured on its own "
            f"pictures; what it changed was drawn back until they moved by {100 * moved:.1f} %."
        )


def _logits(run: "Running", task: "TaskData", rule: Rule) -> Generator[Stage, None, Tensor]:
    """Return old classes' logits (n, C_old) on the task's training pictures, in float64."""
    assert run.place.frozen is not None
    text = f"Looking how far '{task.info.name}' moves earlier answers"
    seen = yield from see(run.network, run.feeder, task.train, run.place.frozen, text)
    return rule(fuse(run.network, seen).main).double()


@torch.no_grad()
def _put(
    run: "Running", before: Mapping[str, Tensor], after: Mapping[str, Tensor], share: float
) -> None:
    for name, parameter in run.network.named_parameters():
        if name in before:
            parameter.copy_(torch.lerp(before[name], after[name], share))
