"""Threads that iterate something slow and hand each item to the window; they are asked to end, never killed."""

import contextlib
import typing
from collections.abc import Callable, Generator, Iterator
from typing import Any

from PySide6.QtCore import QDeadlineTimer, QObject, QThread, Signal

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
        self._deadline = QDeadlineTimer(QDeadlineTimer.ForeverConstant.Forever)
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
                if self._cancelled:  # it was asked before there was anything to give up
                    self.cancel()
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
        self.close()
        return self.wait(self._deadline)

    def close(self) -> None:
        """Cancel; from now on 15 s are left, however often its end is waited for."""
        self.cancel()
        if self._deadline.isForever():
            self._deadline = QDeadlineTimer(LONGEST_WAIT)


class Background(QObject):
    """Does one slow thing at a time on a thread, and tells on the window's own what comes of it."""

    item = Signal(object)
    failed = Signal(str)
    raised = Signal(object)
    ended = Signal()  # the thread is gone, and another thing may begin

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._thread: IterationThread | None = None
        self._cancelled = False

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._thread is not None

    @property
    def cancelled(self) -> bool:
        """Whether what began last was cancelled; items that still arrive are to be ignored."""
        return self._cancelled

    def start(self, make: Callable[[], Iterator[Any]]) -> bool:
        """Iterate `make()`, unless something is under way; return whether it began."""
        if self._thread is not None:
            return False
        self._cancelled = False
        self._thread = IterationThread(make, self)
        self._thread.item.connect(self.item)
        self._thread.failed.connect(self.failed)
        self._thread.raised.connect(self.raised)
        self._thread.finished.connect(self._over)
        self._thread.start()
        return True

    def cancel(self) -> None:
        """Ask what is under way to end at its next item."""
        if self._thread is not None:
            self._cancelled = True
            self._thread.cancel()

    def shut_down(self) -> bool:
        """Cancel and wait; return whether the thread has ended."""
        self.cancel()
        return self._thread is None or self._thread.end()

    def _over(self) -> None:
        if self._thread is not None:
            self._thread.deleteLater()
            self._thread = None
        self.ended.emit()


def close_all(root: QObject) -> None:
    """Ask every thread below `root` to end: their 15 s pass at the same time, not one after another."""
    for thread in root.findChildren(IterationThread):
        thread.close()
