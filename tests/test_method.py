"""The base of methods beside NTK-CL: its arithmetic against numpy, and the example built on it."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from tests import small
from workbench.config import MethodConfig, TrainConfig
from workbench.core.learner import Batch, Learner
from workbench.core.method import Method
from workbench.paths import ROOT
from workbench.plugins import load, resolve
from workbench.plugins.sources import files_in

CLASSES, Y = (0, 1, 2), torch.tensor([0, 1, 2, 0, 1, 2])


class Squares(Method):
    term_weights: ClassVar = {"squares": 0.25}

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        return {"squares": sum((z**2).mean() for _, z in batch.features.each())}


def made(kind: Callable[..., Learner] = Method) -> Learner:
    chance = torch.Generator().manual_seed(0)
    training = TrainConfig(learning_rate=0.05, weight_decay=0.0)
    torch.manual_seed(1)
    learner = kind(small.network(), MethodConfig(), small.switches(), training, chance)
    learner.begin_task(CLASSES, 1)
    return learner


def entropy_by_hand(z: np.ndarray, weight: np.ndarray, sigma: float) -> float:
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (z, weight)]
    logits = sigma * unit[0] @ unit[1].T
    own = logits[np.arange(len(z)), Y.numpy()]
    return float(np.mean(np.log(np.exp(logits).sum(1)) - own))


def test_fine_tuning_minimises_the_sum_of_the_branches_cross_entropies_and_nothing_else() -> None:
    learner = made()
    batch = learner.forward(small.pictures(6), Y)
    terms = learner.losses(batch)
    weight = learner.proxy.weight.detach().numpy()
    by_hand = {
        f"cross_entropy_{name}": entropy_by_hand(z.detach().numpy(), weight, 1.0)
        for name, z in batch.features.each()
    }
    assert set(terms) == {*by_hand, "total"}
    for name, value in by_hand.items():
        assert float(terms[name].detach()) == pytest.approx(value, rel=1e-10)
    assert float(terms["total"].detach()) == pytest.approx(sum(by_hand.values()), rel=1e-10)


def test_a_subclasss_terms_enter_the_total_with_their_weights() -> None:
    learner = made(Squares)
    terms = learner.losses(learner.forward(small.pictures(6), Y))
    entropies = sum(float(t.detach()) for n, t in terms.items() if n.startswith("cross"))
    squares = float(terms["squares"].detach())
    assert float(terms["total"].detach()) == pytest.approx(entropies + 0.25 * squares, rel=1e-12)


@pytest.mark.parametrize("kind", [Method, Squares])
def test_the_push_is_the_slope_of_cross_entropy_and_terms(kind: Callable[..., Learner]) -> None:
    learner = made(kind)
    m = torch.randn(6, learner.network.width, dtype=torch.float64)
    push = learner.push(m, Y).numpy()
    weight = learner.proxy.weight.detach().numpy()

    def loss(z: np.ndarray) -> float:
        extra = 0.25 * float(np.mean(z**2)) if kind is Squares else 0.0
        return entropy_by_hand(z, weight, 1.0) + extra

    way = np.random.default_rng(0).normal(size=m.shape)
    h = 1e-6
    slope = (loss(m.numpy() + h * way) - loss(m.numpy() - h * way)) / (2 * h)
    assert float((push * way).sum()) == pytest.approx(slope, rel=1e-6)


def test_the_slow_copies_stay_unless_the_method_averages() -> None:
    for averages in (False, True):
        learner = made(type("Chosen", (Method,), {"averages": averages}))
        for _ in range(2):
            learner.backward(learner.losses(learner.forward(small.pictures(6), Y)))
            learner.step()
        pair = learner.network.s1
        before = [p.clone() for p in pair["ema"].parameters()]
        assert learner.average(is_last=False) is averages
        same = [torch.equal(a, b) for a, b in zip(before, pair["ema"].parameters(), strict=True)]
        assert all(same) is not averages


def test_the_example_keeps_its_scale_while_it_learns() -> None:
    plugins = load([ROOT / "plugins" / "examples"], entry_points=False)
    learner = made(resolve(plugins.methods.get("logit-scale").make))
    batch = learner.forward(small.pictures(6), Y)
    weight = learner.proxy.weight.detach().numpy()
    found = float(learner.losses(batch)["cross_entropy_hybrid"].detach())
    hybrid = batch.features.main.detach().numpy()
    assert found == pytest.approx(entropy_by_hand(hybrid, weight, 16.0), rel=1e-10)
    for _ in range(3):
        learner.backward(learner.losses(learner.forward(small.pictures(6), Y)))
        learner.step()
    assert float(learner.proxy.sigma) == 16.0
    assert len((ROOT / "plugins/examples/logit_scale.py").read_text().splitlines()) < 60
    assert len(list(files_in([ROOT / "plugins" / "examples"]))) == 3
