"""Overlap and principal angles, against matrices of parameters and random output vectors, in float64."""

import math

import pytest
import torch
from torch import Tensor

from workbench.core.kernel import spectrum
from workbench.core.overlap import (
    angles,
    chance_overlap,
    overlap,
    overlap_of_vectors,
    principal_cosines,
    squared_norm,
)


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def kernels(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return a @ b.T, a @ a.T, b @ b.T


def test_overlap_is_the_cosine_of_the_matrices_of_parameters() -> None:
    a, b = draw(1, 12, 50), draw(2, 8, 50)
    metric_a, metric_b = a.T @ a, b.T @ b
    expected = (metric_a * metric_b).sum() / (metric_a.norm() * metric_b.norm())
    assert overlap(*kernels(a, b)).value == pytest.approx(float(expected), abs=1e-12)


def test_a_task_overlaps_with_itself_wholly_and_with_an_orthogonal_one_not_at_all() -> None:
    a = draw(1, 6, 40)
    assert overlap(*kernels(a, a)).value == pytest.approx(1.0, abs=1e-12)
    left, right = torch.zeros(6, 40).double(), torch.zeros(5, 40).double()
    left[:, :20], right[:, 20:] = draw(2, 6, 20), draw(3, 5, 20)
    assert overlap(*kernels(left, right)).value == 0.0
    assert principal_cosines(left @ right.T, *map(spectrum, kernels(left, right)[1:])).eq(0).all()


def test_isotropic_jacobians_overlap_by_the_chance_floor() -> None:
    found = [overlap(*kernels(draw(s, 20, 4000), draw(s + 50, 12, 4000))).value for s in range(40)]
    floor = chance_overlap(20, 12, 4000).value
    assert floor == pytest.approx(math.sqrt(240) / 4000)
    # of order N / P besides: K_AA of 20 rows in 4,000 directions is not quite diagonal
    assert sum(found) / 40 == pytest.approx(floor, rel=0.03)


@pytest.mark.parametrize("sizes", [(0, 5, 10), (5, 0, 10), (5, 5, 0)])
def test_without_rows_or_parameters_there_is_no_floor(sizes: tuple[int, int, int]) -> None:
    value = chance_overlap(*sizes)
    assert value.value is None
    assert value.reason


def test_more_rows_than_parameters_overlap_by_no_more_than_one() -> None:
    assert chance_overlap(500, 500, 20).value == 1.0


def test_principal_cosines_are_those_of_the_jacobians_row_spaces() -> None:
    a, b = draw(1, 9, 30), draw(2, 5, 30)
    b[0] = a[3]  # one direction in common
    rows = [torch.linalg.svd(j, full_matrices=False)[2] for j in (a, b)]
    expected = torch.linalg.svdvals(rows[0] @ rows[1].T)
    k_ab, k_aa, k_bb = kernels(a, b)
    got = principal_cosines(k_ab, spectrum(k_aa), spectrum(k_bb))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-10)
    largest, mean = angles(k_ab, spectrum(k_aa), spectrum(k_bb))
    assert largest.value == pytest.approx(1.0, abs=1e-10)
    assert mean.value == pytest.approx(float(expected.mean()), abs=1e-10)


def test_repeated_pictures_add_no_principal_angle() -> None:
    a, b = draw(1, 4, 30), draw(2, 3, 30)
    twice = torch.cat([a, a])
    plain = principal_cosines(a @ b.T, spectrum(a @ a.T), spectrum(b @ b.T))
    got = principal_cosines(twice @ b.T, spectrum(twice @ twice.T), spectrum(b @ b.T))
    torch.testing.assert_close(got, plain, rtol=0, atol=1e-10)


def products(j: Tensor, vectors: int, chance: torch.Generator) -> Tensor:
    """(n, C, P) -> rows J_iᵀ v_is, (n m, P), with vectors of ±1."""
    size = len(j), vectors, j.shape[1]
    signs = torch.randint(0, 2, size, generator=chance).double() * 2 - 1
    return torch.einsum("ismc,icp->ismp", signs[:, :, None], j).reshape(-1, j.shape[2])


@pytest.mark.parametrize("own", [False, True])
def test_random_output_vectors_estimate_the_squared_norm_without_bias(own: bool) -> None:
    a = draw(1, 4, 3, 30)
    b = a if own else draw(2, 5, 3, 30)
    exact = float((a.flatten(0, 1) @ b.flatten(0, 1).T).square().sum())
    chance, found = torch.Generator().manual_seed(3), []
    for _ in range(2000):
        left = products(a, 2, chance)
        right = left if own else products(b, 2, chance)
        found.append(squared_norm(left @ right.T, 2, own=own))
    estimates = torch.stack(found)
    error = float(estimates.std() / math.sqrt(len(estimates)))
    assert error < 0.02 * exact
    assert float(estimates.mean()) == pytest.approx(exact, abs=4 * error)


def test_a_picture_meeting_its_own_vector_would_bias_the_norm() -> None:
    a = draw(1, 4, 3, 30)
    chance = torch.Generator().manual_seed(3)
    exact = float((a.flatten(0, 1) @ a.flatten(0, 1).T).square().sum())
    rows = [products(a, 2, chance) for _ in range(500)]
    naive = torch.stack([squared_norm(r @ r.T, 2, own=False) for r in rows]).mean()
    assert float(naive) > 1.1 * exact


def test_with_many_vectors_the_estimated_overlap_is_the_exact_one() -> None:
    a, b = draw(1, 6, 3, 40), draw(2, 5, 3, 40)
    b[:, :, :20] = a[:5, :, :20]
    exact = overlap(*kernels(a.flatten(0, 1), b.flatten(0, 1))).value
    chance = torch.Generator().manual_seed(4)
    errors = []
    for vectors in (4, 256):
        left, right = (products(j, vectors, chance) for j in (a, b))
        found = overlap_of_vectors(*kernels(left, right), vectors).value
        errors.append(abs(found - exact) / exact)
    assert errors[0] < 0.5
    assert errors[1] < 0.05


def test_one_vector_says_nothing_of_a_tasks_own_kernel() -> None:
    rows = draw(1, 4, 30)
    value = overlap_of_vectors(*kernels(rows, rows), 1)
    assert value.value is None
    assert "at least two" in value.reason
