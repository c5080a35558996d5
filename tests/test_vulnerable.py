"""The vulnerable rank, against movements whose rank is known."""

import pytest
import torch
from torch import Tensor

from workbench.core.complexity import shape
from workbench.core.kernel import spectrum
from workbench.core.vulnerable import expected_rank, vulnerable_rank


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def ordered(*values: float) -> Tensor:
    """A kernel with these eigenvalues and eigenvectors that are not the unit vectors."""
    basis = torch.linalg.qr(draw(9, len(values), len(values)))[0]
    return (basis * torch.tensor(values, dtype=torch.float64)) @ basis.T


def test_a_movement_along_the_kth_direction_has_rank_k() -> None:
    parts = spectrum(ordered(5, 4, 3, 2, 1))
    for place in range(5):
        moved = parts.vectors[:, -1 - place]
        assert vulnerable_rank(parts, moved).value == place + 1


@pytest.mark.parametrize(("share", "rank"), [(0.91, 1), (0.9, 1), (0.89, 3)])
def test_nine_tenths_of_the_energy_are_enough(share: float, rank: int) -> None:
    parts = spectrum(ordered(5, 4, 3))
    moved = share**0.5 * parts.vectors[:, 2] + (1 - share) ** 0.5 * parts.vectors[:, 0]
    assert vulnerable_rank(parts, moved.reshape(3, 1)).value == rank


def test_equal_eigenvalues_count_the_same_whatever_their_basis() -> None:
    """Energy in one of four equal directions counts as a quarter in each."""
    parts = spectrum(torch.eye(10, dtype=torch.float64))
    for seed in range(5):
        assert vulnerable_rank(parts, draw(seed, 10)).value == 9  # 0.9 of 10 equal shares


def test_a_movement_outside_the_kernels_directions_has_no_rank_but_a_reason() -> None:
    parts = spectrum(ordered(5, 4, 0, 0))
    value = vulnerable_rank(parts, parts.vectors[:, 0] + parts.vectors[:, 3])
    assert value.value is None
    assert "less than nine tenths" in value.reason


def test_a_linear_head_is_expected_to_forget_in_its_features_rank_times_classes() -> None:
    features = draw(1, 12, 2) @ draw(2, 2, 30)
    gram = features @ features.T
    head = torch.kron(gram, torch.eye(3, dtype=torch.float64))
    expected = expected_rank(features, 3).value
    assert expected == pytest.approx(shape(spectrum(head).values).effective_rank.value, rel=1e-9)
    assert 3 < expected < 6
    moved = head @ draw(3, 36)  # what a ridge step could do to it
    assert vulnerable_rank(spectrum(head), moved).value <= 6
