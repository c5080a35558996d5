"""Each loss term against brute force, and the effect each repair claims, on free vectors in float64."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from workbench.core import losses


def vectors(n, d=12, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cosine(a, b):
    return float(F.cosine_similarity(a, b, dim=0))


def test_supervised_contrast_equals_a_sum_over_pairs_by_hand():
    z, prototypes = vectors(6), vectors(3, seed=1)
    y, old = torch.tensor([5, 5, 6, 6, 6, 7]), torch.tensor([0, 1, 2])
    everything = torch.cat([z, prototypes])
    per_anchor = []
    for i in range(6):
        positives = [j for j in range(6) if j != i and y[j] == y[i]]
        if not positives:
            continue
        below = sum(
            math.exp(cosine(everything[i], everything[k]) / 0.1) for k in range(9) if k != i
        )
        shares = [math.exp(cosine(everything[i], everything[j]) / 0.1) / below for j in positives]
        per_anchor.append(-sum(map(math.log, shares)) / len(shares))
    ours = losses.supervised_contrast(z, y, prototypes, old, 0.1)
    assert float(ours) == pytest.approx(sum(per_anchor) / len(per_anchor), rel=1e-12)


def test_the_official_term_equals_a_sum_over_pairs_by_hand():
    z, prototypes = vectors(4), vectors(2, seed=1)
    y, old = torch.tensor([3, 3, 4, 4]), torch.tensor([0, 1])
    everything, labels = torch.cat([z, prototypes]), [3, 3, 4, 4, 0, 1]
    s = {
        (i, j): cosine(everything[i], everything[j]) / 0.1
        for i, j in itertools.permutations(range(6), 2)
    }
    pooled = math.log(sum(math.exp(v) for (i, j), v in s.items() if labels[i] == labels[j]))
    rows = [math.log(sum(math.exp(s[i, j]) for j in range(6) if j != i)) for i in range(6)]
    ours = losses.official_mutual_information(z, y, prototypes, old, 0.1)
    assert float(ours) == pytest.approx(-(-pooled + sum(rows) / 6), rel=1e-12)


@pytest.mark.parametrize("term", [losses.official_mutual_information, losses.supervised_contrast])
def test_a_batch_without_two_pictures_of_a_class_has_no_contrast(term):
    assert term(vectors(3), torch.arange(3), vectors(2, seed=1), torch.tensor([7, 8]), 0.1) is None


@pytest.mark.parametrize(
    ("term", "sign"), [(losses.supervised_contrast, 1), (losses.official_mutual_information, -1)]
)
def test_minimising_the_contrast_draws_classes_together_only_when_repaired(term, sign):
    z = vectors(12, 32).requires_grad_()
    y, prototypes, old = torch.arange(12) % 3, vectors(4, 32, seed=1), torch.arange(10, 14)

    def similarities():
        unit = F.normalize(z.detach(), dim=1)
        same = (y[:, None] == y[None]) & ~torch.eye(12, dtype=torch.bool)
        return float((unit @ unit.T)[same].mean()), float(
            (unit @ F.normalize(prototypes, dim=1).T).mean()
        )

    within, to_old = similarities()
    optimiser = torch.optim.SGD([z], lr=0.5)
    for _ in range(100):
        optimiser.zero_grad()
        term(z, y, prototypes, old, 0.1).backward()
        optimiser.step()
    within_after, to_old_after = similarities()
    assert sign * (within_after - within) > 0.1
    assert sign * (to_old - to_old_after) > 0.01


def test_the_repaired_orthogonality_frees_the_old_subspace_without_collapse():
    basis = losses.leading_directions(vectors(4, 48, seed=1), 40, all_rows=False)
    outcomes = {}
    for term in (losses.projection_energy, losses.signed_residual):
        z = vectors(10, 48).requires_grad_()
        optimiser = torch.optim.SGD([z], lr=2.0)
        for _ in range(400):
            optimiser.zero_grad()
            (term([z], basis)).backward()
            optimiser.step()
        unit = F.normalize(z.detach(), dim=1)
        pairwise = (unit @ unit.T)[~torch.eye(10, dtype=torch.bool)].mean()
        outcomes[term.__name__] = (
            float(losses.projection_energy([z.detach()], basis)),
            float(pairwise),
        )
    energy, pairwise = outcomes["projection_energy"]
    assert energy < 1e-3
    assert pairwise < 0.2
    assert outcomes["signed_residual"][1] > 0.95, (
        "the official term should collapse, or the test shows nothing"
    )


def test_the_projection_energy_lies_between_zero_and_one():
    basis = losses.leading_directions(vectors(4, 12, seed=1), 40, all_rows=False)
    inside, outside = basis.T[:2], vectors(3) - vectors(3) @ basis @ basis.T
    assert float(losses.projection_energy([inside], basis)) == pytest.approx(1, abs=1e-12)
    assert float(losses.projection_energy([outside], basis)) == pytest.approx(0, abs=1e-12)


def test_directions_come_from_learnt_prototypes_only():
    rows = torch.cat([vectors(5), torch.zeros(3, 12, dtype=torch.float64)])
    basis = losses.leading_directions(rows, 40, all_rows=False)
    assert basis.shape == (12, 5)
    assert torch.allclose(basis.T @ basis, torch.eye(5, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(rows[:5] @ basis @ basis.T, rows[:5], atol=1e-12)
    assert losses.leading_directions(torch.zeros(3, 12), 40, all_rows=False).shape == (12, 0)
    assert losses.leading_directions(rows, 40, all_rows=True).shape == (12, 12), (
        "the official basis is full"
    )


def test_directions_never_exceed_the_numerical_rank():
    twice = vectors(3).repeat(2, 1)
    assert losses.leading_directions(twice, 40, all_rows=False).shape == (12, 3)
    assert losses.leading_directions(twice, 2, all_rows=False).shape == (12, 2)


def test_the_squared_distance_covers_the_anchored_parameters_only():
    a, b = vectors(2, 3), vectors(2, 3, seed=1)
    assert float(losses.squared_distance({"a": a, "b": b}, {"a": b})) == pytest.approx(
        float(((a - b) ** 2).sum())
    )
