"""The monitor beside a real learner: what it says, and that nothing it does can be felt in training."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.small import SIZE
from tests.tiny import tiny_learner, tiny_network
from workbench import measures
from workbench.config import MonitorConfig
from workbench.core import readings
from workbench.core.budget import FEWEST, Budget
from workbench.core.cache import PictureCache
from workbench.core.device import Stream
from workbench.core.feeder import Feeder
from workbench.core.learner import Learner
from workbench.core.monitor import Monitor
from workbench.core.network import Network
from workbench.core.pace import Pacer
from workbench.core.probe import Eye, Part, draw
from workbench.core.steps import result_of
from workbench.core.tasks import TaskData
from workbench.events import Event, Measured, Note, Stage, TaskInfo

NTK = {name for name in measures.MEASURES if name.startswith(("ntk.", "lost."))} | {
    "probe_accuracy"
}


def feeder(pictures: int = 200) -> Feeder:
    cache, noise = PictureCache(10**8), np.random.default_rng(0)
    for _ in range(pictures):
        cache.append(noise.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))
    return Feeder(cache, SIZE, torch.device("cpu"), torch.float64, Stream(0))


def task(first: int, classes: tuple[int, ...], train: int = 6, test: int = 4) -> TaskData:
    """A task whose pictures lie from `first` on, `train` and `test` of each class."""
    many = len(classes)
    info = TaskInfo("t", tuple(map(str, classes)), classes, (train,) * many, (test,) * many, "")
    cut, labels = train * many, np.array(classes)
    return TaskData(
        info=info,
        train=np.arange(first, first + cut),
        test=np.arange(first + cut, first + cut + test * many),
        train_labels=np.tile(labels, train),
        test_labels=np.tile(labels, test),
    )


PASSES = 9  # a step's, per picture
TASKS = (task(0, (0, 1)), task(40, (2, 3, 4)), task(100, (5,)))


def begin(learner: Learner, tasks: TaskData, epochs: int = 2) -> None:
    torch.manual_seed(5)
    learner.begin_task(tasks.info.class_ids, epochs)


def run_of(
    network: Network,
    config: MonitorConfig,
    tasks=TASKS,
    epochs: int = 2,
    folder: Path | None = None,
) -> tuple[list[Event], Learner]:
    """Train through the tasks as the loop does; return the monitor's events and the learner."""
    passes = epochs * PASSES * sum(len(item.train) for item in tasks)
    pacer = Pacer(1, passes)
    learner, pictures, monitor = tiny_learner(network), feeder(), Monitor(config, 0, pacer, folder)
    events: list[Event] = list(monitor.plan(learner, tasks))
    for number, item in enumerate(tasks):
        events += train_one(network, learner, pictures, monitor, item, number, epochs, pacer)
    return events, learner


def train_one(
    network: Network,
    learner: Learner,
    pictures: Feeder,
    monitor: Monitor,
    item: TaskData,
    number: int,
    epochs: int = 2,
    pacer: Pacer | None = None,
) -> list[Event]:
    """Learn one task as the loop does: epochs, EMA step, prototypes, each with its measurement."""
    begin(learner, item, epochs)
    events = list(monitor.start_task(network, learner, pictures, item, number * epochs))
    for epoch in range(epochs):
        learner.begin_epoch(epoch)
        network.train()
        labels = torch.from_numpy(item.train_labels) - item.info.class_ids[0]
        batch = learner.forward(pictures.plain(item.train), labels)
        learner.backward(learner.losses(batch))
        learner.step()
        if pacer is not None:
            pacer.did(PASSES * len(item.train))
        step = number * epochs + epoch + 1
        events += monitor.measure(epoch, step, at_end=epoch == epochs - 1)
    events += monitor.averaged(changed=learner.average(is_last=False), drawn_back=False)
    network.eval()
    with torch.no_grad():
        features = network(pictures.plain(item.train)).main
    for class_id in item.info.class_ids:
        mask = torch.from_numpy(item.train_labels == class_id)
        network.prototypes.learn(class_id, features[mask])
    network.prototypes.settle()
    return [*events, *monitor.settled(epochs - 1, (number + 1) * epochs)]


def measured(events: list[Event], name: str) -> list[Measured]:
    return [event for event in events if isinstance(event, Measured) and event.name == name]


EVERYTHING = MonitorConfig(probe_per_task=6, budget=1.0)


def test_every_measurement_has_its_explanation_and_every_absence_its_reason() -> None:
    events, _ = run_of(tiny_network(), EVERYTHING)
    numbers = [event for event in events if isinstance(event, Measured)]
    assert {event.name for event in numbers} == NTK
    assert all((event.value is None) == bool(event.reason) for event in numbers)
    assert len(measured(events, "ntk.kernel_drift")) == 3 * (1 + 2)
    assert len(measured(events, "ntk.ridge")) == 3
    assert not [event for event in events if isinstance(event, Note)]
    assert {type(event) for event in events} == {Measured, Stage}


def test_the_curves_start_where_nothing_has_moved() -> None:
    events, _ = run_of(tiny_network(), EVERYTHING)
    for number, step in ((0, 0), (1, 2), (2, 4)):
        at_start = {e.name: e for e in events if isinstance(e, Measured) and (e.task, e.step) == (number, step)}  # fmt: skip
        assert at_start["ntk.kernel_drift"].value == 0.0
        assert at_start["ntk.kernel_alignment"].value == pytest.approx(1.0, abs=1e-12)
        assert at_start["ntk.kernel_cka"].value == pytest.approx(1.0, abs=1e-9)
        assert at_start["ntk.gap_predicted"].value is not None
        for name in ("measured", "predicted", "replayed"):
            gap = at_start[f"ntk.interplay_{name}"]
            assert gap.value == (0.0 if number else None)


def test_training_moves_the_old_tasks_and_the_prediction_points_the_same_way() -> None:
    events, _ = run_of(tiny_network(), EVERYTHING)
    last = {
        e.name: e.value for e in events if isinstance(e, Measured) and (e.task, e.step) == (1, 4)
    }
    for name in ("measured", "predicted", "replayed"):
        assert last[f"ntk.interplay_{name}"] > 0
    assert last["ntk.interplay_predicted"] != last["ntk.interplay_replayed"]
    assert -1 <= last["ntk.drift_cosine"] <= 1


def test_the_same_seed_says_the_same_to_the_bit_and_another_one_does_not() -> None:
    first, second = (run_of(tiny_network(), EVERYTHING)[0] for _ in range(2))
    assert first == second
    parts = [draw(Part(tuple(range(20)), (0, 1) * 10), 6, (seed, 0, 0)) for seed in (0, 1)]
    assert parts[0] != parts[1]


def test_training_with_and_without_the_monitor_ends_in_the_same_weights() -> None:
    silent = MonitorConfig(probe_per_task=0)
    networks = [tiny_network(dropout=0.1) for _ in range(2)]
    for network, config in zip(networks, (EVERYTHING, silent), strict=True):
        run_of(network, config)
    for left, right in zip(networks[0].state_dict().values(), networks[1].state_dict().values(), strict=True):  # fmt: skip
        assert torch.equal(left, right)


def test_measuring_leaves_modes_gradients_and_every_random_state_alone() -> None:
    network = tiny_network(dropout=0.1)
    learner, monitor, pictures = (
        tiny_learner(network),
        Monitor(EVERYTHING, 0, Pacer(1, 1)),
        feeder(),
    )
    assert not list(monitor.plan(learner, TASKS[:1]))
    begin(learner, TASKS[0])
    network.train()
    network.backbone.tier = "bf16"
    before = {name: p.detach().clone() for name, p in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    assert any(modes)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    for events in (
        monitor.start_task(network, learner, pictures, TASKS[0], 0),
        monitor.measure(0, 1, at_end=True),
        monitor.averaged(changed=True, drawn_back=False),
        monitor.settled(0, 1),
    ):
        for _ in events:
            assert [module.training for module in network.modules()] == modes
            assert network.backbone.tier == "bf16"
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()  # noqa: NPY002
    assert random.getstate() == states[2]
    assert all(torch.equal(p, before[name]) for name, p in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())


def test_a_stop_in_the_middle_of_a_measurement_is_clean() -> None:
    network = tiny_network()
    learner, monitor = tiny_learner(network), Monitor(EVERYTHING, 0, Pacer(1, 1))
    assert not list(monitor.plan(learner, TASKS[:1]))
    begin(learner, TASKS[0])
    network.train()
    events = monitor.start_task(network, learner, feeder(), TASKS[0], 0)
    assert isinstance(next(events), Stage)
    events.close()
    assert network.training


def test_fewer_pictures_than_the_probe_asks_for_are_all_taken() -> None:
    part = Part((7, 8, 9), (0, 0, 1))
    assert sorted(draw(part, 32, (0, 0, 0)).indices) == [7, 8, 9]
    events, _ = run_of(tiny_network(), MonitorConfig(probe_per_task=500, budget=1.0), TASKS[:2])
    assert notes(events)[0].startswith("Task 1 has 12 training pictures for a probe of 500")
    assert measured(events, "ntk.gap_predicted")[-1].value is not None


@pytest.mark.parametrize("size", [3, 4, 7])
def test_the_probe_is_balanced_over_classes(size: int) -> None:
    part = Part(tuple(range(30)), (0,) * 20 + (1,) * 9 + (2,))
    drawn = draw(part, size, (1, 2, 3))
    counts = [drawn.labels.count(label) for label in (0, 1, 2)]
    assert sum(counts) == size
    assert counts[2] == 1
    assert abs(counts[0] - counts[1]) <= 1
    assert all(
        part.labels[i] == label for i, label in zip(drawn.indices, drawn.labels, strict=True)
    )


def test_a_task_of_one_class_can_be_measured() -> None:
    events, _ = run_of(tiny_network(), EVERYTHING, (task(0, (0,)), task(40, (1,))))
    last = {
        e.name: e.value for e in events if isinstance(e, Measured) and (e.task, e.step) == (1, 4)
    }
    assert last["ntk.interplay_measured"] > 0
    assert last["ntk.gap_predicted"] is not None
    assert last["ntk.kernel_drift"] > 0


def test_one_picture_leaves_the_ridge_absent_with_its_reason() -> None:
    events, _ = run_of(tiny_network(), MonitorConfig(probe_per_task=1, budget=1.0), TASKS[2:])
    (ridge,) = measured(events, "ntk.ridge")
    assert ridge.value is None
    assert all(e.reason == ridge.reason for e in measured(events, "ntk.gap_predicted"))


def test_a_task_without_test_pictures_has_no_held_out_gap() -> None:
    events, _ = run_of(tiny_network(), EVERYTHING, (task(0, (0, 1), test=0),))
    assert {e.value for e in measured(events, "ntk.gap_held_out")} == {None}
    assert {e.value for e in measured(events, "probe_accuracy")} == {None}
    assert all(e.value is not None for e in measured(events, "ntk.gap_predicted"))


@pytest.mark.parametrize("config", [MonitorConfig(probe_per_task=0), MonitorConfig(budget=0.0)])
def test_switched_off_the_monitor_says_so_once_and_measures_nothing(config: MonitorConfig) -> None:
    events, _ = run_of(tiny_network(), config)
    (note,) = events
    assert isinstance(note, Note)
    assert "off" in note.text


def notes(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Note)]


def test_beyond_the_budget_only_starts_and_ends_are_measured_and_a_note_says_so_once() -> None:
    config = MonitorConfig(probe_per_task=FEWEST, budget=0.01)
    events, _ = run_of(tiny_network(), config, TASKS[:2], epochs=3)
    assert [e.step for e in measured(events, "ntk.kernel_drift")] == [0, 3, 3, 6]
    (text,) = notes(events)
    assert text.startswith("From task 1 on")
    assert "1%" in text


def test_a_probe_too_large_for_the_budget_is_made_smaller_and_a_note_says_so() -> None:
    events, _ = run_of(tiny_network(), MonitorConfig(probe_per_task=8, budget=0.01), TASKS[:2])
    assert notes(events)[0].startswith(f"The NTK gap is measured on {FEWEST} instead of 8 pictures")
    assert "monitor.budget" in notes(events)[0]


@pytest.mark.parametrize("share", [0.06, 0.1, 0.3])
def test_a_planned_run_spends_no_more_than_its_share(share: float) -> None:
    tasks = (task(0, (0, 1), train=20), task(60, (2, 3), train=20), task(120, (4, 5), train=20))
    network = tiny_network()
    pacer = Pacer(1, 5 * PASSES * sum(len(item.train) for item in tasks))
    monitor = Monitor(MonitorConfig(probe_per_task=32, budget=share), 0, pacer)
    learner, pictures = tiny_learner(network), feeder()
    passes: list[int] = []  # through the first block, of a picture each

    def see(_module: object, inputs: tuple[torch.Tensor, ...]) -> None:
        passes.append(len(inputs[0]))

    hook = network.backbone.vit.blocks[0].attn.register_forward_pre_hook(see)
    events = list(monitor.plan(learner, tasks))
    for item in tasks:
        begin(learner, item, 5)
        events += monitor.start_task(network, learner, pictures, item, 0)
        for epoch in range(5):
            pacer.did(PASSES * len(item.train))
            events += monitor.measure(epoch, 0, at_end=epoch == 4)
        for class_id in item.info.class_ids:
            network.prototypes.learn(class_id, torch.randn(1, network.width).double())
        network.prototypes.settle()
        events += monitor.averaged(changed=True, drawn_back=False)
        events += monitor.settled(4, 0)
    hook.remove()
    assert 0 < sum(passes) <= share * (pacer.passes + sum(passes))
    assert measured(events, "ntk.gap_predicted")[-1].value is not None


def test_the_budget_is_a_share_of_all_work_and_keeps_what_is_reserved() -> None:
    budget = Budget(0.1)
    assert budget.allows(10.0, 90.0, 900.0)
    assert not budget.allows(10.1, 90.0, 900.0)
    budget.reserved = 95.0
    assert not budget.allows(10.0, 90.0, 900.0)
    budget.spend_reserved(5.0)
    assert (budget.spent, budget.reserved) == (5.0, 90.0)
    assert budget.allows(5.0, 90.0, 900.0)
    assert not budget.allows(5.1, 90.0, 900.0)


def test_many_classes_shorten_the_kernels_probe_and_a_note_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readings, "MAX_ROWS", 8)
    events, _ = run_of(tiny_network(), EVERYTHING, TASKS[:1])
    (note,) = [event for event in events if isinstance(event, Note)]
    assert "4 of 6" in note.text
    assert measured(events, "ntk.gap_predicted")[0].value is not None


@pytest.mark.parametrize("branches", ["s1", "s2"])
def test_with_one_branch_the_movement_is_measured_and_its_prediction_absent(branches: str) -> None:
    events, _ = run_of(tiny_network(branches), EVERYTHING, TASKS[:2])
    assert measured(events, "ntk.interplay_measured")[-1].value > 0
    assert measured(events, "ntk.interplay_predicted")[-1].reason.startswith("only one branch")
    assert measured(events, "ntk.gap_predicted")[-1].value is not None


def test_sections_kept_from_the_tasks_start_give_the_same_view_as_a_fresh_look() -> None:
    network = tiny_network()
    pictures = feeder()
    part = Part(tuple(range(11)), (0,) * 11)
    eye = Eye(network, pictures.plain)
    views = [result_of(eye.look([part], "looking"))[0] for _ in range(2)]
    network.eval()
    with torch.no_grad():
        expected = network(pictures.plain(np.arange(11)))
    for view in views:
        torch.testing.assert_close(view.main, expected.main, rtol=0, atol=1e-12)
        torch.testing.assert_close(view.s1, expected.s1, rtol=0, atol=1e-12)


def test_at_a_tasks_end_the_monitor_says_how_far_from_linear_its_training_was() -> None:
    events, _ = run_of(tiny_network(), EVERYTHING)
    first, *later = measured(events, "ntk.linearity")
    assert (first.value, first.reason) == (None, "there is no earlier task yet")
    assert [(event.task, event.epoch) for event in later] == [(1, 1), (2, 1)]
    assert all(event.value > 0 for event in later)


def test_beyond_the_budget_the_linearity_is_absent_with_the_reason() -> None:
    config = MonitorConfig(probe_per_task=FEWEST, budget=0.01)
    events, _ = run_of(tiny_network(), config, TASKS[:2])
    _, second = measured(events, "ntk.linearity")
    assert second.value is None
    assert second.reason.startswith("left out")
