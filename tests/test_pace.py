"""Pictures per second and time left, on a clock that the test turns."""

import pytest

from workbench.core.pace import FIRST_ESTIMATE, INTERVAL, LONG_ENOUGH, SURE_AFTER, Pacer


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_steady_pace_is_measured_and_the_time_left_follows_from_the_passes():
    clock = Clock()
    pacer = Pacer(steps=100, passes=1000, clock=clock)
    said = []
    for _ in range(50):
        clock.now += 0.5
        said += pacer.did(passes=10, images=4, steps=1)
    assert said[-1].images_per_second == pytest.approx(8)
    assert said[-1].seconds_left == pytest.approx(25)
    assert (said[-1].done, said[-1].total) == (50, 100)


def test_no_time_left_is_named_in_the_first_seconds():
    clock = Clock()
    pacer = Pacer(steps=100, passes=1000, clock=clock)
    clock.now += FIRST_ESTIMATE / 2
    assert pacer.did(passes=10, images=4, steps=1)[0].seconds_left is None


def test_a_long_run_tells_its_time_left_after_half_a_minute_and_a_short_one_after_its_first_part():
    clock = Clock()
    pacer = Pacer(steps=10_000, passes=100_000, clock=clock)
    clock.now += FIRST_ESTIMATE + 1
    assert pacer.did(passes=20, images=4, steps=2)[0].seconds_left is None
    clock.now += LONG_ENOUGH
    assert pacer.did(passes=80, images=16, steps=8)[0].seconds_left == pytest.approx(35964)
    clock = Clock()
    pacer = Pacer(steps=10_000, passes=100_000, clock=clock)
    clock.now += FIRST_ESTIMATE + 1
    (early,) = pacer.did(passes=SURE_AFTER * 100_000, images=4, steps=2)
    assert early.seconds_left == pytest.approx(6 * 97 / 3)


def test_it_speaks_at_most_once_an_interval_but_always_at_the_last_step():
    clock = Clock()
    pacer = Pacer(steps=3, passes=30, clock=clock)
    clock.now += INTERVAL
    assert len(pacer.did(10, 4, 1)) == 1
    assert pacer.did(10, 4, 1) == []
    assert len(pacer.did(10, 4, 1)) == 1


def test_time_between_two_epochs_does_not_slow_the_pictures_per_second():
    clock = Clock()
    pacer = Pacer(steps=100, passes=1000, clock=clock)
    clock.now += 1
    pacer.did(10, 8, 1)
    clock.now += 60  # testing
    pacer.restart_clock_of_images()
    clock.now += 1
    assert pacer.did(10, 8, 1)[0].images_per_second == pytest.approx(8)


def test_the_monitors_share_is_the_time_its_events_took_and_nobody_elses():
    clock = Clock()
    pacer = Pacer(steps=10, passes=100, clock=clock)

    def measurement():
        clock.now += 1
        yield "first"
        clock.now += 2

    for _ in pacer.measuring(measurement()):
        clock.now += 5  # whoever listens takes its time
    clock.now += 2
    assert pacer.did(10, 4, 1)[0].monitor == pytest.approx(0.3)


def test_the_share_of_the_work_is_of_looks_and_tests_too():
    """After all steps half of the passes may be to come; more of them than were planned, and the share is of all there are."""
    clock = Clock()
    pacer = Pacer(steps=1, passes=100, clock=clock)
    clock.now += 1.0
    (pace,) = pacer.did(50, 8, 1)
    assert (pace.done, pace.total, pace.work) == (1, 1, 0.5)
    pacer.expect(100, 0)
    clock.now += 1.0
    (pace,) = pacer.did(50)
    assert pace.work == 0.5
    (pace,) = pacer.did(200)
    assert pace.work == 1.0
