"""What a run has said, kept small: every event comes back as it was, and a step takes few bytes."""

import math
import tracemalloc
from dataclasses import replace

from pytestqt.qtbot import QtBot

from tests.recorded import recorded_run
from workbench.events import Note, Pace, Stage, Step
from workbench.face.tape import Tape
from workbench.face.train_page import TrainPage

TERMS = ("classification", "mutual_information", "orthogonality", "regularisation", "total")


def steps(first: int, count: int, *, epoch: int = 0) -> list[Step]:
    return [
        Step(0, epoch, n, 0.01, {name: 1 / (n + k + 1) for k, name in enumerate(TERMS)}, time=1e9 + n)
        for n in range(first, first + count)
    ]  # fmt: skip


def test_events_come_back_as_they_were_and_when_they_were() -> None:
    said = [replace(event, time=None if n % 7 == 3 else 1e9 + n) for n, event in enumerate(recorded_run(live=True))]  # fmt: skip
    passing = (Stage, Pace)
    tape = Tape(said[:100])
    tape.add(said[100:])
    lasting = [event for event in said if not isinstance(event, passing)]
    newest = {type(event): event for event in said if isinstance(event, passing)}
    kept = list(tape)
    assert kept == [*lasting, *newest.values()]
    assert [event.time for event in kept[: len(lasting)]] == [event.time for event in lasting]


def test_steps_that_do_not_follow_each_other_stay_as_they_are() -> None:
    odd = Step(0, 0, 7, 0.01, {"total": None})  # type: ignore[dict-item]  # what the log has for NaN
    said = [*steps(0, 3), Note("!"), *steps(3, 2), *steps(9, 2), *steps(11, 2, epoch=1), odd]
    said.append(replace(said[0], lr=0.5))
    said.append(Step(0, 0, 1, 0.5, {"total": 1.0}))
    assert list(Tape(said)) == said
    (broken,) = Tape([Step(0, 0, 0, 0.1, {"total": math.nan})])
    assert isinstance(broken, Step)
    assert math.isnan(broken.terms["total"])


def test_pieces_together_are_the_whole() -> None:
    tape = Tape(steps(0, 25_000))
    pieces = list(tape.pieces())
    assert len(pieces) == 3
    assert [event for piece in pieces for event in piece] == steps(0, 25_000)
    assert not list(Tape().pieces())
    assert not Tape()


def test_a_page_that_watches_a_long_run_keeps_few_bytes_a_step(qtbot: QtBot) -> None:
    page = TrainPage()
    qtbot.addWidget(page)
    page.begin_live("a", "run-0001")
    page.show_news(steps(0, 1000))
    tracemalloc.start()
    for first in range(1000, 16_000, 1000):
        page.show_news(steps(first, 1000))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # numbers of 8 bytes: time and terms once on the tape; x, y and seconds, y of each term drawn,
    # whose arrays grow by doubling
    a_step = 8 * (1 + len(TERMS)) * 9 / 8 + 2 * 32 * len(TERMS)
    assert kept / 15_000 < a_step
    page.back_to_live()
    assert page.board.record.curve("loss.total").x[-1] == 15_999
    page.deleteLater()
