"""A batch whose activations do not fit into memory: the same step, with fewer of its pictures held at a time.

How much memory there is depends on what else uses the GPU at that moment, so that no estimate made before is
safe. Halving when it fails costs one step that is begun in vain.
"""

from collections.abc import Generator

import torch
from torch import Tensor

from workbench.core.running import Running
from workbench.errors import is_short_of_memory
from workbench.events import Note


def gradients(
    run: Running, images: Tensor, labels: Tensor
) -> Generator[Note, None, dict[str, Tensor]]:
    """Return the terms of a batch, their gradients set; where memory is short, say so and hold half as many pictures.

    Chance is drawn as if nothing had failed before, and what has been found out holds for the rest of the run.

    Raises:
        OutOfMemoryError, MemoryError, RuntimeError: not even one picture fits.
    """
    learner = run.learner
    before = learner.chance.get_state(), run.dropout.states, learner.skipped
    while True:
        try:
            return _computed(run, images, labels)
        except (RuntimeError, MemoryError) as error:
            held = min(learner.at_once or len(images), len(images))
            if held == 1 or not is_short_of_memory(error):
                raise
        # Only here, where the error is gone, is what it held on to.
        learner.fits = held // 2
        learner.optimiser.zero_grad()
        if images.is_cuda:
            torch.cuda.empty_cache()
        learner.chance.set_state(before[0])
        run.dropout.states, learner.skipped = before[1:]
        yield _note(run, len(images))


def _computed(run: Running, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    with run.dropout:
        batch = run.learner.forward(images, labels)
    terms = run.learner.losses(batch)
    run.learner.backward(terms)
    return terms


def _note(run: Running, batch: int) -> Note:
    fits = run.learner.fits
    pictures = "1 picture is" if fits == 1 else f"{fits} pictures are"
    return Note(
        f"Task {run.learner.task + 1}: {batch} pictures were too many for the memory that is free, so that from step "
        f"{run.step + 1:,} on {pictures} held at a time. Steps are still those of the whole batch; dropout draws otherwise.",
        "warning",
    )
