"""Small pictures for galleries, decoded on a thread and only for what is seen."""

import os
from collections import OrderedDict, deque
from collections.abc import Iterator

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from workbench.face.background import Background
from workbench.face.small_picture import small_picture

_KEPT = 600
_WAITING = 120  # requests kept; older ones have been scrolled away, and are asked for again if seen


class Thumbs(QObject):
    """`get` answers at once with what is there; a picture that is not comes with `arrived`."""

    arrived = Signal(str)  # path

    def __init__(self, side: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self._kept: OrderedDict[str, QImage] = OrderedDict()
        self._missing: set[str] = set()
        self._wanted: deque[str] = deque(maxlen=_WAITING)
        self._work = Background(self)
        self._work.item.connect(self._keep)
        self._work.ended.connect(self._finished)

    def get(self, path: str) -> QImage | None:
        """Return the picture, null if it cannot be read; None while it is on its way."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        if path not in self._wanted:
            self._wanted.append(path)
        if not self._work.busy:
            self._work.start(self._decoded)
        return None

    def is_missing(self, path: str) -> bool:
        """Whether the file was looked for and is not there."""
        return path in self._missing

    def forget_missing(self) -> None:
        """Look again for files that were not there."""
        for path in self._missing:
            self._kept.pop(path, None)
        self._missing.clear()

    def shut_down(self) -> None:
        """Wait for the thread."""
        self._wanted.clear()
        self._work.shut_down()

    def _decoded(self) -> Iterator[tuple[str, QImage, bool]]:
        """Runs on the thread: the newest request first, as it is what is seen now."""
        while True:
            try:
                path = self._wanted.pop()
            except IndexError:
                return
            yield path, small_picture(path, self._side), os.path.exists(path)

    def _keep(self, item: tuple[str, QImage, bool]) -> None:
        path, image, there = item
        self._kept[path] = image
        if not there:
            self._missing.add(path)
        while len(self._kept) > _KEPT:
            self._missing.discard(self._kept.popitem(last=False)[0])
        self.arrived.emit(path)

    def _finished(self) -> None:
        if self._wanted:
            self._work.start(self._decoded)
