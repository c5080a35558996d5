"""What kernels say of learning by ridge regression: a forecast before training, tasks in sequence, and which ridge.

The model is taken as linear about the state from which a task is learnt. Movement of old outputs:
Hidekel & Raviv 2026 (arXiv 2606.18024); the sequence: Bennani, Doan & Sugiyama 2020 (arXiv
2006.11942). Both are exact for a linear head on fixed features. Rows are sample-major, float64.
The ridge of a head that is solved for is the one of least KARE (Jacot et al. 2020, arXiv 2006.09796).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.core.kernel import Spectrum, spectrum, spectrum_within

# Degrees of freedom that must be left, of the pictures. KARE takes all for equally hard to leave out; where nearly
# all freedom is gone they are not: for the sample's 774 pictures in 2,000 random directions it says 0.47 of the
# smallest ridge, where leaving one out finds 0.90.
FREE = 0.2
RIDGES = torch.logspace(-6, 2, 33, dtype=torch.float64)  # in units of the mean eigenvalue


def ridge_movement(k_ab: Tensor, parts_b: Spectrum, residual: Tensor, ridge: float) -> Tensor:
    """Return K_AB (K_BB + λI)⁻¹ Ỹ_B, how learning B to the end moves A's outputs: (N_A,).

    k_ab is (N_A, N_B), `parts_b` the spectrum of K_BB, residual Ỹ_B = Y − h(X_B) (n_B, C), λ ≥ 0.
    With λ = 0, directions in which K_BB is zero are left out, which is the limit λ → 0.
    """
    shifted = parts_b.values + ridge
    inverse = torch.where(shifted > 0.0, 1.0 / shifted, torch.zeros_like(shifted))
    return k_ab @ _filtered(parts_b, residual, inverse)


def finite_movement(
    k_ab: Tensor, parts_b: Spectrum, residual: Tensor, rate: float, steps: int
) -> Tensor:
    """Return how `steps` steps of gradient descent on B move A's outputs: (N_A,).

    Full batches on (1/2n)‖h − Y‖² over B's n pictures, step size η = `rate`: K_AB U diag((1 − (1 −
    ηΛ_i/n)^t)/Λ_i) Uᵀ Ỹ_B, with tη/n where Λ_i = 0. Grows without bound where ηΛ_max/n > 2.
    """
    pace = rate / len(residual)
    share = pace * parts_b.values  # ηΛ/n
    # Of a small share, 1 − (1 − share)^t would keep no digits.
    small = -torch.expm1(steps * torch.log1p(-share.clamp_max(0.5)))
    learnt = torch.where(share < 0.5, small, 1.0 - (1.0 - share) ** steps)
    unseen = torch.full_like(share, steps * pace)
    inverse = torch.where(share > 0.0, learnt / parts_b.values, unseen)
    return k_ab @ _filtered(parts_b, residual, inverse)


def _filtered(parts: Spectrum, residual: Tensor, inverse: Tensor) -> Tensor:
    return parts.vectors @ (inverse * (parts.vectors.T @ residual.reshape(-1)))


def ridge_solution(gram: Tensor, ridge: float, right: Tensor) -> Tensor:
    """Return (G + λI)⁻¹ of columns (D, k), for a positive G (D, D), which stays as it is; λ > 0 where G is singular."""
    metric = gram.clone()
    metric.diagonal().add_(ridge)
    return torch.cholesky_solve(right, torch.linalg.cholesky(metric))


@dataclass(frozen=True)
class RidgeSequence:
    """Tasks learnt one after the other, by their order; every list has one entry a task."""

    outputs: tuple[tuple[Tensor, ...], ...]  # [k][τ]: f_k(X_τ) (N_τ,) after k tasks, k = 0 … T
    residuals: tuple[Tensor, ...]  # r_τ = f_τ(X_τ) − Y_τ as task τ was learnt
    drifts: tuple[tuple[Tensor, ...], ...]  # [k][τ]: d_{τ←k}, what learning task k moved
    interplay: tuple[float, ...]  # G_τ of eq. (3), in squared outputs; < 0 where a task gained

    @property
    def total(self) -> float:
        """Σ_τ G_τ, what all tasks lost together by what was learnt after them."""
        return sum(self.interplay)


def ridge_sequence(
    kernels: Sequence[Sequence[Tensor]],
    targets: Sequence[Tensor],
    start: Sequence[Tensor],
    ridges: Sequence[float],
    parts: Sequence[Spectrum] = (),
) -> RidgeSequence:
    """Learn all tasks in their order by ridge regression, in function space.

    kernels[τ][k] is K_k(X_τ, X_k) (N_τ, N_k); targets Y_τ and the untrained outputs `start` are
    (n_τ, C_τ), N = n C; λ_k ≥ 0 holds task k to where it started; `parts` are the spectra of
    kernels[k][k] where they are known. Own residual r_τ = −λ(K_τ + λI)⁻¹Ỹ_τ; a task's loss after
    all is ‖r_τ + Σ_{k>τ} d_{τ←k}‖² / (n_τ C_τ).
    """
    parts = parts or [spectrum(row[k]) for k, row in enumerate(kernels)]
    now = [outputs.reshape(-1) for outputs in start]
    outputs, drifts, residuals = [tuple(now)], [], []
    for k, (wanted, ridge) in enumerate(zip(targets, ridges, strict=True)):
        missing = wanted - now[k].reshape(wanted.shape)
        moved = tuple(ridge_movement(row[k], parts[k], missing, ridge) for row in kernels)
        now = [before + by for before, by in zip(now, moved, strict=True)]
        outputs.append(tuple(now))
        drifts.append(moved)
        residuals.append(now[k] - wanted.reshape(-1))
    gains = (_interplay(own, now[t] - outputs[t + 1][t]) for t, own in enumerate(residuals))
    return RidgeSequence(tuple(outputs), tuple(residuals), tuple(drifts), tuple(gains))


def _interplay(own: Tensor, drift: Tensor) -> float:
    """Return (2 r·D + ‖D‖²) / (n C)."""
    return float(2.0 * own @ drift + drift @ drift) / len(own)


def least_kare(gram: Tensor, cross: Tensor, energy: float, pictures: float, taken: int) -> float:
    """Return the λ of `RIDGES` whose ridge regression has the least KARE and at least `FREE`, from sums over n pictures.

    Args:
        gram, cross: XᵀX (D, D) and XᵀY (D, C), float64.
        energy: ‖Y‖².
        pictures: n.
        taken: degrees of freedom that are gone before: 1 where X and Y are centred, else 0.

    KARE = (‖Y − XW‖² / n) / (1 − df / n)² with df = `taken` + tr XᵀX (XᵀX + λI)⁻¹; NaN of sums that are not finite.
    """
    parts = spectrum_within(gram, math.ceil(pictures))
    # all pictures alike, and any ridge as good as another; or not finite
    if not parts.mean > 0:
        return 1.0 if parts.mean == 0 else parts.mean
    seen = parts.values > 0
    values = parts.values[seen]  # (r,)
    power = (parts.vectors[:, seen].T @ cross).square().sum(1) / values  # (r,) of Y
    ridges = RIDGES * parts.mean  # (G,)
    shrunk = ridges[:, None] / (values + ridges[:, None])  # (G, r)
    # As sums of what is left, not as differences: with fewer pictures than directions both go to 0 with λ.
    spare = pictures - taken - len(values)
    outside = max(energy - float(power.sum()), 0.0) if spare > 0 else 0.0
    left, free = outside + (power * shrunk.square()).sum(1), (spare + shrunk.sum(1)) / pictures
    risk = torch.where(free > FREE, left / free.square(), torch.inf)
    return float(ridges[int(risk.argmin())]) if bool(risk.isfinite().any()) else float(ridges[-1])
