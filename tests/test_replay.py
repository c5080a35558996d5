"""The function-space replay against torch's own SGD in parameter space."""

import math

import pytest
import torch
from torch import Tensor

from tests.replay import value_block_push
from workbench.core.gaps import displacement, interplay
from workbench.core.kernel import prototype_vectors, value_kernel
from workbench.core.replay import Replay, linear_head_kernel


def features(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def drift(c: Tensor, q: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.einsum("nad,nd->na", q, displacement(c, weight, bias))


def minibatches(pictures: int, size: int, epochs: int) -> list[tuple[int, Tensor]]:
    draw = torch.Generator().manual_seed(7)
    return [
        (epoch, rows)
        for epoch in range(epochs)
        for rows in torch.randperm(pictures, generator=draw).split(size)
    ]


def cosine_rate(epoch: int, epochs: int) -> float:
    return 0.2 * 0.5 * (1.0 + math.cos(math.pi * epoch / epochs))


@pytest.mark.parametrize("anchor", [0.0, 0.03])
def test_a_linear_head_moves_as_the_replay_says(anchor: float) -> None:
    """Cross-entropy, momentum, weight decay, cosine rate, uneven minibatches, an L2 anchor."""
    old, new, classes, epochs = features(1, 9, 6), features(2, 20, 6), 4, 5
    labels = torch.arange(20) % classes
    head = torch.nn.Linear(6, classes).double()
    start = [p.detach().clone() for p in head.parameters()]
    both = torch.cat([old, new])
    outputs = head(both).detach()
    replay = Replay(outputs, momentum=0.9, weight_decay=5e-3, anchor=2 * anchor)
    optimiser = torch.optim.SGD(head.parameters(), lr=0.2, momentum=0.9, weight_decay=5e-3)

    for epoch, rows in minibatches(20, 6, epochs):
        lr = cosine_rate(epoch, epochs)
        optimiser.param_groups[0]["lr"] = lr
        loss = torch.nn.functional.cross_entropy(head(new[rows]), labels[rows])
        for parameter, first in zip(head.parameters(), start, strict=True):
            loss = loss + anchor * (parameter - first).square().sum()
        optimiser.zero_grad()
        loss.backward()

        predicted = replay.outputs[len(old) :][rows]
        residual = predicted.softmax(1) - torch.eye(classes, dtype=torch.float64)[labels[rows]]
        kernel = linear_head_kernel(both, new[rows], classes)
        replay.step(lr, (kernel @ (residual / len(rows)).reshape(-1)).reshape(-1, classes))
        optimiser.step()

    truth = head(both).detach()
    assert (truth - outputs).abs().max() > 0.1
    torch.testing.assert_close(replay.outputs, truth, rtol=0, atol=1e-10)
    torch.testing.assert_close(replay.movement, truth - outputs, rtol=0, atol=1e-10)
    gaps = [interplay([moved[: len(old)]], [outputs[: len(old)]]) for moved in (replay.movement, truth - outputs)]  # fmt: skip
    assert gaps[0].value == pytest.approx(gaps[1].value, abs=1e-10)


def test_renewing_the_linear_part_keeps_velocity_and_movement() -> None:
    replay = Replay(torch.ones(2, 3, dtype=torch.float64), momentum=0.5, weight_decay=0.0)
    replay.step(1.0, torch.full((2, 3), 2.0, dtype=torch.float64))
    replay.renew(torch.zeros(2, 3, dtype=torch.float64))
    replay.step(1.0, torch.zeros(2, 3, dtype=torch.float64))
    assert replay.movement.eq(-3.0).all()
    assert replay.outputs.eq(-1.0).all()


def test_the_push_of_a_minibatch_is_the_kernel_times_its_residual() -> None:
    votes = torch.tensor([1.0, 0.3, 0.1], dtype=torch.float64)
    c_a, c_b, m_a, m_b = (features(seed, n, 12) for seed, n in ((3, 5), (4, 7), (5, 5), (6, 7)))
    q_a = prototype_vectors(m_a, features(8, 4, 12), votes)
    q_b = prototype_vectors(m_b, features(9, 2, 12), votes)
    residual = features(10, 7, 2)
    u_b = torch.einsum("jbd,jb->jd", q_b, residual)
    expected = (value_kernel(c_a, q_a, c_b, q_b) @ residual.reshape(-1)).reshape(5, 4)
    torch.testing.assert_close(value_block_push(c_a, q_a, c_b, u_b), expected, rtol=0, atol=1e-12)


def test_replaying_the_fusion_layer_at_a_fixed_kernel_is_its_displacement() -> None:
    """q and c fixed, real SGD on the layer's weights: both say the same of the old logits."""
    votes = torch.tensor([0.3, 0.1], dtype=torch.float64)
    c_a, m_a, c_b, u_b = (features(seed, n, 8) for seed, n in ((1, 6), (2, 6), (3, 10), (4, 10)))
    q_a = prototype_vectors(m_a, features(5, 3, 8), votes)
    layer = torch.nn.Linear(8, 8).double()
    weight, bias = (p.detach().clone() for p in (layer.weight, layer.bias))
    zero = torch.zeros_like
    replay = Replay(drift(c_a, q_a, weight, bias), momentum=0.9, weight_decay=1e-2)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-2)
    for rows in torch.arange(10).split(3):
        optimiser.zero_grad()
        (0.5 * layer(c_b[rows]) * u_b[rows]).sum().backward()
        optimiser.step()
        replay.step(0.1, value_block_push(c_a, q_a, c_b[rows], u_b[rows]))
    moved = drift(c_a, q_a, layer.weight.detach() - weight, layer.bias.detach() - bias)
    assert moved.abs().max() > 1e-2
    torch.testing.assert_close(replay.movement, moved, rtol=0, atol=1e-10)
    assert drift(c_a, q_a, zero(weight), zero(bias)).eq(0).all()
