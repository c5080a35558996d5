"""The discriminant and the ridge regression on random directions, answering together: a weighed sum of their logits.

Neither is the better one everywhere, and they err on different pictures. The weight is chosen by how likely the sum makes
the pictures of each task when each is left out of what answers for it (stacking: Wolpert 1992, Neural Networks 5(2)), from
losses that are added up over tasks, so that no picture is kept.
"""

from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.core.discriminant import DiscriminantHead
from workbench.core.projection import ProjectedRidgeHead
from workbench.core.rules import Linear, Summed

_LEAST = 1e-9  # times −∞ of a class that is not learnt is −∞ still
# G values of w
WEIGHTS = torch.linspace(0, 1, 21, dtype=torch.float64).clamp(_LEAST, 1 - _LEAST)
# K values of s: logits are of the size of cosines, and how sure they are is not what is compared
SCALES = torch.logspace(-0.5, 2, 11, dtype=torch.float64)


class EnsembleHead(DiscriminantHead):
    """ℓ_a(m) = (1 − w) · the discriminant's logit + w · that of `projection`, which learns the same pictures.

    w is the one of `WEIGHTS` with the least cross-entropy of left-out pictures, at the one of `SCALES` that suits it best. A
    picture is left out among the classes of its own task and those before it. Drift compensation moves the discriminant alone.
    """

    def __init__(self, width: int, votes: tuple[float, ...], directions: int) -> None:
        super().__init__(width, votes)
        self.projection = ProjectedRidgeHead(width, votes, directions)
        losses = torch.zeros(len(WEIGHTS), len(SCALES), dtype=torch.float64)
        self.register_buffer("losses", losses)  # (G, K), summed over pictures
        self.register_buffer("weighed", torch.full((), 0.5, dtype=torch.float64))  # w
        self.unweighed: list[
            tuple[Tensor, int]
        ] = []  # learnt since `settle`: features (n, D) and their class

    losses: Tensor
    weighed: Tensor

    def grow(self, classes: int) -> None:
        """Add empty rows to both until there are `classes`."""
        super().grow(classes)
        self.projection.grow(classes)

    def learn(self, class_id: int, features: Tensor, stand_for: int | None = None) -> None:
        """Fold the pictures' features (n, D) into the sums of both."""
        super().learn(class_id, features, stand_for)
        self.projection.learn(class_id, features, stand_for)
        self.unweighed.append((features.detach(), class_id))

    def settle(self) -> None:
        """Make both rules from their sums, each with the ridge of its own least KARE, and weigh them."""
        super().settle()
        self.projection.settle()
        if self.unweighed:
            self._weigh()
            self.unweighed = []
        best = self.losses.min(1).values.argmin()
        self.weighed.copy_(WEIGHTS[int(best)])

    def settle_roughly(self) -> None:
        """As `settle`, but with ridges and weight of before, or usual ones."""
        super().settle_roughly()
        self.projection.settle_roughly()

    def with_classes_of(self, other: Self) -> Self:
        """Return a copy that also answers for classes that only `other` has learnt; each member does so for itself."""
        made = super().with_classes_of(other)
        made.projection = self.projection.with_classes_of(other.projection)
        return made

    def spread(self) -> dict[str, Tensor]:
        """Return the discriminant's S and λ, the losses, and with `projection.` before their names the regression's sums."""
        own = {f"projection.{name}": each for name, each in self.projection.spread().items()}
        return super().spread() | {"losses": self.losses} | own

    def rule(self) -> Summed:
        """Return the rule that answers now."""
        other = self.projection
        a, b = (1 - self.weighed).to(self.rows), self.weighed.to(self.rows)
        first = Linear(a * self.rows, a * self.offsets)
        return Summed(first, other.rule_of(b * other.rows, b * other.offsets))

    @torch.no_grad()
    def left_out(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the logits (n, C) of learnt pictures (n, D), global labels (n,), each as if neither had learnt it."""
        first, second = self._each_left_out(features, labels)
        return ((1 - self.weighed) * first + self.weighed * second).to(features)

    def _each_left_out(self, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        second = self.projection.left_out(features, labels)
        return super().left_out(features, labels).double(), second.double()

    @torch.no_grad()
    def _weigh(self) -> None:
        """Add the losses of the pictures learnt since the last time, each left out of what answers for it."""
        features = torch.cat([each for each, _ in self.unweighed])  # (n, D)
        labels = torch.cat([torch.full((len(each),), label) for each, label in self.unweighed])
        known = torch.nonzero(self.counts.cpu() > 0).flatten()
        first, second = (each.cpu()[:, known] for each in self._each_left_out(features, labels))
        place = torch.searchsorted(known, labels)
        for g, w in enumerate(WEIGHTS.tolist()):
            mixed = (1 - w) * first + w * second  # (n, C_known)
            of_scales = [F.cross_entropy(s * mixed, place, reduction="sum") for s in SCALES]
            self.losses[g] += torch.stack(of_scales).to(self.losses)
