"""The writer flushes on time and on endings, and a killed one leaves a sound file."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.logged import begin
from tests.recorded import recorded_run
from workbench.errors import WorkbenchError
from workbench.events import Finished, Note, RunStarted, Stage, Step
from workbench.log import migrations, writer as module
from workbench.log.store import Log
from workbench.log.writer import Writer


@contextmanager
def begun(place: Path) -> Iterator[tuple[Log, Writer]]:
    """A log with a run in it, and that run's writer, which the test closes."""
    path = place / "log.db"
    with Log(path) as log:
        begin(log)
        yield log, Writer(path, "run1")


def test_what_a_writer_takes_is_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with Log(path) as log:
        begin(log)
        with Writer(path, "run1") as writer:
            for event in recorded_run(3, live=True):
                writer.add(event)
        assert log.events("run1") == recorded_run(3)
        assert log.runs()[0].state == "finished"


def test_endings_are_written_at_once_and_the_rest_after_half_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.db"
    monkeypatch.setattr(module, "FLUSH_SECONDS", 1000.0)
    with Log(path) as log:
        begin(log)
        with Writer(path, "run1") as writer:
            writer.add(Note("waits"))
            assert log.events("run1") == []
            writer.add(Finished(1))
            assert log.events("run1") == [Note("waits"), Finished(1)]
            monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
            time.sleep(0.02)
            writer.add(Note("late"))
            assert len(log.events("run1")) == 3
            monkeypatch.setattr(module, "FLUSH_SECONDS", 1000.0)
            writer.add(Note("last"))
            assert len(log.events("run1")) == 3
        assert log.events("run1")[-1] == Note("last")


def test_each_flush_is_a_sign_of_life(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with Log(path) as log:
        begin(log)
        log._db.execute("UPDATE run SET heartbeat = '2001'")
        with Writer(path, "run1") as writer:
            writer.add(Stage("Loading"))
        assert log._db.execute("SELECT heartbeat FROM run").fetchone()[0] > "2026"


def test_a_lock_that_stays_is_a_sentence_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "WAIT_MS", 50)
    with begun(tmp_path) as (log, writer):
        with log._writing(), pytest.raises(WorkbenchError, match="keeps it locked"):
            writer.add(Finished(1))
        writer.close()
        assert log.events("run1") == [Finished(1)]


def test_a_writer_that_fails_while_closing_lets_go_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "WAIT_MS", 50)
    with (
        begun(tmp_path) as (log, writer),
        log._writing(),
        pytest.raises(WorkbenchError, match="keeps it locked"),
    ):
        writer.close()
    assert [item.name for item in tmp_path.iterdir()] == ["log.db"]


SCRIPT = """
import sys
import threading
from tests.recorded import recorded_run
from workbench.events import Step
from workbench.log.writer import Writer
writer = Writer(sys.argv[1], "run1")
writer.add(recorded_run(1)[0])
step = 0
while True:
    step += 1
    writer.add(Step(0, 0, step, 0.1, {"total": 1.0, "regularisation": 2.0}))
    if step % 20 == 0:
        writer.flush()
        sys.stdout.write(f"{step}\\n")
        sys.stdout.flush()
"""


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_a_killed_writer_leaves_a_sound_file_with_all_it_acknowledged(
    tmp_path: Path, lines: int
) -> None:
    path = tmp_path / "log.db"
    with Log(path) as log:
        begin(log)
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child.stdout as said:
        for _ in range(lines):
            acknowledged = int(said.readline())
        child.kill()  # SIGKILL
        child.wait()
    with Log(path) as log:
        assert log.health()["quick_check"] == "ok"
        start, *steps = log.events("run1")
        assert isinstance(start, RunStarted)
        numbers = [event.step for event in steps if isinstance(event, Step)]
        assert numbers == list(range(1, len(steps) + 1))
        assert len(numbers) >= acknowledged >= lines * 20
        assert all(isinstance(step, Step) and len(step.terms) == 2 for step in steps)


def test_an_event_is_written_in_time_though_the_next_one_is_far_off(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with Log(path) as log:
        begin(log)
        with Writer(path, "run1") as writer:
            writer.add(Stage("Loading"))
            writer.add(Note("alone"))
            assert log.events("run1") == []
            until = time.monotonic() + 60
            while not log.events("run1") and time.monotonic() < until:
                time.sleep(0.02)
            assert log.events("run1") == [Note("alone")]
            writer.add(Note("second"))
        assert log.events("run1") == [Note("alone"), Note("second")]


def test_a_writer_that_is_closed_just_as_its_thread_wakes_ends_all_the_same(tmp_path: Path) -> None:
    class Woken(threading.Event):
        """Wakes the thread, and the writer is closed before it has gone on."""

        def clear(self) -> None:
            writer._closed.set()
            self.set()
            super().clear()

    path = tmp_path / "log.db"
    with Log(path) as log:
        begin(log)
        writer = Writer(path, "run1")
        writer._takes = Woken()
        writer.add(Note("alone"))
        assert writer._late is not None
        writer._late.join(30)
        assert not writer._late.is_alive()
        writer.close()
        assert log.events("run1") == [Note("alone")]
