from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tests.recorded import forgetting, recorded_run
from workbench.events import (
    Checkpointed,
    Evaluated,
    Measured,
    Paused,
    Resumed,
    RunStarted,
    Step,
    TaskEnded,
    TaskStarted,
)
from workbench.face.record import RunRecord
from workbench.face.theme import LIGHT
from workbench.face.train_page import TrainPage
from workbench.face.views import VIEWS, explanation, summary
from workbench.measures import MEASURES


def record(events):
    made = RunRecord()
    made.take(events)
    return made


def test_events_in_pieces_or_at_once_give_the_same_curves():
    events = recorded_run(live=True)
    whole, pieces = record(events), RunRecord()
    for event in events:
        pieces.take([event])
    assert whole.names("") == pieces.names("")
    for name in whole.names(""):
        np.testing.assert_array_equal(whole.curve(name).x, pieces.curve(name).x)
        np.testing.assert_array_equal(whole.curve(name).y, pieces.curve(name).y)


def test_tasks_that_were_too_far_from_linear_are_doubtful_from_their_start_to_their_end():
    made = record(recorded_run(tasks=4))
    (span,) = made.doubtful()
    assert span[0] == made.starts[2]
    assert made.starts[2] < span[1] <= made.starts[3]
    ((low, high),) = made.doubtful("task")
    assert low == 2
    assert 2 < high <= 3
    assert record(recorded_run(tasks=2)).doubtful() == []


def test_forgetting_of_single_tasks_averages_to_the_runs_own():
    events = recorded_run(tasks=4)
    made = record(events)
    rows = [event.accuracy for event in events if isinstance(event, Evaluated)]
    singles = [made.last(f"task.{task}.forgetting") for task in range(3)]
    assert np.mean(singles) == pytest.approx(forgetting(rows), abs=1e-12)
    assert made.last("forgetting") == pytest.approx(forgetting(rows), abs=1e-12)


def test_the_gap_between_tasks_breaks_at_each_task_and_the_accuracy_does_not():
    made = record(recorded_run(tasks=3))
    measured = made.curve("ntk.interplay_measured")
    assert np.isnan(measured.y).sum() == 4 + 2  # the first task's epochs, and two new beginnings
    assert not np.isnan(made.curve("accuracy_seen").y).any()


def test_steps_become_places_among_tasks():
    made = record(recorded_run(tasks=3, epochs=2, steps=5))
    np.testing.assert_allclose(made.in_tasks(np.array([0.0, 5, 10, 25, 30])), [0, 0.5, 1, 2.5, 3])


def test_a_new_run_begins_anew():
    made = record([*recorded_run(tasks=5), *recorded_run(tasks=2)])
    assert len(made.tasks) == len(made.rows) == len(made.starts) == 2


def test_a_run_of_one_task_has_no_forgetting():
    made = record(recorded_run(tasks=1))
    assert made.last("forgetting") is None
    assert made.last("accuracy_seen") is not None


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.key)
def test_every_view_draws_its_headline_and_explains_its_measures(view):
    made = record(recorded_run())
    lines = view.lines(made, LIGHT)
    assert view.headline in [line.key for line in lines]
    for name in view.measures:
        assert MEASURES[name].formula in explanation(view)
    assert summary(view, RunRecord(), view.lines(RunRecord(), LIGHT)).endswith(f"{view.empty}.")
    assert summary(view, made, lines).startswith(view.title)


def test_a_loss_that_is_not_finite_is_marked_live_and_in_replay_alike():
    start = TaskStarted(0, 0, 1, 3)
    live = record(
        [start, Step(0, 0, 1, 0.1, {"total": 1.0}), Step(0, 0, 2, 0.1, {"total": np.nan})]
    )
    kept = record([start, Step(0, 0, 1, 0.1, {"total": 1.0}), Step(0, 0, 2, 0.1, {"total": None})])
    for made in (live, kept):
        assert np.isinf(made.curve("loss.total").y).tolist() == [False, True]
        assert made.last("loss.total") == 1.0


def timed(events, begin=1_700_000_000.0, every=0.5):
    return [replace(event, time=begin + every * n) for n, event in enumerate(events)]


def test_over_time_every_point_lies_at_the_second_at_which_it_was_said():
    events = timed(recorded_run(tasks=3))
    made = record(events)
    said = [event.time - events[0].time for event in events if isinstance(event, Step)]
    losses = made.curve("loss.total", "time")
    finite = np.isfinite(losses.y)
    assert losses.x[finite].tolist() == said
    np.testing.assert_array_equal(losses.y, made.curve("loss.total").y)
    starts = [event.time - events[0].time for event in events if isinstance(event, TaskStarted)]
    assert [x for x, _ in made.boundaries("time")] == starts


def test_a_clock_that_is_set_back_and_events_without_a_time_never_go_backwards():
    events = timed(recorded_run(tasks=2))
    events[20] = replace(events[20], time=events[0].time - 3600)
    events[21] = replace(events[21], time=None)
    made = record(events)
    for name in made.names(""):
        assert np.all(np.diff(made.curve(name, "time").x) >= 0)


def test_over_epochs_each_task_takes_as_many_as_it_was_given():
    made = record([*recorded_run(tasks=1, epochs=2, steps=5, ending="running")[:1],
                   TaskStarted(0, 0, 2, 10), Step(0, 0, 5, 0.1, {"total": 1.0}),
                   TaskStarted(1, 10, 4, 20), Step(1, 1, 20, 0.1, {"total": 1.0})])  # fmt: skip
    losses = made.curve("loss.total", "epoch")
    assert losses.x[np.isfinite(losses.y)].tolist() == [1.0, 4.0]
    assert made.boundaries("epoch") == [(0.0, "1 finches"), (2.0, "2")]


def test_a_point_knows_during_which_task_it_was_made_though_tasks_meet_at_one_step():
    made = record(recorded_run(tasks=3))
    seen = made.curve("accuracy_seen")
    tasks = [made.task_of("accuracy_seen", index) for index in range(len(seen))]
    assert tasks == ["1 finches", "2 gulls", "3 owls"]
    assert seen.x[0] == made.starts[1]
    assert made.task_of("loss.total", 0) == "1 finches"
    assert made.task_of("loss.total", len(made.curve("loss.total")) - 1) == "3 owls"


def test_what_was_mapped_to_another_axis_is_kept_until_something_new_is_said():
    made = record(recorded_run(tasks=2))
    first = made.curve("loss.total", "task")
    assert made.curve("loss.total", "task") is first
    made.take([Step(1, 3, 49, 0.1, {"total": 1.0})])
    grown = made.curve("loss.total", "task")
    assert len(grown) == len(first) + 1
    steps = made.curve("loss.total")
    np.testing.assert_array_equal(grown.x, made.in_tasks(steps.x))
    made.take([TaskStarted(2, 60, 4, 24), Step(2, 0, 72, 0.1, {"total": 1.0})])
    steps = made.curve("loss.total")
    np.testing.assert_array_equal(made.curve("loss.total", "task").x, made.in_tasks(steps.x))


def test_a_step_at_which_something_was_measured_has_its_place_on_every_axis():
    events = timed(recorded_run(tasks=2))
    made = record(events)
    last = [event for event in events if isinstance(event, Measured)][-1]
    assert made.place(last.step, "step") == 48
    assert made.place(last.step, "time") == last.time - events[0].time
    assert made.place(last.step, "epoch") == 8
    assert made.place(24, "task") == 1


def test_what_a_run_stood_still_is_no_time_of_its_curves() -> None:
    """A pause of 60 s, and a weekend between a checkpoint and going on from it."""
    step = partial(Step, 0, 0, lr=0.1, terms={"total": 1.0})
    events = [
        RunStarted((), {}, "sample", "", 9, 9, "cpu", "closed", time=100.0),
        TaskStarted(0, 0, 1, 9, time=100.0),
        step(step=0, time=101.0),
        Paused(1, time=101.5),
        Resumed(1, time=161.5),
        step(step=1, time=162.0),
        Checkpointed(0, 0, 2, "", time=162.5),
        Resumed(2, time=200_162.5),
        step(step=2, time=200_163.0),
    ]
    made = record(events)
    assert made.curve("loss.total", "time").x.tolist() == pytest.approx([1.0, 2.0, 3.0])


def test_a_run_that_goes_on_with_another_task_is_drawn_from_its_beginning(qtbot):
    """It says its tasks a second time, and what it had learnt before stays."""
    events = recorded_run(tasks=3)
    start = events[0]
    end = next(n for n, e in enumerate(events) if isinstance(e, TaskEnded) and e.task == 1) + 1
    page = TrainPage()
    qtbot.addWidget(page)
    page.begin_live("child", "child")
    page.show_news([replace(start, tasks=start.tasks[:2]), *events[1:end]])
    page.show_news([start])
    page.show_news(events[end:])
    made, wanted = page.board.record, record(events)
    assert made.tasks == wanted.tasks
    assert made.rows == wanted.rows
    for name in wanted.names(""):
        np.testing.assert_array_equal(made.curve(name).y, wanted.curve(name).y)
    page.replay("other", "other", recorded_run(tasks=2))
    page.back_to_live()
    assert page.board.record.rows == wanted.rows
