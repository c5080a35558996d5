"""How a new task moves old logits: the closed form against autograd Jacobians of the real network."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, jacrev

from tests.small import pictures
from tests.tiny import tiny_network
from workbench.config import RunConfig, TrainConfig
from workbench.core import newcomer, readings
from workbench.core.glimpse import Glimpse
from workbench.core.heads import ProxyHead
from workbench.core.network import Network
from workbench.core.newcomer import NewTask
from workbench.core.probe import View
from workbench.core.rules import Cosines

IMAGES = pictures(14)
OLD, NEW = slice(0, 6), slice(6, 14)
LABELS = torch.arange(8) % 3
RATE, STEPS = 0.05, 9


def view(network: Network, some: slice) -> View:
    with torch.no_grad():
        features = network.eval()(IMAGES[some])
    return View(features.s1, features.main)


def glimpse(network: Network, **changes: object) -> Glimpse:
    seen = view(network, NEW)
    whole = Glimpse(("a", "b", "c"), seen, LABELS, seen, LABELS, 40)
    return replace(whole, **changes)


def old_head(network: Network) -> Cosines:
    return Cosines(view(network, OLD).main[:4], network.prototypes.votes)


def jacobians(network: Network, head: Cosines) -> tuple[Tensor, Tensor]:
    """Return J_A of the old logits and J_B of the new task's, over value layer, head and σ."""
    seen = glimpse(network)
    proxy = ProxyHead(network.width, 3).double()
    with torch.no_grad():
        proxy.weight.copy_(newcomer.mean_head(seen.train.main, LABELS, 3))
    live = {
        name: p.detach() for name, p in network.named_parameters() if name.startswith("fusion.")
    }
    theta = (live, {name: p.detach() for name, p in proxy.named_parameters()})

    def outputs(values: tuple[dict[str, Tensor], dict[str, Tensor]]) -> tuple[Tensor, Tensor]:
        old, new = (functional_call(network, values[0], (IMAGES[i],)).main for i in (OLD, NEW))
        return head(old).flatten(), functional_call(proxy, values[1], (new,)).flatten()

    sides = jacrev(outputs)(theta)
    flat = [
        torch.cat([j.flatten(1) for part in side for j in part.values()], 1).detach()
        for side in sides
    ]
    return flat[0], flat[1]


def new_task(network: Network) -> NewTask:
    return newcomer.new_task(glimpse(network), RATE, STEPS)


def gap(found: Tensor | None, wanted: Tensor) -> float:
    assert found is not None
    return float((found.flatten() - wanted).abs().max() / wanted.abs().max())


def test_the_movement_forecast_is_that_of_the_jacobians() -> None:
    network = tiny_network()
    head, new = old_head(network), new_task(network)
    a, b = jacobians(network, head)
    moved = newcomer.movement(view(network, OLD), head, new)
    assert moved.ridge is not None
    assert moved.ridge.shape == (6, 4)

    assert new.ridge.value is not None
    kernel = b @ b.T
    shifted = kernel + new.ridge.value * kernel.trace() / 24 * torch.eye(24).double()
    ridge = a @ b.T @ torch.linalg.solve(shifted, new.residual.flatten())
    assert gap(moved.ridge, ridge) < 1e-10

    displacement = torch.zeros(b.shape[1], dtype=torch.float64)
    for _ in range(STEPS):
        displacement -= RATE * b.T @ (b @ displacement - new.push.flatten()) / 8
    assert gap(moved.planned, a @ displacement) < 1e-10
    assert moved.main is moved.planned


def test_the_outputs_are_cosines_to_the_unit_class_means() -> None:
    network = tiny_network()
    new, main = new_task(network), view(network, NEW).main
    unit = main / main.norm(dim=1, keepdim=True)
    means = torch.stack([unit[place == LABELS].mean(0) for place in range(3)])
    cosines = unit @ (means / means.norm(dim=1, keepdim=True)).T
    torch.testing.assert_close(new.outputs, cosines, rtol=0, atol=1e-12)
    hot = torch.eye(3).double()[LABELS]
    torch.testing.assert_close(new.residual, hot - cosines, rtol=0, atol=1e-12)
    torch.testing.assert_close(new.push.sum(1), torch.zeros(8).double(), rtol=0, atol=1e-12)


def test_strips_of_pictures_give_what_all_at_once_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network()
    head, new, old = old_head(network), new_task(network), view(network, OLD)
    whole = newcomer.movement(old, head, new)
    monkeypatch.setattr(newcomer, "CHUNK_ELEMENTS", 1)
    parts = newcomer.movement(old, head, new)
    assert whole.planned is not None
    assert whole.ridge is not None
    assert gap(parts.planned, whole.planned.flatten()) < 1e-12
    assert gap(parts.ridge, whole.ridge.flatten()) < 1e-12


def test_steps_too_large_for_the_kernel_leave_only_the_ridge() -> None:
    network = tiny_network()
    new = replace(new_task(network), rate=1e3)
    moved = newcomer.movement(view(network, OLD), old_head(network), new)
    assert moved.planned is None
    assert moved.main is moved.ridge is not None


def test_the_mean_step_is_that_of_the_cosine() -> None:
    training = TrainConfig(epochs=7, batch_size=16, learning_rate=0.03, momentum=0.8)
    rate, steps = newcomer.planned(RunConfig(train=training).train, 33)
    assert steps == 7 * 3
    angles = torch.arange(7).double() * torch.pi / 7
    assert rate == pytest.approx(float((0.5 * 0.03 * (1 + angles.cos())).mean()) / 0.2, rel=1e-12)


def test_what_allows_no_forecast_is_said() -> None:
    network = tiny_network()
    assert newcomer.why_not(glimpse(network)) == ""
    assert "nothing to be told apart" in newcomer.why_not(glimpse(network, classes=("a",)))
    assert "5 training pictures for 3 classes" in newcomer.why_not(glimpse(network, pictures=5))
    many = tuple(map(str, range(33)))
    assert "exceeds 1024 rows" in newcomer.why_not(glimpse(network, classes=many, pictures=99))
    same = view(network, slice(6, 7))
    alike = View(None, same.main.expand(8, -1))
    assert "look the same" in newcomer.why_not(glimpse(network, train=alike))
    broken = View(None, alike.main * torch.nan)
    assert "not finite" in newcomer.why_not(glimpse(network, train=broken))


def test_networks_without_the_closed_form_say_why() -> None:
    assert "only one branch" in readings.why_no_fusion(tiny_network("s1"))
    assert "attention over sections" in readings.why_no_fusion(tiny_network(fusion="section_attention"))  # fmt: skip
