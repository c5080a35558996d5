"""Folders and pictures given by dropping, by a dialog or by pasting: one way in for all three."""

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QTimer, QUrl, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from workbench.face.language import say

PICTURE_ENDINGS = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
)  # what the engine decodes


@dataclass(frozen=True)
class Given:
    """What a drop or a paste holds: local folders, local files, and everything else as text."""

    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    def configuration(self) -> str:
        """Return the one .toml file if that is all that is given, else an empty string."""
        alone = len(self.files) == 1 and not self.folders
        return self.files[0] if alone and self.files[0].lower().endswith(".toml") else ""

    def refusal(self) -> str:
        """Return the sentence for what is not a folder of this computer, or an empty string."""
        only = say("Only folders on this computer can be added.")
        if self.files:
            name = Path(self.files[0]).name
            if Path(name).suffix.lower() in PICTURE_ENDINGS:
                return say("{only} '{name}' is a single picture: drop it on Try it.").format(
                    only=only, name=name
                )
            return say("{only} '{name}' is a file.").format(only=only, name=name)
        return (
            say("{only} '{name}' is not one.").format(only=only, name=self.foreign[0])
            if self.foreign
            else ""
        )


def is_elevated() -> bool:
    """Return whether the program runs as administrator on Windows, where drops then never arrive."""
    return bool(os.name == "nt" and ctypes.windll.shell32.IsUserAnAdmin())  # type: ignore[attr-defined,unused-ignore]


def given_by(mime: QMimeData) -> Given:
    """Sort what a drop or the clipboard holds; lines of text count as paths."""
    if mime.hasUrls():
        return _sorted([_path_of(url) for url in mime.urls()])
    lines = [line.strip().strip("\"'") for line in mime.text().splitlines()]
    return _sorted([(line, Path(line).is_absolute()) for line in lines if line])


def _path_of(url: QUrl) -> tuple[str, bool]:
    local = url.isLocalFile() and bool(url.toLocalFile())
    return (url.toLocalFile() if local else url.toDisplayString(), local)


def _sorted(entries: Sequence[tuple[str, bool]]) -> Given:
    local = [Path(text).expanduser() for text, is_local in entries if is_local]
    return Given(
        folders=tuple(str(path) for path in local if path.is_dir()),
        files=tuple(str(path) for path in local if path.is_file()),
        foreign=tuple(text for text, is_local in entries if not (is_local and Path(text).exists())),
    )


class DropTarget(QObject):
    """Makes a widget take drops. The work starts after the drop has returned to the file manager."""

    given = Signal(object)  # Given

    def __init__(self, widget: QWidget, lit: QWidget) -> None:
        super().__init__(widget)
        self._lit = lit  # the dashed frame that lights up
        self._waiting: Given | None = None
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept whatever names files; highlight while it hovers."""
        if isinstance(event, (QDragEnterEvent, QDragMoveEvent)) and event.mimeData().hasUrls():
            self._highlight(True)
            event.acceptProposedAction()
            return True
        if event.type() == QEvent.Type.DragLeave:
            self._highlight(False)
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self._highlight(False)
            if event.mimeData().hasUrls():
                self._waiting = given_by(event.mimeData())
                event.acceptProposedAction()
                QTimer.singleShot(0, self._hand_on)
                return True
        return super().eventFilter(watched, event)

    def _hand_on(self) -> None:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self.given.emit(waiting)

    def _highlight(self, on: bool) -> None:
        look = "hover" if on else "true"
        if self._lit.property("drop") != look:
            self._lit.setProperty("drop", look)
            self._lit.style().polish(self._lit)
