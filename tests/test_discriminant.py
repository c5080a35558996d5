"""The discriminant that answers, in float64 against what numpy makes of the pictures themselves."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.taught import taught
from workbench.core.discriminant import DiscriminantHead, chosen_ridge
from workbench.core.heads import PrototypeHead
from workbench.core.ridge import FREE, RIDGES
from workbench.core.rules import Linear

D, CLASSES = 6, 4
COUNTS = (5, 9, 2, 7)


def pictures(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Features (23, D) of four classes that spread ten times as far along some directions as along others."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(CLASSES).repeat_interleave(torch.tensor(COUNTS))
    means = torch.randn(CLASSES, D, generator=generator, dtype=torch.float64)
    spread = torch.randn(len(labels), D, generator=generator, dtype=torch.float64)
    return means[labels] + spread * torch.tensor([3.0, 2.0, 1.0, 0.5, 0.3, 0.2]).double(), labels


def head_of(x: Tensor, labels: Tensor, *, ridge: float | None = None) -> DiscriminantHead:
    """A head that has learnt the pictures, class by class; its ridge chosen, or as given."""
    head = taught(DiscriminantHead(D, (1.0,)).double(), x, labels)
    if ridge is not None:
        head.ridge.fill_(ridge)
        head.answer_for(labels.unique())
    return head


def by_hand(x: np.ndarray, labels: np.ndarray, seen: np.ndarray, ridge: float) -> np.ndarray:
    """−½ (m − μ_a)ᵀ A⁻¹ (m − μ_a) of every picture of `seen`, (n, C), A = S + λI."""
    means = np.stack([x[labels == c].mean(0) for c in range(labels.max() + 1)])
    within = x - means[labels]
    A = within.T @ within + ridge * np.eye(D)
    apart = seen[:, None, :] - means[None]
    return -0.5 * np.einsum("ncd,de,nce->nc", apart, np.linalg.inv(A), apart)


def unit_of(head: DiscriminantHead) -> float:
    """The mean squared distance of the class means from their mean, in the head's metric."""
    apart = (head.weight - head.weight.mean(0)).numpy()
    A = (head.scatter + head.ridge * torch.eye(D).double()).numpy()
    return float(np.einsum("cd,de,ce->c", apart, np.linalg.inv(A), apart).mean())


def told_apart(logits: np.ndarray) -> np.ndarray:
    """Logits without what all classes of a picture share: all that shares and answers depend on."""
    return logits - logits.mean(1, keepdims=True)


def test_logits_are_squared_distances_in_the_metric_of_the_spread_within_classes() -> None:
    x, labels = pictures()
    head = head_of(x, labels)
    seen = pictures(1)[0]
    wanted = by_hand(x.numpy(), labels.numpy(), seen.numpy(), float(head.ridge))
    np.testing.assert_allclose(unit_of(head) * told_apart(head(seen).numpy()), told_apart(wanted), rtol=1e-9, atol=1e-9)  # fmt: skip


def test_it_does_not_matter_in_which_parts_and_order_the_pictures_come() -> None:
    x, labels = pictures()
    whole, parts = head_of(x, labels), DiscriminantHead(D, (1.0,)).double()
    parts.grow(CLASSES)
    for label in (2, 0, 3, 1):
        own = x[labels == label]
        for some in (own[1:], own[:1]):
            parts.learn(label, some)
    parts.settle()
    assert torch.equal(parts.counts, whole.counts)
    torch.testing.assert_close(parts.scatter, whole.scatter, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(parts(x), whole(x), rtol=1e-9, atol=1e-9)


def test_pictures_that_stand_for_more_weigh_more_in_the_mean_and_add_only_their_own_spread() -> (
    None
):
    x, labels = pictures()
    head, plain = head_of(x, labels), head_of(x, labels)
    more = pictures(1)[0][:3]
    head.learn(1, more, 90)
    plain.learn(1, more)
    torch.testing.assert_close(head.scatter, plain.scatter, rtol=1e-12, atol=1e-12)
    own = x[labels == 1]
    wanted = (len(own) * own.mean(0) + 90 * more.mean(0)) / (len(own) + 90)
    torch.testing.assert_close(head.weight[1], wanted, rtol=1e-12, atol=1e-12)
    assert head.counts.tolist() == [5, 99, 2, 7]


def test_settled_roughly_it_keeps_the_ridge_and_at_first_takes_the_mean_eigenvalue() -> None:
    x, labels = pictures()
    head = DiscriminantHead(D, (1.0,)).double()
    head.grow(CLASSES)
    for label in range(CLASSES):
        head.learn(label, x[labels == label])
    head.settle_roughly()
    whole = x - x.mean(0)
    assert float(head.ridge) == pytest.approx(float(whole.square().sum()) / D, rel=1e-12)
    torch.testing.assert_close(head(x), head_of(x, labels, ridge=float(head.ridge))(x), rtol=1e-12, atol=1e-12)  # fmt: skip
    head.ridge.fill_(7.0)
    head.settle_roughly()
    assert float(head.ridge) == 7.0


@pytest.mark.parametrize("seed", range(5))
def test_the_ridge_is_the_one_of_least_kare_with_the_hat_matrix_written_out(seed: int) -> None:
    x, labels = pictures(seed)
    head = head_of(x, labels)
    X, Y = x.numpy() - x.numpy().mean(0), np.eye(CLASSES)[labels.numpy()]
    Y = Y - Y.mean(0)
    n, unit = len(X), np.trace(X.T @ X) / D
    risks = []
    for ridge in RIDGES.numpy() * unit:
        hat = X @ np.linalg.solve(X.T @ X + ridge * np.eye(D), X.T)
        free = 1 - (1 + np.trace(hat)) / n
        risks.append(((Y - hat @ Y) ** 2).sum() / n / free**2 if free > FREE else np.inf)
    assert float(head.ridge) == pytest.approx(float(RIDGES[int(np.argmin(risks))]) * unit, rel=1e-9)


def test_with_more_directions_than_pictures_the_ridge_leaves_some_freedom() -> None:
    x = torch.randn(5, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    means, counts = x[:2], torch.tensor([3.0, 2.0]).double()
    ridge = chosen_ridge(x.T @ x, means, counts)
    assert 0 < ridge < float("inf")


@pytest.mark.parametrize("ridge", [0.5, 20.0])
def test_left_out_is_what_a_head_says_that_never_saw_the_picture(ridge: float) -> None:
    x, labels = pictures()
    head = head_of(x, labels, ridge=ridge)
    found = unit_of(head) * head.left_out(x, labels).numpy()
    for i in range(len(x)):
        rest = torch.arange(len(x)) != i
        wanted = by_hand(x[rest].numpy(), labels[rest].numpy(), x[i : i + 1].numpy(), ridge)
        np.testing.assert_allclose(told_apart(found[i : i + 1]), told_apart(wanted), rtol=1e-8, atol=1e-8)  # fmt: skip


def test_left_out_keeps_the_only_picture_of_a_class() -> None:
    x, labels = pictures()
    some = torch.cat([torch.tensor([0]), torch.nonzero(labels > 0).flatten()])
    head = head_of(x[some], labels[some], ridge=1.0)
    found, plain = head.left_out(x[some], labels[some]), head(x[some])
    own = told_apart(found[:1].numpy()), told_apart(plain[:1].numpy())
    np.testing.assert_allclose(own[0], own[1], rtol=1e-9)


def test_classes_beside_it_change_nothing_of_what_it_says_of_its_own() -> None:
    x, labels = pictures()
    known = labels < 2
    head = head_of(x[known], labels[known])
    means = torch.stack([x[labels == c].mean(0) for c in range(CLASSES)])
    both = head.with_classes_of(head_of(x, labels))
    torch.testing.assert_close(both(x)[:, :2], head(x), rtol=1e-12, atol=1e-12)
    metric = unit_of(head) * (head.scatter + head.ridge * torch.eye(D).double())
    apart = x[:, None, :] - means
    wanted = -0.5 * torch.einsum("ncd,de,nce->nc", apart, metric.inverse(), apart)
    np.testing.assert_allclose(told_apart(both(x).numpy()), told_apart(wanted.numpy()), rtol=1e-9, atol=1e-9)  # fmt: skip
    assert len(head.weight) == 2


def test_slopes_are_the_gradient_of_the_logits() -> None:
    x, labels = pictures()
    rule = head_of(x, labels).rule()
    assert isinstance(rule, Linear)
    found = rule.of([2, 0]).slopes(x[:3])
    wanted = torch.autograd.functional.jacobian(rule.of([2, 0]), x[:3])  # (3, 2, 3, D)
    for i in range(3):
        torch.testing.assert_close(found[i], wanted[i, :, i], rtol=1e-12, atol=0)


def test_a_class_that_is_not_learnt_is_never_the_answer() -> None:
    x, labels = pictures()
    head = head_of(x, labels)
    head.grow(CLASSES + 2)
    assert head(x).shape == (len(x), CLASSES + 2)
    assert int(head(x).argmax(1).max()) < CLASSES


@pytest.mark.parametrize("kind", ["all alike", "one class", "one picture each"])
def test_what_has_no_spread_still_gets_an_answer(kind: str) -> None:
    x, labels = pictures()
    if kind == "all alike":
        x = torch.ones_like(x)
    elif kind == "one class":
        labels = torch.zeros_like(labels)
    else:
        x, labels = x[[0, 6, 15, 20]], torch.arange(4)
    head = head_of(x, labels)
    assert head(x).isfinite().all()
    assert head.left_out(x, labels).isfinite().all()
    if kind == "one picture each":
        assert torch.equal(head(x).argmax(1), labels)


def test_it_tells_apart_what_directions_alone_do_not() -> None:
    """Classes differ along one direction, pictures along another, a hundred times as far: brute force over 400 new ones."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(2).repeat(200)

    def drawn() -> Tensor:
        x = torch.randn(400, D, generator=generator, dtype=torch.float64) * 0.1
        x[:, 0] *= 100
        x[:, 1] += 0.4 * labels
        return x + 3

    x, new = drawn(), drawn()
    cosines = taught(PrototypeHead(D, (1.0,)).double(), x, labels)
    right = [float((head(new).argmax(1) == labels).double().mean()) for head in (cosines, head_of(x, labels))]  # fmt: skip
    assert right[0] < 0.8 < 0.95 < right[1]
