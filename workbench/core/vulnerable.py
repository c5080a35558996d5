"""In how few of an old task's directions it is forgotten: the vulnerable rank.

Forgetting is low-rank where a few leading eigenvectors of the old kernel hold most of the movement
(Hidekel & Raviv 2026, arXiv 2606.18024); for a linear head about C times the features' effective rank.
"""

import torch
from torch import Tensor

from workbench.core.complexity import shape
from workbench.core.gaps import Value
from workbench.core.kernel import Spectrum, spectrum

SHARE = 0.9  # of the movement's energy
_TIE = 1e-9  # eigenvalues closer than this share of the largest have no eigenvectors of their own


def vulnerable_rank(parts: Spectrum, movement: Tensor) -> Value:
    """Return the least k with Σ_{i≤k} (u_iᵀΔ)² ≥ 0.9 ‖Δ‖², u_i by falling eigenvalue: 1 to N.

    `parts` is the old task's kernel (N, N) and `movement` its Δ, (n, C) or (N,). Equal eigenvalues, as
    a linear head has them C-fold, share their energy equally: it does not depend on the basis then.
    """
    moved = movement.reshape(-1)
    total = moved.square().sum()
    if not (total.isfinite() and parts.values.isfinite().all()):
        return Value(None, "the movement or the kernel is not finite")
    if total == 0.0:
        return Value(None, "nothing moved")
    kept = parts.values.flip(0) > 0
    if not kept.any():
        return Value(None, "the kernel is zero")
    energy = (parts.vectors.T @ moved).square().flip(0)[kept]  # (r,)
    held = _shared(parts.values.flip(0)[kept], energy).cumsum(0)
    # a hair's breadth of slack: where the share is met exactly, rounding must not add a direction
    enough = held >= SHARE * total * (1.0 - _TIE)
    if not enough.any():
        return Value(None, "less than nine tenths of the movement lie in the kernel's directions")
    return Value(float(enough.int().argmax()) + 1.0)


def _shared(values: Tensor, energy: Tensor) -> Tensor:
    """Return the energies (r,) with those of equal eigenvalues (r,), falling, set to their mean."""
    steps = values[:-1] - values[1:] > _TIE * values[0]
    group = torch.cat([steps.new_zeros(1), steps]).cumsum(0)  # (r,)
    sums = torch.zeros_like(energy).index_add(0, group, energy)
    counts = torch.zeros_like(energy).index_add(0, group, torch.ones_like(energy))
    return (sums / counts.clamp_min(1.0))[group]


def expected_rank(features: Tensor, classes: int) -> Value:
    """Return C · k_G, k_G the effective rank of the Gram matrix of features (n, d): a linear head's."""
    if not features.isfinite().all():
        return Value(None, "the features are not finite")
    rank = shape(spectrum(features @ features.T).values).effective_rank
    if rank.value is None:
        return Value(None, "the features are zero")
    return Value(classes * rank.value)
