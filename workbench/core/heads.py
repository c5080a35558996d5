"""The two classifiers of NTK-CL: a proxy head that gives gradients, a prototype head that answers."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
    """Inference: class means, compared section by section.

    ℓ_a(m) = Σ_k μ_k · cos(m_[k], W_a,[k]) with one vote μ_k for each of the S sections.
    A class met again in a later task gets the mean over all its pictures, weighted by count.
    """

    def __init__(self, width: int, votes: tuple[float, ...]) -> None:
        super().__init__()
        self.votes = votes
        self.register_buffer("weight", torch.zeros(0, width))  # (C_seen, D)
        self.register_buffer("counts", torch.zeros(0, dtype=torch.int64))  # (C_seen,)

    weight: Tensor
    counts: Tensor

    def grow(self, classes: int) -> None:
        """Add empty rows until there are `classes`; old rows are kept."""
        new = classes - len(self.weight)
        if new > 0:
            self.weight = torch.cat([self.weight, self.weight.new_zeros(new, self.weight.shape[1])])
            self.counts = torch.cat([self.counts, self.counts.new_zeros(new)])

    def learn(self, class_id: int, features: Tensor) -> None:
        """Fold the pictures' features (n, D) into the class's prototype."""
        n, old = len(features), int(self.counts[class_id])
        mean = features.mean(0)
        self.weight[class_id] = (
            mean if old == 0 else (old * self.weight[class_id] + n * mean) / (old + n)
        )
        self.counts[class_id] = old + n

    def forward(self, m: Tensor) -> Tensor:
        """(B, D) -> (B, C_seen)."""
        S = len(self.votes)
        a = F.normalize(m.view(len(m), S, -1), dim=2)  # (B, S, d)
        b = F.normalize(self.weight.view(len(self.weight), S, -1), dim=2)  # (C, S, d)
        votes = torch.tensor(self.votes, dtype=m.dtype, device=m.device)
        return torch.einsum("bsd,csd,s->bc", a, b, votes)


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
