"""How hard a task is for its kernel, and how many directions the kernel really has.

Complexity: the norm of the function that ridge regression fits, √(Ỹᵀ(K+λI)⁻¹Ỹ / n) (Arora et al.
2019, arXiv 1901.08584), made free of the kernel's scale, and set beside what labels without
meaning would cost. Effective rank: Roy & Vetterli 2007, the exponential of the eigenvalues'
entropy. Tensors are float64, rows sample-major.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.core.gaps import Value, ratio
from workbench.core.kernel import Spectrum

PERMUTATIONS = 20
_SEED = 20  # of the permutations: the same for every run, so that runs compare


def complexity(spectrum: Spectrum, targets: Tensor, ridge: float) -> Value:
    """Return S = √( (tr K / N) · Ỹᵀ(K+λI)⁻¹Ỹ / N ), N = n C, for targets (n, C) and λ > 0.

    Ỹ is centred over pictures, class by class. Unchanged by K → cK, λ → cλ; 0 for constant targets.
    """
    if len(targets) < 2:
        return Value(None, "targets are centred over pictures, which takes at least two")
    if spectrum.mean == 0.0:
        return Value(None, "the kernel is zero")
    return ratio(_norms(spectrum, targets[None], ridge)[0], 1.0, "")


def complexity_share(
    spectrum: Spectrum, labels: Tensor, outputs: Tensor, classes: int, ridge: float
) -> Value:
    """Return S over its mean with permuted labels: ~1 where the kernel sees no order in the labels.

    labels (n,) from 0 to `classes` − 1, outputs (n, C); the targets are onehot − outputs.
    """
    if len(set(labels.tolist())) < 2:
        return Value(None, "all pictures are of one class, so labels cannot be permuted")
    chance = torch.Generator().manual_seed(_SEED)
    orders = [torch.arange(len(labels))]
    orders += [torch.randperm(len(labels), generator=chance) for _ in range(PERMUTATIONS)]
    shuffled = labels[torch.stack(orders).to(labels.device)]  # (1 + P, n)
    norms = _norms(spectrum, F.one_hot(shuffled, classes) - outputs, ridge)
    return ratio(norms[0], norms[1:].mean(), "labels without order cost nothing either")


def _norms(spectrum: Spectrum, targets: Tensor, ridge: float) -> Tensor:
    """Return S of each of B targets, (B, n, C) -> (B,)."""
    centred = (targets - targets.mean(1, keepdim=True)).flatten(1)  # (B, N)
    energy = (centred @ spectrum.vectors).square() / (spectrum.values + ridge)  # (B, N)
    return (spectrum.mean * energy.mean(1)).sqrt()


@dataclass(frozen=True)
class Shape:
    """What the eigenvalues of the kernel among n pictures say."""

    largest: Value
    condition: Value  # the largest over the smallest above the clip
    effective_rank: Value  # exp(−Σ p log p), p = λ/Σλ; 1 to n
    participation: Value  # (Σλ)² / Σλ²; 1 to n


def shape(values: Tensor) -> Shape:
    """Describe eigenvalues (n,), those below the clip already 0."""
    positive = values[values > 0]
    if not len(positive) or not values.isfinite().all():
        absent = Value(
            None, "the kernel is zero" if values.isfinite().all() else "the kernel is not finite"
        )
        return Shape(absent, absent, absent, absent)
    p = positive / positive.sum()
    return Shape(
        largest=Value(float(positive.max())),
        condition=Value(float(positive.max() / positive.min())),
        effective_rank=Value(float((-(p * p.log()).sum()).exp())),
        participation=Value(float(1.0 / p.square().sum())),
    )
