"""Runs on either engine, for tests: a session, and what hastens an engine's end."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from workbench.events import Event
from workbench.session import Run, Session, SessionApart

PATIENCE = 120.0  # seconds; a loaded machine is slow


@contextmanager
def session_of(kind: str, home: Path) -> Iterator[Session]:
    """A session that trains in its own "thread" or in a "process"; its processes end with it."""
    session = (SessionApart if kind == "process" else Session)(home, entry_points=False)
    try:
        yield session
    finally:
        session.close()


def wait_for(so: Callable[[], object], what: str = "it") -> float:
    """Wait until it is so; return the seconds it took."""
    began = time.monotonic()
    while not so():
        assert time.monotonic() < began + PATIENCE, f"{what} did not happen in {PATIENCE} s"
        time.sleep(0.01)
    return time.monotonic() - began


def working(run: Run) -> threading.Thread:
    """Let the run work in a thread of its own."""
    thread = threading.Thread(target=run.work, daemon=True)
    thread.start()
    return thread


class Working:
    """A run that works in a thread, and all it has said so far."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.heard: list[Event] = []
        self.thread = working(run)

    def wait_for(self, so: Callable[[Event], bool]) -> None:
        """Wait until the run says such an event."""
        wait_for(lambda: any(map(so, self._fresh())), "the event")

    def end(self) -> list[Event]:
        """Wait for the end; return everything it said."""
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        self._fresh()
        return self.heard

    def _fresh(self) -> list[Event]:
        fresh = self.run.news()
        self.heard += fresh
        return fresh


def engines() -> list[psutil.Process]:
    """Return the engine processes of this test process that have not ended."""
    found = []
    for each in psutil.Process().children():
        with suppress(psutil.Error):  # ended meanwhile
            if "spawn_main" in " ".join(each.cmdline()):
                found.append(each)
    return found


SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGSEGV": signal.SIGSEGV}
