"""Reads the kernel's files away from the window, keeps the last few, and turns a damaged one into a sentence."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from workbench.errors import WorkbenchError
from workbench.face.background import Background
from workbench.face.language import say
from workbench.face.scene import Scene, scene_of

Read = Callable[[str, str], Mapping[str, NDArray[Any]]]  # run, path below its folder
Key = tuple[str, str]
_KEPT = 8


class Shelf(QObject):
    """At most one file is read at a time; of those asked for meanwhile only the last is read next."""

    arrived = Signal()

    def __init__(self, read: Read, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read = read
        self._kept: OrderedDict[Key, Scene | str] = OrderedDict()
        self._work = Background(self)
        self._work.item.connect(self._keep)
        self._work.ended.connect(self._finished)
        self._reading: Key | None = None
        self._wanted: Key | None = None

    def get(self, run: str, path: str) -> Scene | str | None:
        """Return a file's scene, or why it cannot be read; None while it is on its way."""
        key = (run, path)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        self._wanted = key if key != self._reading else None
        if not self._work.busy:
            self._start()
        return None

    def forget(self) -> None:
        """Drop what is kept, so that files are looked at again."""
        self._kept.clear()

    def shut_down(self) -> None:
        """Wait for the thread."""
        self._wanted = None
        self._work.shut_down()

    def _start(self) -> None:
        key, self._wanted = self._wanted, None
        if key is None:
            return
        self._reading = key

        def scenes() -> Iterator[tuple[Key, Scene | str]]:
            try:
                yield key, scene_of(self._read(*key))
            except WorkbenchError as error:
                yield key, str(error)

        self._work.start(scenes)

    def _keep(self, item: tuple[Key, Scene | str]) -> None:
        key, found = item
        self._kept[key] = found
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def _finished(self) -> None:
        if self._reading is not None and self._reading not in self._kept:  # a bug, told elsewhere
            self._kept[self._reading] = say("The kernel's file could not be shown.")
        self._reading = None
        self._start()
        self.arrived.emit()
