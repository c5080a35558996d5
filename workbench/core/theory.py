"""Average-case theory of kernel ridge regression: how the error falls with the number of samples.

Bordelon, Canatar & Pehlevan 2020 (arXiv 2002.02561) and Canatar, Bordelon & Pehlevan 2021 (Nature
Communications 12, 2914): from the kernel's eigenvalues and the target's energy in each eigenfunction,
the expected error over samples. Ridge λ stands on the unnormalised Gram matrix.
"""

import math

import torch
from torch import Tensor

from workbench.core.gaps import Value, ratio
from workbench.core.kernel import Spectrum


def learning_curve(
    eigenvalues: Tensor, energies: Tensor, samples: float, ridge: float, noise: float = 0.0
) -> float:
    """Return the expected squared error after n `samples`, without the noise of the test labels.

    E_g = (κ² Σ_ρ a_ρ² / (κ + nλ_ρ)² + σ² γ) / (1 − γ), with κ = λ + κ Σ_ρ λ_ρ / (nλ_ρ + κ) and
    γ = Σ_ρ n λ_ρ² / (κ + nλ_ρ)². `eigenvalues` λ_ρ ≥ 0 and `energies` a_ρ² are (M,), with respect to the
    law of the data; `ridge` λ ≥ 0; `noise` is the variance σ² of training labels. Infinite where
    there is no ridge and as many directions as samples; NaN for numbers that are not finite.
    """
    if not (eigenvalues.isfinite().all() and energies.isfinite().all() and math.isfinite(ridge)):
        return math.nan
    kappa = _effective_ridge(eigenvalues, samples, ridge)
    share = samples * eigenvalues / (kappa + samples * eigenvalues)  # (M,), learnt of each mode
    share = torch.where(eigenvalues > 0, share, 0.0)  # 0/0 for κ = 0
    gamma = float(share.square().sum()) / samples if samples else 0.0
    bias = float(((1.0 - share).square() * energies).sum())
    if 1.0 - gamma <= torch.finfo(torch.float64).eps:
        return math.inf
    return (bias + noise * gamma) / (1.0 - gamma)


def _effective_ridge(eigenvalues: Tensor, samples: float, ridge: float) -> float:
    """Return κ by bisection: κ − λ − Σ κλ_ρ/(nλ_ρ + κ) is convex, and its sum lies between 0 and Σ λ_ρ."""
    positive = eigenvalues[eigenvalues > 0]
    low, high = ridge, ridge + float(positive.sum())
    while low < (middle := 0.5 * (low + high)) < high:
        excess = middle * float((positive / (samples * positive + middle)).sum())
        low, high = (middle, high) if middle < ridge + excess else (low, middle)
    return high


def extrapolated_error(
    parts: Spectrum, targets: Tensor, ridge: float, pictures_now: int, pictures_whole: int
) -> Value:
    """Return the surrogate's expected mean squared error if it were fitted to the whole task.

    The probe's kernel `parts` (N, N), N = n C rows of n = `pictures_now`, stands for the data's law: its
    eigenvalues over N are λ_ρ, and a_ρ² = (u_ρᵀ Ỹ)² / N for targets (n, C), so that Σ a_ρ² is the mean
    square of Ỹ. Outputs count as samples, n C now and C times as many as `pictures_whole` later: for
    outputs that do not share a kernel (a linear head, K ⊗ I_C) that is C separate regressions, and
    exact; for others their coupling is averaged over. λ stays as it is: it is the variance of
    noise over that of the prior, and tr K / N, which it is chosen relative to, does not grow with
    the sample either. The probe knows N directions at most, and nothing of noise: a trend, not a bound.
    """
    rows = targets.numel()
    if min(rows, pictures_now, pictures_whole) < 1:
        return Value(None, "the task has no pictures")
    if parts.mean == 0.0:
        return Value(None, "the kernel is zero")
    classes = targets.shape[1]
    energies = (parts.vectors.T @ targets.reshape(-1)).square() / rows  # (N,)
    eigenvalues = parts.values / (pictures_now * classes)
    error = learning_curve(eigenvalues, energies, pictures_whole * classes, ridge)
    return ratio(error, 1.0, "")
