import pytest

from tests.recorded import recorded_run
from workbench.events import Measured, RunStarted
from workbench.face import known
from workbench.face.known import Moment
from workbench.face.record import RunRecord


def record(**kinds):
    made = RunRecord()
    made.take(recorded_run(kernel=True, **kinds))
    return made


def test_every_look_at_the_kernel_is_a_moment_and_each_task_has_its_own():
    made = record(tasks=3, epochs=2, steps=5)
    found = [(moment.step, moment.task) for moment in known.moments(made)]
    assert found == [(10 * t + inside, t) for t in range(3) for inside in (0, 5, 10)]


def test_the_end_of_a_task_and_the_start_of_the_next_have_one_step_but_two_names():
    made = record(tasks=2, epochs=2, steps=5)
    names = [known.name_of(made, moment) for moment in known.moments(made)]
    assert names == [
        "before task 1 · step 0",
        "task 1, after epoch 1 · step 5",
        "after task 1 · step 10",
        "before task 2 · step 10",
        "task 2, after epoch 1 · step 15",
        "after task 2 · step 20",
    ]


def test_a_task_that_has_not_started_to_train_is_named_by_its_forecast():
    made = RunRecord()
    events = recorded_run(tasks=2, epochs=1, steps=4, kernel=True)
    made.take([event for event in events if isinstance(event, RunStarted)])
    made.take([Measured("ntk.forecast", 1, 0, 4, 0.3)])
    assert known.name_of(made, known.moments(made)[0]) == "before task 2 · step 4"


def test_nothing_is_known_before_it_was_said():
    made = record(tasks=3, epochs=2, steps=5)
    end_of_second, start_of_third = Moment(20, 1), Moment(20, 2)
    assert set(known.by_pair(made, "ntk.overlap", end_of_second)) == {(0, 1)}
    assert set(known.by_pair(made, "ntk.overlap", None)) == {(0, 1), (0, 2), (1, 2)}
    assert set(known.by_task(made, "ntk.forecast", end_of_second)) == {0, 1}
    assert set(known.by_task(made, "ntk.forecast", start_of_third)) == {0, 1, 2}
    assert known.latest(made, "ntk.gap_predicted", Moment(0, 0)) is None


def test_the_snapshot_of_a_moment_is_the_last_one_by_then():
    made = record(tasks=2, epochs=2, steps=5)
    assert known.snapshot(made, Moment(5, 0)).step == 0
    assert known.snapshot(made, Moment(10, 0)).task == 0
    assert known.snapshot(made, Moment(10, 1)).task == 1
    assert known.snapshot(made, None).step == 20
    assert known.snapshot(RunRecord(), None) is None


def test_a_later_word_on_a_pair_replaces_the_earlier_one():
    made = RunRecord()
    made.take(
        [
            Measured("ntk.overlap", 1, 0, step, value, other=0)
            for step, value in ((5, 0.4), (9, 0.6))
        ]
    )
    assert known.values(known.by_pair(made, "ntk.overlap", None)) == {(0, 1): 0.6}
    assert known.values(known.by_pair(made, "ntk.overlap", Moment(5, 1))) == {(0, 1): 0.4}


@pytest.mark.parametrize("ending", ["running", "failed", "stopped"])
def test_a_run_without_its_end_has_moments_too(ending):
    assert known.moments(record(ending=ending))
