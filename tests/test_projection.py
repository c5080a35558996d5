"""The ridge regression on random directions that answers, in float64 against what numpy makes of the pictures themselves."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.pictures import make_class_folders
from tests.resumed import small_config
from tests.taught import taught
from workbench.config import TaskFolder
from workbench.core.adapter_file import load_adapter
from workbench.core.card import SPREAD, load_learnt, load_network
from workbench.core.forecast import Learnt, forecast
from workbench.core.heads import PrototypeHead
from workbench.core.projection import ProjectedRidgeHead
from workbench.core.ridge import FREE, RIDGES, least_kare
from workbench.core.rules import Projected
from workbench.core.steps import result_of
from workbench.core.train import train
from workbench.errors import UsageError
from workbench.events import RunStarted

D, CLASSES = 6, 4
COUNTS = (5, 9, 2, 7)
FEW, MANY = 8, 60  # directions, with 23 pictures


def pictures(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Features (23, D) of four classes, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(CLASSES).repeat_interleave(torch.tensor(COUNTS))
    means = torch.randn(CLASSES, D, generator=generator, dtype=torch.float64)
    noise = torch.randn(len(labels), D, generator=generator, dtype=torch.float64)
    return means[labels] + 0.7 * noise, labels


def empty_head(directions: int) -> ProjectedRidgeHead:
    torch.manual_seed(5)
    return ProjectedRidgeHead(D, (1.0,), directions).double()


def head_of(
    x: Tensor, labels: Tensor, directions: int = FEW, *, ridge: float | None = None
) -> ProjectedRidgeHead:
    """A head that has learnt the pictures, class by class; its ridge chosen, or as given."""
    head = taught(empty_head(directions), x, labels)
    if ridge is not None:
        head.ridge.fill_(ridge)
        head.solve_for(labels.unique())
    return head


def projected(head: ProjectedRidgeHead, x: Tensor) -> np.ndarray:
    return np.maximum(x.numpy() @ head.directions.numpy(), 0)


def batch_solve(h: np.ndarray, labels: np.ndarray, ridge: float) -> np.ndarray:
    """W (M, C) of ridge regression on one-hot targets from all pictures at once."""
    return np.linalg.solve(
        h.T @ h + ridge * np.eye(h.shape[1]), h.T @ np.eye(labels.max() + 1)[labels]
    )


def kare(h: np.ndarray, labels: np.ndarray, ridge: float) -> float:
    """The risk estimate with the hat matrix (n, n) written out: K (K + λI)⁻¹, K = h hᵀ; ∞ where too little freedom is left."""
    n, Y = len(h), np.eye(labels.max() + 1)[labels]
    rest = ridge * np.linalg.inv(h @ h.T + ridge * np.eye(n))  # I less the hat matrix
    if np.trace(rest) / n <= FREE:
        return float("inf")
    return float(((rest @ Y) ** 2).sum() / n / (np.trace(rest) / n) ** 2)


@pytest.mark.parametrize("directions", [FEW, MANY])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1)])
def test_sums_over_tasks_in_any_order_and_parts_give_the_solution_of_all_pictures_at_once(
    directions: int, order: tuple[int, ...]
) -> None:
    x, labels = pictures()
    head = empty_head(directions)
    for label in order:
        head.grow(label + 1)
        own = x[labels == label]
        for some in (own[1:], own[:1]):
            head.learn(label, some)
        head.settle()
    h = projected(head, x)
    np.testing.assert_allclose(head.gram.numpy(), h.T @ h, rtol=1e-12, atol=1e-12)
    wanted = batch_solve(h, labels.numpy(), float(head.ridge))
    np.testing.assert_allclose(head.rows.numpy(), wanted.T, rtol=1e-7, atol=1e-9)
    seen = pictures(1)[0]
    np.testing.assert_allclose(head(seen).numpy(), projected(head, seen) @ wanted, rtol=1e-7, atol=1e-8)  # fmt: skip
    torch.testing.assert_close(head.weight, torch.stack([x[labels == c].mean(0) for c in range(CLASSES)]))  # fmt: skip


def test_pictures_that_stand_for_more_count_as_copies_of_themselves() -> None:
    x, labels = pictures()
    few, copies = empty_head(FEW), empty_head(FEW)
    for head, times in ((few, 1), (copies, 3)):
        head.grow(CLASSES)
        for label in range(CLASSES):
            own = x[labels == label]
            head.learn(label, own.repeat(times, 1), None if times > 1 else 3 * len(own))
        head.settle()
    torch.testing.assert_close(few.gram, copies.gram, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(few(x), copies(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_ridge_is_the_one_of_least_kare_with_the_hat_matrix_written_out(seed: int) -> None:
    x, labels = pictures(seed)
    head = head_of(x, labels)
    h = projected(head, x)
    ridges = RIDGES.numpy() * np.trace(h.T @ h) / FEW
    risks = [kare(h, labels.numpy(), ridge) for ridge in ridges]
    assert float(head.ridge) == pytest.approx(ridges[int(np.argmin(risks))], rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_with_more_directions_than_pictures_no_ridge_has_less_kare_than_the_chosen_one(
    seed: int,
) -> None:
    """Both the error left and the freedom left vanish with λ there, so rounding would decide if they were differences."""
    x, labels = pictures(seed)
    head = head_of(x, labels, 600)
    h = projected(head, x)
    risks = [kare(h, labels.numpy(), r) for r in RIDGES.numpy() * np.trace(h.T @ h) / 600]
    assert kare(h, labels.numpy(), float(head.ridge)) == pytest.approx(min(risks), rel=1e-6)


def test_the_ridge_of_sums_that_are_not_finite_is_no_number() -> None:
    gram = torch.full((3, 3), torch.nan, dtype=torch.float64)
    assert np.isnan(least_kare(gram, torch.ones(3, 2).double(), 4.0, 4.0, 0))


@pytest.mark.parametrize("directions", [FEW, MANY])
@pytest.mark.parametrize("ridge", [0.5, 20.0])
def test_left_out_is_what_a_refit_says_that_never_saw_the_picture(
    directions: int, ridge: float
) -> None:
    x, labels = pictures()
    head = head_of(x, labels, directions, ridge=ridge)
    found, h = head.left_out(x, labels).numpy(), projected(head, x)
    for i in range(len(x)):
        rest = np.arange(len(x)) != i
        wanted = h[i] @ batch_solve(h[rest], labels.numpy()[rest], ridge)
        np.testing.assert_allclose(found[i], wanted, rtol=1e-8, atol=1e-9)


def test_slopes_are_the_gradient_of_the_logits_and_copies_share_the_directions() -> None:
    x, labels = pictures()
    head = head_of(x, labels)
    rule = head.rule()
    assert isinstance(rule, Projected)
    some, copied = rule.of([2, 0]), rule.double()
    assert (len(some), some.width) == (2, D)
    found = some.slopes(x[:3])
    wanted = torch.autograd.functional.jacobian(some, x[:3])  # (3, 2, 3, D)
    for i in range(3):
        torch.testing.assert_close(found[i], wanted[i, :, i], rtol=1e-12, atol=1e-12)
    assert copied.directions is head.directions
    before = copied(x)
    head.rows.zero_()
    torch.testing.assert_close(copied(x), before, rtol=0, atol=0)


@pytest.mark.parametrize("directions", [FEW, MANY])
def test_classes_beside_it_change_nothing_of_what_it_says_of_its_own(directions: int) -> None:
    """And they get the rows that they have once all is solved for: with G of before they would outshout the old ones."""
    x, labels = pictures()
    known = labels < 2
    head = head_of(x[known], labels[known], directions)
    later = copy.deepcopy(head)
    later.grow(CLASSES)
    for label in (2, 3):
        later.learn(label, x[labels == label])
    later.settle()
    both = head.with_classes_of(later)
    torch.testing.assert_close(both(x)[:, :2], head(x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(both(x)[:, 2:], later(x)[:, 2:], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(both.weight, later.weight)
    torch.testing.assert_close(both.gram, head.gram, rtol=0, atol=0)
    assert both.counts.tolist() == [5, 9, 0, 0]
    assert len(head.counts) == 2


def test_a_class_that_is_not_learnt_is_never_the_answer() -> None:
    x, labels = pictures()
    head = head_of(x, labels)
    head.grow(CLASSES + 2)
    assert head(x).shape == (len(x), CLASSES + 2)
    assert bool((head(x)[:, CLASSES:] == -torch.inf).all())
    assert bool((head.left_out(x, labels)[:, CLASSES:] == -torch.inf).all())


@pytest.mark.parametrize("directions", [1, FEW, MANY])
@pytest.mark.parametrize("kind", ["all alike", "all zero", "one class", "one picture each"])
def test_what_has_no_spread_still_gets_an_answer(kind: str, directions: int) -> None:
    x, labels = pictures()
    if kind == "all alike":
        x = torch.ones_like(x)
    elif kind == "all zero":
        x = torch.zeros_like(x)
    elif kind == "one class":
        labels = torch.zeros_like(labels)
    else:
        x, labels = x[[0, 6, 15, 20]], torch.arange(4)
    head = head_of(x, labels, directions)
    assert head(x).isfinite().all()
    assert head.left_out(x, labels).isfinite().all()
    if kind == "one picture each" and directions == MANY:
        assert torch.equal(head(x).argmax(1), labels)


def test_it_tells_apart_what_no_plane_in_the_features_does() -> None:
    """Each class lies in two opposite quadrants: against the means' cosines, on pictures that were not learnt."""
    generator = torch.Generator().manual_seed(0)
    x, new = torch.randn(2, 600, D, generator=generator, dtype=torch.float64)
    labels, truth = ((each[:, 0] * each[:, 1] > 0).long() for each in (x, new))
    cosines = PrototypeHead(D, (1.0,)).double()
    cosines.grow(2)
    for label in (0, 1):
        cosines.learn(label, x[labels == label])
    right = [float((head(new).argmax(1) == truth).double().mean()) for head in (cosines, head_of(x, labels, MANY))]  # fmt: skip
    assert right[0] < 0.6 < 0.8 < right[1]


def test_an_adapter_answers_as_its_run_did_without_the_sums_which_learning_more_takes_from_beside_it(
    tmp_path: Path,
) -> None:
    values = {"switches.answers": "random_projection", "model.projection": 30}
    settings, run = small_config(tmp_path / "pictures", **values), tmp_path / "run"
    events = list(train(settings, tmp_path, run))
    tensors, _ = load_adapter(run / "adapter")
    own = {name for name in tensors if name.startswith("prototypes.")}
    assert own == {f"prototypes.{n}" for n in ("weight", "counts", "directions", "rows", "offsets")}
    network, _ = result_of(load_network(run / "adapter", tmp_path, torch.device("cpu")))
    check = load_file(run / "check.safetensors")
    with torch.no_grad():
        logits = network.prototypes(network(check["pixels"]).main)
    torch.testing.assert_close(logits, check["logits"], rtol=1e-5, atol=1e-5)
    assert not network.prototypes.gram.any()
    learnt = result_of(load_learnt(run / "adapter", tmp_path, torch.device("cpu"))).prototypes
    rows = learnt.rows.clone()
    learnt.answer_for(torch.arange(6))
    torch.testing.assert_close(learnt.rows, rows)
    told = next(event for event in events if isinstance(event, RunStarted)).tasks
    tasks = [
        Learnt(folder, info.class_names, info.class_ids)
        for folder, info in zip(settings.data.tasks, told, strict=True)
    ]
    made = make_class_folders(tmp_path / "gulls", {"white": 8, "black": 8}, seed=5)
    found = result_of(
        forecast(run / "adapter", settings, tasks, TaskFolder("gulls", str(made)), tmp_path)
    )
    assert [task.reason for task in found.tasks] == [""] * 3
    assert all(0 <= task.accuracy_after <= 1 for task in found.tasks)
    (run / SPREAD).unlink()
    with pytest.raises(UsageError, match="missing or damaged"):
        result_of(load_learnt(run / "adapter", tmp_path, torch.device("cpu")))
