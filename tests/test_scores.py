"""Scores of forecasts and the network's own gap, against hand cases."""

import math

import pytest
import torch
from torch import Tensor

from workbench.core.scores import class_movement, network_gap, rank_correlation


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(
    ("a", "b", "rho"),
    [
        ((1, 2, 3, 4), (10, 200, 3000, 4e9), 1.0),
        ((1, 2, 3, 4), (4, 3, 2, 1), -1.0),
        ((1, 2, 3, 4, 5), (2, 1, 4, 3, 5), 0.8),  # 1 − 6 Σd² / (k³ − k)
        ((1, 2, 2, 4), (1, 2, 3, 4), 0.9486832980505138),  # ranks 0, 1.5, 1.5, 3
    ],
)
def test_the_rank_correlation_is_spearmans(a: tuple[float, ...], b: tuple[float, ...], rho: float) -> None:  # fmt: skip
    assert rank_correlation(a, b).value == pytest.approx(rho, abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ((), (), "three"),
        ((1, 2), (2, 1), "three"),
        ((1, 1, 1), (1, 2, 3), "all the same"),
        ((1, 2, 3), (5, 5, 5), "all the same"),
        ((1, 2, math.nan), (1, 2, 3), "not finite"),
        ((1, 2, 3), (1, math.inf, 3), "not finite"),
    ],
)
def test_where_there_is_no_order_there_is_no_correlation_but_a_reason(a: tuple[float, ...], b: tuple[float, ...], why: str) -> None:  # fmt: skip
    value = rank_correlation(a, b)
    assert value.value is None
    assert why in value.reason


def test_each_class_moves_by_its_own_pictures() -> None:
    first = torch.tensor([[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]], dtype=torch.float64)
    second = torch.full((2, 2), 2.0, dtype=torch.float64)
    got = class_movement([first, second], [(7, 1, 7), (2, 1)])
    assert list(got) == [1, 2, 7]
    assert got[7] == pytest.approx(math.sqrt((9 + 16 + 36 + 64) / 4))
    assert got[1] == pytest.approx(math.sqrt((0 + 4) / 2))  # of both tasks
    assert got[2] == pytest.approx(2.0)


def test_a_class_whose_movement_is_not_finite_is_left_out() -> None:
    moved = draw(1, 3, 2)
    moved[1, 0] = torch.nan
    assert set(class_movement([moved], [(4, 5, 6)])) == {4, 6}


def test_the_networks_gap_by_hand() -> None:
    train, test = (
        torch.zeros(2, 2).double(),
        torch.tensor([[math.log(3.0), 0.0]], dtype=torch.float64),
    )
    gap = network_gap(train, torch.tensor([0, 1]), test, torch.tensor([1]))
    assert gap.nats.value == pytest.approx(math.log(4) - math.log(2), abs=1e-12)
    assert gap.brier.value == pytest.approx(2 * 0.75**2 - 2 * 0.5**2, abs=1e-12)
    assert gap.accuracy.value == pytest.approx(0.5)


def test_a_network_seen_on_the_same_pictures_has_no_gap() -> None:
    logits, labels = draw(1, 9, 3), torch.arange(9) % 3
    gap = network_gap(logits, labels, logits, labels)
    assert (gap.nats.value, gap.brier.value, gap.accuracy.value) == (0.0, 0.0, 0.0)
