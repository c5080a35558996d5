"""NTK-CL's loss terms as pure functions: official arithmetic and the repaired form side by side.

Each returns a scalar tensor, or None where the term is not defined for this batch (no pair of
the same class, no old prototype), so that a skipped term is never mistaken for a zero.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F


def _similarities(features: Tensor, prototypes: Tensor, temperature: float) -> Tensor:
    z = F.normalize(torch.cat([features, prototypes]), dim=1)  # (B + R, D)
    return (z @ z.T) / temperature  # (B + R, B + R)


def official_mutual_information(
    features: Tensor,
    labels: Tensor,
    prototypes: Tensor,
    prototype_labels: Tensor,
    temperature: float,
) -> Tensor | None:
    """The official term, −NCE: all positive pairs pooled in one log-sum (method quirks C and D).

    NCE = −log Σ_{y_i = y_j, i≠j} e^{s_ij} + mean_i log Σ_{j≠i} e^{s_ij}, over the batch (B, D) and
    R old prototypes; its minus sign pushes pictures of one class apart. Labels are on the processor.
    """
    y = torch.cat([labels, prototype_labels])
    itself = torch.eye(len(y), dtype=torch.bool)
    pairs = ((y[:, None] == y[None, :]) & ~itself).flatten().nonzero().flatten()
    if not len(pairs):
        return None
    s = _similarities(features, prototypes, temperature)
    everything = s.masked_fill(itself.to(s.device), -torch.inf).logsumexp(1).mean()
    return s.flatten()[pairs.to(s.device)].logsumexp(0) - everything


def supervised_contrast(
    features: Tensor,
    labels: Tensor,
    prototypes: Tensor,
    prototype_labels: Tensor,
    temperature: float,
) -> Tensor | None:
    """Per-anchor supervised InfoNCE, minimised (Khosla et al. 2020, arXiv 2004.11362, L_out).

    For anchors i of the batch with positives P(i): −mean_{j∈P(i)} log( e^{s_ij} / Σ_{k≠i} e^{s_ik} ),
    old prototypes among the negatives; mean over such anchors. Labels are on the processor.
    """
    B = len(labels)
    y = torch.cat([labels, prototype_labels])
    itself = torch.eye(B, len(y), dtype=torch.bool)
    positive = (labels[:, None] == y[None, :]) & ~itself
    anchors = positive.any(1).nonzero().flatten()
    if not len(anchors):
        return None
    s = _similarities(features, prototypes, temperature)[:B]  # (B, B + R)
    itself, positive, anchors = (each.to(s.device) for each in (itself, positive, anchors))
    log_share = s - s.masked_fill(itself, -torch.inf).logsumexp(1, keepdim=True)
    per_anchor = (log_share * positive).sum(1)[anchors] / positive.sum(1)[anchors]
    return -per_anchor.mean()


def signed_residual(branches: Iterable[Tensor], basis: Tensor) -> Tensor:
    """The official orthogonality term: Σ of all coordinates of ẑ − ẑ U Uᵀ, signed (quirk E).

    `branches` are features (B, D), `basis` U is (D, k).
    """
    total: Tensor = basis.new_zeros(())
    for z in branches:
        unit = F.normalize(z, dim=1)
        total = total + (unit - unit @ basis @ basis.T).sum()
    return total


def projection_energy(branches: Iterable[Tensor], basis: Tensor) -> Tensor:
    """Share of each unit feature's energy inside the old subspace, mean ‖Uᵀ ẑ‖² in [0, 1] per branch, summed."""
    total: Tensor = basis.new_zeros(())
    for z in branches:
        total = total + (F.normalize(z, dim=1) @ basis).square().sum(1).mean()
    return total


def squared_distance(parameters: dict[str, Tensor], anchors: dict[str, Tensor]) -> Tensor:
    """Σ ‖w − w_prev‖² over the named parameters that have an anchor (arXiv 2407.17120's λ term)."""
    parts = [(parameters[name] - anchor).square().sum() for name, anchor in anchors.items()]
    return torch.stack(parts).sum()


def leading_directions(rows: Tensor, rank: int, *, all_rows: bool) -> Tensor:
    """Orthonormal basis (D, k) of the span of unit-norm prototype rows (C, D).

    With `all_rows` as the official code does: empty rows included and exactly `rank` columns, those
    beyond the numerical rank being arbitrary; computed on the CPU so that it does not depend on the
    device's solver. Otherwise empty rows are left out and k ≤ numerical rank.
    """
    unit = F.normalize(rows.detach().cpu(), dim=1)
    if all_rows:
        left: Tensor = torch.linalg.svd(unit.T, full_matrices=True)[0]
        return left[:, : min(rank, left.shape[1])].to(rows.device)
    unit = unit[unit.norm(dim=1) > 0]
    if not len(unit):
        return rows.new_zeros(rows.shape[1], 0)
    left, values, _ = torch.linalg.svd(unit.T, full_matrices=False)
    tolerance = values[0] * max(unit.shape) * torch.finfo(unit.dtype).eps
    k = min(rank, int((values > tolerance).sum()))
    return left[:, :k].to(rows.device)
