"""Whether a task's training stayed where its kernel can be believed: the linearity (laziness) index.

‖g(θ) − g(θ_0) − J (θ − θ_0)‖ / ‖g(θ) − g(θ_0)‖ over every trained parameter (Chizat et al. 2019, arXiv
1812.07956): 0 in the kernel regime, near 1 and above where the first order says nothing. J (θ − θ_0)
is a central difference along the displacement, so it costs two looks and no backward pass.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from workbench.core.network import Network

STEP = 0.05  # of the displacement, to either side: the error is its square, rounding its inverse


def trained(network: Network) -> dict[str, Tensor]:
    """Return copies of every trained parameter by name."""
    return {name: p.detach().clone() for name, p in network.live_parameters().items()}


@contextmanager
def displaced(network: Network, start: Mapping[str, Tensor], share: float) -> Iterator[None]:
    """Inside, the parameters are θ_0 + share (θ − θ_0), with θ_0 `start`; outside, what they were, to the bit."""
    live, now = network.live_parameters(), trained(network)
    try:
        with torch.no_grad():
            for name, p in live.items():
                p.copy_(torch.lerp(start[name], now[name], share))
        yield
    finally:
        with torch.no_grad():
            for name, p in live.items():
                p.copy_(now[name])


def first_order(ahead: Sequence[Tensor], behind: Sequence[Tensor]) -> list[Tensor]:
    """Return J (θ − θ_0) of each task from outputs at +STEP and −STEP of the displacement."""
    return [(a - b) / (2 * STEP) for a, b in zip(ahead, behind, strict=True)]
