"""Copies of a frozen block's parts whose products are in another tier, forward and backward."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from workbench.core.precision import BF16, switched


def in_tier(module: nn.Module, tier: str) -> nn.Module:
    """Return a copy of an attention or MLP that multiplies in bf16 or tf32; the latter shares its weights."""
    return _half(module) if tier == BF16 else _in_tf32(module)


def linear_in_tf32(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return x Wᵀ + b with products in TF32, (…, i) -> (…, o), and so the gradient of x; W and b get none."""
    made: Tensor = _LinearInTF32.apply(x, weight, bias)
    return made


class LayerInTF32(nn.Module):
    """A frozen linear layer in TF32, with the weights of the one it stands for."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, x: Tensor) -> Tensor:
        """Multiply, (…, i) -> (…, o)."""
        return linear_in_tf32(x, self.weight, self.bias)


class _LinearInTF32(torch.autograd.Function):
    """The switch is on for just these two products: what backward does for losses and heads in between is float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        with switched(tf32=True):
            return nn.functional.linear(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        with switched(tf32=True):
            return grads[0] @ weight, None, None


def _in_tf32(module: nn.Module) -> nn.Module:
    shared = {id(each): each for each in (*module.parameters(), *module.buffers())}
    made = copy.deepcopy(module, shared)
    linear = [name for name, part in made.named_modules() if isinstance(part, nn.Linear)]
    for name in linear:
        layer: Any = made.get_submodule(name)
        made.set_submodule(name, LayerInTF32(layer))
    return made


def _half(module: nn.Module) -> nn.Module:
    """Return a copy in bfloat16. Without a GPU its attention is spelt out: torch's fused one takes 2 to 5 times as long."""
    made = copy.deepcopy(module).bfloat16()
    if isinstance(getattr(made, "fused_attn", None), bool):
        made.fused_attn = next(made.parameters()).is_cuda  # type: ignore[assignment]
    return made
