"""Work away from the window: what is told of it, how it is cancelled, and that closing waits for all at once."""

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from workbench.errors import WorkbenchError
from workbench.face import background
from workbench.face.background import Background, close_all


def heard(work: Background) -> list[object]:
    """Return a list that grows by what the work says."""
    told: list[object] = []
    work.item.connect(told.append)
    work.failed.connect(told.append)
    return told


def test_items_come_in_order_then_a_refusal_then_the_end(qtbot: QtBot) -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise WorkbenchError("The disk is full.")

    root = QObject()
    work = Background(root)
    told = heard(work)
    with qtbot.waitSignal(work.ended, timeout=20_000):
        assert work.start(items)
        assert work.busy
    assert told == [1, 2, "The disk is full."]
    assert not work.busy
    assert not work.cancelled


def test_one_thing_at_a_time_and_a_cancelled_one_is_closed(qtbot: QtBot) -> None:
    go_on, closed = threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                go_on.wait()
                yield 0
        finally:
            closed.set()

    root = QObject()
    work = Background(root)
    assert work.start(items)
    assert not work.start(items)
    with qtbot.waitSignal(work.ended, timeout=20_000):
        work.cancel()
        go_on.set()
    assert work.cancelled
    assert closed.is_set()
    with qtbot.waitSignal(work.ended, timeout=20_000):
        assert work.start(lambda: (n for n in ()))
    assert not work.cancelled  # that was said of the one before


def test_several_that_do_not_end_share_one_wait(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "LONGEST_WAIT", 50)
    go_on = threading.Event()

    def stuck() -> Iterator[int]:
        go_on.wait()
        yield 0

    root = QObject()
    works = [Background(QObject(root)) for _ in range(3)]
    for work in works:
        work.start(stuck)
    close_all(root)
    threads = [thread for work in works if (thread := work._thread) is not None]
    assert not works[0].shut_down()
    assert all(thread._deadline.hasExpired() for thread in threads)  # of the others too
    assert not any(work.shut_down() for work in works)
    go_on.set()
    qtbot.waitUntil(lambda: not any(work.busy for work in works), timeout=20_000)
    assert all(work.shut_down() for work in works)
