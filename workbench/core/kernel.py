"""Closed-form blocks of the neural tangent kernel of NTK-CL's fusion layer and heads.

With q_ia = ∂ℓ_a/∂m at picture i, m = ½ (V c + b) + c + 0.1 p and ℓ_a = σ cos(m, w_a) (or the
prototype head's section-wise vote), the kernel K = J Jᵀ adds up over parameter blocks (Jacot et al.
2018, arXiv 1806.07572; the blocks follow from the chain rule and are tested against autograd).
Rows are sample-major: row i·C + a is output a of picture i. Everything is float64.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

CLIP = 1e-12  # eigenvalues below this share of the largest are rounding noise
TINY = 1e-12  # a norm below this counts as zero, as in torch.nn.functional.normalize
_SPARE = 8  # directions beyond the rank, so that none is missed
_WORTH = 3  # times as many rows as directions make the small decomposition the faster one
CHUNK_ELEMENTS = 4_000_000  # largest temporary beside a kernel: 32 MB of float64


def unit_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows of length 1 and the inverse lengths; a row of length 0 stays 0 with inverse 0."""
    norm = rows.norm(dim=-1, keepdim=True)
    inverse = torch.where(norm > TINY, 1.0 / norm.clamp_min(TINY), torch.zeros_like(norm))
    return rows * inverse, inverse


def proxy_vectors(m: Tensor, weight: Tensor, sigma: float) -> Tensor:
    """Return q = ∂/∂m of σ cos(m, w_a): (n, C, D) from m (n, D) and weight (C, D)."""
    unit_m, inverse = unit_rows(m)  # (n, D), (n, 1)
    unit_w, _ = unit_rows(weight)  # (C, D)
    cosine = unit_m @ unit_w.T  # (n, C)
    return sigma * inverse[:, :, None] * (unit_w - cosine[:, :, None] * unit_m[:, None, :])


def prototype_vectors(m: Tensor, prototypes: Tensor, votes: Tensor) -> Tensor:
    """Return q = ∂/∂m of Σ_k μ_k cos(m_[k], W_[k]): (n, C, D).

    `prototypes` is (C, D) and `votes` holds the S weights μ_k; D must be a multiple of S. A section
    of length zero, of a picture or of a prototype, contributes nothing.
    """
    sections = len(votes)
    parts = zip(m.chunk(sections, -1), prototypes.chunk(sections, -1), votes.tolist(), strict=True)
    return torch.cat([proxy_vectors(part, rows, vote) for part, rows, vote in parts], dim=-1)


def head_kernel(m_a: Tensor, m_b: Tensor, weight: Tensor, sigma: float) -> Tensor:
    """Return the proxy head's block (weights and σ), (n_a C, n_b C).

    δ_ab (σ²/‖w_a‖²) (m̂_i − cos_ia ŵ_a)ᵀ(m̂_j − cos_ja ŵ_a) + cos_ia cos_jb; the last term is σ's.
    """
    unit_a, unit_b = unit_rows(m_a)[0], unit_rows(m_b)[0]
    unit_w, inverse = unit_rows(weight)  # (C, D), (C, 1)
    cos_a, cos_b = unit_a @ unit_w.T, unit_b @ unit_w.T  # (n_a, C), (n_b, C)
    gram = (unit_a @ unit_b.T)[:, :, None]  # (n_a, n_b, 1)
    # The projections are orthogonal to ŵ_a, so their product is m̂ᵀm̂' − cos cos'.
    same = gram - cos_a[:, None, :] * cos_b[None, :, :]  # (n_a, n_b, C)
    same = same * (sigma * inverse[:, 0]) ** 2
    block = cos_a[:, :, None, None] * cos_b[None, None, :, :]  # (n_a, C, n_b, C)
    block.diagonal(dim1=1, dim2=3).add_(same)
    return block.reshape(cos_a.numel(), cos_b.numel())


def value_kernel(c_a: Tensor, q_a: Tensor, c_b: Tensor, q_b: Tensor) -> Tensor:
    """Return the fusion layer's block ¼ (1 + c_iᵀc_j)(q_iaᵀq_jb), (n_a C_a, n_b C_b).

    c is (n, D), q is (n, C, D). The 1 is the bias. Filled in strips of pictures, so that the only
    large array is the result.
    """
    n_a, classes_a, width = q_a.shape
    n_b, classes_b, _ = q_b.shape
    gram = 0.25 * (1.0 + c_a @ c_b.T)  # (n_a, n_b)
    columns = q_b.reshape(n_b * classes_b, width).T  # (D, n_b C_b)
    kernel = q_a.new_empty(n_a, classes_a, n_b, classes_b)
    strip = max(1, CHUNK_ELEMENTS // max(1, classes_a * n_b * classes_b))
    for first in range(0, n_a, strip):
        rows = q_a[first : first + strip]  # (s, C_a, D)
        product = (rows @ columns).reshape(len(rows), classes_a, n_b, classes_b)
        kernel[first : first + strip] = product * gram[first : first + strip, None, :, None]
    return kernel.reshape(n_a * classes_a, n_b * classes_b)


def proxy_logits(m: Tensor, weight: Tensor, sigma: float) -> Tensor:
    """Return σ cos(m, w_a): (n, C)."""
    return sigma * unit_rows(m)[0] @ unit_rows(weight)[0].T


def proxy_kernel(
    a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor], weight: Tensor, sigma: float
) -> Tensor:
    """Return K_head + K_V of the proxy logits, (n_a C, n_b C), from pairs (c, m), each (n, D)."""
    (c_a, m_a), (c_b, m_b) = a, b
    q_a, q_b = proxy_vectors(m_a, weight, sigma), proxy_vectors(m_b, weight, sigma)
    return head_kernel(m_a, m_b, weight, sigma).add_(value_kernel(c_a, q_a, c_b, q_b))


def trace_kernel(kernel: Tensor, classes: int) -> Tensor:
    """Return the n×n kernel among pictures, Σ_a K[(i,a),(j,a)]."""
    n_a, n_b = kernel.shape[0] // classes, kernel.shape[1] // classes
    blocks = kernel.reshape(n_a, classes, n_b, classes)
    return blocks.diagonal(dim1=1, dim2=3).sum(-1)


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues (ascending, R) and eigenvectors (N, R, columns) of a symmetric kernel; R = N, or what its rank allows."""

    values: Tensor
    vectors: Tensor
    clipped: int  # eigenvalues below CLIP times the largest, set to 0

    @property
    def mean(self) -> float:
        """Mean eigenvalue, tr K / N."""
        return float(self.values.sum()) / len(self.vectors)


def spectrum(kernel: Tensor) -> Spectrum:
    """Symmetrise, decompose, and set eigenvalues below CLIP·λ_max to 0, counting them.

    Of a kernel that is not finite every value is NaN: the solver itself would stop with an error.
    """
    if not kernel.isfinite().all():
        missing = torch.full_like(kernel, torch.nan)
        return Spectrum(missing.diagonal(), missing, 0)
    return _clipped(*torch.linalg.eigh(0.5 * (kernel + kernel.T)))


def spectrum_within(kernel: Tensor, rank: int) -> Spectrum:
    """As `spectrum`, of a positive kernel (N, N) of at most this rank, where rank ≪ N many times as fast: R ≤ N.

    A random map shows the range, and the kernel within it is small (Halko, Martinsson & Tropp 2011, arXiv 0909.4061).
    A kernel of a higher rank, whose trace is not all there, is decomposed whole.
    """
    columns = rank + _SPARE
    if columns * _WORTH > len(kernel) or not kernel.isfinite().all():
        return spectrum(kernel)
    chance = torch.Generator().manual_seed(0)  # its own: no run's draws depend on it
    seen = torch.randn(len(kernel), columns, generator=chance, dtype=kernel.dtype)
    for _ in range(2):  # the second time to the last digits
        seen = torch.linalg.qr(kernel @ seen).Q
    values, vectors = torch.linalg.eigh(seen.T @ kernel @ seen)
    whole = kernel.trace()
    if not (whole - values.sum()).abs() <= CLIP * len(kernel) * whole:
        return spectrum(kernel)
    return _clipped(values, seen @ vectors)


def _clipped(values: Tensor, vectors: Tensor) -> Spectrum:
    small = values < CLIP * values[-1:].clamp_min(0.0)
    return Spectrum(values.masked_fill(small, 0.0), vectors, int(small.sum()))
