"""Small pictures for a gallery: read on a thread, only those asked for last, the latest ones kept."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from workbench.face.background import Background
from workbench.face.small_picture import small_picture

SIDE = 96  # pixels of the longer side
_KEPT_BYTES = 24 << 20


class Thumbnails(QObject):
    """Keeps small pictures by path within 24 MB; `arrived` says that another one can be drawn."""

    arrived = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[str, QImage] = OrderedDict()
        self.kept_bytes = 0
        self._work = Background(self)
        self._work.item.connect(self._keep)
        self._work.ended.connect(self._start)
        self._wanted: tuple[str, ...] = ()

    def get(self, path: str) -> QImage | None:
        """Return a small picture if it has been read; a null image means it cannot be."""
        image = self._kept.get(path)
        if image is not None:
            self._kept.move_to_end(path)
        return image

    def want(self, paths: Sequence[str]) -> None:
        """Read these, in this order, and nothing else that was asked for before."""
        self._wanted = tuple(path for path in paths if path not in self._kept)
        if self._work.busy:
            self._work.cancel()
        else:
            self._start()

    def shut_down(self) -> None:
        """Wait for the thread."""
        self._wanted = ()
        self._work.shut_down()

    def _start(self) -> None:
        paths, self._wanted = self._wanted, ()
        if not paths:
            return
        self._work.start(lambda: read_all(paths))

    def _keep(self, item: tuple[str, QImage]) -> None:
        path, image = item
        if path in self._kept:
            return
        self._kept[path] = image
        self.kept_bytes += image.sizeInBytes()
        while self.kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self.kept_bytes -= old.sizeInBytes()
        self.arrived.emit(path)


def read_all(paths: Sequence[str]) -> Iterator[tuple[str, QImage]]:
    """Yield each path with its small picture; a null image where there is none."""
    for path in paths:
        yield path, small_picture(path, SIDE)
