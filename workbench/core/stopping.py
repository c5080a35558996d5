"""When a later task's training ends before its last epoch: once it has moved old answers further than may stay.

`core.holding` draws a task's change back until the answers for earlier classes, on the task's own pictures, are nearly what
they were. Where a few steps move them that far already, the rest is time for nothing. So after 2, 4, 8, … steps some of
the task's pictures are looked at, with the network as it would stand if the task ended there: the interplay gap of the
NTK view, measured and not predicted.
"""

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from workbench.core.evaluate import Seen, fuse, see
from workbench.core.holding import movement
from workbench.core.learner import LOOKED_AT
from workbench.core.running import Running
from workbench.core.tasks import TaskData
from workbench.events import Note, Stage


def is_due(steps: int) -> bool:
    """Whether a task is to be looked at after so many of its steps: 2, 4, 8, …"""
    return steps > 1 and steps.bit_count() == 1


def old_answers(
    run: Running, task: TaskData, *, planned: bool = False
) -> Generator[Stage, None, tuple[Tensor, Seen]]:
    """Return old classes' logits (m, C) on some of the task's training pictures, as the network stands, and what it saw.

    `planned`: whether the run counts on this look.
    """
    assert run.place.frozen is not None
    at = np.linspace(0, len(task.train) - 1, min(len(task.train), LOOKED_AT)).astype(int)
    text = f"Looking at what '{task.info.name}' changes"
    seen = yield from see(run.network, run.feeder, task.train[at], run.place.frozen[at], text)
    run.network.train()
    passes = run.network.passes_of_look * len(at)
    run.pacer.expect(0 if planned else passes, 0)
    run.pacer.did(passes)
    run.pacer.restart_clock_of_images()
    rule = run.network.prototypes.rule().of(run.learner.learnt.tolist())
    return rule(fuse(run.network, seen).main).double(), seen


def look(run: Running, task: TaskData, *, is_last: bool) -> Generator[Stage | Note, None, None]:
    """After a step: if it is time, look how far old answers have moved, and end the task if that is too far."""
    place, done = run.place, run.step - run.place.first
    planned = run.learner.length(place.task, task.info.train_counts).steps
    if place.start is None or not is_due(done) or not _is_worth_it(run, task, planned - done):
        return
    with _as_ended(run, is_last=is_last):
        now, _ = yield from old_answers(run, task)
    far, limit = movement(place.start, now), run.config.method.interplay_limit
    if far > limit:
        _end(run)
        yield Note(
            f"Task '{task.info.name}' was trained for {done} of {planned:,} steps: they moved the answers for earlier classes by "
            f"{100 * far:.1f} % of their spread, measured on its own pictures, and no more than {100 * limit:g} % is to stay."
        )


def _is_worth_it(run: Running, task: TaskData, steps: int) -> bool:
    """Whether a look costs less than the steps that are left: else they are made, and `core.holding` looks after them."""
    left = run.network.passes_of_step * steps * run.config.train.batch_size
    return run.network.passes_of_look * min(len(task.train), LOOKED_AT) < left


def _end(run: Running) -> None:
    """Leave out the rest of the epoch, and those to come."""
    place, size = run.place, run.config.train.batch_size
    assert place.rest is not None
    left = len(place.rest)
    run.pacer.expect(-run.network.passes_of_step * left, -math.ceil(left / size))
    place.over, place.rest = True, place.rest[:0]


@contextmanager
def _as_ended(run: Running, *, is_last: bool) -> Iterator[None]:
    """Let the slow copies be what they would be after the task."""
    named = run.network.named_parameters()
    slow = {name: p.detach().clone() for name, p in named if ".ema." in name}
    run.learner.average(is_last=is_last)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, parameter in run.network.named_parameters():
                if name in slow:
                    parameter.copy_(slow[name])
