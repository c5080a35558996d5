"""What the neural tangent kernel says of a run: stability, interplay gap, generalisation gap.

Kernel ridge surrogate and its risk estimate: KARE (Jacot et al. 2020, arXiv 2006.09796), equal to
generalised cross-validation. First-order movement of old logits: Doan et al. 2021 (arXiv 2010.04003).
Tensors are float64, rows sample-major. A number that cannot be said is absent with its reason.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.core.kernel import CLIP, Spectrum, trace_kernel

RIDGES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0)  # λ relative to the mean eigenvalue


@dataclass(frozen=True)
class Value:
    """A number, or None with the reason why there is none."""

    value: float | None
    reason: str = ""


def ratio(numerator: float | Tensor, denominator: float | Tensor, zero: str) -> Value:
    """Divide; absent with the reason `zero` for a zero denominator, or if any of it is not finite."""
    above, below = float(numerator), float(denominator)
    if below == 0.0:
        return Value(None, zero)
    quotient = above / below
    # a number over infinity is 0, which would look like an answer
    if not (math.isfinite(below) and math.isfinite(quotient)):
        return Value(None, "the result is not finite")
    return Value(quotient)


# Stability of the kernel since a reference (M3)


def kernel_drift(kernel: Tensor, reference: Tensor) -> Value:
    """Return ‖K − K_ref‖_F / ‖K_ref‖_F."""
    return ratio((kernel - reference).norm(), reference.norm(), "the reference kernel is zero")


def kernel_alignment(kernel: Tensor, reference: Tensor) -> Value:
    """Return ⟨K, K_ref⟩_F / (‖K‖_F ‖K_ref‖_F)."""
    lengths = kernel.norm() * reference.norm()
    return ratio((kernel * reference).sum(), lengths, "one of the kernels is zero")


def kernel_cka(kernel: Tensor, reference: Tensor, classes: int) -> Value:
    """Return the alignment of the centred trace kernels, H K H with H = I − 11ᵀ/n."""
    traces = [trace_kernel(item, classes) for item in (kernel, reference)]
    if len(traces[0]) < 2:
        return Value(None, "similarity among pictures needs at least two of them")
    centred = [_centred(trace) for trace in traces]
    for trace, rest in zip(traces, centred, strict=True):
        if rest.norm() <= CLIP * trace.norm():
            return Value(None, "the pictures are all alike for one of the kernels")
    return kernel_alignment(*centred)


def kernel_scale(kernel: Tensor, reference: Tensor) -> Value:
    """Return tr K / tr K_ref."""
    return ratio(kernel.trace(), reference.trace(), "the reference kernel is zero")


def _centred(kernel: Tensor) -> Tensor:
    return kernel - kernel.mean(0, keepdim=True) - kernel.mean(1, keepdim=True) + kernel.mean()


# Movement of the old tasks' logits (M5, M6)


def displacement(c: Tensor, delta_weight: Tensor, delta_bias: Tensor) -> Tensor:
    """Return ½ (ΔV c_i + Δb), how a displacement of the fusion layer moves the hybrid features: (n, D).

    c is (n, D), the displacement (D, D) and (D,). Along it an inference rule's logits move by J (θ − θ_ref).
    """
    return 0.5 * (c @ delta_weight.T + delta_bias)


def interplay(deltas: Sequence[Tensor], references: Sequence[Tensor]) -> Value:
    """Return the mean over old tasks of ‖Δ_τ‖² / (n C V_τ), from logits (n, C) per task.

    V_τ is the variance of the reference logits over pictures, averaged over outputs. A task whose
    reference logits do not vary beyond rounding is left out; with no task left the gap is absent.
    """
    shares = []
    for delta, reference in zip(deltas, references, strict=True):
        variance = (reference - reference.mean(0)).square().mean()
        if variance <= CLIP * reference.square().mean():
            continue
        share = ratio(delta.square().mean(), variance, "")
        if share.value is not None:
            shares.append(share.value)
    if not deltas:
        return Value(None, "there is no earlier task yet")
    if not shares:
        return Value(
            None, "the earlier tasks' logits do not vary over the probe, or are not finite"
        )
    return Value(sum(shares) / len(shares))


def drift_cosine(predicted: Sequence[Tensor], measured: Sequence[Tensor]) -> Value:
    """Return cos(Δ̂, Δ) over all old tasks together."""
    guess, truth = _flat(predicted), _flat(measured)
    return ratio(guess @ truth, guess.norm() * truth.norm(), "nothing moved")


def drift_error(predicted: Sequence[Tensor], measured: Sequence[Tensor]) -> Value:
    """Return ‖Δ̂ − Δ‖ / ‖Δ‖ over all old tasks together."""
    guess, truth = _flat(predicted), _flat(measured)
    return ratio((guess - truth).norm(), truth.norm(), "nothing moved")


def _flat(parts: Sequence[Tensor]) -> Tensor:
    if not parts:
        return torch.zeros(0, dtype=torch.float64)
    return torch.cat([part.reshape(-1) for part in parts])


# Generalisation gap of the kernel ridge surrogate (M8)


@dataclass(frozen=True)
class RidgeGap:
    """The ridge surrogate on the probe: errors are mean squares over pictures and outputs."""

    train: Value
    kare: Value
    predicted: Value  # KARE − train
    held_out: Value  # test − train, with the same kernel
    effective_dimension: Value  # tr K (K + λI)⁻¹, of at most N


def loo_residuals(spectrum: Spectrum, targets: Tensor, ridge: float) -> Tensor:
    """Return what each picture's targets (n, C) miss when the picture is left out of the fit: (n, C).

    All C rows of a picture leave together: the residual is ([(K + λI)⁻¹]_ii)⁻¹ α_i with a C×C block.
    `ridge` is λ > 0.
    """
    pictures, classes = targets.shape
    inverse = 1.0 / (spectrum.values + ridge)  # (N,)
    rows = spectrum.vectors.reshape(pictures, classes, -1)  # (n, C, N)
    blocks = (rows * inverse) @ rows.transpose(1, 2)  # (n, C, C)
    alpha = _dual(spectrum, targets, ridge).reshape(pictures, classes, 1)
    residuals: Tensor = torch.linalg.solve(blocks, alpha)  # (n, C, 1)
    return residuals[..., 0]


def loo_error(spectrum: Spectrum, targets: Tensor, ridge: float) -> Value:
    """Return the mean square of `loo_residuals`, over pictures and outputs, for targets (n, C) and λ > 0."""
    reason = _why_none_left_out(spectrum, targets)
    if reason:
        return Value(None, reason)
    return ratio(loo_residuals(spectrum, targets, ridge).square().mean(), 1.0, "")


def choose_ridge(spectrum: Spectrum, targets: Tensor) -> Value:
    """Return the λ / (tr K / N) of `RIDGES` with the least leave-one-picture-out error."""
    reason = _why_none_left_out(spectrum, targets)
    if reason:
        return Value(None, reason)
    errors = {
        ridge: float(loo_residuals(spectrum, targets, ridge * spectrum.mean).square().mean())
        for ridge in RIDGES
    }
    finite = {ridge: error for ridge, error in errors.items() if math.isfinite(error)}
    if not finite:
        return Value(None, "the leave-one-out error is not finite for any ridge")
    return Value(min(finite, key=lambda ridge: finite[ridge]))


def _why_none_left_out(spectrum: Spectrum, targets: Tensor) -> str:
    if len(targets) < 2:
        return "leaving one picture out needs at least two of them"
    return _why_no_fit(spectrum, targets)


def ridge_gap(
    spectrum: Spectrum, targets: Tensor, ridge: float, test_kernel: Tensor, test_targets: Tensor
) -> RidgeGap:
    """Fit (K + λI) α = Ỹ and return its errors.

    targets (n, C), `ridge` λ > 0, test_kernel (N_test, N), test_targets (n_test, C).
    """
    reason = _why_no_fit(spectrum, targets)
    if reason:
        absent = Value(None, reason)
        return RidgeGap(absent, absent, absent, absent, absent)
    size = targets.numel()
    alpha = _dual(spectrum, targets, ridge)  # (N,)
    train = float((ridge * alpha).square().sum()) / size
    risk = kare(spectrum, targets, ridge)
    predicted = Value(None, risk.reason) if risk.value is None else Value(risk.value - train)
    held_out = Value(None, "the task has no test pictures in the probe")
    if test_targets.numel():
        miss = test_kernel @ alpha - test_targets.reshape(-1)  # (N_test,)
        held_out = ratio(float(miss.square().mean()) - train, 1.0, "")
    dimension = ratio((spectrum.values / (spectrum.values + ridge)).sum(), 1.0, "")
    return RidgeGap(ratio(train, 1.0, ""), risk, predicted, held_out, dimension)


def kare(spectrum: Spectrum, targets: Tensor, ridge: float) -> Value:
    """Return KARE = (‖λα‖²/N) / (tr λ(K+λI)⁻¹ / N)², the risk estimate, for targets (n, C) and λ > 0."""
    reason = _why_no_fit(spectrum, targets)
    if reason:
        return Value(None, reason)
    train = (ridge * _dual(spectrum, targets, ridge)).square().mean()
    shrink = (ridge / (spectrum.values + ridge)).mean()
    return ratio(train, shrink.square(), "the surrogate has no degree of freedom left")


def _why_no_fit(spectrum: Spectrum, targets: Tensor) -> str:
    if not targets.numel():
        return "the task has no pictures in the probe"
    return "the kernel is zero" if spectrum.mean == 0.0 else ""


def _dual(spectrum: Spectrum, targets: Tensor, ridge: float) -> Tensor:
    inverse = 1.0 / (spectrum.values + ridge)
    return spectrum.vectors @ (inverse * (spectrum.vectors.T @ targets.reshape(-1)))
