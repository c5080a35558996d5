"""How long a task is trained: its epochs, or the limit of steps, whichever ends first; and every number that follows from it."""

import math
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.resumed import small_config
from tests.trained import finished, of
from workbench.config import TrainConfig
from workbench.core.length import Length, judging, length_of, taught
from workbench.core.newcomer import planned
from workbench.core.train import Training
from workbench.errors import UsageError
from workbench.events import EpochEnded, RunStarted, Step, TaskStarted
from workbench.session import Session


@given(st.integers(1, 500), st.integers(1, 40), st.integers(1, 30), st.integers(0, 200))
def test_a_length_is_what_counting_batch_by_batch_finds(pictures, batch, epochs, most):
    steps = seen = begun = 0
    for _ in range(epochs):
        sizes = [min(batch, pictures - start) for start in range(0, pictures, batch)]
        sizes = sizes[: most - steps] if most else sizes
        begun += bool(sizes)
        steps, seen = steps + len(sizes), seen + sum(sizes)
    training = TrainConfig(epochs=epochs, batch_size=batch, max_steps=most)
    assert length_of(training, pictures) == Length(begun, steps, seen)


def test_without_pictures_there_is_nothing_to_train():
    assert length_of(TrainConfig(), 0) == Length(0, 0, 0)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=5))
def test_as_many_are_trained_on_as_are_not_left_to_judge_by(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    left = judging(labels)
    assert taught(counts) == (~left).sum()
    assert [int(left[labels == each].sum()) for each in range(len(counts))] == [
        n // 4 for n in counts
    ]


def run_of(tmp_path, **values):
    config = small_config(
        tmp_path / "pictures", **{"train.epochs": 4, "monitor.probe_per_task": 0} | values
    )
    return [*Training(config, tmp_path).events()]


@pytest.mark.parametrize("most", [2, 3, 7])
def test_a_run_makes_no_more_steps_a_task_and_says_so_beforehand(tmp_path, most):
    events = run_of(tmp_path, **{"train.max_steps": most})
    (run,) = of(RunStarted, events)
    for start, task in zip(of(TaskStarted, events), run.tasks, strict=True):
        steps = [s for s in of(Step, events) if s.task == start.task]
        assert len(steps) == start.steps == most
        ends = [e for e in of(EpochEnded, events) if e.task == start.task]
        assert len(ends) == start.epochs == math.ceil(most / math.ceil(sum(task.train_counts) / 3))
        rates = {s.epoch: s.lr for s in steps}  # the cosine comes down over the epochs there are
        cosine = [0.005 * (1 + math.cos(math.pi * e / start.epochs)) for e in range(start.epochs)]
        assert [*rates.values()] == pytest.approx(cosine)


def test_a_limit_that_is_not_reached_changes_nothing(tmp_path):
    assert of(Step, run_of(tmp_path, **{"train.max_steps": 12})) == of(Step, run_of(tmp_path))


def test_a_cut_epoch_is_part_of_a_shuffled_one(tmp_path):
    """The steps before the limit are those of the run without one, as long as the rate is the same."""
    short, whole = (
        run_of(tmp_path, **{"train.max_steps": 2}),
        run_of(tmp_path, **{"train.epochs": 1}),
    )
    first = [s for s in of(Step, whole) if s.task == 0]
    assert [s for s in of(Step, short) if s.task == 0] == first[:2]


def test_what_is_counted_adds_up_to_what_was_expected(tmp_path):
    config = small_config(
        tmp_path / "pictures",
        **{"train.epochs": 4, "train.max_steps": 7, "monitor.probe_per_task": 0},
    )
    training = Training(config, tmp_path)
    pacers = [training._run.pacer for _ in training.events() if training._run is not None]
    assert pacers[-1]._done_steps == pacers[-1]._steps == 21
    assert pacers[-1].done == pacers[-1].passes


def test_a_forecast_plans_with_the_steps_there_will_be():
    training = TrainConfig(epochs=20, batch_size=8, learning_rate=0.1, momentum=0.5, max_steps=30)
    rate, steps = planned(training, 80)  # three epochs of ten steps
    assert steps == 30
    assert rate == pytest.approx(0.5 * 0.1 * (1 + 1 / 3) / 0.5)


def test_more_epochs_are_refused_where_the_limit_ended_the_last_task(tmp_path):
    config = small_config(
        tmp_path / "pictures", **{"train.max_steps": 4, "monitor.probe_per_task": 0}
    )
    with closing(Session(tmp_path / "home")) as session:
        run, _ = finished(session, config)
        with pytest.raises(
            UsageError, match=r"'third' was trained for 4 steps, the most that .* gives a task"
        ):
            session.resuming.extend(run, epochs=2)


def test_more_epochs_are_trained_where_the_limit_was_not_reached(tmp_path):
    config = small_config(
        tmp_path / "pictures", **{"train.max_steps": 100, "monitor.probe_per_task": 0}
    )
    with closing(Session(tmp_path / "home")) as session:
        run, _ = finished(session, config)
        child = session.resuming.extend(run, epochs=2)
        assert child.work() == "finished"
        assert {s.epoch for s in of(Step, session.events(child.id))} >= {2, 3}
