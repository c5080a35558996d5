"""How much two tasks share in parameter space: overlap of their kernels, and principal angles.

‖K_AB‖_F² / (‖K_AA‖_F ‖K_BB‖_F) is the cosine between J_AᵀJ_A and J_BᵀJ_B; the principal angles between
the row spaces of J_A and J_B follow from kernels alone (Doan et al. 2021, arXiv 2010.04003). Kernels are
float64, K_AB = J_A J_Bᵀ (N_A, N_B); a number that cannot be said is absent with its reason.
"""

import math

import torch
from torch import Tensor

from workbench.core.gaps import Value, ratio
from workbench.core.kernel import Spectrum

_ZERO = "one of the kernels is zero"


def overlap(k_ab: Tensor, k_aa: Tensor, k_bb: Tensor) -> Value:
    """Return ‖K_AB‖_F² / (‖K_AA‖_F ‖K_BB‖_F), 0 to 1, from (N_A, N_B), (N_A, N_A) and (N_B, N_B)."""
    return ratio(k_ab.square().sum(), k_aa.norm() * k_bb.norm(), _ZERO)


def chance_overlap(rows_a: int, rows_b: int, parameters: int) -> Value:
    """Return √(N_A N_B) / P, the overlap to expect of isotropic Jacobians of P ≫ N parameters; 1 at most."""
    if min(rows_a, rows_b) < 1:
        return Value(None, "one of the tasks has no rows")
    found = ratio(math.sqrt(rows_a * rows_b), parameters, "nothing is trained")
    return found if found.value is None else Value(min(found.value, 1.0))


def overlap_of_vectors(p_ab: Tensor, p_aa: Tensor, p_bb: Tensor, vectors: int) -> Value:
    """Estimate the overlap from m random output vectors a picture instead of all outputs.

    Row i·m + s of a task is J_iᵀ v_is with v_is in {−1, 1}^C, and p_xy (n_x m, n_y m) are the products of
    such rows; m is `vectors`. A's vectors must be drawn independently of B's. Each squared norm is
    unbiased (`squared_norm`); their ratio is consistent, and may come out slightly above 1.
    """
    if vectors < 2:
        return Value(None, "a task's own kernel needs at least two random output vectors")
    lengths = [squared_norm(p, vectors, own=True).sqrt() for p in (p_aa, p_bb)]
    return ratio(squared_norm(p_ab, vectors, own=False), lengths[0] * lengths[1], _ZERO)


def squared_norm(products: Tensor, vectors: int, *, own: bool) -> Tensor:
    """Return an unbiased estimate of ‖K‖_F² from products (n_a m, n_b m) of random output vectors.

    E (vᵀ K_ij w)² = ‖K_ij‖_F² for independent v and w, so the mean over pairs of vectors is taken,
    summed over pairs of pictures. In a task's own kernel (`own`) vector s meets only vectors t ≠ s,
    whether or not its pictures share their vectors; m ≥ 2 then.
    """
    n_a, n_b = (size // vectors for size in products.shape)
    pairs = products.square().reshape(n_a, vectors, n_b, vectors).sum((0, 2))  # (m, m)
    if not own:
        return pairs.mean()
    total: Tensor = (pairs.sum() - pairs.trace()) / (vectors * (vectors - 1))
    return total


def principal_cosines(k_ab: Tensor, a: Spectrum, b: Spectrum) -> Tensor:
    """Return the cosines of the principal angles of J_A's and J_B's row spaces, falling, in [0, 1].

    The singular values of Σ_A⁻¹ U_Aᵀ K_AB U_B Σ_B⁻¹ over modes above the clip, as many as the smaller
    task has; rounding is about 1e-16 λ_max / (σ_A σ_B). Where something is not finite they are NaN.
    """
    left, right = _whitened(a), _whitened(b)  # (N_A, r_A), (N_B, r_B)
    core = left.T @ k_ab @ right  # (r_A, r_B)
    if not core.isfinite().all():
        return core.new_full((min(core.shape),), torch.nan)
    cosines: Tensor = torch.linalg.svdvals(core).clamp(0.0, 1.0)
    return cosines


def angles(k_ab: Tensor, a: Spectrum, b: Spectrum) -> tuple[Value, Value]:
    """Return the largest and the mean cosine of the principal angles."""
    cosines = principal_cosines(k_ab, a, b)
    if not len(cosines):
        return Value(None, _ZERO), Value(None, _ZERO)
    return ratio(cosines.max(), 1.0, ""), ratio(cosines.mean(), 1.0, "")


def _whitened(parts: Spectrum) -> Tensor:
    kept = parts.values != 0  # NaN is kept, so that it shows
    return parts.vectors[:, kept] / parts.values[kept].sqrt()
