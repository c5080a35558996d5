"""The file in which everything is kept that the engine process prints while a run trains; bounded.

Standard output and error are turned to it below Python, so that the last words of a native library
are in it as well, and after a crash the Python stack of every thread.
"""

import faulthandler
import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = "engine.log"
MOST_BYTES = 1_000_000
LINES = 200  # that are shown


@contextmanager
def printed_to(folder: Path) -> Iterator[Path]:
    """Let this process print into `folder` meanwhile; where that cannot be, it prints where it did."""
    file = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        yield file
        return
    kept = [(number, os.dup(number)) for number in (1, 2)]
    try:
        for number, _ in kept:
            os.dup2(opened, number)
        faulthandler.enable(opened)
        yield file
    finally:
        faulthandler.disable()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        for number, before in kept:
            os.dup2(before, number)
            os.close(before)
        os.close(opened)


def shorten(file: Path) -> None:
    """Keep the last quarter of a file that has become too long."""
    with suppress(OSError):
        if file.stat().st_size <= MOST_BYTES:
            return
        with file.open("r+b") as opened:
            opened.seek(-MOST_BYTES // 4, os.SEEK_END)
            end = opened.read()
            opened.seek(0)
            opened.write(end)
            opened.truncate()


def last_lines(folder: Path) -> str:
    """Return the end of what was printed, or an empty text."""
    try:
        with (folder / NAME).open(encoding="utf-8", errors="replace") as opened:
            return "".join(deque(opened, LINES))
    except OSError:
        return ""
