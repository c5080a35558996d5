"""Whether a task's training was worth its change: are the task's own pictures told apart better than before it?

Training on few pictures, or on classes that the frozen backbone tells apart already, moves features to no end, and what
later tasks will need can be lost. The pictures at hand say something of that: the discriminant of `core.discriminant`,
fitted to features of before and of after, answers each picture as if it had never seen it. The features have, if they were
trained on it, so that the gain is an optimistic one; that is why it must be clear, by `method.least_gain` standard errors.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.core.discriminant import DiscriminantHead
from workbench.core.ensemble import SCALES


@dataclass(frozen=True)
class Gain:
    """By how much less surprising a task's own pictures are than before, in nats: mean and its standard error."""

    mean: float
    error: float

    def is_clear(self, errors: float) -> bool:
        """Whether it is above 0 by so many standard errors; a gain that is not finite is none."""
        return self.mean > errors * self.error


def surprise(features: Tensor, labels: Tensor) -> Tensor:
    """Return −log p (n,) of pictures with features (n, D) and labels (n,) in 0…C−1, each left out of what answers for it.

    Logits are taken times the one of `SCALES` that suits all pictures best.
    """
    head = DiscriminantHead(features.shape[1], (1.0,))
    classes = int(labels.max()) + 1
    head.grow(classes)
    for label in range(classes):
        head.learn(label, features[labels == label])
    head.settle()
    logits = head.left_out(features, labels).double()
    losses = [F.cross_entropy(scale * logits, labels, reduction="none") for scale in SCALES]
    return min(losses, key=lambda each: float(each.mean()))


def gain_of(before: Tensor, after: Tensor, labels: Tensor) -> Gain:
    """Return the gain of pictures with features (n, D) of before and of after, and labels (n,) in 0…C−1.

    Without two classes, or two pictures of one, nothing is told apart: no gain.
    """
    counts = torch.bincount(labels)
    if len(counts) < 2 or int(counts.max()) < 2:
        return Gain(0.0, 0.0)
    features = before.detach().float().cpu(), after.detach().float().cpu()
    gains = surprise(features[0], labels) - surprise(features[1], labels)  # (n,)
    return Gain(float(gains.mean()), float(gains.std()) / len(gains) ** 0.5)
