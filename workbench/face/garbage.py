"""Collects Python's garbage between two events of the window, and never anywhere else.

Left alone, Python looks for garbage in whichever thread happens to allocate next, at whatever point. Widgets
that refer to one another and that nobody else holds would then be destroyed on a worker's thread, or while Qt
is in the midst of laying out their relatives; either can end the program with a segmentation fault.
"""

import gc
import time

from PySide6.QtCore import QObject, QTimer

PAUSE = 250  # ms between two looks, each some µs long where there is nothing to do
OLDER = 10  # collections of the young, after which the older are looked at too, as by Python itself
SHARE = 0.01  # of the time that walking through everything may take


class GarbageCollector(QObject):
    """From now to `end`, garbage is collected in this thread, when its event loop comes round."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._collections = 0
        self._rest = 0.0  # on `time.monotonic`; before it not everything is walked through
        self._timer = QTimer(self)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def spare(self) -> None:
        """What there is by now stays to the end: walking through a whole window takes 60 ms each time."""
        gc.freeze()

    def look(self) -> None:
        """Collect if as much was allocated as Python itself waits for."""
        if gc.get_count()[0] < gc.get_threshold()[0]:
            return
        self._collections += 1
        if self._collections % OLDER:
            gc.collect(0)
        elif self._collections % OLDER**2 or time.monotonic() < self._rest:
            gc.collect(1)
        else:
            began = time.monotonic()
            gc.collect()
            ended = time.monotonic()
            self._rest = ended + (ended - began) / SHARE

    def end(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()
