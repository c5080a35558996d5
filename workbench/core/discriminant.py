"""The answering head of `repaired`: class means told apart in the metric of the pictures' spread about them.

The official head compares directions alone; on a strong backbone most of a feature varies with everything but the
class. Here classes share one covariance (linear discriminant analysis; streaming: Hayes and Kanan 2020, arXiv
1909.01520), held up by a ridge that the risk estimate KARE of the ridge regression on the same statistics chooses
(Jacot et al. 2020, arXiv 2006.09796), the measure M8 of the NTK monitor. Kept are sums over all pictures, and none of them.
"""

import torch
from torch import Tensor

from workbench.core.heads import PrototypeHead
from workbench.core.ridge import least_kare, ridge_solution
from workbench.core.rules import Linear, Rule

_USUAL = 1.0  # of the mean eigenvalue: right for few pictures
_LEAST = 1e-9  # of a denominator that is above 0 but for rounding


class DiscriminantHead(PrototypeHead):
    """ℓ_a(m) = ((μ_a − c)ᵀ A⁻¹ (m − c) − ½ (μ_a − c)ᵀ A⁻¹ (μ_a − c)) / u with A = S + λI, S the scatter within classes.

    c is the mean of the class means and u the mean of (μ_a − c)ᵀ A⁻¹ (μ_a − c), so that logits are of the size of
    cosines. Every class counts alike, however many pictures it has. `settle` makes the rule from the sums.
    """

    # no answer before it is learnt
    BY_CLASS = PrototypeHead.BY_CLASS | {"rows": 0, "offsets": -torch.inf}

    def __init__(self, width: int, votes: tuple[float, ...]) -> None:
        super().__init__(width, votes)
        self.register_buffer("scatter", torch.zeros(width, width, dtype=torch.float64))  # S, (D, D)
        self.register_buffer("ridge", torch.zeros((), dtype=torch.float64))  # λ
        self.register_buffer("rows", torch.zeros(0, width))  # (C_seen, D)
        self.register_buffer("offsets", torch.zeros(0))  # (C_seen,)

    scatter: Tensor
    ridge: Tensor
    rows: Tensor
    offsets: Tensor

    def learn(self, class_id: int, features: Tensor, stand_for: int | None = None) -> None:
        """Fold the pictures' features (n, D) into the class's mean and the common scatter."""
        z, old = features.detach().double(), int(self.counts[class_id])
        n, mean = len(z), z.mean(0)
        self.scatter += (z - mean).T @ (
            z - mean
        )  # of those that are there: few know little of how far all spread
        if old:  # two groups about one mean: Chan, Golub and LeVeque 1979
            between = self.weight[class_id].double() - mean
            self.scatter += old * n / (old + n) * torch.outer(between, between)
        super().learn(class_id, features, stand_for)

    @torch.no_grad()
    def settle(self) -> None:
        """Make the rule from the sums as they are now."""
        known, means, counts = self._known()
        self.ridge.fill_(chosen_ridge(self.scatter.cpu(), means, counts))
        self.answer_for(known)

    def settle_roughly(self) -> None:
        """As `settle`, but with the ridge of before, or a usual one: to choose it takes seconds where features are long."""
        known, means, counts = self._known()
        if not self.ridge:
            apart = means - (counts @ means) / counts.sum()
            whole = float(self.scatter.trace() + (counts @ apart.square()).sum())
            self.ridge.fill_(_USUAL * whole / len(self.scatter) or 1.0)
        self.answer_for(known)

    @torch.no_grad()
    def answer_for(self, places: Tensor) -> None:
        """Set the rule of the classes at these places (k,) from their means, in the metric as it was settled."""
        _, means, _ = self._known()
        centre = means.mean(0)  # what the classes learnt share tells none apart
        apart = self.weight.detach().cpu().double()[places.cpu()] - centre
        solved = self._solved(torch.cat([means - centre, apart]))
        unit = _mean_length(means - centre, solved[: len(means)])
        rows = solved[len(means) :] / unit  # (k, D)
        offsets = -(rows * (0.5 * apart + centre)).sum(1)
        self.rows[places], self.offsets[places] = rows.to(self.rows), offsets.to(self.offsets)

    def spread(self) -> dict[str, Tensor]:
        """Return S and λ."""
        return {"scatter": self.scatter, "ridge": self.ridge}

    def rule(self) -> Rule:
        """Return the rule that answers now."""
        return Linear(self.rows, self.offsets)

    @torch.no_grad()
    def left_out(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the logits (n, C) of learnt pictures (n, D), global labels (n,), each as if it had not been learnt.

        With r = x − μ_c and n_c pictures of its class, leaving x out takes n_c / (n_c − 1) r rᵀ from S and
        r / (n_c − 1) from μ_c; the inverse follows by Sherman and Morrison. λ, c and u stay; the only
        picture of its class stays too.
        """
        known, means, counts = self._known()
        centre = means.mean(0)
        means, x = means - centre, features.detach().cpu().double() - centre
        place = torch.searchsorted(known, labels.cpu())
        rest = counts[place] - 1  # (n,)
        share = torch.where(rest > 0, 1 / rest.clamp_min(1), 0.0)
        r = x - means[place]
        solved = self._solved(torch.cat([means, r]))
        P, u = solved[: len(means)], solved[len(means) :]  # (C, D), (n, D)
        x_u, h = (x * u).sum(1), (r * u).sum(1)
        kappa = share * counts[place]
        lift = kappa / (1 - kappa * h).clamp_min(_LEAST)
        t = r @ P.T  # (n, C)
        cross = x @ P.T + (lift * x_u)[:, None] * t
        own_length = (means * P).sum(1) + lift[:, None] * t.square()
        rows, grown = torch.arange(len(x)), 1 + lift * h  # 1 / (1 − κ h)
        cross[rows, place] -= share * x_u * grown
        own_length[rows, place] += (-2 * share * t[rows, place] + share.square() * h) * grown
        logits = torch.full((len(x), len(self.counts)), -torch.inf, dtype=torch.float64)
        logits[:, known] = (cross - 0.5 * own_length) / _mean_length(means, P)
        return logits.to(features)

    def _known(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return which classes are learnt (C,), their means (C, D) and numbers of pictures (C,), on the processor."""
        counts = self.counts.cpu()
        known = torch.nonzero(counts > 0).flatten()
        return known, self.weight.detach().cpu().double()[known], counts[known].double()

    def _solved(self, rows: Tensor) -> Tensor:
        """Return A⁻¹ of each row (k, D), on the processor: its solver gives the same with a GPU and without."""
        return ridge_solution(self.scatter.cpu(), float(self.ridge), rows.T).T


def _mean_length(apart: Tensor, solved: Tensor) -> float:
    """Return the mean of vᵀ A⁻¹ v over rows v (C, D), given A⁻¹ v; 1 where that is 0."""
    return float((apart * solved).sum(1).mean()) or 1.0


def chosen_ridge(scatter: Tensor, means: Tensor, counts: Tensor) -> float:
    """Return the λ of `RIDGES` whose ridge regression on one-hot targets has the least KARE, from sums alone.

    Args:
        scatter: S within classes, (D, D) float64.
        means, counts: of the classes learnt, (C, D) and (C,).

    With centred features X (n, D) and targets Y (n, C), XᵀX = S + Σ_a n_a (μ_a − μ)(μ_a − μ)ᵀ and XᵀY has columns
    n_a (μ_a − μ).
    """
    n = counts.sum()
    apart = means - (counts @ means) / n  # (C, D)
    cross = (counts[:, None] * apart).T  # (D, C)
    energy = float(n - counts.square().sum() / n)
    return least_kare(scatter + cross @ apart, cross, energy, float(n), 1)
