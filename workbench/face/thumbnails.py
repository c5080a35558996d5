"""Small pictures for a gallery: read on a thread, only those asked for last, the latest ones kept."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader

from workbench.face.background import IterationThread

SIDE = 96  # pixels of the longer side
_KEPT_BYTES = 24 << 20
_MOST_MEGABYTES = (
    512  # that a picture may take decoded: a format that cannot be read at a smaller size
)


class Thumbnails(QObject):
    """Keeps small pictures by path within 24 MB; `arrived` says that another one can be drawn."""

    arrived = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[str, QImage] = OrderedDict()
        self.kept_bytes = 0
        self._thread: IterationThread | None = None
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
        if self._thread is not None:
            self._thread.cancel()
        else:
            self._start()

    def shut_down(self) -> None:
        """Wait for the thread."""
        self._wanted = ()
        if self._thread is not None:
            self._thread.end()

    def _start(self) -> None:
        paths, self._wanted = self._wanted, ()
        if not paths:
            return
        self._thread = IterationThread(lambda: read_all(paths), self)
        self._thread.item.connect(self._keep)
        self._thread.finished.connect(self._finished)
        self._thread.start()

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

    def _finished(self) -> None:
        if self._thread is not None:
            self._thread.deleteLater()
            self._thread = None
        self._start()


def read_all(paths: Sequence[str]) -> Iterator[tuple[str, QImage]]:
    """Yield each path with its small picture; a null image where there is none."""
    for path in paths:
        yield path, read_small(path)


def read_small(path: str) -> QImage:
    """Return a picture at most SIDE long, as a person sees it."""
    reader = QImageReader(str(Path(path)))
    reader.setAutoTransform(True)
    reader.setDecideFormatFromContent(True)
    QImageReader.setAllocationLimit(_MOST_MEGABYTES)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > SIDE:
        reader.setScaledSize(size.scaled(QSize(SIDE, SIDE), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if max(image.width(), image.height()) > SIDE:  # the format did not say its size
        image = image.scaled(
            SIDE,
            SIDE,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
    return image
