"""Pictures shown piece by piece to whoever looks at them, in pieces that memory holds."""

from collections.abc import Callable, Generator
from contextlib import closing

import numpy as np
import torch
from torch import Tensor

from workbench.core.feeder import Feeder
from workbench.core.network import Network
from workbench.errors import is_short_of_memory
from workbench.events import Stage

Look = Callable[[int, Tensor], None]  # how many were shown before, and the piece (B, 3, H, W)


def in_pieces(
    network: Network, feeder: Feeder, indices: np.ndarray, text: str, look: Look
) -> Generator[Stage, None, None]:
    """Show the pictures to `look`, `network.piece` at a time; where memory is short, half as many from then on.

    Raises:
        OutOfMemoryError, MemoryError, RuntimeError: not even one picture fits.
    """
    start = 0
    while start < len(indices):
        start += yield from _as_far_as_fits(network, feeder, indices, start, text, look)


@torch.no_grad()
def _as_far_as_fits(
    network: Network, feeder: Feeder, indices: np.ndarray, start: int, text: str, look: Look
) -> Generator[Stage, None, int]:
    """Show the pictures from `start` on, to the end or until memory is short; return how many were shown."""
    size = network.piece
    with closing(feeder.plain_pieces(indices[start:], size)) as pieces:
        for first in range(start, len(indices), size):
            yield Stage(text, first, len(indices))
            try:
                look(first, next(pieces))
            except (RuntimeError, MemoryError) as error:
                if size == 1 or not is_short_of_memory(error):
                    raise
            else:
                continue
            network.holds = size // 2  # here, where the error is gone with what it held on to
            if feeder.device.type == "cuda":
                torch.cuda.empty_cache()
            return first - start
    return len(indices) - start
