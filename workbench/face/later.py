"""Costly parts of the window that the first look at it does not need: made when asked for, else soon after."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, QSignalBlocker, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QWidget

Part = TypeVar("Part")
Page = TypeVar("Page", bound=QWidget)

_FIRST = 200  # ms until the window asked for is on the screen
_REST = 40  # ms between two parts, for the keyboard and the mouse


class Later(Generic[Part]):
    """A part that is made once, when it is first asked for."""

    def __init__(self, make: Callable[[], Part]) -> None:
        self._make = make
        self._part: Part | None = None
        self._waiting: list[Callable[[Part], object]] = []

    @property
    def part(self) -> Part | None:
        """The part, if it is there already."""
        return self._part

    def get(self) -> Part:
        """Return the part, made now if it is not there yet."""
        if self._part is None:
            self._part = self._make()
            waiting, self._waiting = self._waiting, []
            for call in waiting:
                call(self._part)
        return self._part

    def then(self, call: Callable[[Part], object]) -> None:
        """Call with the part: now if it is there, else as soon as it is."""
        if self._part is not None:
            call(self._part)
        else:
            self._waiting.append(call)


class LaterPage(QWidget, Generic[Page]):
    """Keeps the place of a tab's page until that is made."""

    def __init__(self, tabs: QTabWidget, make: Callable[[], Page]) -> None:
        super().__init__()
        self._tabs = tabs
        self.later = Later(make)
        self.later.then(self._give_way)

    @property
    def present(self) -> QWidget:
        """What stands in the tab now."""
        return self.later.part or self

    def showEvent(self, event: QShowEvent) -> None:
        """Make the page once the tab has been turned to: not now, while Qt turns it."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self.later.get)

    def _give_way(self, page: Page) -> None:
        """Put the page where this widget stands; the tab itself stays as it is."""
        tabs, place = self._tabs, self._tabs.indexOf(self)
        current = tabs.currentIndex() == place
        with QSignalBlocker(tabs):
            tabs.insertTab(place, page, tabs.tabText(place))
            if current:
                tabs.setCurrentIndex(place)
            tabs.removeTab(place + 1)
        self.setParent(None)


class Rest(QObject):
    """Makes what is still to be made, one part after another, while the window waits for its user."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._parts: list[Later[Any]] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._make_next)

    def begin(self, parts: Sequence[Later[Any]]) -> None:
        """Make these from now on, in this order."""
        self._parts = list(parts)
        self._timer.start(_FIRST)

    def stop(self) -> None:
        """Make no more."""
        self._timer.stop()

    def _make_next(self) -> None:
        self._parts = [part for part in self._parts if part.part is None]
        if self._parts:
            self._parts.pop(0).get()
            self._timer.start(_REST)
        else:
            self._timer.stop()
