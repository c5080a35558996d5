import statistics
from itertools import pairwise

import pytest

from workbench.face.activities import Activities, Activity
from workbench.face.time_left import LARGEST_JUMP, TimeLeft


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def told(rates: list[float], total: float) -> tuple[list[float | None], list[float]]:
    """Let a second pass for each rate; return what was told, and how much was done, after each."""
    clock, done = Clock(), 0.0
    left = TimeLeft(clock)
    left.take(0, total)
    answers: list[float | None] = []
    places: list[float] = []
    for rate in rates:
        clock.now += 1
        done += rate
        answers.append(left.take(done, total))
        places.append(done)
    return answers, places


def test_no_time_is_named_before_five_seconds_and_three_per_cent() -> None:
    answers, places = told([0.5] * 40, 500)
    for second, (answer, place) in enumerate(zip(answers, places, strict=True), start=1):
        assert (answer is None) == (second < 5 or place < 15), second
    early, _ = told([100.0] * 6, 600)
    assert early[:4] == [None] * 4
    assert early[4] == pytest.approx(1.0)


def test_the_time_left_is_that_of_the_median_of_the_last_twenty_rates() -> None:
    rates = [10.0] * 30 + [10.0, 90.0, 10.0, 1.0, 10.0]
    answers, places = told(rates, 10_000)
    assert answers[-1] == pytest.approx((10_000 - places[-1]) / statistics.median(rates[-20:]))


def test_what_is_told_never_jumps_by_more_than_a_fifth() -> None:
    answers, _ = told([10.0] * 20 + [1.0] * 30 + [200.0] * 30, 7_000)
    known = [answer for answer in answers if answer is not None]
    assert len(known) > 40
    for before, after in pairwise(known):
        assert abs(after - (before - 1)) <= LARGEST_JUMP * (before - 1) + 1e-9


def test_after_a_rest_nothing_is_compared_with_what_was_told_before() -> None:
    activity = Activities().begin("run-0001")
    activity.progress(50, 1000, seconds_left=100)
    assert activity.seconds_left == 100
    activity.progress(51, 1000, seconds_left=900)
    assert activity.seconds_left == pytest.approx(120, abs=1)
    activity.rested()
    activity.progress(52, 1000, seconds_left=900)
    assert activity.seconds_left == 900


def test_the_list_holds_what_goes_on_until_it_ends() -> None:
    activities, changes = Activities(), []
    activities.changed.connect(lambda: changes.append([a.title for a in activities.under_way()]))
    scan, export = activities.begin("Reading 'owls'"), activities.begin("Exporting run-0001")
    scan.end()
    scan.end()
    export.end()
    assert changes == [
        ["Reading 'owls'"], ["Reading 'owls'", "Exporting run-0001"], ["Exporting run-0001"], [],
    ]  # fmt: skip


def test_cancelling_asks_once_and_leaves_it_in_the_list_until_it_has_ended() -> None:
    activities, asked = Activities(), []
    activity = activities.begin("Reading 'owls'", lambda: asked.append("cancel"))
    assert activity.can_cancel
    activity.cancel()
    activity.cancel()
    assert asked == ["cancel"]
    assert activity.cancelled
    assert not activity.can_cancel
    assert activities.under_way() == [activity]
    fixed = activities.begin("Writing")
    assert not fixed.can_cancel
    fixed.cancel()
    assert not fixed.cancelled


def test_progress_is_passed_on_while_it_goes_on_and_not_after() -> None:
    activities = Activities()
    seen: list[tuple[int, int, str]] = []

    def note(activity: Activity) -> None:
        seen.append((activity.done, activity.total, activity.detail))

    activities.progressed.connect(note)
    activity = activities.begin("Reading")
    activity.progress(1, 3, "finches")
    activity.progress(2, 3)
    activity.end()
    activity.progress(3, 3)
    assert seen == [(1, 3, "finches"), (2, 3, "finches")]
