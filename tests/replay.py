"""The fusion layer's part of a replayed SGD step."""

import torch
from torch import Tensor


def value_block_push(c_a: Tensor, q_a: Tensor, c_b: Tensor, u_b: Tensor) -> Tensor:
    """Return K_Ab r_b of the fusion layer, ¼ Σ_j (1 + c_iᵀc_j)(q_iaᵀu_j): (n, C).

    c_a (n, D) and q_a (n, C, D) belong to the observed pictures, c_b (B, D) to the minibatch;
    u_j = q_jᵀ r_j = ∂loss/∂m_j (B, D), with the fusion layer's dropout mask already applied.
    """
    gathered = 0.25 * ((1.0 + c_a @ c_b.T) @ u_b)  # (n, D)
    return torch.einsum("nad,nd->na", q_a, gathered)
