"""Which kernel a run measures: how much of it, and in what form its rows are kept.

The fusion's and the head's blocks are in closed form and cost no pass. Adapters and prompts take one
forward and O backward passes a picture for O outputs, or for a few random output vectors in place
of the outputs. The richest plan that the budget of work allows is taken, unless one is asked for; rows that do not
fit the budget of memory are sketched.
"""

import zlib
from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.config import MonitorConfig
from workbench.core.fusion import Fusion
from workbench.core.jacobian import columns_of
from workbench.core.network import Network
from workbench.core.sketch import Sketch

VECTORS = (
    4  # random output vectors of a picture: the scale of a trace kernel is then within about 10 %
)
KINDS = ("full", "trace", "closed")  # from the richest
_BACKWARD = 1.1  # a backward pass through activations alone, in forward passes
_SLOWER = 4  # a picture's rows, in looks at it, as far as pieces are concerned
_ALIVE = 20  # activations a token keeps for the backward pass, in widths d, per block


@dataclass(frozen=True)
class KernelPlan:
    """One run's choice.

    Attributes:
        kind: "closed" form alone; "trace": adapters and prompts too, along random output vectors,
            at the end of tasks; "full": every output of the task being learnt, at every measurement, and "trace".
        columns: what each block's rows are sketched to; 0 keeps them whole.
        piece: pictures whose gradients are made at once.
        linear: whether the linearity index is measured at the end of tasks.
    """

    kind: str
    columns: int
    piece: int
    linear: bool = True

    def sketch(self) -> Sketch | None:
        """Return the sketch of all this run's rows, or None if they are kept whole."""
        return Sketch(self.columns) if self.columns else None

    def passes(self, network: Network, pictures: int, outputs: int) -> float:
        """Return the work of the rows of so many pictures, in passes of a picture through the backbone."""
        return len(network.branches) * pictures * (1 + _BACKWARD * outputs)

    def sentence(self, network: Network) -> str:
        """Say how the kernel among pictures of all tasks is made."""
        closed = "fusion" if isinstance(network.fusion, Fusion) else ""
        names = [{"s1": "adapters", "s2": "prompts", "fusion": "fusion"}[n] for n in columns_of(network)]  # fmt: skip
        rows = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        if self.kind == "closed":
            left = f"{rows} are left out" if closed else f"nothing of {rows}"
            return f"The {closed or 'training head'} in closed form; {left}, to stay within the budget."
        kept = f"sketched to {self.columns:,} columns" if self.columns else "exact"
        what = f"{VECTORS} random output vectors a picture"
        first = f"The {closed} in closed form, " if closed else ""
        text = f"{first}{rows} along {what}, {kept}."
        return text[0].upper() + text[1:]


def fitted(kind: str, network: Network, config: MonitorConfig, rows: int) -> KernelPlan:
    """Return the plan of this kind for kernels of up to `rows` rows, within the budget of memory.

    Asked for exactness, rows that do not fit are sketched all the same. Half of the memory is for what the backward pass keeps, half for the rows, which are there twice
    while the pieces are put together.
    """
    half = int(config.memory_gb * 2**29)
    size = network.prototypes.weight.element_size()
    columns = max(columns_of(network).values(), default=0)
    whole = 2 * sum(columns_of(network).values()) * rows * size
    exact = whole <= half and config.gradients != "sketch"
    alive = _activations(network) * size + 4 * columns * size
    piece = max(1, half // alive)
    if not network.prototypes.weight.is_cuda:  # between two pieces a stop is answered
        piece = min(piece, max(1, network.piece // _SLOWER))
    return KernelPlan(kind, 0 if exact else config.sketch_columns, piece)


def signs(class_ids: tuple[int, ...], side: str, device: torch.device) -> Tensor:
    """Return random output vectors (O, VECTORS) of ±1, the same for a class at all times; `side` tells draws apart."""
    drawn = []
    for class_id in class_ids:
        chance = torch.Generator().manual_seed(zlib.crc32(f"{side} {class_id}".encode()))
        drawn.append(2.0 * torch.randint(2, (VECTORS,), generator=chance) - 1.0)
    return torch.stack(drawn).to(device)


def _activations(network: Network) -> int:
    """Return about how many numbers of one picture a branch keeps for its backward pass."""
    backbone = network.backbone
    N, heads = backbone.tokens, backbone.vit.blocks[0].attn.num_heads
    return int(backbone.depth * N * (_ALIVE * backbone.width + 2 * heads * N))
