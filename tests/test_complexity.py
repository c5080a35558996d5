"""Complexity and the spectrum's shape, against dense algebra, closed forms and invariances, in float64."""

import math

import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor
from torch.nn import functional as F

from workbench.core.complexity import complexity, complexity_share, shape
from workbench.core.kernel import spectrum


def draw(seed: int, *size: int) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def kernel_of(seed: int, rows: int, rank: int = 0) -> Tensor:
    jacobian = draw(seed, rows, rank or 3 * rows)
    return jacobian @ jacobian.T


def test_complexity_is_the_norm_that_a_dense_solve_gives() -> None:
    kernel, targets, ridge = kernel_of(1, 12), draw(2, 4, 3), 0.7
    y = (targets - targets.mean(0)).reshape(-1)
    solved = torch.linalg.solve(kernel + ridge * torch.eye(12, dtype=torch.float64), y)
    expected = math.sqrt(float(kernel.trace()) / 12 * float(y @ solved) / 12)
    assert complexity(spectrum(kernel), targets, ridge).value == pytest.approx(expected, abs=1e-10)


def test_with_the_unit_kernel_complexity_is_known_by_hand() -> None:
    targets, ridge = draw(3, 5, 2), 0.25
    centred = targets - targets.mean(0)
    expected = math.sqrt(float(centred.square().mean()) / (1 + ridge))
    unit = spectrum(torch.eye(10, dtype=torch.float64))
    assert complexity(unit, targets, ridge).value == pytest.approx(expected, abs=1e-12)


@given(st.floats(1e-6, 1e6), st.integers(0, 2**31))
def test_complexity_and_rank_do_not_depend_on_the_kernels_scale(factor: float, seed: int) -> None:
    kernel, targets = kernel_of(seed, 8), draw(seed + 1, 4, 2)
    plain, scaled = spectrum(kernel), spectrum(factor * kernel)
    first, second = complexity(plain, targets, 0.1), complexity(scaled, targets, 0.1 * factor)
    assert second.value == pytest.approx(first.value, rel=1e-8)
    for name in ("condition", "effective_rank", "participation"):
        one, two = getattr(shape(plain.values), name), getattr(shape(scaled.values), name)
        assert two.value == pytest.approx(one.value, rel=1e-6)


@given(st.integers(0, 2**31))
def test_the_order_of_the_pictures_does_not_matter(seed: int) -> None:
    jacobian, targets = draw(seed, 6, 2, 30), draw(seed + 1, 6, 2)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    found = []
    for rows in (torch.arange(6), order):
        moved = jacobian[rows].reshape(12, 30)
        found.append(complexity(spectrum(moved @ moved.T), targets[rows], 0.3).value)
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_a_picture_met_twice_leaves_complexity_finite() -> None:
    jacobian, targets = draw(4, 3, 2, 20), draw(5, 3, 2)
    twice = torch.cat([jacobian, jacobian[:1]]).reshape(8, 20)
    value = complexity(spectrum(twice @ twice.T), torch.cat([targets, targets[:1]]), 0.3).value
    assert value is not None
    assert 0 < value < 10


def clusters(spread: float) -> tuple[Tensor, Tensor]:
    """A linear kernel on pictures of three classes, each around a mean of its own."""
    labels = torch.arange(3).repeat(8)
    means, noise = draw(6, 3, 10), draw(7, 24, 10)
    phi = means[labels] + spread * noise
    return torch.kron(phi @ phi.T, torch.eye(3, dtype=torch.float64)), labels


def test_labels_that_the_kernel_knows_cost_less_than_permuted_ones() -> None:
    kernel, labels = clusters(0.1)
    zero = torch.zeros(24, 3, dtype=torch.float64)
    share = complexity_share(spectrum(kernel), labels, zero, 3, 1e-2 * float(kernel.trace()) / 72)
    assert share.value is not None
    assert share.value < 0.5


def test_labels_without_order_cost_as_much_as_permuted_ones() -> None:
    kernel, labels = clusters(0.1)
    chance = torch.Generator().manual_seed(0)
    parts, ridge = spectrum(kernel), 1e-2 * float(kernel.trace()) / 72
    zero = torch.zeros(24, 3, dtype=torch.float64)
    shares = []
    for _ in range(40):
        mixed = labels[torch.randperm(24, generator=chance)]
        share = complexity_share(parts, mixed, zero, 3, ridge)
        assert share.value is not None
        shares.append(share.value)
    assert sum(shares) / 40 == pytest.approx(1.0, abs=0.05)


def test_the_share_is_complexity_over_its_mean_with_permuted_labels() -> None:
    kernel, labels = clusters(0.5)
    outputs, parts = draw(8, 24, 3), spectrum(kernel)
    share = complexity_share(parts, labels, outputs, 3, 0.4)
    own = complexity(parts, F.one_hot(labels, 3) - outputs, 0.4).value
    chance = torch.Generator().manual_seed(20)
    orders = [torch.randperm(24, generator=chance) for _ in range(20)]
    permuted = [complexity(parts, F.one_hot(labels[o], 3) - outputs, 0.4).value for o in orders]
    assert share.value == pytest.approx(own / (sum(permuted) / 20), rel=1e-12)


def test_one_class_has_no_share_but_a_reason() -> None:
    kernel = spectrum(kernel_of(1, 4))
    zero = torch.zeros(4, 1, dtype=torch.float64)
    share = complexity_share(kernel, torch.zeros(4, dtype=torch.int64), zero, 1, 0.1)
    assert share.value is None
    assert "one class" in share.reason


def test_equal_eigenvalues_have_full_rank_and_a_single_one_rank_one() -> None:
    full = shape(spectrum(torch.eye(7, dtype=torch.float64)).values)
    single = shape(spectrum(kernel_of(2, 7, rank=1)).values)
    for name, one, many in (("effective_rank", 1, 7), ("participation", 1, 7), ("condition", 1, 1)):
        assert getattr(full, name).value == pytest.approx(many, abs=1e-10)
        assert getattr(single, name).value == pytest.approx(one, abs=1e-10)
    assert full.largest.value == pytest.approx(1.0, abs=1e-12)


@given(st.integers(0, 2**31), st.integers(1, 9))
def test_participation_is_at_most_the_effective_rank_and_both_at_most_the_rank(
    seed: int, rank: int
) -> None:
    found = shape(spectrum(kernel_of(seed, 9, rank=rank)).values)
    assert found.participation.value is not None
    assert found.effective_rank.value is not None
    assert 1 - 1e-9 <= found.participation.value <= found.effective_rank.value + 1e-9 <= rank + 1e-6


@pytest.mark.parametrize("values", [torch.zeros(3), torch.tensor([0.0, float("nan")])])
def test_a_kernel_that_is_zero_or_not_finite_has_no_shape_but_a_reason(values: Tensor) -> None:
    found = shape(values.double())
    for value in (found.largest, found.condition, found.effective_rank, found.participation):
        assert value.value is None
        assert value.reason
