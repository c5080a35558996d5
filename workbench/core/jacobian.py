"""Per-picture gradients of outputs with respect to adapters, prompts and fusion: the rows of J in K = J Jᵀ.

One forward and one backward pass a row through the only branch that depends on a block; everything
else is known already. A picture's gradient of a linear layer is Σ_tokens δ ⊗ x, of a layer norm
Σ_tokens δ ⊙ x̂: the layers' inputs x and the outputs' cotangents δ suffice, since pictures do not
mix (Goodfellow 2015, arXiv 1510.01799). Random output vectors: K_tr = E_v (Jᵀv)(Jᵀv)ᵀ for signs v
drawn by lot, E v vᵀ = I (Mohamadi, Bae & Sutherland 2023, arXiv 2206.12543, use their sum).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.core.backbone import Stem
from workbench.core.fusion import Fusion
from workbench.core.kernel import CHUNK_ELEMENTS
from workbench.core.network import Network
from workbench.core.sketch import Sketch

Outputs = Callable[[Tensor], Tensor]  # features m (B, D) -> outputs (B, O), differentiable
_LAYERS = (nn.Linear, nn.LayerNorm)


@dataclass(frozen=True)
class Rows:
    """Gradients of O outputs of n pictures: by block, (n O, columns), row i·O + a for output a of picture i."""

    blocks: Mapping[str, Tensor]  # "s1", "s2", "fusion": those that are not in closed form
    outputs: int

    def __getitem__(self, pictures: slice) -> "Rows":
        """Return some of the pictures."""
        start, stop, _ = pictures.indices(10**9)
        cut = slice(start * self.outputs, stop * self.outputs)
        return Rows({name: rows[cut] for name, rows in self.blocks.items()}, self.outputs)


def gram(a: Rows, b: Rows) -> dict[str, Tensor]:
    """Return J_a J_bᵀ of each block, (n_a O_a, n_b O_b) in float64, summed over strips of columns."""
    return {name: _product(rows, b.blocks[name]) for name, rows in a.blocks.items()}


def joined(parts: Sequence[Rows]) -> Rows:
    """Return the rows of several pieces of pictures, one after the other; no pieces, no rows."""
    if not parts:
        return Rows({}, 0)
    if len(parts) == 1:
        return parts[0]
    names = parts[0].blocks
    blocks = {name: torch.cat([part.blocks[name] for part in parts]) for name in names}
    return Rows(blocks, parts[0].outputs)


def columns_of(network: Network) -> dict[str, int]:
    """Return the number of parameters of each block that has rows."""
    return {
        name: sum(p.numel() for module in modules.values() for p in module.parameters())
        for name, modules in _blocks(network).items()
    }


def gradients(
    network: Network,
    stem: Stem,
    sections: Mapping[str, Tensor],
    outputs: Outputs,
    vectors: Tensor | None = None,
    sketch: Sketch | None = None,
) -> Rows:
    """Return the rows of some pictures.

    Args:
        stem: what the backbone makes of the pictures.
        sections: each branch's features (B, D) of them, the current section last.
        vectors: random output vectors (O, m); then the rows are Jᵀv, m a picture.
        sketch: folds each block's columns; without it they are all kept.
    """
    blocks, count = {}, 0
    for name, modules in _blocks(network).items():
        with torch.enable_grad(), _taped(modules) as tape:
            main = _forward(network, name, stem, sections)
            wanted = outputs(main)  # (B, O)
            wanted = wanted if vectors is None else wanted @ vectors.to(wanted)
        blocks[name] = _rows(name, modules, tape, wanted, sketch)
        count = wanted.shape[1]
    return Rows(blocks, count)


def _blocks(network: Network) -> dict[str, dict[str, nn.Module]]:
    """Return the trained layers by block, without a fusion whose block is in closed form and what nobody reads."""
    parts: dict[str, nn.Module] = {
        name: getattr(network, name)["current"] for name in network.branches
    }
    if network.fusion is not None and not isinstance(network.fusion, Fusion):
        parts["fusion"] = network.fusion
    unread = {layer for module in network.unread for layer in module.modules()}
    layers: dict[str, dict[str, nn.Module]] = {
        name: {n: m for n, m in part.named_modules() if isinstance(m, _LAYERS) and m not in unread}
        for name, part in parts.items()
    }
    return {name: some for name, some in layers.items() if some}


def _forward(network: Network, block: str, stem: Stem, sections: Mapping[str, Tensor]) -> Tensor:
    """Return m (B, D) with a graph that leads to one block alone."""
    z = dict(sections)
    if block in network.branches:
        current = network.branch(block, "current", stem)  # (B, d)
        z[block] = torch.cat([sections[block][:, : -current.shape[1]], current], 1)
    return network.fuse(z.get("s1"), z.get("s2")).main


def _rows(
    block: str,
    modules: Mapping[str, nn.Module],
    tape: Mapping[str, tuple[Tensor, Tensor]],
    wanted: Tensor,
    sketch: Sketch | None,
) -> Tensor:
    """Return (B · O, columns): one backward pass for each output, shared by all pictures."""
    results, (B, outputs) = [tape[name][1] for name in modules], wanted.shape
    rows = wanted.new_zeros(0)
    for a in range(outputs):
        deltas = torch.autograd.grad(wanted[:, a].sum(), results, retain_graph=True)
        row = _row(block, modules, tape, deltas, sketch)  # (B, columns)
        if not a:
            rows = row.new_empty(B, outputs, row.shape[1])
        rows[:, a] = row
    return rows.flatten(0, 1)


def _row(
    block: str,
    modules: Mapping[str, nn.Module],
    tape: Mapping[str, tuple[Tensor, Tensor]],
    deltas: Sequence[Tensor],
    sketch: Sketch | None,
) -> Tensor:
    pieces: list[Tensor] = []
    folded: Tensor | None = None
    for (name, module), delta in zip(modules.items(), deltas, strict=True):
        for tensor, rows in _of_layer(module, tape[name][0].detach(), delta):
            if sketch is None:
                pieces.append(rows)
            else:
                part = sketch.fold(f"{block}.{name}.{tensor}", rows)
                folded = part if folded is None else folded.add_(part)
    return torch.cat(pieces, 1) if folded is None else folded


def _of_layer(module: nn.Module, x: Tensor, delta: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield (tensor, gradients (B, P)) of a layer from its input and the cotangent of its output."""
    B = len(x)
    x, delta = x.reshape(B, -1, x.shape[-1]), delta.reshape(B, -1, delta.shape[-1])  # (B, T, ·)
    if isinstance(module, nn.Linear):
        yield "weight", torch.einsum("bto,bti->boi", delta, x).flatten(1)
    else:
        assert isinstance(module, nn.LayerNorm)
        normed = F.layer_norm(x, module.normalized_shape, eps=module.eps)
        yield "weight", (delta * normed).sum(1)
    if module.bias is not None:
        yield "bias", delta.sum(1)


@contextmanager
def _taped(modules: Mapping[str, nn.Module]) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """Inside, every layer that is called notes its input and output."""
    tape: dict[str, tuple[Tensor, Tensor]] = {}

    def note(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], result: Tensor) -> None:
            tape[name] = inputs[0], result

        return hook

    handles = [module.register_forward_hook(note(name)) for name, module in modules.items()]
    try:
        yield tape
    finally:
        for handle in handles:
            handle.remove()


def _product(a: Tensor, b: Tensor) -> Tensor:
    total = torch.zeros(len(a), len(b), dtype=torch.float64, device=a.device)
    strip = max(1, CHUNK_ELEMENTS // max(1, len(a) + len(b)))  # columns turned to float64 in one go
    for first in range(0, a.shape[1], strip):
        at = slice(first, first + strip)
        total += a[:, at].double() @ b[:, at].double().T
    return total
