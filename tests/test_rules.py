"""Rules that answer: how fast logits move along a way of the features, against automatic differentiation."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from workbench.core import rules
from workbench.core.rules import Cosines, Linear, OwnCosines, Projected, Rule, Summed

N, C, D, M = 7, 3, 6, 40


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(seed: int, width: int = D) -> Linear:
    return Linear(drawn(seed, C, width), drawn(seed + 1, C))


RULES: dict[str, Callable[[], Rule]] = {
    "cosines": lambda: Cosines(drawn(1, C, D), (0.3, 0.1)),
    "own cosines": lambda: OwnCosines(drawn(1, C, D), drawn(2, C, 2)),
    "linear": lambda: linear(1),
    "projected": lambda: Projected(drawn(3, D, M), linear(4, M)),
    "summed": lambda: Summed(linear(1), Projected(drawn(3, D, M), linear(4, M))),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_along_a_way_logits_move_as_their_gradient_says(
    rule: Callable[[], Rule], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "CHUNK_ELEMENTS", 2 * C * D)  # two pictures at a time
    m, ways = drawn(8, N, D), drawn(9, N, D)
    _, wanted = torch.autograd.functional.jvp(rule(), m, ways)
    found = rule().along(m, ways)
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
    assert rule().along(m[:0], ways[:0]).shape == (0, C)
