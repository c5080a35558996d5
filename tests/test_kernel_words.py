import pytest

from tests.recorded import kernel_arrays, lost_parts, overlap, recorded_run
from workbench.config import MonitorConfig
from workbench.core.monitor import Monitor
from workbench.events import Measured, Note
from workbench.face import kernel_words as words
from workbench.face.known import Moment
from workbench.face.record import RunRecord
from workbench.face.scene import scene_of


@pytest.fixture
def record():
    made = RunRecord()
    made.take(recorded_run(tasks=4, epochs=3, steps=5, kernel=True))
    return made


def test_the_gap_between_tasks_is_told_with_everything_said_of_it(record):
    text = words.between(record, None)
    assert text.startswith("Task 4 moved the old tasks by 0.")
    for word in ("predicted", "replayed", "with every block", "0.27 forecast"):
        assert word in text
    assert "linearity" not in text


def test_what_trained_too_far_from_linear_is_not_to_be_believed(record):
    end_of_third = Moment(45, 2, 2)
    warned = "Do not believe it: the linearity index is above 0.5 for task 3 (0.90)."
    assert words.between(record, end_of_third).endswith(warned)
    assert words.within(record, end_of_third).endswith(warned)
    record.take([Measured("ntk.overlap", 2, 2, 45, 0.99, other=0)])
    assert words.pairs(record, "ntk.overlap", None).endswith(warned)
    in_the_middle = Moment(40, 2, 1)  # the index is not known yet
    assert "linearity" not in words.between(record, in_the_middle)


def test_an_absent_number_is_told_with_its_reason(record):
    assert words.between(record, Moment(5, 0, 0)) == "Task 1: there is no earlier task yet."
    assert words.lost(record, None, Moment(15, 0)) == "Task 1: there is no earlier task yet."


def test_the_worst_pair_is_told_beside_chance(record):
    pairs = [(old, new) for new in range(4) for old in range(new)]
    old, new = max(pairs, key=lambda pair: overlap(*pair))
    said = f"Task {new + 1} disturbs task {old + 1} most: overlap {overlap(old, new):.2f}, chance 0.02."
    assert words.pairs(record, "ntk.overlap", None) == said


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("ntk.angle_max", ", on average 0.41"),
        ("ntk.disturbance", ", forecast 0."),
        ("ntk.disturbance_forecast", ", measured 0."),
        ("ntk.disturbance_settled", ", by training 0."),
        ("ntk.vulnerable_rank", ": 5, for a linear head 12"),
    ],
)
def test_every_measure_of_pairs_has_a_sentence_and_what_to_read_it_beside(record, name, beside):
    assert beside in words.pairs(record, name, None)
    assert words.pairs(record, name, Moment(0, 0)).startswith("Appears when")


def test_a_pair_is_told_with_angles_and_the_reason_of_what_is_absent(record):
    record.take([Measured("ntk.vulnerable_rank", 3, 1, 40, None, "the movement is 0", other=0)])
    lines = words.pair_told(record, (0, 3), None)
    assert lines[0] == "Learning 4 ducks, seen from 1 finches"
    assert "principal angles, largest cosine 0.83, on average 0.41" in lines
    assert "vulnerable rank absent: the movement is 0" in lines


def test_what_was_lost_is_told_with_its_largest_part_and_what_helped(record):
    parts = lost_parts(0, 3)
    total = 100 * sum(parts.values())
    text = words.lost(record, 0, None)
    assert f"After task 4, task 1 lost {total:.1f} points of accuracy" in text
    assert f"most to competition ({100 * parts['lost.competition']:.1f} points)" in text
    assert f"corrections gave back {-100 * parts['lost.corrections']:.1f} points" in text
    assert words.lost(record, None, None).startswith("After task 4, the old tasks lost")


def test_a_task_that_improved_is_said_to_have_gained():
    made = RunRecord()
    made.take([Measured("lost.total", 1, 0, 9, -0.02), Measured("lost.ema", 1, 0, 9, -0.02)])
    text = words.lost(made, None, None)
    assert "the old tasks gained 2.0 points" in text
    assert "most to" not in text


def test_the_kernel_that_moved_most_is_named(record):
    said = words.drift(record, None, since_learnt=True)
    assert said == "The kernel of task 1 moved most since it was learnt: drift 0.48, CKA 0.85."
    assert "while it was trained" in words.drift(record, None, since_learnt=False)
    assert words.drift(record, Moment(0, 0), since_learnt=True).startswith("Appears after")


def test_kernel_and_spectrum_are_told_from_the_arrays(record):
    scene = scene_of(kernel_arrays(2))
    inside, task, across = scene.alike
    said = f"{inside:.2f} within a class, {task:.2f} between classes of a task and {across:.2f} between tasks"
    assert said in words.kernel(record, scene, None)
    assert "uses most directions: effective rank" in words.spectrum(record, scene, None)
    assert "of 24" in words.spectrum(record, scene, None)


def test_a_monitor_that_is_off_is_the_reason_everywhere():
    notes = list(Monitor(MonitorConfig(probe_per_task=0), 0, None).plan(None, ()))
    made = RunRecord()
    made.take(notes)
    off = "The NTK monitor is off, because its probe or its budget is 0. A run is measured where both are above 0."
    assert words.between(made, None) == words.pairs(made, "ntk.overlap", None) == off
    assert words.lost(made, None, None) == words.no_snapshot(made) == off
    made = RunRecord()
    made.take([Note("Something else.")])
    assert words.why_off(made) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.314, "0.31"), (0.0238, "0.024"), (0.0999, "0.10"), (6.89, "6.9"), (3.0, "3"), (12.4, "12"),
     (-0.5, "-0.50"), (1234.0, "1,234"), (1e-5, "1e-05")],
)  # fmt: skip
def test_numbers_have_the_digits_that_matter(value, text):
    assert words.plain(value) == text
