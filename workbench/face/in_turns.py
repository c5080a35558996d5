"""What Qt wants done on its own thread, piece by piece: the window lives between two pieces."""

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.errors import WorkbenchError


class InTurns(QObject):
    """Iterates one thing at a time, an item each time the window is idle; the counterpart of `Background`."""

    item = Signal(object)
    raised = Signal(object)  # a WorkbenchError; a bug goes on its way
    ended = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._source: Iterator[Any] | None = None
        self._cancelled = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._take_turn)

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._source is not None

    @property
    def cancelled(self) -> bool:
        """Whether what began last was given up, or broke."""
        return self._cancelled

    def start(self, source: Iterator[Any]) -> None:
        """Iterate `source` from the next turn on."""
        self._source, self._cancelled = source, False
        self._timer.start(0)

    def cancel(self) -> None:
        """End before the next item."""
        self._cancelled = self._source is not None

    def shut_down(self) -> None:
        """Let go of what is under way; nothing more is said of it."""
        self._timer.stop()
        self._source = None

    def _take_turn(self) -> None:
        try:
            item = None if self._cancelled or self._source is None else next(self._source, None)
        except WorkbenchError as error:
            self._end()
            self.raised.emit(error)
            self.ended.emit()
            return
        except BaseException:
            self._cancelled = True
            self._end()
            self.ended.emit()
            raise
        if item is None:
            self._end()
            self.ended.emit()
        else:
            self.item.emit(item)

    def _end(self) -> None:
        self._timer.stop()
        self._source = None
