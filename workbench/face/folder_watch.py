"""Notices when a task's folder goes or comes back: by the system's word, and whenever the window is returned to."""

import os
from collections.abc import Iterator

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication

from workbench.face.background import Background


class FolderWatch(QObject):
    """Asks on a thread, since a lost network drive answers late; each is watched with the one above it."""

    found = Signal(set)  # the folders that are not there

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._folders: tuple[str, ...] = ()
        self._again = False
        self._closed = False
        self._work = Background(self)
        self._work.item.connect(self._tell)
        self._work.ended.connect(self._finished)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(self.look)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.applicationStateChanged.connect(self._returned)

    def watch(self, folders: tuple[str, ...]) -> None:
        """Watch these and no others."""
        if folders != self._folders:
            self._folders = folders
            self.look()

    def look(self) -> None:
        """Ask which are there; if that is being asked already, once more afterwards."""
        if self._closed:
            return
        folders = self._folders
        if not self._work.start(lambda: missing(folders)):
            self._again = True

    def shut_down(self) -> None:
        """Wait for the thread."""
        self._closed = True
        self._work.shut_down()

    def _tell(self, gone: set[str]) -> None:
        # the folder above is what changes when one is renamed or a drive goes
        places = (place for folder in self._folders for place in (folder, os.path.dirname(folder)))
        there = [place for place in dict.fromkeys(places) if place not in gone]
        fresh = [folder for folder in there if folder not in self._watcher.directories()]
        old = [folder for folder in self._watcher.directories() if folder not in there]
        if old:
            self._watcher.removePaths(old)
        if fresh:
            self._watcher.addPaths(fresh)
        self.found.emit(gone)

    def _finished(self) -> None:
        if self._again:
            self._again = False
            self.look()

    def _returned(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive:
            self.look()


def missing(folders: tuple[str, ...]) -> Iterator[set[str]]:
    """Yield the set of folders that are not there."""
    yield {folder for folder in folders if not os.path.isdir(folder)}
