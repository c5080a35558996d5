"""A progress line on standard error: rewritten in place on a terminal, a line now and then elsewhere."""

import shutil
import sys
import time
from typing import TextIO

from workbench.events import Evaluated, Event, Note, Pace, Stage

QUIET_INTERVAL = 5.0  # seconds between lines where the output is not a terminal
WIDTH = 24


class Progress:
    """Shows a run's or a scan's events."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._text, self._share, self._pace = "", None, ""  # type: str, float | None, str
        self._said, self._length = float("-inf"), 0

    def show(self, event: Event) -> None:
        """Take in one event and redraw if there is something new to see."""
        if isinstance(event, Stage):
            self._text = event.text
            if event.total:
                self._text += f" {event.done}/{event.total}"
        elif isinstance(event, Pace):
            self._share = event.work
            self._pace = f"{event.images_per_second:.0f} pictures/s"
            if event.seconds_left is not None:
                self._pace += f", {_duration(event.seconds_left)} left"
        elif isinstance(event, Note):
            self.line(event.text)
        elif isinstance(event, Evaluated):
            self.line(f"After task {row_of(event)}")
        self._draw()

    def line(self, text: str) -> None:
        """Write a line that stays."""
        self._wipe()
        self._stream.write(text + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave a clean line behind."""
        self._wipe()

    def _draw(self) -> None:
        now = time.monotonic()
        if now - self._said < (0.1 if self._is_terminal else QUIET_INTERVAL):
            return
        self._said = now
        bar = ""
        if self._share is not None:
            full = round(self._share * WIDTH)
            bar = f"{'█' * full}{'░' * (WIDTH - full)} {100 * self._share:3.0f} %  "
        text = f"{bar}{self._text}  {self._pace}".rstrip()
        if self._is_terminal:
            text = text[
                : shutil.get_terminal_size().columns - 1
            ]  # a wrapped line cannot be redrawn
            self._stream.write("\r" + text.ljust(self._length))
            self._length = len(text)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def _wipe(self) -> None:
        if self._is_terminal and self._length:
            self._stream.write("\r" + " " * self._length + "\r")
            self._length = 0


def row_of(event: Evaluated) -> str:
    """Return the number of the task that was learnt and the accuracies after it, as one line."""
    row = "  ".join(f"{100 * a:5.1f}" for a in event.accuracy)
    return f"{event.after_task + 1}: {row} %"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5)):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
