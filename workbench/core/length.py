"""How long a task is trained, and on which of its pictures.

So many epochs, or fewer where pictures are many and steps are limited; on all of them, or on all but those by which is
judged whether training was worth it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.config import TrainConfig

ONE_IN = 4  # of a class's training pictures, one in so many is judged by


@dataclass(frozen=True)
class Length:
    """A task's training as planned: epochs, of which the last may be cut short, steps, and pictures in these."""

    epochs: int
    steps: int
    pictures: int


NONE = Length(0, 0, 0)


def length_of(training: TrainConfig, pictures: int) -> Length:
    """Return how long a task of so many training pictures is trained, at most."""
    size = training.batch_size
    epoch = math.ceil(pictures / size)  # steps
    steps = training.epochs * epoch
    if training.max_steps and epoch:
        steps = min(steps, training.max_steps)
    whole, rest = divmod(steps, epoch) if epoch else (0, 0)
    return Length(whole + bool(rest), steps, whole * pictures + min(rest * size, pictures))


def judging(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which training pictures with `labels` (n,) are left to be judged by, (n,): every fourth of each class."""
    left = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        left[np.flatnonzero(labels == label)[ONE_IN - 1 :: ONE_IN]] = True
    return left


def taught(counts: Sequence[int]) -> int:
    """Return how many pictures of classes with so many are trained on where the others are left to be judged by."""
    return sum(n - n // ONE_IN for n in counts)
