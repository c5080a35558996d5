"""A thread that iterates something slow and hands each item to the window; it is asked to end, never killed."""

import contextlib
import typing
from collections.abc import Callable, Generator, Iterator
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal

from workbench.errors import Cancelled, WorkbenchError

LONGEST_WAIT = 15_000  # ms that closing the window waits for a thread to end


class IterationThread(QThread):
    """Iterates `make()` away from the window. Closing the iterator is how a cancelled one ends."""

    item = Signal(object)
    failed = Signal(str)  # a sentence; a bug goes to sys.excepthook with its traceback instead

    def __init__(self, make: Callable[[], Iterator[Any]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make = make
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the items any more; queued ones are to be ignored."""
        return self._cancelled

    def run(self) -> None:
        """Iterate to the end, or to the first item after `cancel`."""
        try:
            source = typing.cast("Generator[Any, None, None]", self._make())
            with contextlib.closing(source):
                for item in source:
                    if self._cancelled:
                        return
                    self.item.emit(item)
        except Cancelled:
            return
        except WorkbenchError as error:
            self.failed.emit(str(error))

    def cancel(self) -> None:
        """Ask to end at the next item."""
        self._cancelled = True

    def end(self) -> bool:
        """Cancel and wait, at most 15 s; return whether the thread has ended."""
        self.cancel()
        return self.wait(LONGEST_WAIT)
