"""Average-case theory of kernel ridge regression: how the error falls with the number of samples.

Bordelon, Canatar & Pehlevan 2020 (arXiv 2002.02561) and Canatar, Bordelon & Pehlevan 2021 (Nature
Communications 12, 2914): from the kernel's eigenvalues and the target's energy in each eigenfunction,
the expected error over samples. Ridge λ stands on the unnormalised Gram matrix.
"""

import math

import torch
from torch import Tensor

from workbench.core.gaps import Value, kare, ratio
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
    bias, gamma = _bias_and_gamma(eigenvalues, energies, samples, ridge)
    if 1.0 - gamma <= torch.finfo(torch.float64).eps:
        return math.inf
    return (bias + noise * gamma) / (1.0 - gamma)


def _bias_and_gamma(
    eigenvalues: Tensor, energies: Tensor, samples: float, ridge: float
) -> tuple[float, float]:
    if not (eigenvalues.isfinite().all() and energies.isfinite().all() and math.isfinite(ridge)):
        return math.nan, math.nan
    kappa = _effective_ridge(eigenvalues, samples, ridge)
    share = samples * eigenvalues / (kappa + samples * eigenvalues)  # (M,), learnt of each mode
    share = torch.where(eigenvalues > 0, share, 0.0)  # 0/0 for κ = 0
    gamma = float(share.square().sum()) / samples if samples else 0.0
    return float(((1.0 - share).square() * energies).sum()), gamma


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

    E(n) = (κ² Σ a_ρ² / (κ + nλ_ρ)² + σ²) / (1 − γ), noise of the test labels included as in KARE. The
    probe's kernel `parts` (N, N), N = n C rows of n = `pictures_now`, stands for the law of the data:
    λ_ρ = Λ_ρ/N, κ now is N / tr (K + λI)⁻¹ (Jacot et al. 2020), and a_ρ² = (Λ_ρ/(Λ_ρ + κ) · u_ρᵀ Ỹ)² / N is
    what is learnt of targets (n, C). The rest of Ỹ is noise to the probe: σ² ≥ 0 makes E equal KARE at
    its own size. With all of Ỹ as signal a probe of few rows would promise next to no error.

    `ridge` λ > 0 is carried over with what the unseen directions add to it, as the ridge that the λ_ρ need
    for that κ. It does not grow with n: λ is a ratio of variances, noise to prior, and tr K / N, which
    it is chosen relative to, stays too. Outputs count as samples: exact for outputs that share no kernel
    (a linear head, K ⊗ I_C), which are C separate regressions, an average over their coupling for others.

    What the probe cannot see is never learnt here. For power-law spectra, 32 to 64 pictures standing for 500 to
    1,000, single probes gave 0.2 to 2.2 times the truth (mean near 1) where labels are noisy, and up to 12
    times where there is no noise at all: a trend.
    """
    now = kare(parts, targets, ridge)
    if now.value is None:
        return now
    if min(pictures_now, pictures_whole) < 1:
        return Value(None, "the task has no pictures")
    rows, classes = targets.numel(), targets.shape[1]
    kappa = 1.0 / float((1.0 / (parts.values + ridge)).mean())
    learnt = parts.values / (parts.values + kappa) * (parts.vectors.T @ targets.reshape(-1))  # (N,)
    modes = parts.values / (pictures_now * classes), learnt.square() / rows
    kept = kappa * float(
        (kappa / (parts.values + kappa)).mean()
    )  # the ridge, unseen directions added
    bias, gamma = _bias_and_gamma(*modes, pictures_now * classes, kept)
    noise = max(0.0, (1.0 - gamma) * now.value - bias)
    return ratio(learning_curve(*modes, pictures_whole * classes, kept, noise) + noise, 1.0, "")
