"""Ridge regression by kernels against the same in parameter space: one task after another, and many."""

import pytest
import torch
from torch import Tensor

from workbench.core.kernel import spectrum
from workbench.core.ridge import finite_movement, ridge_movement, ridge_sequence

CLASSES, WIDTH = 3, 7


def draw(seed: int, *size: int) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def jacobian(seed: int, pictures: int, parameters: int = 40) -> Tensor:
    return draw(seed, pictures * CLASSES, parameters)


def gap(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max().clamp_min(1e-300))


def refitted(jacobian_b: Tensor, residual: Tensor, ridge: float) -> Tensor:
    """Return the displacement of least ½‖J δ − Ỹ‖² + ½ λ‖δ‖² by plain least squares."""
    width = jacobian_b.shape[1]
    anchor = ridge**0.5 * torch.eye(width, dtype=torch.float64)
    aims = torch.cat([residual.reshape(-1), torch.zeros(width, dtype=torch.float64)])
    found: Tensor = torch.linalg.lstsq(torch.cat([jacobian_b, anchor]), aims[:, None]).solution
    return found[:, 0]


@pytest.mark.parametrize(("n_a", "n_b", "parameters"), [(5, 6, 40), (5, 6, 11), (1, 1, 40)])
def test_a_ridge_forecast_equals_refitting_the_parameters(
    n_a: int, n_b: int, parameters: int
) -> None:
    a, b, residual = (
        jacobian(1, n_a, parameters),
        jacobian(2, n_b, parameters),
        draw(3, n_b, CLASSES),
    )
    moved = ridge_movement(a @ b.T, spectrum(b @ b.T), residual, 0.3)
    assert moved.shape == (n_a * CLASSES,)
    assert gap(moved, a @ refitted(b, residual, 0.3)) < 1e-10


def test_without_a_ridge_a_singular_kernel_gives_the_least_displacement() -> None:
    a, b, residual = jacobian(1, 4, 11), jacobian(2, 6, 11), draw(3, 6, CLASSES)
    moved = ridge_movement(a @ b.T, spectrum(b @ b.T), residual, 0.0)
    assert gap(moved, a @ torch.linalg.pinv(b) @ residual.reshape(-1)) < 1e-9


@pytest.mark.parametrize(("n_b", "parameters"), [(6, 40), (6, 11), (1, 40)])
@pytest.mark.parametrize(("rate", "steps"), [(0.02, 1), (0.02, 200), (0.1, 30)])
def test_a_forecast_of_some_steps_equals_training_the_parameters(
    n_b: int, parameters: int, rate: float, steps: int
) -> None:
    a, b, residual = jacobian(1, 5, parameters), jacobian(2, n_b, parameters), draw(3, n_b, CLASSES)
    moved = finite_movement(a @ b.T, spectrum(b @ b.T), residual, rate, steps)
    displacement = torch.zeros(parameters, dtype=torch.float64)
    for _ in range(steps):
        miss = b @ displacement - residual.reshape(-1)
        displacement = displacement - rate * b.T @ miss / n_b
    assert gap(moved, a @ displacement) < 1e-10


def test_a_direction_the_kernel_does_not_see_is_moved_in_proportion_to_time() -> None:
    """J_A may see what J_B's kernel, clipped, does not: the limit of (1 − (1 − ηΛ/n)^t)/Λ is tη/n."""
    k_ab, residual = torch.eye(2, dtype=torch.float64), torch.tensor([[2.0, 3.0]]).double()
    parts = spectrum(torch.diag(torch.tensor([0.0, 1e-9], dtype=torch.float64)))
    moved = finite_movement(k_ab, parts, residual, 0.1, 7)
    assert moved.tolist() == pytest.approx([1.4, 2.1 * (1 - 3e-10)], rel=1e-14)


def test_many_steps_come_to_the_forecast_without_a_ridge() -> None:
    a, b, residual = jacobian(1, 5), jacobian(2, 6), draw(3, 6, CLASSES)
    parts = spectrum(b @ b.T)
    moved = finite_movement(a @ b.T, parts, residual, 0.02, 100_000)
    assert gap(moved, ridge_movement(a @ b.T, parts, residual, 0.0)) < 1e-10


def test_forecasts_do_not_depend_on_the_kernels_scale() -> None:
    a, b, residual = jacobian(1, 5), jacobian(2, 6), draw(3, 6, CLASSES)
    k_ab, k_bb = a @ b.T, b @ b.T
    wide = 250.0
    ridge = ridge_movement(k_ab, spectrum(k_bb), residual, 0.3)
    assert gap(ridge_movement(wide * k_ab, spectrum(wide * k_bb), residual, wide * 0.3), ridge) < 1e-10  # fmt: skip
    steps = finite_movement(k_ab, spectrum(k_bb), residual, 0.05, 30)
    assert gap(finite_movement(wide * k_ab, spectrum(wide * k_bb), residual, 0.05 / wide, 30), steps) < 1e-10  # fmt: skip


def test_pictures_given_twice_at_twice_the_ridge_move_the_same() -> None:
    a, b, residual = jacobian(1, 5), jacobian(2, 6), draw(3, 6, CLASSES)
    once = ridge_movement(a @ b.T, spectrum(b @ b.T), residual, 0.3)
    b2, residual2 = torch.cat([b, b]), torch.cat([residual, residual])
    assert gap(ridge_movement(a @ b2.T, spectrum(b2 @ b2.T), residual2, 0.6), once) < 1e-10


@pytest.mark.parametrize("sizes", [(5, 6, 4, 7), (1, 1, 1), (6,), (9, 9)])
@pytest.mark.parametrize("moving", [False, True])
def test_tasks_in_sequence_equal_ridge_regression_on_the_parameters(
    sizes: tuple[int, ...], moving: bool
) -> None:
    """`moving`: the model is linearised anew for each task, so K_k is another kernel for every k."""
    tasks, parameters = range(len(sizes)), 23
    at = [[jacobian(100 * k * moving + t, sizes[t], parameters) for t in tasks] for k in tasks]
    kernels = [[at[k][t] @ at[k][k].T for k in tasks] for t in tasks]
    targets = [draw(50 + t, n, CLASSES) for t, n in enumerate(sizes)]
    start = [draw(70 + t, n, CLASSES) for t, n in enumerate(sizes)]
    ridges = [0.3 + 0.1 * t for t in tasks]
    found = ridge_sequence(kernels, targets, start, ridges)

    now = [outputs.reshape(-1) for outputs in start]
    own = []
    for k in tasks:
        step = refitted(at[k][k], targets[k] - now[k].reshape(targets[k].shape), ridges[k])
        for t in tasks:
            assert gap(found.drifts[k][t], at[k][t] @ step) < 1e-10
        now = [now[t] + at[k][t] @ step for t in tasks]
        own.append(float((now[k] - targets[k].reshape(-1)).square().mean()))
        assert all(gap(found.outputs[k + 1][t], now[t]) < 1e-10 for t in tasks)
        assert gap(found.residuals[k], now[k] - targets[k].reshape(-1)) < 1e-10
    losses = [float((now[t] - targets[t].reshape(-1)).square().mean()) for t in tasks]
    assert found.interplay == pytest.approx([a - b for a, b in zip(losses, own, strict=True)], abs=1e-10)  # fmt: skip
    assert found.total == pytest.approx(sum(losses) - sum(own), abs=1e-10)
    assert found.interplay[-1] == 0.0


def test_a_tasks_loss_is_its_own_residual_and_the_drifts_after_it() -> None:
    sizes = (5, 6, 4)
    features = [jacobian(t, n, 23) for t, n in enumerate(sizes)]
    kernels = [[a @ b.T for b in features] for a in features]
    targets = [draw(50 + t, n, CLASSES) for t, n in enumerate(sizes)]
    start = [torch.zeros_like(wanted) for wanted in targets]
    found = ridge_sequence(kernels, targets, start, [0.3] * 3)
    drift = found.drifts[1][0] + found.drifts[2][0]
    whole = (found.outputs[3][0] - targets[0].reshape(-1)).square().mean()
    assert float((found.residuals[0] + drift).square().mean()) == pytest.approx(float(whole))
    closed = -0.3 * torch.linalg.solve(
        kernels[0][0] + 0.3 * torch.eye(15, dtype=torch.float64), targets[0].reshape(-1)
    )
    assert gap(found.residuals[0], closed) < 1e-10


def test_tasks_that_share_no_direction_do_not_disturb_each_other() -> None:
    a, b = torch.zeros(6, 20).double(), torch.zeros(9, 20).double()
    a[:, :10], b[:, 10:] = draw(1, 6, 10), draw(2, 9, 10)
    kernels = [[x @ y.T for y in (a, b)] for x in (a, b)]
    targets = [draw(3, 2, CLASSES), draw(4, 3, CLASSES)]
    found = ridge_sequence(kernels, targets, [torch.zeros_like(y) for y in targets], [0.1, 0.1])
    assert found.interplay == (0.0, 0.0)


def test_known_spectra_give_the_same_sequence() -> None:
    features = [jacobian(t, n, 23) for t, n in enumerate((5, 6, 4))]
    kernels = [[a @ b.T for b in features] for a in features]
    targets = [draw(50 + t, n, CLASSES) for t, n in enumerate((5, 6, 4))]
    start = [torch.zeros_like(wanted) for wanted in targets]
    parts = [spectrum(kernels[k][k]) for k in range(3)]
    known = ridge_sequence(kernels, targets, start, [0.3] * 3, parts)
    assert known.interplay == ridge_sequence(kernels, targets, start, [0.3] * 3).interplay
