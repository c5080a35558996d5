"""A window in use does not grow: the judgement on made-up numbers, and a few rounds of a real one."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.reliability.growth import judge, left_out, more_of, table_of
from tests.reliability.used import Soak

NOISE = [3.0, -2.0, 0.5, 1.0, -1.5, 2.5, -3.0, 0.0]


def noisy(rounds: int, a_round: float = 0.0) -> list[float]:
    return [200 + a_round * n + NOISE[n % len(NOISE)] for n in range(rounds)]


def test_a_row_that_only_wavers_is_flat_and_one_that_leaks_is_not():
    assert not judge("memory", noisy(60), 50.0).at_fault
    leak = judge("memory", noisy(60, 1.5), 50.0)
    assert leak.at_fault
    assert leak.a_round == pytest.approx(1.5, abs=0.1)
    assert leak.rounds == 48
    assert not judge("memory", noisy(60, -1.5), 50.0).at_fault
    assert not judge("memory", noisy(60, 1.5), None).at_fault


def test_what_fills_in_the_first_rounds_is_no_leak_and_one_high_round_neither():
    warm = [100.0, 180.0, 240.0, 260.0, 270.0] + [272.0] * 20
    assert not judge("memory", warm, 10.0).at_fault
    high = [30.0] * 40
    high[25] = 500.0
    assert not judge("handles", high, 2).at_fault


def test_a_handle_that_stays_open_now_and_then_is_found_though_most_rounds_are_equal():
    steps = [30.0 + n // 12 for n in range(60)]
    assert judge("handles", steps, 2).at_fault
    assert judge("handles", [30.0] * 40 + [34.0] * 20, 2).at_fault


def test_a_few_rounds_can_be_judged():
    assert left_out(3) == 1
    assert judge("widgets", [1.0, 5.0, 5.0], 0).grown == 0
    assert judge("widgets", [5.0], 0).grown == 0
    assert judge("widgets", [5.0, 5.0, 6.0], 0).at_fault


def test_what_there_is_more_of_is_named_the_largest_rise_first():
    assert more_of({"a": 1, "b": 2, "c": 9}, {"a": 2, "b": 5, "c": 3}) == ["b +3 (5)", "a +1 (2)"]
    leak, flat = judge("handles", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 1), judge("threads", [3.0] * 4, 1)
    assert [line.split("|")[-2].strip() for line in table_of([leak, flat]).splitlines()[2:]] == ["GROWS", "flat"]  # fmt: skip


@pytest.mark.slow
def test_a_window_in_use_keeps_no_handle_thread_child_or_widget(
    tmp_path: Path, qtbot: QtBot
) -> None:
    used = Soak(tmp_path / "home", tmp_path / "pictures")
    try:
        used.begin()
        for _ in range(3):
            used.go_round(brief=True)
    finally:
        used.close()
    assert used.states == {"finished": 5}
    _, warm, last = used.samples
    for what in (
        "window_handles",
        "window_threads",
        "children",
        "child_handles",
        "child_threads",
        "widgets",
    ):
        assert getattr(last, what) <= getattr(warm, what), what
