"""The linear-head self-test: it holds where the arithmetic is right, and it shows where it is not."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from workbench.config import RunConfig
from workbench.core import self_test
from workbench.core.replay import Replay
from workbench.core.self_test import compare
from workbench.errors import UsageError
from workbench.report import SelfTestRow


def draw(seed: int, *size: int) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rows_of(old: int = 9, new: int = 14, width: int = 20) -> tuple[SelfTestRow, ...]:
    labels = torch.arange(old) % 3, 3 + torch.arange(new) % 2
    return compare(draw(1, old, width), draw(2, new, width), *labels)


@pytest.mark.parametrize("width", [3, 20, 60])
def test_prediction_equals_measurement_on_any_features(width: int) -> None:
    rows = rows_of(width=width)
    assert [row.name for row in rows] == [
        "Interplay gap after SGD",
        "Interplay gap after ridge regression",
        "Leave-one-out error",
        "Kernel drift",
    ]
    assert all(row.holds for row in rows), rows
    assert all(row.measured > 1e-3 for row in rows[:3])


def test_a_kernel_without_its_bias_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgotten(a: Tensor, b: Tensor, classes: int) -> Tensor:
        return torch.kron(a @ b.T, torch.eye(classes, dtype=a.dtype))

    monkeypatch.setattr(self_test, "linear_head_kernel", forgotten)
    assert [row.holds for row in rows_of()] == [False, False, False, True]


def test_a_replay_without_momentum_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def still(outputs: Tensor, momentum: float, weight_decay: float) -> Replay:
        return Replay(outputs, momentum=0.0, weight_decay=weight_decay)

    monkeypatch.setattr(self_test, "Replay", still)
    assert [row.holds for row in rows_of()] == [False, True, True, True]


def test_a_number_that_is_not_there_does_not_hold() -> None:
    assert SelfTestRow("a", None, 1.0).difference is None
    assert not SelfTestRow("a", None, 1.0).holds
    assert not SelfTestRow("a", 1.0, 1.0 + 1e-9).holds
    assert SelfTestRow("a", 1e3, 1e3 + 5e-8).holds


def test_pictures_that_are_all_alike_have_no_interplay_gap_rather_than_none() -> None:
    labels = torch.zeros(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)
    rows = compare(torch.ones(4, 5).double(), torch.ones(4, 5).double(), *labels)
    assert rows[0].predicted is None
    assert not rows[0].holds


def test_one_task_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs two tasks"):
        next(self_test.self_test(RunConfig(), tmp_path))
