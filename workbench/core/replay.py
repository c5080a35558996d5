"""SGD replayed in function space: what a linear head's kernel says outputs do while it is trained.

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


def linear_head_kernel(phi_a: Tensor, phi_b: Tensor, classes: int) -> Tensor:
    """Return the kernel (ΦΦ'ᵀ + 11ᵀ) ⊗ I_C of a linear head with bias on fixed features (n, D)."""
    return torch.kron(phi_a @ phi_b.T + 1.0, torch.eye(classes, dtype=phi_a.dtype))
