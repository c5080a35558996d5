"""Learning curves, against simulated kernel ridge regression and closed forms."""

import math

import pytest
import torch
from torch import Tensor

from workbench.core.gaps import choose_ridge, kare
from workbench.core.kernel import spectrum
from workbench.core.theory import extrapolated_error, learning_curve


def draw(chance: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=chance, dtype=torch.float64)


def power_law(modes: int, decay: float) -> Tensor:
    return torch.arange(1, modes + 1, dtype=torch.float64) ** -decay


def mistake(chance: torch.Generator, eigenvalues: Tensor, energies: Tensor, n: int, ridge: float, noise: float) -> float:  # fmt: skip
    """Fit n pictures with Gaussian features √λ_ρ z_ρ and return the exact error of the function found."""
    z = draw(chance, n, len(eigenvalues))
    wanted = energies.sqrt()
    features = z * eigenvalues.sqrt()
    labels = z @ wanted + math.sqrt(noise) * draw(chance, n)
    gram = features @ features.T + ridge * torch.eye(n, dtype=torch.float64)
    weights = features.T @ torch.linalg.solve(gram, labels)  # on the features
    return float((wanted - weights * eigenvalues.sqrt()).square().sum())


@pytest.mark.parametrize(("noise", "ridge"), [(0.0, 1e-2), (0.25, 1.0)])
def test_the_theory_meets_three_hundred_gaussian_feature_draws(noise: float, ridge: float) -> None:
    eigenvalues, energies = power_law(200, 1.5), power_law(200, 1.8)
    chance = torch.Generator().manual_seed(5)
    found = torch.tensor(
        [mistake(chance, eigenvalues, energies, 80, ridge, noise) for _ in range(300)]
    )
    error = float(found.std()) / math.sqrt(300)
    expected = learning_curve(eigenvalues, energies, 80, ridge, noise)
    assert error < 0.02 * expected
    assert float(found.mean()) == pytest.approx(expected, abs=3 * error)


def test_without_samples_all_of_the_target_is_missed() -> None:
    assert learning_curve(power_law(5, 1), power_law(5, 2), 0, 0.1) == pytest.approx(
        float(power_law(5, 2).sum())
    )


def test_more_samples_than_directions_and_no_ridge_leave_the_noise_of_least_squares() -> None:
    """σ² M / (n − M) by counting, without ridge and for n > M; unbounded at n = M."""
    eigenvalues, energies = power_law(6, 1.3), power_law(6, 1)
    for n in (8, 30):
        got = learning_curve(eigenvalues, energies, n, 0.0, 0.5)
        assert got == pytest.approx(0.5 * 6 / (n - 6), rel=1e-12)
    assert learning_curve(eigenvalues, energies, 6, 0.0, 0.5) == math.inf


def test_equal_eigenvalues_solve_a_quadratic_equation() -> None:
    """κ² + (n − M) λ_ρ κ − λ κ − λ n λ_ρ = 0 for M equal eigenvalues."""
    modes, n, ridge, each = 7, 5, 0.3, 0.4
    b = (n - modes) * each - ridge
    kappa = (-b + math.sqrt(b * b + 4 * ridge * n * each)) / 2
    gamma = modes * n * each**2 / (kappa + n * each) ** 2
    expected = kappa**2 * 2.0 / (kappa + n * each) ** 2 / (1 - gamma)
    energies = torch.full((modes,), 2.0 / modes, dtype=torch.float64)
    got = learning_curve(torch.full_like(energies, each), energies, n, ridge)
    assert got == pytest.approx(expected, rel=1e-12)


def test_what_no_mode_carries_is_never_learnt() -> None:
    eigenvalues = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64)
    energies = torch.tensor([1.0, 1.0, 0.7], dtype=torch.float64)
    assert learning_curve(eigenvalues, energies, 10**7, 1e-3) == pytest.approx(0.7, rel=1e-5)


def probe(n: int, classes: int = 1) -> tuple[Tensor, Tensor]:
    chance = torch.Generator().manual_seed(8)
    features, wanted = draw(chance, n, 60), draw(chance, 60, classes)
    return features * power_law(60, 0.7), features @ wanted + draw(chance, n, classes)


@pytest.mark.parametrize("classes", [1, 3])
def test_for_as_many_pictures_as_the_probe_has_the_error_is_kare(classes: int) -> None:
    features, targets = probe(24, classes)
    kernel = torch.kron(features @ features.T, torch.eye(classes, dtype=torch.float64))
    parts = spectrum(kernel)
    got = extrapolated_error(parts, targets, 0.5, 24, 24).value
    assert got == pytest.approx(kare(parts, targets, 0.5).value, rel=1e-9)


def test_outputs_without_a_shared_kernel_are_as_many_separate_regressions() -> None:
    """K ⊗ I_C with one target for all outputs is that of one output."""
    features, targets = probe(24)
    gram = features @ features.T
    single = extrapolated_error(spectrum(gram), targets, 0.5, 24, 300).value
    triple = torch.kron(gram, torch.eye(3, dtype=torch.float64))
    got = extrapolated_error(spectrum(triple), targets.expand(24, 3), 0.5, 24, 300).value
    assert got == pytest.approx(single, rel=1e-9)


def test_more_pictures_mean_a_smaller_error_and_never_less_than_the_noise_seen() -> None:
    features, targets = probe(24)
    parts = spectrum(features @ features.T)
    ridge = choose_ridge(parts, targets).value * parts.mean
    errors = [extrapolated_error(parts, targets, ridge, 24, n).value for n in (24, 100, 1000, 10**5)]  # fmt: skip
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] > 0.1 * errors[0]


@pytest.mark.parametrize("relative", [None, 1e-6, 1.0])
def test_the_extrapolation_is_half_to_twice_what_more_pictures_give(relative: float | None) -> None:
    """The mean of 12 probes of 64 pictures, judged on 600: noise, unseen directions, any ridge."""
    eigenvalues, energies, noise = power_law(1500, 1.5), power_law(1500, 1.8), 0.3
    guesses, truths = [], []
    for seed in range(12):
        chance = torch.Generator().manual_seed(seed)
        z = draw(chance, 64, 1500)
        labels = z @ energies.sqrt() + math.sqrt(noise) * draw(chance, 64)
        features, targets = z * eigenvalues.sqrt(), labels[:, None]
        parts = spectrum(features @ features.T)
        ridge = (relative or choose_ridge(parts, targets).value) * parts.mean
        guesses.append(extrapolated_error(parts, targets, ridge, 64, 600).value)
        truths.append(mistake(chance, eigenvalues, energies, 600, ridge, noise) + noise)
    assert 0.5 < sum(guesses) / sum(truths) < 2
