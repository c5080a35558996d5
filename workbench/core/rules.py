"""How features become the logits that answer, and the logits' slopes: what a head stands for at one moment.

The monitor holds such a rule fixed while the network learns on: logits g of old classes move with the features alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.core.kernel import CHUNK_ELEMENTS, prototype_vectors


@dataclass(frozen=True)
class _Rows(ABC):
    """What has one row for each of C classes."""

    rows: Tensor  # (C, D)

    @property
    def width(self) -> int:
        """D."""
        return int(self.rows.shape[1])

    def __len__(self) -> int:
        return len(self.rows)

    @abstractmethod
    def slopes(self, m: Tensor) -> Tensor:
        """Return q = ∂ℓ/∂m, (n, C, D)."""

    def along(self, m: Tensor, ways: Tensor) -> Tensor:
        """Return q_ia · v_i, how fast logits move as features m (n, D) move along v (n, D): (n, C)."""
        strip = max(1, CHUNK_ELEMENTS // max(1, self.rows.numel()))
        pairs = zip(torch.split(m, strip), torch.split(ways, strip), strict=True)
        return torch.cat([torch.einsum("nad,nd->na", self.slopes(a), v) for a, v in pairs])


@dataclass(frozen=True)
class Cosines(_Rows):
    """ℓ_a(m) = Σ_k μ_k · cos(m_[k], w_a,[k]) with rows w and one vote μ_k for each of the S sections (arXiv 2407.17120)."""

    votes: tuple[float, ...]

    def __call__(self, m: Tensor) -> Tensor:
        """(n, D) -> (n, C)."""
        S = len(self.votes)
        a = F.normalize(m.view(len(m), S, -1), dim=2)  # (n, S, d)
        b = F.normalize(self.rows.view(len(self.rows), S, -1), dim=2)  # (C, S, d)
        votes = torch.tensor(self.votes, dtype=m.dtype, device=m.device)
        return torch.einsum("bsd,csd,s->bc", a, b, votes)

    def slopes(self, m: Tensor) -> Tensor:
        """Return q = ∂ℓ/∂m, (n, C, D)."""
        return prototype_vectors(m, self.rows, torch.tensor(self.votes, dtype=torch.float64))

    def of(self, places: Sequence[int]) -> "Cosines":
        """Return the rule for the classes at these places alone."""
        return Cosines(self.rows[list(places)], self.votes)

    def double(self) -> "Cosines":
        """Return a copy in float64 that nothing changes."""
        return Cosines(self.rows.detach().double().clone(), self.votes)


@dataclass(frozen=True)
class OwnCosines(_Rows):
    """ℓ_a(m) = Σ_k μ_ak · cos(m_[k], w_a,[k]): as `Cosines`, with votes of each class's own (arXiv 2403.12030)."""

    votes: Tensor  # μ, (C, S)

    def __call__(self, m: Tensor) -> Tensor:
        """(n, D) -> (n, C)."""
        S = self.votes.shape[1]
        a = F.normalize(m.view(len(m), S, -1), dim=2)  # (n, S, d)
        b = F.normalize(self.rows.view(len(self.rows), S, -1), dim=2)  # (C, S, d)
        return a.flatten(1) @ (b * self.votes.to(m)[:, :, None]).flatten(1).T

    def slopes(self, m: Tensor) -> Tensor:
        """Return q = ∂ℓ/∂m, (n, C, D)."""
        S = self.votes.shape[1]
        each = prototype_vectors(m, self.rows, torch.ones(S))
        return each * self.votes.to(m).repeat_interleave(self.width // S, 1)

    def of(self, places: Sequence[int]) -> "OwnCosines":
        """Return the rule for the classes at these places alone."""
        return OwnCosines(self.rows[list(places)], self.votes[list(places)])

    def double(self) -> "OwnCosines":
        """Return a copy in float64 that nothing changes."""
        return OwnCosines(self.rows.detach().double().clone(), self.votes.detach().double().clone())


@dataclass(frozen=True)
class Linear(_Rows):
    """ℓ_a(m) = w_aᵀ m + b_a with rows w."""

    offsets: Tensor  # b, (C,)

    def __call__(self, m: Tensor) -> Tensor:
        """(n, D) -> (n, C)."""
        return m @ self.rows.T + self.offsets

    def slopes(self, m: Tensor) -> Tensor:
        """Return q = ∂ℓ/∂m, (n, C, D), the same for every picture."""
        return self.rows.expand(len(m), *self.rows.shape)

    def along(self, m: Tensor, ways: Tensor) -> Tensor:
        """Return q_ia · v_i, (n, C)."""
        return ways @ self.rows.T

    def of(self, places: Sequence[int]) -> "Linear":
        """Return the rule for the classes at these places alone."""
        return Linear(self.rows[list(places)], self.offsets[list(places)])

    def double(self) -> "Linear":
        """Return a copy in float64 that nothing changes."""
        return Linear(self.rows.detach().double().clone(), self.offsets.detach().double().clone())


@dataclass(frozen=True)
class Projected:
    """A linear rule on ReLU(Pᵀ m) with fixed random directions P (arXiv 2307.02251)."""

    directions: Tensor  # P, (D, M)
    linear: Linear  # (C, M)

    def __call__(self, m: Tensor) -> Tensor:
        """(n, D) -> (n, C)."""
        return self.linear(F.relu(m @ self.directions.to(m)))

    def slopes(self, m: Tensor) -> Tensor:
        """Return q = ∂ℓ/∂m = Σ_j w_aj [P_jᵀ m > 0] P_j, (n, C, D)."""
        directions = self.directions.to(m)
        q = m.new_empty(len(m), len(self), self.width)
        active = (m @ directions > 0).to(m)  # (n, M)
        for place, row in enumerate(self.linear.rows):
            q[:, place] = (active * row) @ directions.T
        return q

    def along(self, m: Tensor, ways: Tensor) -> Tensor:
        """Return q_ia · v_i = Σ_j w_aj [P_jᵀ m_i > 0] P_jᵀ v_i, (n, C), without q: D times fewer operations a class."""
        directions = self.directions.to(m)
        return (m @ directions > 0) * (ways @ directions) @ self.linear.rows.T

    def of(self, places: Sequence[int]) -> "Projected":
        """Return the rule for the classes at these places alone."""
        return Projected(self.directions, self.linear.of(places))

    def double(self) -> "Projected":
        """Return a copy in float64 that nothing changes; the directions, which nothing changes either, it shares."""
        return Projected(self.directions, self.linear.double())

    @property
    def width(self) -> int:
        """D."""
        return len(self.directions)

    def __len__(self) -> int:
        return len(self.linear)


@dataclass(frozen=True)
class Summed:
    """The sum of the logits of two rules for the same classes, ℓ_a(m) = ℓ¹_a(m) + ℓ²_a(m)."""

    first: Linear
    second: Projected

    def __call__(self, m: Tensor) -> Tensor:
        """(n, D) -> (n, C)."""
        return self.first(m) + self.second(m)

    def slopes(self, m: Tensor) -> Tensor:
        """Return q = ∂ℓ/∂m, (n, C, D)."""
        return self.first.slopes(m) + self.second.slopes(m)

    def along(self, m: Tensor, ways: Tensor) -> Tensor:
        """Return q_ia · v_i, (n, C)."""
        return self.first.along(m, ways) + self.second.along(m, ways)

    def of(self, places: Sequence[int]) -> "Summed":
        """Return the rule for the classes at these places alone."""
        return Summed(self.first.of(places), self.second.of(places))

    def double(self) -> "Summed":
        """Return a copy in float64 that nothing changes."""
        return Summed(self.first.double(), self.second.double())

    @property
    def width(self) -> int:
        """D."""
        return self.first.width

    def __len__(self) -> int:
        return len(self.first)


Rule = Cosines | OwnCosines | Linear | Projected | Summed
