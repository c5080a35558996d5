"""Accuracy family against hand-made matrices; properties that hold for every matrix."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from workbench import measures
from workbench.core import metrics

# Three uneven tasks; every expected number below was worked out by hand.
ROWS = ((0.8,), (0.9, 0.5), (0.6, 0.75, 1.0))
SIZES = ((10,), (10, 30), (10, 30, 60))


@st.composite
def matrices(draw: st.DrawFn) -> tuple[tuple[float, ...], ...]:
    tasks = draw(st.integers(1, 6))
    fraction = st.floats(0.0, 1.0, allow_nan=False)
    return tuple(
        tuple(draw(st.lists(fraction, min_size=t + 1, max_size=t + 1))) for t in range(tasks)
    )


def test_the_pooled_accuracy_weighs_tasks_by_their_pictures() -> None:
    assert metrics.accuracy_seen(ROWS[2], SIZES[2]) == pytest.approx((6 + 22.5 + 60) / 100)
    assert metrics.accuracy_unweighted(ROWS[2]) == pytest.approx((0.6 + 0.75 + 1.0) / 3)


def test_the_average_accuracy_is_the_mean_of_the_pooled_ones() -> None:
    expected = (0.8 + (9 + 15) / 40 + 0.885) / 3
    assert metrics.average_accuracy(ROWS, SIZES) == pytest.approx(expected)


def test_forgetting_counts_from_the_best_since_the_task_was_learnt() -> None:
    assert metrics.forgetting_per_task(ROWS) == pytest.approx((0.3, -0.25))
    assert metrics.forgetting(ROWS) == pytest.approx(0.025)


def test_backward_transfer_counts_from_the_moment_of_learning() -> None:
    assert metrics.backward_transfer(ROWS) == pytest.approx((-0.2 + 0.25) / 2)
    assert metrics.learning_accuracy(ROWS) == pytest.approx((0.8 + 0.5 + 1.0) / 3)


def test_after_one_task_forgetting_and_transfer_are_absent_not_zero() -> None:
    assert metrics.forgetting(ROWS[:1]) is None
    assert metrics.backward_transfer(ROWS[:1]) is None
    assert metrics.learning_accuracy(ROWS[:1]) == 0.8
    assert metrics.average_accuracy(ROWS[:1], SIZES[:1]) == 0.8


def test_without_test_pictures_the_pooled_accuracy_is_absent() -> None:
    assert metrics.accuracy_seen((0.0,), (0,)) is None
    assert metrics.average_accuracy(((0.5,), (0.5, 0.5)), ((0,), (0, 2))) is None


def test_the_summary_names_measures_that_exist() -> None:
    numbers = metrics.summary(ROWS, SIZES, ROWS, ROWS, ROWS)
    assert set(numbers) <= set(measures.MEASURES)
    assert numbers["accuracy_seen"] == numbers["baseline_seen"] == pytest.approx(0.885)
    assert numbers["average_accuracy"] == numbers["baseline_average"]
    assert numbers["task_incremental_accuracy"] == numbers["task_id_accuracy"]
    assert numbers["forgetting"] == pytest.approx(0.025)


@given(matrices())
def test_forgetting_is_never_below_minus_backward_transfer(
    rows: tuple[tuple[float, ...], ...],
) -> None:
    forgotten, transfer = metrics.forgetting(rows), metrics.backward_transfer(rows)
    if forgotten is None or transfer is None:
        assert len(rows) == 1
    else:
        assert forgotten >= -transfer - 1e-12
        assert -1.0 <= forgotten <= 1.0


@given(matrices(), st.integers(1, 1000))
def test_with_equal_tasks_pooled_and_unweighted_agree(
    rows: tuple[tuple[float, ...], ...], pictures: int
) -> None:
    pooled = metrics.accuracy_seen(rows[-1], (pictures,) * len(rows))
    assert pooled == pytest.approx(metrics.accuracy_unweighted(rows[-1]), abs=1e-12)


# Four pictures; classes 0 and 1 are task 0, class 2 is task 1.
LOGITS = np.array([[0.9, 0.1, 0.2], [0.1, 0.2, 0.8], [-0.5, -0.2, -0.9], [0.3, 0.4, 0.1]])
LABELS = np.array([0, 1, 2, 2])
OWN = np.array([[True, True, False]] * 2 + [[False, False, True]] * 2)


def test_class_incremental_accuracy_is_the_argmax_over_everything() -> None:
    assert metrics.class_incremental(LOGITS, LABELS) == 0.25


def test_given_the_task_only_its_own_classes_compete() -> None:
    assert metrics.task_incremental(LOGITS, LABELS, OWN, "minus_infinity") == 1.0


def test_with_the_official_mask_a_negative_logit_loses_to_an_absent_class() -> None:
    assert metrics.task_incremental(LOGITS, LABELS, OWN, "zero") == 0.75


def test_the_task_is_recognised_when_the_winner_belongs_to_it() -> None:
    assert metrics.task_id(LOGITS, OWN) == 0.25


def test_with_one_class_every_answer_is_right() -> None:
    logits, labels = np.array([[-3.0], [2.0]]), np.array([0, 0])
    own = np.ones((2, 1), bool)
    assert metrics.class_incremental(logits, labels) == 1.0
    assert metrics.task_id(logits, own) == 1.0


def test_accuracy_on_no_picture_is_absent() -> None:
    empty, labels, own = np.empty((0, 3)), np.empty(0, int), np.empty((0, 3), bool)
    assert metrics.class_incremental(empty, labels) is None
    assert metrics.task_incremental(empty, labels, own, "zero") is None
    assert metrics.task_id(empty, own) is None


@given(st.integers(0, 2**31), st.integers(1, 30))
def test_right_answers_are_right_in_task_and_recognised_in_task(seed: int, pictures: int) -> None:
    draw = np.random.default_rng(seed)
    logits, labels = draw.normal(size=(pictures, 5)), draw.integers(0, 5, pictures)
    task_of = np.array([0, 0, 1, 1, 1])
    own = task_of[None, :] == task_of[labels][:, None]
    right = metrics.class_incremental(logits, labels)
    within = metrics.task_incremental(logits, labels, own, "minus_infinity")
    recognised = metrics.task_id(logits, own)
    assert right is not None
    assert within is not None
    assert recognised is not None
    assert right <= min(within, recognised)
