"""The linearity index on the real network with a tiny backbone, in float64, against autograd."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from tests.small import pictures
from tests.tiny import tiny_network
from workbench.core.gaps import drift_error
from workbench.core.linearity import STEP, displaced, first_order, trained
from workbench.core.network import Network

IMAGES = pictures(5)


def moved_network(size: float) -> tuple[Network, dict[str, Tensor]]:
    """Return a network whose every trained parameter moved by `size`, and where it came from."""
    network = tiny_network().eval()
    start, chance = trained(network), torch.Generator().manual_seed(4)
    with torch.no_grad():
        for p in network.live_parameters().values():
            p.add_(size * torch.randn(p.shape, generator=chance, dtype=p.dtype))
    return network, start


def outputs(network: Network) -> Tensor:
    with torch.no_grad():
        return network(IMAGES).main


def index(size: float) -> float:
    network, start = moved_network(size)
    sides = []
    for share in (STEP, -STEP):
        with displaced(network, start, share):
            sides.append([outputs(network)])
    now = outputs(network)
    with displaced(network, start, 0.0):
        before = outputs(network)
    value = drift_error(first_order(*sides), [now - before]).value
    assert value is not None
    return value


def test_the_first_order_is_autograds_jacobian_times_the_displacement() -> None:
    network, start = moved_network(1e-4)
    ahead, behind = [], []
    for share, side in ((STEP, ahead), (-STEP, behind)):
        with displaced(network, start, share):
            side.append(outputs(network))
    (got,) = first_order(ahead, behind)
    live = network.live_parameters()
    moved = {name: p.detach() - start[name] for name, p in live.items()}
    with displaced(network, start, 0.0):
        values = network(IMAGES).main[:, ::7]
        for value, found in zip(values.flatten(), got[:, ::7].flatten(), strict=True):
            slopes = torch.autograd.grad(
                value, list(live.values()), retain_graph=True, materialize_grads=True
            )
            pairs = zip(slopes, moved.values(), strict=True)
            expected = sum(float((slope * step).sum()) for slope, step in pairs)
            assert float(found) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_half_the_displacement_is_half_as_far_from_linear() -> None:
    """So small that no ReLU of an adapter changes sides; larger ones are far from linear."""
    assert index(2e-4) / index(1e-4) == pytest.approx(2.0, rel=1e-3)
    assert index(1e-4) < 1e-4 < 0.1 < index(1.0)


def test_displaced_parameters_come_back_to_the_bit_even_when_a_look_is_given_up() -> None:
    network, start = moved_network(0.3)
    before = trained(network)

    def look() -> Iterator[dict[str, Tensor]]:
        with displaced(network, start, 0.5):
            yield trained(network)

    looking = look()
    inside = next(looking)
    looking.close()
    after = trained(network)
    assert all(torch.equal(before[name], after[name]) for name in before)
    for name, p in inside.items():
        middle = 0.5 * (start[name] + before[name])
        torch.testing.assert_close(p, middle, rtol=0, atol=1e-15)


def test_at_the_start_nothing_is_displaced() -> None:
    network, start = moved_network(0.3)
    with displaced(network, start, 0.0):
        assert all(torch.equal(p, start[name]) for name, p in network.live_parameters().items())
