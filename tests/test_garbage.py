import gc
import threading
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QThread
from PySide6.QtWidgets import QWidget

from tests.test_manners import start
from workbench.core import resident
from workbench.face.garbage import PAUSE, GarbageCollector

died: list[int] = []


class Knot(QWidget):
    """Two widgets that hold each other, as a page and what it connects to often do."""

    def __init__(self, other: "Knot | None" = None) -> None:
        super().__init__()
        self.other = other or Knot(self)

    def __del__(self) -> None:
        died.append(threading.get_ident())


@pytest.fixture
def collector(qapp):
    died.clear()
    made = GarbageCollector()
    yield made
    made.end()
    made.deleteLater()


class Allocating(QThread):
    """A worker that allocates what nothing frees again, as reading a log does."""

    def run(self) -> None:
        self.kept = [[number] for number in range(100_000)]


def test_widgets_that_nobody_holds_die_on_the_thread_of_the_window_while_a_worker_allocates(
    collector, qtbot
):
    Knot()
    worker = Allocating()
    with qtbot.waitSignal(worker.finished):
        worker.start()
    qtbot.waitUntil(lambda: len(died) == 2)
    assert worker.wait(5000)
    assert set(died) == {threading.get_ident()}


@pytest.fixture
def generations() -> Iterator[list[int]]:
    """Which generation each collection was of, 2 being everything."""
    told: list[int] = []

    def tell(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            told.append(info["generation"])

    gc.callbacks.append(tell)
    yield told
    gc.callbacks.remove(tell)


def test_old_garbage_is_collected_too_but_walking_through_everything_takes_a_hundredth_of_the_time(
    collector, generations
):
    junk: list[list[int]] = []

    def look(times: int) -> list[int]:
        generations.clear()
        for _ in range(times):
            junk.extend([number] for number in range(1000))
            collector.look()
        return [generations.count(generation) for generation in range(3)]

    assert look(100) == [90, 9, 1]
    collector._rest = time.monotonic() + 1000
    assert look(100) == [90, 10, 0]
    collector._rest = time.monotonic()
    assert look(100) == [90, 9, 1]
    assert collector._rest > time.monotonic()


def test_where_nothing_was_allocated_nothing_is_collected(collector, generations):
    gc.collect()
    generations.clear()
    collector.look()
    assert generations == []


def test_what_is_spared_is_not_walked_through_again_until_the_end(collector):
    kept = QObject()
    collector.spare()
    assert gc.get_freeze_count() > 1000
    assert not any(each is kept for each in gc.get_objects())
    collector.end()
    assert gc.isenabled()
    assert any(each is kept for each in gc.get_objects())


def test_nothing_else_collects_while_a_window_does(collector, monkeypatch):
    import torch

    asked = []
    monkeypatch.setattr(gc, "collect", lambda *_: asked.append(1))
    resident.held(torch.device("cpu"))
    assert asked == []
    gc.enable()
    resident.held(torch.device("cpu"))
    assert asked == [1]


def test_the_look_comes_round_by_itself(collector, qtbot):
    Knot()
    junk = [[number] for number in range(1000)]
    assert junk
    assert died == []
    qtbot.waitUntil(lambda: len(died) == 2, timeout=20 * PAUSE)


OPENED = """
import gc, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from workbench.face import app
from workbench.session import Session
def look():
    print(gc.isenabled(), gc.get_freeze_count() > 10_000)
    next(each for each in QApplication.topLevelWidgets() if each.inherits("QMainWindow")).close()
qt = app.application()
QTimer.singleShot(400, look)
code = app.run(Session(sys.argv[1]))
print(gc.isenabled(), gc.get_freeze_count())
sys.exit(code)
"""


@pytest.mark.slow
def test_the_program_leaves_collecting_to_its_window_while_that_is_open(tmp_path):
    ended = start(OPENED, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split("\n")[:2] == ["False True", "True 0"]
