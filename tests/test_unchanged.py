"""Test pictures are looked at again only where the network that looks has changed: the same numbers, fewer looks."""

import re

import pytest
import torch

from tests.resumed import gone_on, recorded, small_config
from tests.said import decided
from tests.tiny import tiny_network
from tests.trained import of
from workbench.core import evaluate
from workbench.core.learner import Learner
from workbench.core.method import FirstSession
from workbench.core.train import Training
from workbench.events import Evaluated, Event, Stage

# so that every task is taken back
JUDGED = {"switches.change": "judged", "method.least_gain": 100.0}
TESTED = re.compile(r"Testing task (\d) of (\d)")


def looks(events: list[Event]) -> list[tuple[int, int]]:
    """Which task's tests were looked at, and after how many tasks, in order and each once."""
    found = [TESTED.fullmatch(e.text) for e in of(Stage, events)]
    return list(dict.fromkeys((int(m[1]), int(m[2])) for m in found if m))


def run_of(tmp_path, method: type = Learner, **values) -> tuple[list[Event], float]:
    """Return a run's events, and the passes it counted."""
    training = Training(small_config(tmp_path / "pictures", **values), tmp_path, method=method)
    pacers, events = [], []
    for event in training.events():
        events.append(event)
        pacers.append(training._run.pacer if training._run else None)
    assert pacers[-1].done == pytest.approx(pacers[-1].passes, rel=1e-12)
    return events, pacers[-1].done


EVERY = [(1, 1), (1, 2), (2, 2), (1, 3), (2, 3), (3, 3)]
NEW = [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize(
    ("method", "values", "expected"),
    [
        (Learner, {}, EVERY),
        (Learner, JUDGED, NEW),
        (FirstSession, {}, NEW),
    ],
)
def test_what_stands_as_it_did_is_not_looked_at_again_and_no_number_differs(
    tmp_path, monkeypatch, method, values, expected
):
    events, passes = run_of(tmp_path, method, **values)
    assert looks(events) == expected
    monkeypatch.setattr(evaluate, "MOST_KEPT", 0)
    again, as_many = run_of(tmp_path, method, **values)
    assert looks(again) == EVERY
    assert passes == as_many  # what is counted does not hang on the memory there is
    assert len(of(Evaluated, events)) == 3
    assert decided(events) == decided(again)


def test_a_run_taken_up_again_says_what_the_whole_one_said(tmp_path):
    """With the monitor on, whose budget hangs on the looks that are counted; nothing is kept in the checkpoint."""
    whole = recorded(small_config(tmp_path / "pictures", **JUDGED), tmp_path)
    assert len(whole.checkpoints) >= 3
    for said, path in whole.checkpoints:
        config = small_config(tmp_path / "pictures", **JUDGED)
        rest, adapter = gone_on(config, tmp_path, path)
        assert decided(rest) == whole.told[said:]
        assert adapter == whole.adapter


def test_the_print_is_of_all_that_branches_depend_on_and_of_nothing_else():
    network, depends = tiny_network(), set()
    before = evaluate.print_of(network)
    for name, tensor in network.state_dict(keep_vars=True).items():
        with torch.no_grad():
            kept = tensor.clone()
            tensor.add_(1)
            if evaluate.print_of(network) != before:
                depends.add(name.split(".")[0])
            tensor.copy_(kept)
    assert evaluate.print_of(network) == before
    assert depends == {"s1", "s2"}
