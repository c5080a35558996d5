"""Stability, interplay and generalisation gap: brute force, fixed points, and absent values."""

import pytest
import torch
from torch import Tensor

from workbench.core.gaps import (
    RIDGES,
    choose_ridge,
    displacement,
    drift_cosine,
    drift_error,
    interplay,
    kernel_alignment,
    kernel_cka,
    kernel_drift,
    kernel_scale,
    loo_residuals,
    ridge_gap,
)
from workbench.core.kernel import spectrum


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def some_kernel(seed: int = 1, rows: int = 12) -> Tensor:
    jacobian = draw(seed, rows, 40)
    return jacobian @ jacobian.T


def test_at_the_reference_the_kernel_has_not_moved() -> None:
    kernel = some_kernel()
    assert kernel_drift(kernel, kernel).value == 0.0
    assert kernel_alignment(kernel, kernel).value == pytest.approx(1.0, abs=1e-12)
    assert kernel_cka(kernel, kernel, 3).value == pytest.approx(1.0, abs=1e-12)
    assert kernel_scale(kernel, kernel).value == 1.0


@pytest.mark.parametrize("factor", [0.25, 3.0])
def test_a_scaled_kernel_drifts_by_the_factor_and_keeps_its_shape(factor: float) -> None:
    kernel = some_kernel()
    assert kernel_drift(factor * kernel, kernel).value == pytest.approx(abs(factor - 1), abs=1e-12)
    assert kernel_alignment(factor * kernel, kernel).value == pytest.approx(1.0, abs=1e-12)
    assert kernel_cka(factor * kernel, kernel, 3).value == pytest.approx(1.0, abs=1e-12)
    assert kernel_scale(factor * kernel, kernel).value == pytest.approx(factor, abs=1e-12)


def test_cka_is_the_alignment_of_explicitly_centred_trace_kernels() -> None:
    left, right, n = some_kernel(1), some_kernel(2), 4
    centring = torch.eye(n, dtype=torch.float64) - 1.0 / n
    traced = [
        centring @ torch.einsum("iaja->ij", k.reshape(n, 3, n, 3)) @ centring for k in (left, right)
    ]
    expected = (traced[0] * traced[1]).sum() / (traced[0].norm() * traced[1].norm())
    assert kernel_cka(left, right, 3).value == pytest.approx(float(expected), abs=1e-12)


def test_a_zero_reference_kernel_leaves_stability_absent_with_a_reason() -> None:
    zero, kernel = torch.zeros(6, 6, dtype=torch.float64), some_kernel(1, 6)
    for value in (kernel_drift(kernel, zero), kernel_alignment(kernel, zero), kernel_scale(kernel, zero)):  # fmt: skip
        assert value.value is None
        assert value.reason
    assert kernel_cka(some_kernel(1, 3), some_kernel(2, 3), 3).value is None  # one picture


def test_a_number_over_an_infinite_one_is_absent_rather_than_zero() -> None:
    kernel = some_kernel()
    reference = kernel.clone()
    reference[0, 0] = torch.inf
    for value in (kernel_scale(kernel, reference), kernel_drift(kernel, reference), kernel_alignment(kernel, reference)):  # fmt: skip
        assert value.value is None
        assert "not finite" in value.reason


def test_a_spread_of_rounding_is_no_signal_to_compare_with() -> None:
    logits = 0.1 + torch.tensor([[0.0], [1e-9], [0.0]], dtype=torch.float64)
    assert interplay([draw(1, 3, 1)], [logits]).value is None
    assert interplay([draw(1, 3, 1)], [1e3 * (logits - 0.1)]).value is not None


def test_without_training_the_interplay_gap_is_zero() -> None:
    logits = draw(1, 8, 3)
    assert interplay([torch.zeros_like(logits)], [logits]).value == 0.0


def test_the_interplay_gap_is_one_when_the_movement_is_as_large_as_the_signal() -> None:
    logits = draw(1, 500, 3)
    movement = logits - logits.mean(0)
    assert interplay([movement, movement], [logits, logits]).value == pytest.approx(1.0, abs=0.01)
    assert interplay([2 * movement], [logits]).value == pytest.approx(4.0, abs=0.04)


def test_the_interplay_gap_is_absent_without_old_tasks_or_without_variance() -> None:
    constant, moved = torch.ones(4, 2, dtype=torch.float64), draw(1, 4, 2)
    assert interplay([], []).value is None
    assert interplay([moved], [constant]).value is None
    assert interplay([moved, moved], [constant, moved]).value is not None


def test_an_infinite_movement_is_absent_not_a_number() -> None:
    gap = interplay([torch.full((4, 2), torch.inf, dtype=torch.float64)], [draw(1, 4, 2)])
    assert gap.value is None
    assert gap.reason


def test_a_displacement_predicts_a_linear_map_exactly() -> None:
    c, q = draw(1, 5, 6), draw(2, 5, 3, 6)
    weight, bias = draw(3, 6, 6), draw(4, 6)
    expected = torch.stack(
        [torch.stack([0.5 * q[i, a] @ (weight @ c[i] + bias) for a in range(3)]) for i in range(5)]
    )
    got = torch.einsum("nad,nd->na", q, displacement(c, weight, bias))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


def test_a_perfect_prediction_has_cosine_one_and_no_error() -> None:
    truth = [draw(1, 4, 2), draw(2, 5, 2)]
    half = [0.5 * part for part in truth]
    assert drift_cosine(truth, truth).value == pytest.approx(1.0, abs=1e-12)
    assert drift_error(truth, truth).value == 0.0
    assert drift_cosine(half, truth).value == pytest.approx(1.0, abs=1e-12)
    assert drift_error(half, truth).value == pytest.approx(0.5, abs=1e-12)


def test_where_nothing_moved_the_prediction_cannot_be_judged() -> None:
    still = [torch.zeros(4, 2, dtype=torch.float64)]
    for value in (drift_cosine(still, still), drift_error(still, still), drift_cosine([], [])):
        assert value.value is None
        assert value.reason


@pytest.mark.parametrize("classes", [1, 3])
def test_leaving_a_picture_out_is_what_refitting_without_it_gives(classes: int) -> None:
    pictures, ridge = 6, 0.3
    kernel, targets = some_kernel(1, pictures * classes), draw(2, pictures, classes)
    got = loo_residuals(spectrum(kernel), targets, ridge)
    blocks = kernel.reshape(pictures, classes, pictures, classes)
    for left_out in range(pictures):
        keep = [i for i in range(pictures) if i != left_out]
        inner = blocks[keep][:, :, keep].reshape(len(keep) * classes, -1)
        fit = torch.linalg.solve(
            inner + ridge * torch.eye(len(inner), dtype=torch.float64), targets[keep].reshape(-1)
        )
        predicted = blocks[left_out][:, keep].reshape(classes, -1) @ fit
        torch.testing.assert_close(got[left_out], targets[left_out] - predicted, rtol=0, atol=1e-10)


def test_the_ridge_chosen_has_the_least_leave_one_out_error() -> None:
    parts, targets = spectrum(some_kernel(1, 10)), draw(2, 10, 1)
    errors = [float(loo_residuals(parts, targets, r * parts.mean).square().mean()) for r in RIDGES]
    assert choose_ridge(parts, targets).value == RIDGES[errors.index(min(errors))]


def test_the_ridge_does_not_depend_on_the_kernels_scale() -> None:
    kernel, targets = some_kernel(1, 10), draw(2, 10, 1)
    scales = [choose_ridge(spectrum(factor * kernel), targets).value for factor in (1e-6, 1.0, 1e6)]
    assert len(set(scales)) == 1


def test_no_ridge_can_be_chosen_from_one_picture_or_a_zero_kernel() -> None:
    assert choose_ridge(spectrum(some_kernel(1, 2)), draw(2, 1, 2)).value is None
    zero = spectrum(torch.zeros(4, 4, dtype=torch.float64))
    assert choose_ridge(zero, draw(2, 4, 1)).value is None


def test_the_ridge_gap_is_what_dense_solves_give() -> None:
    kernel, targets, ridge = some_kernel(1), draw(2, 4, 3), 0.7
    test_kernel, test_targets = draw(3, 6, 12), draw(4, 2, 3)
    gap = ridge_gap(spectrum(kernel), targets, ridge, test_kernel, test_targets)
    y, size = targets.reshape(-1), 12
    smoother = kernel @ torch.linalg.inv(kernel + ridge * torch.eye(size, dtype=torch.float64))
    miss = y - smoother @ y
    train = float(miss @ miss) / size
    freedom = float((torch.eye(size, dtype=torch.float64) - smoother).trace()) / size
    alpha = torch.linalg.solve(kernel + ridge * torch.eye(size, dtype=torch.float64), y)
    held_out = float((test_kernel @ alpha - test_targets.reshape(-1)).square().mean())
    assert gap.train.value == pytest.approx(train, abs=1e-10)
    assert gap.kare.value == pytest.approx(train / freedom**2, abs=1e-10)
    assert gap.predicted.value == pytest.approx(train / freedom**2 - train, abs=1e-10)
    assert gap.held_out.value == pytest.approx(held_out - train, abs=1e-10)
    assert gap.effective_dimension.value == pytest.approx(float(smoother.trace()), abs=1e-10)


def test_kare_estimates_the_risk_of_a_linear_teacher() -> None:
    phi, noise = draw(1, 400, 30), 0.1
    teacher = draw(2, 30, 2) / 30**0.5
    targets = phi @ teacher + noise * draw(3, 400, 2)
    train, test = slice(0, 120), slice(120, 400)
    # a linear head's kernel on fixed features, C = 2: ΦΦ'ᵀ ⊗ I
    identity = torch.eye(2, dtype=torch.float64)
    kernel = torch.kron(phi[train] @ phi[train].T, identity)
    crossed = torch.kron(phi[test] @ phi[train].T, identity)
    gap = ridge_gap(spectrum(kernel), targets[train], 1.0, crossed, targets[test])
    assert gap.predicted.value is not None
    assert gap.held_out.value == pytest.approx(gap.predicted.value, rel=0.4)


def test_without_test_pictures_the_held_out_gap_alone_is_absent() -> None:
    kernel, targets = some_kernel(), draw(2, 4, 3)
    empty = torch.empty(0, 12, dtype=torch.float64)
    gap = ridge_gap(spectrum(kernel), targets, 0.1, empty, torch.empty(0, 3, dtype=torch.float64))
    assert gap.held_out.value is None
    assert gap.held_out.reason
    assert gap.predicted.value is not None
