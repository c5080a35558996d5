"""The writer of one run: collects events and puts them into the log twice a second.

Made, used and closed in the thread that trains, so that its connection stays there. Events that wait
while that thread is busy for long are put in by a thread of the writer's own, with its own connection.
"""

import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from workbench.errors import WorkbenchError
from workbench.events import (
    Checkpointed,
    Evaluated,
    Event,
    Failed,
    Finished,
    Paused,
    Resumed,
    RunStarted,
    Stopped,
    TaskEnded,
)
from workbench.log.resume import move
from workbench.log.store import Log

FLUSH_SECONDS = (
    0.4  # and the writing itself: at most half a second is lost if the process is killed
)
LATE_WAIT_MS = 50  # for another program's lock; after that, the next event waits for it in earnest
AT_ONCE = (
    RunStarted, Evaluated, TaskEnded, Checkpointed, Paused, Resumed, Finished, Stopped, Failed,
)  # fmt: skip


class Writer:
    """Adds events to one run. Raises DiskFull if there is no space, LogFault if the log stays locked.

    Whatever a call raises, what it was given is kept and goes in with the next `flush` that succeeds.
    """

    def __init__(self, path: str | os.PathLike[str], run_id: str) -> None:
        self._path = path
        self._log = Log(path)
        self._log.own(run_id)
        self._run_id = run_id
        self._waiting: list[tuple[float, Event]] = []
        self._files: list[tuple[str, Path]] = []
        self._moved: dict[str, str] = {}
        self._flushed = time.monotonic()
        self._lock = threading.Lock()  # of what waits, and of putting it in
        self._takes, self._closed = threading.Event(), threading.Event()
        self._late: threading.Thread | None = None

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """How many events and files are not in the log yet."""
        return len(self._waiting) + len(self._files)

    def add(self, event: Event) -> None:
        """Take an event; it is in the file after half a second, or at once if it ends something."""
        said = time.time() if event.time is None else event.time
        with self._lock:
            self._waiting.append((said, event))
        if isinstance(event, AT_ONCE) or time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()
        else:
            self._see_to_it_later()

    def note_file(self, kind: str, file: Path) -> None:
        """Note a file that the run made, and flush."""
        self._files.append((kind, file))
        self.flush()

    def move(self, found: Mapping[str, str]) -> None:
        """Note where folders of the run's pictures lie now, old path -> new path, and flush."""
        self._moved.update(found)
        self.flush()

    def flush(self) -> None:
        """Put what waits into the file, with a sign of life; if that fails, it goes on waiting."""
        with self._lock:
            self._put_in(self._log)
            if self._moved:
                with self._log.change() as db:
                    move(db, self._run_id, self._moved)
                self._moved.clear()
            while self._files:
                self._log.note_file(self._run_id, *self._files[0])
                del self._files[0]
            self._flushed = time.monotonic()

    def close(self) -> None:
        """Flush and close the connection."""
        self._closed.set()
        self._takes.set()
        if self._late is not None:
            self._late.join()
        try:
            self.flush()
        finally:
            self._log.close()

    def _put_in(self, log: Log) -> None:
        log.write(self._run_id, self._waiting)
        self._waiting = []

    def _see_to_it_later(self) -> None:
        if self._late is None:
            self._late = threading.Thread(target=self._flush_late, name="log", daemon=True)
            self._late.start()
        self._takes.set()

    def _flush_late(self) -> None:
        """Put in what still waits half a second after it was taken: the next event may be far off."""
        while self._takes.wait() and not self._closed.wait(FLUSH_SECONDS):
            self._takes.clear()
            if (
                self._closed.is_set()
            ):  # by now, and what woke this thread for it has just been cleared
                return
            with self._lock, suppress(WorkbenchError):  # the thread that trains will raise it
                if self._waiting:
                    with Log(self._path, wait_ms=LATE_WAIT_MS) as log:
                        self._put_in(log)
