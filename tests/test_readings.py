"""What is read off the probe, against autograd Jacobians of the real network, in float64."""

import pytest
import torch
from torch import Tensor, nn

from tests.replay import value_block_push
from tests.small import pictures
from tests.tiny import tiny_learner, tiny_network
from workbench.core import own_kernel, readings
from workbench.core.gaps import displacement
from workbench.core.heads import ProxyHead
from workbench.core.learner import Learner
from workbench.core.network import Network
from workbench.core.probe import Eye, Part, Probed, View
from workbench.core.readings import Scene
from workbench.core.replay import Replay
from workbench.core.steps import result_of

IMAGES = pictures(40)
OLD = Part((0, 1, 2, 3, 4), (0, 1, 0, 1, 0))
OLD_TEST = Part((10, 11, 12), (0, 1, 0))
NEW = Part((20, 21, 22, 23, 24, 25), (2, 3, 4, 2, 3, 4))
NEW_TEST = Part((30, 31, 32, 33), (2, 3, 4, 2))
PROBES = (
    Probed((0, 1), {0: 3, 1: 2}, OLD, OLD_TEST),
    Probed((2, 3, 4), {2: 2, 3: 2, 4: 2}, NEW, NEW_TEST),
)


def eye_of(network: Network) -> Eye:
    return Eye(network, lambda indices: IMAGES[torch.from_numpy(indices)])


def scene_of(network: Network, proxy: ProxyHead, eye: Eye | None = None, probes=PROBES) -> Scene:
    parts = [probe.train for probe in probes] + [probe.test for probe in probes]
    views = result_of((eye or eye_of(network)).look(parts, "looking"))
    return Scene(network, proxy, probes, views[: len(probes)], views[len(probes) :])


def second_task(network: Network, **training: float) -> Learner:
    """A learner at the start of the second task, the first one's prototypes in place."""
    learner = tiny_learner(network, **training)
    learner.begin_task((0, 1), 1)
    network.eval()
    with torch.no_grad():
        features = network(IMAGES[list(OLD.indices)]).main
    for class_id in (0, 1):
        network.prototypes.learn(class_id, features[torch.tensor(OLD.labels) == class_id])
    network.prototypes.settle()
    learner.begin_task((2, 3, 4), 1)
    with torch.no_grad():
        learner.proxy.sigma.fill_(1.7)
    return learner


def jacobian(outputs: Tensor, parameters: list[Tensor]) -> Tensor:
    """(n, C) -> (n C, P) by one backward pass for each output."""
    rows = [
        torch.autograd.grad(value, parameters, retain_graph=True, materialize_grads=True)
        for value in outputs.reshape(-1)
    ]
    rows = [torch.cat([gradient.reshape(-1) for gradient in row]) for row in rows]
    return torch.stack(rows)


def forward(network: Network, part: Part) -> Tensor:
    network.eval()
    return network(IMAGES[list(part.indices)]).main


@pytest.mark.parametrize("fusion", ["linear", "paper"])
def test_the_kernel_is_that_of_the_real_network(fusion: str) -> None:
    network = tiny_network(fusion=fusion)
    learner = second_task(network)
    scene, proxy = scene_of(network, learner.proxy), learner.proxy
    blocks = [*network.fusion.value.parameters(), *proxy.parameters()]
    train, test = (jacobian(proxy(forward(network, part)), blocks) for part in (NEW, NEW_TEST))
    got = own_kernel.training_kernel(scene, scene.train[1], scene.train[1])
    torch.testing.assert_close(got, train @ train.T, rtol=0, atol=1e-9)
    got = own_kernel.training_kernel(scene, scene.test[1], scene.train[1])
    torch.testing.assert_close(got, test @ train.T, rtol=0, atol=1e-9)


def test_with_one_branch_the_kernel_is_the_heads_alone() -> None:
    network = tiny_network("s1")
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    rows = jacobian(learner.proxy(forward(network, NEW)), list(learner.proxy.parameters()))
    got = own_kernel.training_kernel(scene, scene.train[1], scene.train[1])
    torch.testing.assert_close(got, rows @ rows.T, rtol=0, atol=1e-9)


def test_a_small_step_of_fusion_and_head_moves_the_logits_by_the_kernel() -> None:
    errors = []
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    for eta in (1e-2, 1e-3, 1e-4):
        network = tiny_network()
        learner = second_task(network)
        scene = scene_of(network, learner.proxy)
        kernel = own_kernel.training_kernel(scene, scene.train[1], scene.train[1])
        before = learner.proxy(forward(network, NEW))
        loss = nn.functional.cross_entropy(before, labels)
        pull = torch.autograd.grad(loss, before, retain_graph=True)[0]
        blocks = [*network.fusion.value.parameters(), *learner.proxy.parameters()]
        for parameter, gradient in zip(blocks, torch.autograd.grad(loss, blocks), strict=True):
            parameter.data -= eta * gradient
        moved = (learner.proxy(forward(network, NEW)) - before).detach()
        predicted = (-eta * kernel @ pull.reshape(-1)).reshape_as(moved)
        errors.append(float((moved - predicted).norm() / moved.norm()))
    assert errors[0] < 0.1
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("answers", ["cosines", "discriminant", "random_projection", "ensemble"])
def test_the_predicted_movement_is_the_jacobian_times_the_displacement(answers: str) -> None:
    network = tiny_network(answers=answers)
    learner = second_task(network)
    eye = eye_of(network)
    reference = readings.refer(scene_of(network, learner.proxy, eye))
    value = network.fusion.value
    rows = jacobian(network.prototypes(forward(network, OLD))[:, :2], list(value.parameters()))
    shift = torch.randn(
        rows.shape[1], generator=torch.Generator().manual_seed(5), dtype=torch.float64
    )
    with torch.no_grad():
        value.weight += shift[: value.weight.numel()].view_as(value.weight)
        value.bias += shift[value.weight.numel() :]
    now = readings.refer(scene_of(network, learner.proxy, eye)).start
    (got,) = readings.movement(reference.start, now, reference.rule)
    torch.testing.assert_close(got, (rows @ shift).reshape(5, 2), rtol=1e-11, atol=1e-9)


def test_spectrum_and_complexity_are_those_of_the_real_networks_jacobian() -> None:
    network = tiny_network()
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    reference = readings.refer(scene)
    got = own_kernel.kernel(scene, reference)
    outputs = learner.proxy(forward(network, NEW))
    blocks = [*network.fusion.value.parameters(), *learner.proxy.parameters()]
    J = jacobian(outputs, blocks)  # (18, P)
    among = torch.einsum("iap,jap->ij", J.view(6, 3, -1), J.view(6, 3, -1))
    p = torch.linalg.eigvalsh(among) / among.trace()
    assert got["ntk.effective_rank"].value == pytest.approx(float((-(p * p.log()).sum()).exp()), abs=1e-9)  # fmt: skip
    assert got["ntk.participation"].value == pytest.approx(float(1 / p.square().sum()), abs=1e-9)
    kernel, unit = J @ J.T, torch.eye(18, dtype=torch.float64)
    ridge = reference.ridge.value * kernel.trace() / 18
    inverse = torch.linalg.inv(kernel + ridge * unit)
    targets = unit[:3, :3][torch.tensor([0, 1, 2, 0, 1, 2])] - outputs.detach()
    y = (targets - targets.mean(0)).reshape(-1)
    norm = (kernel.trace() / 18 * (y @ inverse @ y) / 18).sqrt()
    assert got["ntk.complexity"].value == pytest.approx(float(norm), abs=1e-9)
    dimension = float((kernel @ inverse).trace())
    assert got["ntk.effective_dimension"].value == pytest.approx(dimension, abs=1e-9)
    assert 0 < got["ntk.complexity_share"].value < 2


def test_for_a_small_displacement_prediction_and_measurement_meet() -> None:
    errors = []
    for size in (1e-5, 1e-6):
        network = tiny_network()
        learner = second_task(network)
        reference = readings.refer(scene_of(network, learner.proxy))
        with torch.no_grad():
            weight = network.fusion.value.weight
            weight += size * torch.randn(weight.shape, generator=torch.Generator().manual_seed(5))
        values = readings.interplay(scene_of(network, learner.proxy), reference)
        errors.append(values["ntk.drift_error"].value)
        assert values["ntk.drift_cosine"].value == pytest.approx(1.0, abs=1e-4)
        predicted = values["ntk.interplay_predicted"].value
        assert values["ntk.interplay_measured"].value == pytest.approx(predicted, rel=0.02)
        assert values["ntk.interplay_replayed"].value == pytest.approx(predicted, rel=1e-12)
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.2)


@pytest.mark.parametrize("answers", ["cosines", "discriminant", "random_projection", "ensemble"])
def test_replaying_real_sgd_in_function_space_adds_up_to_the_displacement(answers: str) -> None:
    """v ← μ v + K r + ω J θ with the run's own minibatches and losses equals J (θ − θ_start)."""
    network = tiny_network(answers=answers)
    learner = second_task(network, learning_rate=1.0)
    reference = readings.refer(scene_of(network, learner.proxy))
    (view,), value = reference.start.old, network.fusion.value
    q = reference.rule.slopes(view.main)
    way = displacement(view.s1, value.weight.detach(), value.bias.detach())
    linear = torch.einsum("nad,nd->na", q, way)
    replay = Replay(linear, momentum=0.9, weight_decay=1e-2)
    lr = learner.begin_epoch(0)
    network.train()
    labels = torch.tensor(NEW.labels) - 2
    for rows in (torch.tensor([0, 3, 1]), torch.tensor([1, 4, 2]), torch.tensor([5, 2])):
        batch = learner.forward(IMAGES[torch.tensor(NEW.indices)[rows]], labels[rows])
        batch.features.hybrid.retain_grad()
        c = batch.features.s1.detach()
        learner.backward(learner.losses(batch))
        learner.step()
        replay.step(lr, value_block_push(view.s1, q, c, batch.features.hybrid.grad))
    after = readings.refer(scene_of(network, learner.proxy)).start
    (got,) = readings.movement(reference.start, after, reference.rule)
    assert got.abs().max() > 1e-4
    torch.testing.assert_close(got, replay.movement, rtol=1e-9, atol=1e-12)


def test_attention_over_sections_leaves_the_predictions_absent_with_the_reason() -> None:
    network = tiny_network(fusion="section_attention")
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    reference = readings.refer(scene)
    values = readings.interplay(scene, reference) | own_kernel.kernel(scene, reference)
    assert values.pop("ntk.interplay_measured").value == 0.0
    assert len(values) == 23
    for value in values.values():
        assert value.value is None
        assert "attention over sections" in value.reason


def test_more_classes_than_rows_leave_the_kernel_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "MAX_ROWS", 2)
    network = tiny_network()
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    values = own_kernel.kernel(scene, readings.refer(scene))
    assert all(
        value.value is None and "exceeds 2 rows" in value.reason for value in values.values()
    )


def test_a_kernel_that_is_not_finite_is_absent() -> None:
    network = tiny_network()
    learner = second_task(network)
    reference = readings.refer(scene_of(network, learner.proxy))
    with torch.no_grad():
        network.fusion.value.bias[0] = torch.nan
    values = own_kernel.kernel(scene_of(network, learner.proxy), reference)
    assert {value.reason for value in values.values()} == {"the kernel is not finite"}


@pytest.mark.parametrize("answers", ["cosines", "discriminant", "random_projection", "ensemble"])
def test_the_provisional_accuracy_is_that_of_the_network_with_the_tasks_classes_learnt(
    answers: str,
) -> None:
    network = tiny_network(answers=answers)
    learner = second_task(network)
    scene = scene_of(network, learner.proxy)
    got = readings.accuracy(scene, readings.provisional(scene))["probe_accuracy"].value
    with torch.no_grad():
        features = forward(network, NEW)
        for class_id in (2, 3, 4):
            network.prototypes.learn(class_id, features[torch.tensor(NEW.labels) == class_id])
        network.prototypes.settle_roughly()
        images = [*OLD_TEST.indices, *NEW_TEST.indices]
        answers = network.prototypes(network(IMAGES[images]).main).argmax(1)
    truth = torch.tensor([*OLD_TEST.labels, *NEW_TEST.labels])
    assert got == float((answers == truth).double().mean())


def test_a_class_that_the_probe_lacks_leaves_the_provisional_accuracy_absent() -> None:
    network = tiny_network()
    learner = second_task(network)
    poor = (PROBES[0], Probed((2, 3, 4), {2: 2, 3: 2, 4: 9}, Part((20, 21), (2, 3)), NEW_TEST))
    scene = scene_of(network, learner.proxy, probes=poor)
    value = readings.accuracy(scene, readings.provisional(scene))["probe_accuracy"]
    assert value.value is None
    assert value.reason


def test_a_part_of_a_view_keeps_what_is_not_there_absent() -> None:
    main = torch.zeros(4, 2)
    assert View(None, main)[:3].s1 is None
    assert len(View(main, main)[1:3].main) == 2
