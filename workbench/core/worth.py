"""Whether a task's training was worth its change: are pictures of it that training left out told apart better than before?

Training on few pictures, or on classes that the frozen backbone tells apart already, moves features to no end, and what
later tasks will need can be lost. The pictures that were trained on say little of that: their features have seen them.
Those that were left out (`core.length.judging`) are answered by the discriminant of `core.discriminant`, fitted to the
others' features of before and of after. Being fewer, they must say it clearly, by `method.least_gain` standard errors.
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


def surprise(features: Tensor, labels: Tensor, left: Tensor) -> Tensor:
    """Return −log p (m,) of those pictures with features (n, D) and labels (n,) in 0…C−1 that are `left` out (n,), m of n.

    They are answered by a discriminant of the others, its logits times the one of `SCALES` that suits the others best, each of
    them left out in turn.
    """
    head = DiscriminantHead(features.shape[1], (1.0,))
    known, classes = ~left, int(labels.max()) + 1
    head.grow(classes)
    for label in range(classes):
        head.learn(label, features[known & (labels == label)])
    head.settle()
    own = head.left_out(features[known], labels[known]).double()
    scale = min(SCALES, key=lambda each: float(F.cross_entropy(each * own, labels[known])))
    return F.cross_entropy(scale * head(features[left]).double(), labels[left], reduction="none")


def gain_of(before: Tensor, after: Tensor, labels: Tensor, left: Tensor) -> Gain:
    """Return the gain on pictures `left` out (n,), of features (n, D) of before and of after, and labels (n,) in 0…C−1.

    With fewer than two left out, without two classes, or two pictures of one to answer by, nothing is told apart: no gain.
    """
    counts = torch.bincount(labels[~left])
    if int(left.sum()) < 2 or int((counts > 0).sum()) < 2 or int(counts.max()) < 2:
        return Gain(0.0, 0.0)
    features = before.detach().float().cpu(), after.detach().float().cpu()
    gains = surprise(features[0], labels, left) - surprise(features[1], labels, left)  # (m,)
    return Gain(float(gains.mean()), float(gains.std()) / len(gains) ** 0.5)
