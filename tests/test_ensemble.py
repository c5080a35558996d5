"""Discriminant and random projections together, in float64 against numpy's batch solution from the pictures themselves."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.resumed import small_config
from tests.taught import taught
from workbench.core.adapter_file import load_adapter
from workbench.core.card import load_learnt, load_network
from workbench.core.discriminant import DiscriminantHead
from workbench.core.ensemble import SCALES, WEIGHTS, EnsembleHead
from workbench.core.projection import ProjectedRidgeHead
from workbench.core.rules import Summed
from workbench.core.steps import result_of
from workbench.core.train import train

D, CLASSES, DIRECTIONS = 6, 4, 9
COUNTS = (5, 9, 3, 7)


def pictures(seed: int = 0, noise: float = 0.7) -> tuple[Tensor, Tensor]:
    """Features (24, D) of four classes, and their labels; the means are those of seed 0."""
    labels = torch.arange(CLASSES).repeat_interleave(torch.tensor(COUNTS))
    means = torch.randn(CLASSES, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    drawn = torch.Generator().manual_seed(seed + 1)
    spread = torch.randn(len(labels), D, generator=drawn, dtype=torch.float64)
    return means[labels] + noise * spread, labels


def empty_head(directions: int = DIRECTIONS) -> EnsembleHead:
    torch.manual_seed(5)
    return EnsembleHead(D, (1.0,), directions).double()


def by_hand(head: EnsembleHead, x: np.ndarray, labels: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The logits (m, C) of pictures `seen` (m, D) from all learnt pictures at once, with the head's ridges and directions."""
    means = np.stack([x[labels == c].mean(0) for c in range(CLASSES)])
    centre, r = means.mean(0), x - means[labels]
    inverse = np.linalg.inv(r.T @ r + float(head.ridge) * np.eye(D))
    apart = means - centre
    lengths = np.einsum("cd,de,ce->c", apart, inverse, apart)
    told_apart = ((seen - centre) @ inverse @ apart.T - 0.5 * lengths) / lengths.mean()
    P = head.projection.directions.numpy()
    h, one_hot = np.maximum(x @ P, 0), np.eye(CLASSES)[labels]
    ridge = float(head.projection.ridge) * np.eye(P.shape[1])
    w = float(head.weighed)
    return (1 - w) * told_apart + w * np.maximum(seen @ P, 0) @ np.linalg.solve(
        h.T @ h + ridge, h.T @ one_hot
    )


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)])
def test_the_logits_are_the_weighed_sum_of_both_solutions_from_all_pictures_at_once(
    order: tuple[int, ...],
) -> None:
    x, labels = pictures()
    head = empty_head()
    for label in order:
        head.grow(label + 1)
        own = x[labels == label]
        for some in (own[1:], own[:1]):
            head.learn(label, some)
        head.settle()
    seen = pictures(3)[0].numpy()
    wanted = by_hand(head, x.numpy(), labels.numpy(), seen)
    np.testing.assert_allclose(head(torch.from_numpy(seen)).numpy(), wanted, rtol=1e-8, atol=1e-9)


def test_each_member_has_the_ridge_that_it_chooses_alone() -> None:
    x, labels = pictures()
    head = taught(empty_head(), x, labels)
    alone = taught(DiscriminantHead(D, (1.0,)).double(), x, labels)
    other = ProjectedRidgeHead(D, (1.0,), DIRECTIONS).double()
    other.directions.copy_(head.projection.directions)
    taught(other, x, labels)
    assert float(head.ridge) == float(alone.ridge)
    assert float(head.projection.ridge) == float(other.ridge)
    w = float(head.weighed)
    both = (1 - w) * alone(x) + w * other(x)
    torch.testing.assert_close(head(x), both, rtol=1e-12, atol=1e-12)


def test_the_weight_makes_left_out_pictures_most_likely_over_all_tasks() -> None:
    """Against the losses written out picture by picture, in tasks of two classes: each knows those up to its own."""
    x, labels = pictures(noise=2.0)
    head, losses = empty_head(), np.zeros((len(WEIGHTS), len(SCALES)))
    for task in ((0, 1), (2, 3)):
        head.grow(max(task) + 1)
        for label in task:
            head.learn(label, x[labels == label])
        head.settle()
        own = (labels == task[0]) | (labels == task[1])
        alone = taught(
            DiscriminantHead(D, (1.0,)).double(), x[labels <= task[1]], labels[labels <= task[1]]
        )
        first = alone.left_out(x[own], labels[own]).numpy()
        second = head.projection.left_out(x[own], labels[own]).numpy()
        for g, w in enumerate(WEIGHTS.tolist()):
            for k, scale in enumerate(SCALES.tolist()):
                z = scale * ((1 - w) * first + w * second)
                right = z[np.arange(len(z)), labels[own].numpy()]
                losses[g, k] += (np.log(np.exp(z).sum(1)) - right).sum()
    np.testing.assert_allclose(head.losses.numpy(), losses, rtol=1e-9)
    assert float(head.weighed) == WEIGHTS[losses.min(1).argmin()]
    assert head.unweighed == []


def test_a_discriminant_that_tells_nothing_apart_does_not_drown_the_other() -> None:
    """The classes lie in opposite quadrants: no plane parts them, and added unweighed the sum is right 52 of 100 times.

    On pictures that were not learnt.
    """
    drawn = torch.Generator().manual_seed(0)
    x, new = torch.randn(2, 2000, D, generator=drawn, dtype=torch.float64)
    labels, truth = ((each[:, 1] * each[:, 2] > 0).long() for each in (x, new))
    head = taught(empty_head(40), x, labels)
    alone = taught(DiscriminantHead(D, (1.0,)).double(), x, labels)
    plane, random, both = (
        float((each(new).argmax(1) == truth).double().mean()) for each in (alone, head.projection, head)
    )  # fmt: skip
    assert plane < 0.6 < 0.8 < random
    assert both > random - 0.02


def test_what_has_no_spread_still_gets_an_answer() -> None:
    """One class, one picture a class, all alike: finite logits all the same."""
    x, labels = pictures()
    kinds = (
        (x, torch.zeros_like(labels)),
        (x[[0, 6, 15, 20]], torch.arange(4)),
        (torch.ones_like(x), labels),
    )
    for some, theirs in kinds:
        head = taught(empty_head(), some, theirs)
        assert bool(head(some).isfinite().all())
        assert bool(head.left_out(some, theirs).isfinite().all())
        assert 0 < float(head.weighed) < 1


def test_left_out_is_what_a_refit_says_that_never_saw_the_picture() -> None:
    """With ridges, centre and unit of before, which leaving one out does not change: those of the discriminant's own test."""
    x, labels = pictures()
    head = taught(empty_head(), x, labels)
    found = head.left_out(x, labels)
    alone = taught(DiscriminantHead(D, (1.0,)).double(), x, labels).left_out(x, labels)
    P = head.projection.directions.numpy()
    h, Y = np.maximum(x.numpy() @ P, 0), np.eye(CLASSES)[labels.numpy()]
    ridge, w = float(head.projection.ridge) * np.eye(DIRECTIONS), float(head.weighed)
    for i in range(len(x)):
        rest = np.arange(len(x)) != i
        W = np.linalg.solve(h[rest].T @ h[rest] + ridge, h[rest].T @ Y[rest])
        np.testing.assert_allclose(
            found[i], (1 - w) * alone[i].numpy() + w * (h[i] @ W), rtol=1e-7, atol=1e-9
        )


def test_slopes_are_the_gradient_of_the_logits_and_a_copy_stays_as_it_is() -> None:
    x, labels = pictures()
    head = taught(empty_head(), x, labels)
    rule = head.rule()
    assert isinstance(rule, Summed)
    some, copied = rule.of([2, 0]), rule.double()
    assert (len(some), some.width) == (2, D)
    wanted = torch.autograd.functional.jacobian(some, x[:3])  # (3, 2, 3, D)
    found = some.slopes(x[:3])
    for i in range(3):
        torch.testing.assert_close(found[i], wanted[i, :, i], rtol=1e-12, atol=1e-12)
    before = copied(x)
    head.rows.zero_()
    head.projection.rows.zero_()
    torch.testing.assert_close(copied(x), before, rtol=0, atol=0)


def test_classes_beside_it_change_nothing_of_what_it_says_of_its_own() -> None:
    x, labels = pictures()
    known = labels < 2
    head = taught(empty_head(), x[known], labels[known])
    later = copy.deepcopy(head)
    later.grow(CLASSES)
    for label in (2, 3):
        later.learn(label, x[labels == label])
    later.settle()
    both = head.with_classes_of(later)
    torch.testing.assert_close(both(x)[:, :2], head(x), rtol=1e-12, atol=1e-12)
    assert bool(both(x).isfinite().all())
    assert both(x).shape == (len(x), CLASSES)
    assert len(head.counts) == len(head.projection.counts) == 2


def test_a_class_that_is_not_learnt_is_never_the_answer() -> None:
    x, labels = pictures()
    head = taught(empty_head(), x, labels)
    head.grow(CLASSES + 2)
    for logits in (head(x), head.left_out(x, labels)):
        assert bool((logits[:, CLASSES:] == -torch.inf).all())
        assert bool(logits[:, :CLASSES].isfinite().all())


def test_an_adapter_answers_as_its_run_did_and_learning_more_finds_both_members_sums(
    tmp_path: Path,
) -> None:
    values = {"switches.answers": "ensemble", "model.projection": 30}
    settings, run = small_config(tmp_path / "pictures", **values), tmp_path / "run"
    list(train(settings, tmp_path, run))
    names = {name.removeprefix("prototypes.") for name in load_adapter(run / "adapter")[0]}
    assert {"rows", "offsets", "projection.rows", "projection.directions"} <= names
    assert not names & {"scatter", "ridge", "losses", "projection.gram", "projection.sums"}
    network, _ = result_of(load_network(run / "adapter", tmp_path, torch.device("cpu")))
    check = load_file(run / "check.safetensors")
    with torch.no_grad():
        logits = network.prototypes(network(check["pixels"]).main)
    torch.testing.assert_close(logits, check["logits"], rtol=1e-5, atol=1e-5)
    learnt = result_of(load_learnt(run / "adapter", tmp_path, torch.device("cpu"))).prototypes
    before = learnt.rule().double()
    learnt.settle()
    features = torch.randn(5, learnt.weight.shape[1])
    torch.testing.assert_close(learnt.rule()(features), before(features.double()).float(), rtol=1e-3, atol=1e-4)  # fmt: skip
