"""A step's numbers that a GPU is still computing. Its event's place is taken by one that a test holds back."""

import math
import pickle
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.logged import begin
from workbench.core.numbers import AT_MOST, OnTheirWay, Watch, numbers
from workbench.errors import NotFinite
from workbench.events import Step, from_json, to_json
from workbench.log.store import Log
from workbench.log.writer import Writer

NAMES = ("cross_entropy_s1", "total")


class HeldBack:
    """An arrival that comes when the test lets it."""

    def __init__(self) -> None:
        self._come = threading.Event()
        self.waited = 0

    def query(self) -> bool:
        return self._come.is_set()

    def synchronize(self) -> None:
        self.waited += 1
        assert self._come.wait(10)

    def come(self) -> None:
        self._come.set()


def on_their_way(*values: float) -> tuple[OnTheirWay, HeldBack]:
    arrival = HeldBack()
    return OnTheirWay(NAMES, torch.tensor(values, dtype=torch.float64), arrival), arrival


def test_nothing_is_waited_for_until_a_number_is_looked_at_and_then_once() -> None:
    terms, arrival = on_their_way(0.5, 2.0)
    step = replace(Step(0, 1, 2, 0.1, terms), time=3.0)
    assert list(terms) == list(NAMES)
    assert len(terms) == 2
    assert not terms.there
    assert arrival.waited == 0
    arrival.come()
    assert terms.there
    assert step.terms["total"] == 2.0
    assert dict(step.terms.items()) == {"cross_entropy_s1": 0.5, "total": 2.0}
    assert arrival.waited == 1


def test_whoever_looks_on_another_thread_waits_there() -> None:
    terms, arrival = on_their_way(0.5, 2.0)
    seen: list[float] = []
    looking = threading.Thread(target=lambda: seen.append(terms["total"]))
    looking.start()
    assert not seen
    arrival.come()
    looking.join(10)
    assert seen == [2.0]


def test_they_are_equal_to_and_travel_as_the_numbers_they_become() -> None:
    terms, arrival = on_their_way(0.5, math.pi)
    arrival.come()
    step = Step(0, 0, 0, 0.1, terms)
    plain = Step(0, 0, 0, 0.1, {"cross_entropy_s1": 0.5, "total": math.pi})
    assert step == plain
    sent = pickle.loads(pickle.dumps(step))
    assert type(sent.terms) is dict
    assert sent == plain
    assert from_json("Step", to_json(step)) == plain


def test_the_log_takes_them_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    terms, arrival = on_their_way(0.5, 2.0)
    arrival.come()
    with Log(path) as log:
        begin(log)
        with Writer(path, "run1") as writer:
            writer.add(Step(0, 0, 0, 0.1, terms))
        assert log.events("run1") == [Step(0, 0, 0, 0.1, {"cross_entropy_s1": 0.5, "total": 2.0})]


def test_a_processors_numbers_are_there_and_wrong_ones_are_said_at_once() -> None:
    values = numbers({"total": torch.tensor(torch.inf)})
    assert type(values) is dict
    with pytest.raises(NotFinite, match="'total' became inf in task 3"):
        Watch().see(2, values)


def test_wrong_numbers_that_come_late_are_said_as_soon_as_they_are_there() -> None:
    watch = Watch()
    wrong, arrival = on_their_way(torch.nan, 1.0)
    good, good_arrival = on_their_way(1.0, 1.0)
    watch.see(0, wrong)
    good_arrival.come()
    watch.see(0, good)  # the step before it has not arrived, and is looked at first
    arrival.come()
    with pytest.raises(NotFinite, match="'cross_entropy_s1' became nan in task 1"):
        watch.see(0, good)


def test_no_more_than_a_few_steps_are_ahead_of_what_is_known() -> None:
    watch = Watch()
    arrivals = []
    for _ in range(AT_MOST):
        terms, arrival = on_their_way(1.0, 1.0)
        arrivals.append(arrival)
        watch.see(0, terms)
    assert [arrival.waited for arrival in arrivals] == [0] * AT_MOST
    arrivals[0].come()
    watch.see(0, on_their_way(1.0, 1.0)[0])
    assert [arrival.waited for arrival in arrivals] == [1] + [0] * (AT_MOST - 1)


def test_before_anything_is_kept_all_are_waited_for() -> None:
    watch = Watch()
    wrong, arrival = on_their_way(1.0, torch.inf)
    watch.see(4, wrong)
    arrival.come()
    with pytest.raises(NotFinite, match="in task 5"):
        watch.see_all()
    watch.see_all()  # nothing waits any more
