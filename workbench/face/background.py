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
    raised = Signal(object)  # with it, the error itself

    def __init__(self, make: Callable[[], Iterator[Any]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make = make
        self._cancelled = False
        self._give_up: Callable[[], object] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the items any more; queued ones are to be ignored."""
        return self._cancelled

    def run(self) -> None:
        """Iterate to the end, or to the first item after `cancel`."""
        try:
            source = typing.cast("Generator[Any, None, None]", self._make())
            with contextlib.closing(source):
                self._give_up = getattr(source, "cancel", None)  # what waits for a process has one
                for item in source:
                    if self._cancelled:
                        return
                    self.item.emit(item)
        except Cancelled:
            return
        except WorkbenchError as error:
            self.failed.emit(str(error))
            self.raised.emit(error)

    def cancel(self) -> None:
        """Ask to end at the next item, or before it where the source can."""
        self._cancelled = True
        if self._give_up is not None:
            self._give_up()

    def end(self) -> bool:
        """Cancel and wait, at most 15 s; return whether the thread has ended."""
        self.cancel()
        return self.wait(LONGEST_WAIT)
