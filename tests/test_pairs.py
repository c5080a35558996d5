"""What is said of pairs of tasks, against autograd Jacobians of the real network, in float64."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import Tensor

from tests.small import learner as small_learner, network as small_network
from tests.test_monitor import EVERYTHING, TASKS, measured, run_of, task
from tests.test_readings import (
    IMAGES,
    NEW,
    OLD,
    eye_of,
    forward,
    jacobian,
    scene_of,
    second_task,
)
from tests.tiny import tiny_network
from workbench.config import MonitorConfig
from workbench.core import gaps, heat_map, own_kernel, pairs, readings, snapshot
from workbench.core.kernel import spectrum
from workbench.core.network import Features, Network
from workbench.core.newcomer import planned
from workbench.core.old_kernels import OldKernel, trace_of_all
from workbench.core.overlap import overlap_of_vectors
from workbench.core.plan import KernelPlan, fitted
from workbench.core.probe import View
from workbench.core.probe_rows import ProbeRows
from workbench.core.rules import Cosines
from workbench.core.steps import result_of
from workbench.events import Measured, Note, Snapshot

THREE = (*TASKS[:2], task(100, (5, 6)))
FULL, TRACE, CLOSED = (KernelPlan(kind, 0, 2) for kind in ("full", "trace", "closed"))


def shared(network: Network) -> list[Tensor]:
    """The parameters of the fusion's closed form."""
    return list(network.fusion.value.parameters())


def both_sides(network: Network, learner, parameters: list[Tensor]) -> tuple[Tensor, Tensor]:
    """J_A^g of the old classes' prototypes and J_B^h of the new head."""
    head = readings.refer(scene_of(network, learner.proxy)).rule
    a = jacobian(head(forward(network, OLD)), parameters)
    return a, jacobian(learner.proxy(forward(network, NEW)), parameters)


def test_overlap_and_angles_are_those_of_the_explicit_jacobians() -> None:
    network = tiny_network()
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    found = pairs.pair(scene, readings.refer(scene), 0)
    a, b = both_sides(network, learner, shared(network))
    grams = a.T @ a, b.T @ b
    cosine = (grams[0] * grams[1]).sum() / (grams[0].norm() * grams[1].norm())
    assert found["ntk.overlap"].value == pytest.approx(float(cosine), rel=1e-10)
    bases = [torch.linalg.svd(side, full_matrices=False) for side in (a, b)]
    right = [vh[s > 1e-6 * s[0]] for _, s, vh in bases]
    cosines = torch.linalg.svdvals(right[0] @ right[1].T)
    assert found["ntk.angle_max"].value == pytest.approx(float(cosines[0]), abs=1e-9)
    assert found["ntk.overlap_chance"].value == pytest.approx((10 * 18) ** 0.5 / a.shape[1])


def test_a_pair_looks_at_its_own_old_task_alone() -> None:
    """Else the pairs of a task's end would cost the square of the tasks before it."""
    network = tiny_network()
    scene = scene_of(network, second_task(network).proxy)
    reference, twice = readings.refer(scene), [scene.probes[0], *scene.probes]
    many = replace(scene, probes=twice, train=[scene.train[0], *scene.train])
    reference.logits = [reference.logits[0]] * 2
    seen: list[Tensor] = []

    class Heard(Cosines):
        def __call__(self, m: Tensor) -> Tensor:
            seen.append(m)
            return super().__call__(m)

    reference.rule = Heard(reference.rule.rows, reference.rule.votes)
    assert pairs.pair(many, reference, 1) == pairs.pair(scene, reference, 0)
    assert [len(m) for m in seen] == [len(scene.train[0].main)] * 2


@pytest.mark.parametrize("answers", ["cosines", "discriminant", "random_projection", "ensemble"])
def test_the_forecast_is_the_first_step_of_the_real_loss_made_long(answers: str) -> None:
    """Against autograd through the real network: loss on the hybrid, gradient of V, Jacobian of old logits."""
    network = tiny_network(answers=answers)
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    reference = readings.refer(scene)
    state = learner.chance.get_state()
    gap, each = pairs.forecast(scene, reference, learner)
    assert torch.equal(learner.chance.get_state(), state)
    features = network.eval()(IMAGES[list(NEW.indices)])
    batch = learner.batch(features, torch.tensor(NEW.labels) - 2, learner.old_ids)
    terms, method = learner.losses(batch), learner.method
    only = Features(None, None, features.hybrid)
    loss = (
        terms["cross_entropy_hybrid"]
        + method.weight_mutual_information * terms["mutual_information"]
        + method.weight_orthogonality * learner.losses(replace(batch, features=only))["orthogonality"]
    )  # fmt: skip
    parameters = shared(network)
    gradient = torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, parameters)])
    theta = torch.cat([p.detach().reshape(-1) for p in parameters])
    rate, steps = planned(learner.training, 6)
    a, _ = both_sides(network, learner, parameters)
    moved = -rate * steps * (a @ (gradient + learner.training.weight_decay * theta))
    torch.testing.assert_close(reference.forecast[0].reshape(-1), moved, rtol=1e-7, atol=1e-9)
    assert [value.value for value in each] == [gap["ntk.forecast"].value]
    assert gap["ntk.forecast_ridge"].value > 0


def test_a_forecast_that_came_true_scores_one_and_its_opposite_minus_one() -> None:
    network = tiny_network()
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    reference = readings.refer(scene)
    pairs.forecast(scene, reference, learner)
    for sign, cosine, error in ((1.0, 1.0, 0.0), (-1.0, -1.0, 1.0)):
        came = reference.rule(scene.train[0].main) - sign * 0.5 * reference.forecast[0]
        reference.logits = [came]
        values = pairs.scores(scene, reference)
        assert values["ntk.forecast_cosine"].value == pytest.approx(cosine, abs=1e-9)
        assert values["ntk.forecast_error"].value == pytest.approx(error, abs=1e-4)
        assert "at least three" in values["ntk.forecast_rank"].reason


@pytest.mark.parametrize("profile", ["paper", "repaired"])
def test_a_short_task_goes_where_its_forecast_said(profile: str) -> None:
    """One small step of the whole method, dropout off: the direction of the old logits' movement by the fusion."""
    chosen = {"fusion": "linear", "orthogonality": "projection"} if profile == "repaired" else {}
    network = small_network(profile, **chosen)
    teacher = small_learner(profile, made=network, **chosen)
    teacher.begin_task((0, 1), 1)
    network.eval()
    with torch.no_grad():
        features = network(IMAGES[list(OLD.indices)]).main
    for class_id in (0, 1):
        network.prototypes.learn(class_id, features[torch.tensor(OLD.labels) == class_id])
    network.prototypes.settle()
    teacher.begin_task((2, 3, 4), 1)
    network.eval()
    scene = scene_of(network, teacher.proxy)
    reference = readings.refer(scene)
    pairs.forecast(scene, reference, teacher)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    for group in teacher.optimiser.param_groups:
        group["lr"] = 1e-4
    images, labels = IMAGES[list(NEW.indices)], torch.tensor(NEW.labels) - 2
    teacher.backward(teacher.losses(teacher.forward(images, labels, teacher.old_ids)))
    teacher.step()
    with torch.no_grad():  # only the value layer's step is forecast
        for name, p in network.named_parameters():
            if not name.startswith("fusion.value"):
                p.copy_(before[name])
    measured_ = readings.moved(scene_of(network, teacher.proxy), reference)
    cosine = gaps.drift_cosine(reference.forecast, measured_).value
    assert cosine == pytest.approx(1.0, abs=1e-3)


def test_a_task_of_one_class_is_not_forecast_and_says_why() -> None:
    events, _ = run_of(tiny_network(), EVERYTHING, (task(0, (0, 1)), task(40, (2,))))
    for name in ("ntk.forecast", "ntk.disturbance_forecast", "ntk.forecast_cosine"):
        event = measured(events, name)[-1]
        assert event.value is None
        assert "one class" in event.reason


@pytest.mark.parametrize("fusion", ["linear", "section_attention"])
def test_the_full_plans_kernel_is_that_of_every_trained_block(fusion: str) -> None:
    network = tiny_network(fusion=fusion)
    learner = second_task(network)
    eye = eye_of(network)
    scene = scene_of(network, learner.proxy, eye)
    rows = result_of(ProbeRows(eye, FULL).own(scene))
    found = own_kernel.training_kernel(scene, scene.train[1], scene.train[1], (rows[0], rows[0]))
    everything = [*network.live_parameters().values(), *learner.proxy.parameters()]
    J = jacobian(learner.proxy(forward(network, NEW)), everything)
    torch.testing.assert_close(found, J @ J.T, rtol=1e-9, atol=1e-9)
    values = own_kernel.kernel(scene, readings.refer(scene), rows)
    shares = [values[f"ntk.share_{name}"].value for name in ("head", "fusion", "s1", "s2")]
    assert sum(shares) == pytest.approx(1.0, abs=1e-12)
    assert all(share > 0 for share in shares)


@pytest.mark.parametrize("answers", ["cosines", "discriminant", "random_projection", "ensemble"])
def test_with_random_vectors_the_overlap_is_estimated_over_every_block(answers: str) -> None:
    """Equal to the estimate from explicit Jacobians along the same vectors; `test_overlap` shows it unbiased."""
    network = tiny_network(answers=answers)
    learner = second_task(network)
    eye = eye_of(network)
    scene = scene_of(network, learner.proxy, eye)
    reference, rows = readings.refer(scene), ProbeRows(eye, TRACE)
    of_new = result_of(rows.of_training(scene))
    of_old = result_of(rows.of_inference(OLD, reference.rule, (0, 1), "g"))
    found = pairs.pair(scene, reference, 0, (of_old, of_new))
    a, b = both_sides(network, learner, list(network.live_parameters().values()))
    along_a, along_b = (
        torch.einsum("ncp,cm->nmp", J.reshape(n, -1, J.shape[1]), drawn.vectors.double()).flatten(0, 1)
        for J, n, drawn in ((a, 5, of_old), (b, 6, of_new))
    )  # fmt: skip
    products = (along_a @ along_b.T, along_a @ along_a.T, along_b @ along_b.T)
    assert found["ntk.overlap"].value == pytest.approx(overlap_of_vectors(*products, 4).value)
    assert found["ntk.overlap_chance"].value == pytest.approx((10 * 18) ** 0.5 / a.shape[1])
    assert result_of(ProbeRows(eye, CLOSED).of_training(scene)) is None
    assert result_of(ProbeRows(eye, TRACE).own(scene)) is None


@pytest.mark.parametrize("answers", ["cosines", "discriminant", "random_projection", "ensemble"])
def test_the_trace_kernel_sums_the_explicit_one_over_outputs(answers: str) -> None:
    network = tiny_network(answers=answers)
    learner = second_task(network)
    eye = eye_of(network)
    scene = scene_of(network, learner.proxy, eye)
    view = View.joined([scene.train[0], scene.train[1]])
    rule = readings.known_rule(network)
    main = torch.cat([forward(network, OLD), forward(network, NEW)])
    J = jacobian(rule(main), shared(network)).reshape(11, 2, -1)
    exact = torch.einsum("iap,jap->ij", J, J)
    found = trace_of_all(network, view, rule, None)
    torch.testing.assert_close(found, exact, rtol=1e-9, atol=1e-11)
    part = heat_map.picked([OLD, NEW])
    drawn = result_of(ProbeRows(eye, TRACE).of_inference(part, rule, (0, 1), "map"))
    assert drawn.rows.outputs == 4
    more = trace_of_all(network, view, rule, drawn.rows)
    assert float(more.trace()) > float(found.trace())
    assert trace_of_all(tiny_network("s1"), view, rule, None) is None


def test_an_old_kernel_stands_still_until_training_moves_it() -> None:
    network = tiny_network()
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    old = OldKernel.of(network, scene.train[0], (0, 1))
    drift, cka = old.since(scene.train[0])
    assert drift.value == 0.0
    assert cka.value == pytest.approx(1.0, abs=1e-9)
    drift, _ = old.since(View(2 * scene.train[0].s1, scene.train[0].main))
    assert drift.value > 0.1
    assert "fusion" in OldKernel.of(tiny_network("s1"), scene.train[0], (0, 1)).reason
    broken = View(scene.train[0].s1 * torch.nan, scene.train[0].main)
    assert old.since(broken)[0].reason == "the kernel is not finite"


def numbers(events, name: str, task: int) -> dict[int, Measured]:
    return {e.other: e for e in measured(events, name) if e.task == task}


def test_a_run_says_of_every_pair_what_learning_did(tmp_path: Path) -> None:
    events, _ = run_of(tiny_network(), EVERYTHING, THREE, folder=tmp_path)
    for name in ("overlap", "overlap_chance", "angle_max", "angle_mean", "disturbance",
                 "vulnerable_rank", "vulnerable_expected", "old_drift", "old_cka", "disturbance_forecast", "disturbance_settled"):  # fmt: skip
        assert set(numbers(events, f"ntk.{name}", 2)) == {0, 1}
        for event in numbers(events, f"ntk.{name}", 2).values():
            assert event.value is not None, event
    gap = measured(events, "ntk.interplay_measured")[-1].value
    each = [event.value for event in numbers(events, "ntk.disturbance", 2).values()]
    assert sum(each) / 2 == pytest.approx(gap, rel=1e-12)


def test_the_arrays_of_a_run_are_kernels_of_its_pictures_in_order(tmp_path: Path) -> None:
    events, _ = run_of(tiny_network(), EVERYTHING, THREE, folder=tmp_path)
    shots = [event for event in events if isinstance(event, Snapshot)]
    assert [shot.task for shot in shots] == [0, 1, 2]  # a full plan: once a task
    assert len({shot.path for shot in shots}) == 3
    found = load_file(tmp_path / shots[-1].path)
    assert found["kernel"].shape == (18, 18)
    assert np.allclose(found["kernel"], found["kernel"].T)
    assert np.linalg.eigvalsh(found["kernel"].astype(float)).min() > -1e-4 * found["kernel"].max()
    assert found["tasks"].tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert found["labels"].tolist() == sorted(found["labels"].tolist())
    for number in range(3):
        block = found["kernel"][found["tasks"] == number][:, found["tasks"] == number]
        values = found[f"spectrum.{number}"]
        assert (np.diff(values) <= 0).all()
        assert values.sum() == pytest.approx(float(np.trace(block)), rel=1e-4)
    assert found["classes"].tolist() == [0, 1, 2, 3, 4]
    assert (found["drift_measured"] > 0).all()
    assert (found["drift_settled"] != found["drift_measured"]).all()
    assert np.isfinite(found["drift_forecast"]).all()
    assert "random output vectors" in shots[-1].method


def test_in_closed_form_there_are_arrays_at_every_measurement(tmp_path: Path) -> None:
    config = MonitorConfig(probe_per_task=6, budget=1.0, kernel="closed")
    events, _ = run_of(tiny_network(), config, TASKS[:2], folder=tmp_path)
    shots = [event for event in events if isinstance(event, Snapshot)]
    assert [Path(shot.path).stem for shot in shots[:4]] == ["001-start", "001-epoch-1", "001-end", "001-done"]  # fmt: skip
    assert all("left out" in shot.method for shot in shots)
    assert measured(events, "ntk.share_s1")[0].reason.startswith("left out of the kernel")


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    from workbench.errors import WorkbenchError

    (tmp_path / "kernel").write_text("in the way")
    with pytest.raises(WorkbenchError, match="could not be written"):
        snapshot.write(tmp_path, "001-start", {"kernel": np.zeros((2, 2), np.float32)})


@pytest.mark.parametrize("kind", ["closed", "trace", "full"])
def test_the_kernel_that_is_asked_for_is_measured(kind: str) -> None:
    config = MonitorConfig(probe_per_task=4, budget=1.0, kernel=kind)
    events, _ = run_of(tiny_network(), config, TASKS[:2])
    share = measured(events, "ntk.share_s1")[0]
    assert (share.value is not None) == (kind == "full")
    assert numbers(events, "ntk.overlap", 1)[0].value is not None


def test_left_to_itself_the_monitor_measures_what_the_budget_has_room_for() -> None:
    wide = tuple(task(60 * n, (2 * n, 2 * n + 1), train=20) for n in range(2))
    kinds = []
    for budget in (0.06, 1.0):
        config = MonitorConfig(probe_per_task=4, budget=budget)
        events, _ = run_of(tiny_network(), config, wide, epochs=2)
        kinds.append(measured(events, "ntk.share_s1")[0].value is not None)
    assert kinds == [False, True]


def test_rows_that_do_not_fit_the_memory_are_sketched_and_fewer_are_made_at_once() -> None:
    network = tiny_network()
    roomy = fitted("full", network, MonitorConfig(), 1000)
    assert (roomy.columns, roomy.piece) == (0, network.piece // 4)
    tight = fitted("full", network, MonitorConfig(memory_gb=1e-3, sketch_columns=64), 10**6)
    assert (tight.columns, tight.piece < roomy.piece) == (64, True)
    assert fitted("full", network, MonitorConfig(gradients="sketch"), 1).columns == 4096
    assert fitted("full", network, MonitorConfig(gradients="exact"), 1000).columns == 0
    forced = MonitorConfig(gradients="exact", memory_gb=0.05)
    assert fitted("full", network, forced, 10**6).columns == 4096  # never beyond the memory
    assert "sketched to 64 columns" in tight.sentence(network)
    assert "exact" in roomy.sentence(network)


def test_exact_gradients_that_do_not_fit_are_named() -> None:
    config = MonitorConfig(
        probe_per_task=4, budget=1.0, kernel="full", gradients="exact", memory_gb=1e-5
    )
    events, _ = run_of(tiny_network(), config, TASKS[:1])
    (note,) = [event for event in events if isinstance(event, Note)]
    assert "monitor.memory_gb = 1e-05" in note.text
    assert measured(events, "ntk.share_s1")[0].value is not None


def test_a_sketched_run_says_nearly_what_the_exact_one_says() -> None:
    exact, sketched = (
        run_of(
            tiny_network(),
            MonitorConfig(probe_per_task=4, budget=1.0, kernel="full", gradients=how, sketch_columns=8192),
            TASKS[:2],
        )[0]
        for how in ("exact", "sketch")
    )  # fmt: skip
    for name in ("ntk.kernel_drift", "ntk.effective_rank", "ntk.share_s1"):
        left, right = (measured(events, name)[-1].value for events in (exact, sketched))
        assert left == pytest.approx(right, rel=0.1)


@pytest.mark.parametrize(("branches", "fusion"), [("both", "section_attention"), ("s1", "linear")])
def test_without_a_closed_form_pairs_are_measured_along_vectors_or_absent(
    branches: str, fusion: str
) -> None:
    for kind in ("trace", "closed"):
        config = MonitorConfig(probe_per_task=4, budget=1.0, kernel=kind)
        events, _ = run_of(tiny_network(branches, fusion), config, TASKS[:2])
        overlap = numbers(events, "ntk.overlap", 1)[0]
        assert (overlap.value is None) == (kind == "closed")
        assert bool(overlap.reason) == (kind == "closed")
        assert measured(events, "ntk.forecast")[-1].reason


def test_too_many_classes_leave_the_pairs_kernels_absent_with_a_reason(monkeypatch) -> None:
    monkeypatch.setattr(pairs, "MAX_ROWS", 1)
    network = tiny_network()
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    found = pairs.pair(scene, readings.refer(scene), 0)
    assert {value.value for value in found.values()} == {None}
    assert all("exceeds 1 rows" in value.reason for value in found.values())


def test_logits_that_are_not_finite_leave_pairs_absent() -> None:
    network = tiny_network()
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    reference = readings.refer(scene)
    scene.train[0].main.fill_(torch.nan)
    found = pairs.pair(scene, reference, 0)
    assert all(value.value is None and value.reason for value in found.values())


def test_the_vulnerable_rank_counts_directions_of_the_explicit_kernel() -> None:
    network = tiny_network()
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    reference = readings.refer(scene)
    with torch.no_grad():
        network.fusion.value.weight.add_(0.05)
    after = scene_of(network, learner.proxy)
    found = pairs.pair(after, reference, 0)["ntk.vulnerable_rank"].value
    a, _ = both_sides(network, learner, shared(network))
    parts, delta = spectrum(a @ a.T), readings.moved(after, reference)[0].reshape(-1)
    energy = (parts.vectors.T @ delta).square().flip(0).cumsum(0) / delta.square().sum()
    assert found == int((energy < 0.9).sum()) + 1
