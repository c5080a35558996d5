"""What the window leaves behind if it dies, and what the next start makes of it.

While a window is open its home folder holds a file with the process's number; what `faulthandler`
has to say of a crash goes into a second one. A window that closes removes both.
"""

import faulthandler
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

_OPEN = "window.open"
_CRASH = "crash.txt"


class LastWords:
    """Notes that the window is open, and catches what a crash says."""

    def __init__(self, home: Path) -> None:
        self._open = home / _OPEN
        self._crash = home / _CRASH
        self._file: TextIO | None = None

    def before(self) -> str | None:
        """Return what the last window left if it did not end by itself ("" if it said nothing), else None."""
        try:
            since = self._open.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None
        with suppress(OSError):
            said = self._crash.read_text(encoding="utf-8", errors="replace").strip()
            return f"{since}\n\n{said}" if said else since
        return since

    def begin(self) -> None:
        """Say that a window is open now; a home that cannot be written to costs only this note."""
        with suppress(OSError):
            when = datetime.now().astimezone().isoformat(timespec="seconds")
            self._open.write_text(f"window opened {when}, process {os.getpid()}", encoding="utf-8")
            self._file = self._crash.open("w", encoding="utf-8")
            faulthandler.enable(self._file)

    def doing(self, what: str) -> None:
        """Write down what is being done, for the case that it is the last thing."""
        if self._file is not None:
            with suppress(OSError):
                self._file.seek(0)
                self._file.truncate()
                self._file.write(f"while: {what}\n")
                self._file.flush()

    def end(self) -> None:
        """The window closed by itself: leave nothing behind."""
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._file = None
        for path in (self._open, self._crash):
            with suppress(OSError):
                path.unlink()
