"""Small tensors of one kind as rows of one: a file of a few tensors is written faster than one of thousands.

The monitor keeps what it saw of each picture as a tensor of its own, so that a checkpoint after many
tasks would consist of thousands; safetensors spends some hundredths of a millisecond on each.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

SMALL = 1 << 16  # bytes; what is larger costs more to copy than it saves
_PREFIX = "stack "

Names = Mapping[str, list[str]]


def stacked(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, list[str]]]:
    """Return the same contents in fewer tensors, and the names of each stack's rows, in order."""
    alike: dict[tuple[torch.dtype, torch.Size], list[str]] = {}
    for name, tensor in tensors.items():
        if tensor.nbytes <= SMALL:
            alike.setdefault((tensor.dtype, tensor.shape), []).append(name)
    several = [names for names in alike.values() if len(names) > 1]
    rows = {f"{_PREFIX}{number}": names for number, names in enumerate(several)}
    gone = {name for names in several for name in names}
    found = {name: tensor for name, tensor in tensors.items() if name not in gone}
    found |= {stack: torch.stack([tensors[n] for n in names]) for stack, names in rows.items()}
    return found, rows


def unstacked(tensors: Mapping[str, Tensor], rows: Names) -> dict[str, Tensor]:
    """Return what `stacked` was given. Raises KeyError or ValueError if the two do not belong together."""
    found = {name: tensor for name, tensor in tensors.items() if name not in rows}
    for stack, names in rows.items():
        found.update(zip(names, tensors[stack].unbind(), strict=True))
    return found
