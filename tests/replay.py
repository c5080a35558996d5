"""SGD replayed in function space: what the kernel says old logits do while another task is trained.

From the linearised dynamics f ← f − lr v, v ← μ v + K r + ω f (Lee et al. 2019, arXiv 1902.06720,
extended by momentum, weight decay and an L2 anchor); exact for a linear head on fixed features.
"""

import torch
from torch import Tensor


class Replay:
    """The movement of outputs (n, C), step by step.

    `outputs` is J θ, the part of the outputs that is linear in the trained block, which weight decay
    shrinks; `anchor` is the factor on θ − θ_start in the loss's gradient (2 λ for λ‖θ − θ_start‖²).
    """

    def __init__(
        self, outputs: Tensor, momentum: float, weight_decay: float, anchor: float = 0.0
    ) -> None:
        self.outputs = outputs
        self.movement = torch.zeros_like(outputs)
        self._velocity = torch.zeros_like(outputs)
        self._momentum, self._decay, self._anchor = momentum, weight_decay, anchor

    def renew(self, outputs: Tensor) -> None:
        """Take J θ anew after the kernel was recomputed; velocity and movement go on."""
        self.outputs = outputs

    def step(self, lr: float, push: Tensor) -> None:
        """One optimiser step; `push` is K_Ab r_b (n, C), r_b = ∂loss/∂outputs of the minibatch."""
        gradient = push + self._decay * self.outputs + self._anchor * self.movement
        self._velocity = self._momentum * self._velocity + gradient
        self.outputs = self.outputs - lr * self._velocity
        self.movement = self.movement - lr * self._velocity


def value_block_push(c_a: Tensor, q_a: Tensor, c_b: Tensor, u_b: Tensor) -> Tensor:
    """Return K_Ab r_b of the fusion layer, ¼ Σ_j (1 + c_iᵀc_j)(q_iaᵀu_j): (n, C).

    c_a (n, D) and q_a (n, C, D) belong to the observed pictures, c_b (B, D) to the minibatch;
    u_j = q_jᵀ r_j = ∂loss/∂m_j (B, D), with the fusion layer's dropout mask already applied.
    """
    gathered = 0.25 * ((1.0 + c_a @ c_b.T) @ u_b)  # (n, D)
    return torch.einsum("nad,nd->na", q_a, gathered)


def linear_head_kernel(phi_a: Tensor, phi_b: Tensor, classes: int) -> Tensor:
    """Return the kernel (ΦΦ'ᵀ + 11ᵀ) ⊗ I_C of a linear head with bias on fixed features (n, D)."""
    return torch.kron(phi_a @ phi_b.T + 1.0, torch.eye(classes, dtype=phi_a.dtype))
