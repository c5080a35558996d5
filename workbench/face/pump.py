"""The only place where a run's thread and Qt meet: a timer that asks for news 30 times a second."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from workbench.events import Event

INTERVAL_MS = 33


class Pump(QObject):
    """Drains `news` on Qt's own thread and hands on what came, oldest first, in one signal."""

    arrived = Signal(list)

    def __init__(self, news: Callable[[], list[Event]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._news = news
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._drain)

    def start(self) -> None:
        """Begin asking; nothing is asked before."""
        self._timer.start()

    def stop(self) -> None:
        """Stop asking, after one last time: nothing that was said is lost."""
        self._timer.stop()
        self._drain()

    @Slot()
    def _drain(self) -> None:
        events = self._news()
        if events:
            self.arrived.emit(events)
