"""Tasks held back: old answers move no further than the limit, along the straight way from before the task to after it."""

import copy
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from tests.resumed import small_config
from workbench.core.holding import movement
from workbench.core.learner import Learner
from workbench.core.method import Method
from workbench.core.readings import known_rule
from workbench.core.train import Training
from workbench.events import Measured, Note, TaskEnded, TaskStarted

FAST = {"method.interplay_limit": 0.05, "train.learning_rate": 0.3, "train.epochs": 4, "model.projection": 30, "monitor.probe_per_task": 0}  # fmt: skip


@dataclass
class Watched:
    """Copies of the network as each task begins and as it is tested, with the task's training pictures' features of both."""

    began: list[torch.nn.Module] = field(default_factory=list)
    ended: list[torch.nn.Module] = field(default_factory=list)
    images: list[list[torch.Tensor]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)


def watched(config, root, base: type[Learner] = Learner) -> Watched:
    found = Watched()

    class Watching(base):
        def begin_task(self, class_ids, epochs):
            super().begin_task(class_ids, epochs)
            found.began.append(copy.deepcopy(self.network))
            found.images.append([])

        def forward(self, images, labels, old=None):
            found.images[-1].append(images.clone())
            return super().forward(images, labels, old)

        def end_task(self):
            found.ended.append(copy.deepcopy(self.network))

    for event in Training(config, root, None, method=Watching).events():
        if isinstance(event, Note) and "earlier classes" in event.text:
            found.notes.append(event.text)
        if isinstance(event, Note) and "taken back" in event.text:
            found.taken_back.append(event.text)
    return found


def parameters(network) -> dict[str, torch.Tensor]:
    return {n: p.detach() for n, p in network.named_parameters() if not n.startswith("backbone.")}


def test_movement_is_in_units_of_the_spread_of_logits():
    """Against numpy in float64, to 1e-12; the same for logits of any scale, and with an offset a class."""
    chance = np.random.default_rng(0)
    before, step = chance.normal(size=(9, 4)), chance.normal(size=(9, 4))
    expected = np.sqrt((step**2).sum() / ((before - before.mean(0)) ** 2).sum())
    a, b = torch.from_numpy(before), torch.from_numpy(before + step)
    assert movement(a, b) == pytest.approx(expected, rel=1e-12)
    assert movement(7 * a + 3, 7 * b + 3) == pytest.approx(expected, rel=1e-12)
    assert movement(a, a) == 0
    assert movement(torch.ones(3, 2), torch.ones(3, 2)) == 0


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A fast run held back to 5 %, and the same one free."""
    place = tmp_path_factory.mktemp("held")
    config = small_config(place / "pictures", **FAST)
    free = small_config(place / "pictures", **FAST, **{"switches.interplay": "free"})
    return watched(config, place), watched(free, place)


def test_a_task_that_moves_old_answers_far_is_drawn_back_and_says_so(pair):
    held, free = pair
    assert len(held.notes) == 2
    assert "'second'" in held.notes[0]
    assert free.notes == []


def test_what_it_changed_is_one_share_of_what_it_would_have_changed(pair):
    """Until the second task's end both runs are the same, so that the free one knows θ'; to 1e-5 of the change
    and what float32 rounds."""
    held, free = pair
    before, short, whole = (parameters(each) for each in (held.began[1], held.ended[1], free.ended[1]))  # fmt: skip
    for name, value in parameters(free.began[1]).items():
        assert torch.equal(value, before[name])
    changes = {name: whole[name] - before[name] for name in before}
    name = max(changes, key=lambda each: float(changes[each].norm()))
    share = float((short[name] - before[name]).flatten() @ changes[name].flatten() / changes[name].square().sum())  # fmt: skip
    assert 0 < share < 0.9
    for name, change in changes.items():
        size, rounding = float(change.abs().max()), 1e-6 * float(before[name].abs().max())
        assert torch.allclose(
            short[name] - before[name], share * change, atol=1e-5 * size + rounding
        )


def test_old_logits_move_by_the_limit_at_most_where_they_moved_further(pair):
    """Looked at through whole passes, on the crops that the task was trained on: half as far again is allowed for those."""
    for run, low, high in ((pair[0], 0.0, 0.075), (pair[1], 0.075, np.inf)):
        before, after = run.began[1].eval(), run.ended[1].eval()
        images = torch.cat(run.images[1][:3])
        rule = before.prototypes.rule().of([0, 1])
        with torch.no_grad():
            first, second = (rule(each(images).main).double() for each in (before, after))
        moved = movement(first, second)
        assert low < moved <= high


def test_the_first_task_and_gentle_tasks_are_as_they_would_be(tmp_path):
    gentle = {**FAST, "train.learning_rate": 1e-4}
    held, free = (
        watched(small_config(tmp_path / "p", **gentle, **more), tmp_path)
        for more in ({}, {"switches.interplay": "free"})
    )
    assert held.notes == []
    for a, b in zip(held.ended, free.ended, strict=True):
        for name, value in parameters(a).items():
            assert torch.equal(value, parameters(b)[name])


def test_other_methods_are_left_as_they_are(tmp_path):
    found = watched(small_config(tmp_path / "p", **FAST), tmp_path, Method)
    assert found.notes == []


@pytest.mark.parametrize("change", ["kept", "judged"])
def test_what_the_monitor_says_after_a_task_is_of_the_network_that_was_drawn_back(change, tmp_path):
    """The old task's logits on its probe by whole passes as the second task begins and ends, to 1e-3 of how far they moved."""
    monitored = {"monitor.probe_per_task": 4, "switches.change": change, "method.least_gain": 50.0}
    config = small_config(tmp_path / "p", **{**FAST, "train.epochs": 2, **monitored})
    training = Training(config, tmp_path, tmp_path / "run")
    rules, logits, said, notes = [], [], [], []
    for event in training.events():
        run = training._run
        if isinstance(event, (TaskStarted, TaskEnded)) and event.task == 1:
            rules.append(known_rule(run.network))
            network = copy.deepcopy(run.network).eval()
            pictures = np.array(run.monitor._probes[0].train.indices)
            with torch.no_grad():
                logits.append(rules[0](network(run.feeder.plain(pictures)).main.double()))
        if isinstance(event, Measured) and event.name == "ntk.disturbance_settled" and event.task == 1:  # fmt: skip
            said.append(event.value)
        if isinstance(event, Note):
            notes.append(event.text)
    assert any("'second'" in text and (" back" in text) for text in notes)
    before, after = logits
    wanted = (after - before).square().mean() / (before - before.mean(0)).square().mean()
    assert said == [pytest.approx(float(wanted), rel=1e-3, abs=1e-9)]
