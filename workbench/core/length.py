"""How long a task is trained: so many epochs of its pictures, or fewer where they are many and steps are limited."""

import math
from dataclasses import dataclass

from workbench.config import TrainConfig


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
