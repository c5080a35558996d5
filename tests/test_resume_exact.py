"""A run killed anywhere and gone on with says and learns what the run left alone says and learns, to the bit."""

from pathlib import Path

import pytest
import torch

from tests.resumed import gone_on, recorded, small_config
from workbench.core.method import Method
from workbench.events import Checkpointed, Finished, RunStarted, Step, TaskStarted
from workbench.plugins import load, resolve


def test_a_run_killed_at_any_event_goes_on_to_the_same_events_and_adapter(tmp_path):
    """At each event only the newest checkpoint handed out counts: every one of them is gone on from."""
    config = small_config(tmp_path / "pictures")
    whole = recorded(config, tmp_path, keep_at=(1, 3, 8))
    places = [e for e in whole.events if isinstance(e, Checkpointed)]
    assert [(p.task, p.epoch) for p in places] == [
        (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0)]  # fmt: skip
    assert len(whole.checkpoints) == len(places) + 3
    for said, path in whole.checkpoints:
        events, adapter = gone_on(config, tmp_path, path)
        assert events == whole.told[said:], f"from {path}"
        assert adapter == whole.adapter


VARIANTS = {
    "paper, open": {"method.profile": "paper", "method.sequence": "open"},
    "paper, closed": {"method.profile": "paper", "method.sequence": "closed"},
    "compensated, cached": {
        "switches.prototype_drift": "compensated", "switches.fusion_refit": "cached",
        "monitor.kernel": "closed", "method.sequence": "open"},
    "joint": {"data.joint": True},
    "random projection": {"switches.answers": "random_projection", "model.projection": 30},
    "ensemble": {"switches.answers": "ensemble", "model.projection": 30},
    "held back": {"train.learning_rate": 0.3, "model.projection": 30},
}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_kind_of_run_goes_on_exactly(tmp_path, variant):
    config = small_config(tmp_path / "pictures", **VARIANTS[variant])
    keep_at = (1,) if variant == "joint" else (8,)
    whole = recorded(config, tmp_path, keep_at=keep_at)
    some = whole.checkpoints if variant == "joint" else whole.checkpoints[3:7]
    for said, path in some:
        events, adapter = gone_on(config, tmp_path, path)
        assert events == whole.told[said:], f"from {path}"
        assert adapter == whole.adapter


class Remembering(Method):
    """A method with state of many kinds of its own."""

    averages = True

    def begin_task(self, class_ids, epochs):
        super().begin_task(class_ids, epochs)
        if self.task == 0:
            self.noise, self.seen = torch.Generator().manual_seed(4), {}
            self.scaler = torch.nn.Sequential(
                torch.nn.Linear(self.network.width, 2), torch.nn.ReLU()
            )
            torch.nn.init.constant_(self.scaler[0].weight, 0.01)
            self.other = torch.optim.AdamW(self.scaler.parameters(), lr=0.01)
        self.seen[(self.task, "épochs")] = [float("inf"), epochs]

    def terms(self, batch):
        chance = torch.rand((), generator=self.noise)
        return {"scaled": chance * self.scaler(batch.features.main).square().mean()}

    def backward(self, terms):
        self.other.zero_grad()
        super().backward(terms)
        self.seen[len(self.seen)] = terms["total"].detach()

    def step(self):
        super().step()
        self.other.step()


def test_what_a_method_of_a_plug_in_keeps_goes_on_too(tmp_path):
    config = small_config(tmp_path / "pictures", **{"monitor.probe_per_task": 0})
    whole = recorded(config, tmp_path, keep_at=(3, 8), method=Remembering)
    assert len(whole.checkpoints) == 11
    for said, path in whole.checkpoints[1:8]:
        events, adapter = gone_on(config, tmp_path, path, Remembering)
        assert events == whole.told[said:], f"from {path}"
        assert adapter == whole.adapter


def test_the_example_with_a_memory_of_its_own_goes_on_exactly(tmp_path):
    examples = Path(__file__).resolve().parent.parent / "plugins" / "examples"
    choice = load([examples], entry_points=False).methods.get("feature-memory")
    method = resolve(choice.make)
    values = dict(choice.values) | {"monitor.probe_per_task": 4}
    config = small_config(tmp_path / "pictures", **values)
    whole = recorded(config, tmp_path, keep_at=(3, 8), method=method)
    assert len(whole.checkpoints) == 11
    apart = [e.terms["apart"] for e in whole.told if isinstance(e, Step) and e.task]
    assert any(value > 0 for value in apart)
    for said, path in whole.checkpoints[1:10:2]:
        events, adapter = gone_on(config, tmp_path, path, method)
        assert events == whole.told[said:], f"from {path}"
        assert adapter == whole.adapter


def test_a_finished_run_goes_on_with_another_task_and_with_more_epochs(tmp_path):
    config = small_config(tmp_path / "pictures", **{"monitor.probe_per_task": 4})
    from dataclasses import replace

    two = replace(config, data=replace(config.data, tasks=config.data.tasks[:2]))
    whole = recorded(two, tmp_path)
    events, _ = gone_on(config, tmp_path, whole.checkpoints[-1][1])
    assert isinstance(events[0], RunStarted)
    assert len(events[0].tasks) == 3
    assert [e.task for e in events if isinstance(e, TaskStarted)] == [2]
    longer = replace(two, train=replace(two.train, epochs=4))
    events, _ = gone_on(longer, tmp_path, whole.checkpoints[-2][1])
    rates = sorted({e.lr for e in events if type(e).__name__ == "Step"}, reverse=True)
    assert rates == pytest.approx([0.005, 0.01 * (1 - 2**-0.5) / 2])
    assert isinstance(events[-1], Finished)
