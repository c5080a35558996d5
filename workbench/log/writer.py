"""The writer of one run: collects events and puts them into the log twice a second.

Made, used and closed in the thread that trains, so that its connection stays there.
"""

import os
import time
from pathlib import Path
from types import TracebackType

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
from workbench.log.store import Log

FLUSH_SECONDS = 0.5  # at most this much is lost if the process is killed
AT_ONCE = (
    RunStarted, Evaluated, TaskEnded, Checkpointed, Paused, Resumed, Finished, Stopped, Failed,
)  # fmt: skip


class Writer:
    """Adds events to one run. Raises DiskFull if there is no space, LogFault if the log stays locked.

    Whatever a call raises, what it was given is kept and goes in with the next `flush` that succeeds.
    """

    def __init__(self, path: str | os.PathLike[str], run_id: str) -> None:
        self._log = Log(path)
        self._log.own(run_id)
        self._run_id = run_id
        self._waiting: list[tuple[float, Event]] = []
        self._files: list[tuple[str, Path]] = []
        self._flushed = time.monotonic()

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
        self._waiting.append((said, event))
        if isinstance(event, AT_ONCE) or time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def note_file(self, kind: str, file: Path) -> None:
        """Note a file that the run made, and flush."""
        self._files.append((kind, file))
        self.flush()

    def flush(self) -> None:
        """Put what waits into the file, with a sign of life; if that fails, it goes on waiting."""
        self._log.write(self._run_id, self._waiting)
        self._waiting = []
        while self._files:
            self._log.note_file(self._run_id, *self._files[0])
            del self._files[0]
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Flush and close the connection."""
        try:
            self.flush()
        finally:
            self._log.close()
