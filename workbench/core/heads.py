"""The two classifiers of NTK-CL: a proxy head that gives gradients, a prototype head that answers."""

import copy
import math
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.core.rules import Cosines, Rule


class ProxyHead(nn.Module):
    """Training only, new for each task: logits σ · cos(z, w_a) over the task's own classes."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(width)
        self.weight = nn.Parameter(torch.empty(classes, width).uniform_(-bound, bound))
        self.sigma = nn.Parameter(torch.ones(1))

    def forward(self, z: Tensor) -> Tensor:
        """(B, D) -> (B, C_t)."""
        return self.sigma * (F.normalize(z, dim=1) @ F.normalize(self.weight, dim=1).T)


class PrototypeHead(nn.Module):
    """Inference: class means, compared section by section as `rules.Cosines` says.

    A class met again in a later task gets the mean over all its pictures, weighted by count.

    Attributes:
        BY_CLASS: the buffers with a row for each class, and what an empty row holds.
        OWN: those of them that come from the class's own pictures alone.
    """

    BY_CLASS: ClassVar[dict[str, float]] = {"weight": 0, "counts": 0}
    OWN: ClassVar[tuple[str, ...]] = ("weight",)

    def __init__(self, width: int, votes: tuple[float, ...]) -> None:
        super().__init__()
        self.votes = votes
        self.register_buffer("weight", torch.zeros(0, width))  # (C_seen, D)
        self.register_buffer("counts", torch.zeros(0, dtype=torch.int64))  # (C_seen,)

    weight: Tensor
    counts: Tensor

    def grow(self, classes: int) -> None:
        """Add empty rows until there are `classes`; old rows are kept."""
        missing = classes - len(self.counts)
        if missing > 0:
            for name, empty in self.BY_CLASS.items():
                old = getattr(self, name)
                new = old.new_full((missing, *old.shape[1:]), empty)
                setattr(self, name, torch.cat([old, new]))

    def learn(self, class_id: int, features: Tensor, stand_for: int | None = None) -> None:
        """Fold the pictures' features (n, D) into the class's prototype; they may `stand_for` more pictures than they are."""
        n, old = stand_for or len(features), int(self.counts[class_id])
        mean = features.mean(0)
        self.weight[class_id] = (
            mean if old == 0 else (old * self.weight[class_id] + n * mean) / (old + n)
        )
        self.counts[class_id] = old + n

    def settle(self) -> None:
        """Be told that a task's classes are learnt, before anything is answered; here nothing is left to do."""

    def settle_roughly(self) -> None:
        """As `settle`, without what takes long: for a glimpse."""
        self.settle()

    def with_classes_of(self, other: Self) -> Self:
        """Return a copy that also answers for classes that `other`, a head of its kind, has learnt and this one has not.

        All else stays: what these classes would take from the others by being there, and nothing more.
        """
        made = copy.deepcopy(self)
        made.grow(len(other.counts))
        new = torch.nonzero((other.counts > 0) & (made.counts == 0)).flatten()
        for name in self.OWN:
            rows = getattr(made, name)
            rows[new] = getattr(other, name)[new].to(rows)
        made.answer_for(new)
        return made

    def answer_for(self, places: Tensor) -> None:
        """Be told that what is its classes' own is set for those at these places; here nothing is left to do."""

    def spread(self) -> dict[str, Tensor]:
        """Return the buffers that answering does not need, and learning more classes does; here there is none."""
        return {}

    def rule(self) -> Rule:
        """Return the rule that answers now; it may change with the head, unless it is made a copy of."""
        return Cosines(self.weight, self.votes)

    def forward(self, m: Tensor) -> Tensor:
        """(B, D) -> (B, C_seen)."""
        return self.rule()(m)

    def left_out(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the logits (n, C) of learnt pictures (n, D), global labels (n,), each as if it had not been learnt.

        A mean over a class hardly knows one picture, so that here they are the logits as they are.
        """
        logits: Tensor = self(features)
        return logits


def drift_of(prototypes: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Estimate how prototypes (C, D) moved from how the present task's pictures (n, D) moved.

    Yu et al. 2020, semantic drift compensation (arXiv 2004.00440): each prototype takes the mean
    movement of the pictures, weighted by a Gaussian of their distance to it; the bandwidth is the
    median distance.
    """
    distance = torch.cdist(prototypes, before)  # (C, n)
    bandwidth = distance.median().clamp_min(torch.finfo(distance.dtype).tiny)
    weights = torch.softmax(-(distance**2) / (2 * bandwidth**2), dim=1)
    return weights @ (after - before)
