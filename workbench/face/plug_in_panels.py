"""Tabs that plug-ins bring: fed like our own, and closed at their first error while everything else goes on."""

import traceback
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from workbench.events import Event
from workbench.face.desk import Desk
from workbench.face.past import PIECE
from workbench.face.tape import Tape
from workbench.plugins import PanelChoice, culprit, resolve


class PlugInPanels(QObject):
    """Makes each panel once and gives it the run's events. `failed` carries name, owner and traceback."""

    failed = Signal(str, str, str)
    _broke = Signal(str, str)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self._plug_ins = desk.session.plug_ins
        self._panels: dict[str, QWidget] = {}
        self._closed: set[str] = set()
        self._waiting: deque[Sequence[Event]] = deque()
        self._next = QTimer(self)
        self._next.setInterval(0)
        self._next.timeout.connect(self._give_next)
        desk.page.said.connect(self._show)
        desk.page.retold.connect(self._retell)
        desk.page.cleared.connect(self._clear)
        # queued: a panel may fail while it is painted, and must not be taken away meanwhile
        self._broke.connect(self._close, Qt.ConnectionType.QueuedConnection)

    @property
    def open_names(self) -> tuple[str, ...]:
        """Names of the panels that are shown."""
        return tuple(self._panels)

    def panel(self, name: str) -> QWidget:
        """Return a panel by name."""
        return self._panels[name]

    def make_missing(self) -> None:
        """Add a tab for each panel that has none yet, with what the run shown has said so far."""
        for choice in self._plug_ins.loaded.panels:
            if choice.name not in self._panels and choice.name not in self._closed:
                self._make(choice)

    def take(self, error: BaseException) -> bool:
        """Close the panel whose code raised `error` somewhere in Qt; return whether there is one."""
        blamed = culprit(error)
        if blamed is None:
            return False
        names = [n for n in self._panels if self._plug_ins.loaded.owner("panel", n) == blamed.name]
        for name in names:
            self._tell(name, error)
        return bool(names)

    def close_of(self, owner: str) -> None:
        """Take away the panels of a plug-in that was switched off."""
        for name in [n for n in self._panels if self._plug_ins.loaded.owner("panel", n) == owner]:
            self._remove(name)

    def _make(self, choice: PanelChoice) -> None:
        owner = self._plug_ins.loaded.owner("panel", choice.name)
        try:
            with self._plug_ins.memory.loading(owner):
                panel = resolve(choice.make)()
            if not isinstance(panel, QWidget):
                raise TypeError(f"the panel is a {type(panel).__name__}, not a QWidget")
        except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's code may raise anything)
            self._closed.add(choice.name)
            self._report(choice.name, error)
            return
        self._panels[choice.name] = panel
        self._desk.add_page(panel, choice.title)
        events = self._desk.page.shown_events()
        if events:
            self._call(choice.name, "show_news", events)

    def shut_down(self) -> None:
        """Give no more events."""
        self._next.stop()

    def _show(self, events: Sequence[Event]) -> None:
        if self._waiting:  # for what was said before
            self._waiting.append(events)
            return
        for panel in list(self._panels):
            self._call(panel, "show_news", events)

    def _retell(self, tape: Tape) -> None:
        """Give all that a run has said, in pieces: the window is not to wait for a long one."""
        if self._panels:
            events = list(tape)
            self._waiting.extend(events[n : n + PIECE] for n in range(0, len(events), PIECE))
            self._give_next()
            self._next.start()

    def _give_next(self) -> None:
        if self._waiting:
            events = self._waiting.popleft()
            for panel in list(self._panels):
                self._call(panel, "show_news", events)
        else:
            self._next.stop()

    def _clear(self) -> None:
        self._waiting.clear()
        for panel in list(self._panels):
            self._call(panel, "clear")

    def _call(self, name: str, method: str, *arguments: Any) -> None:
        try:
            call: Callable[..., object] = getattr(self._panels[name], method)
            call(*arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's code may raise anything)
            self._tell(name, error)

    def _tell(self, name: str, error: BaseException) -> None:
        self._broke.emit(name, "".join(traceback.format_exception(error)))

    def _report(self, name: str, error: BaseException) -> None:
        owner = self._plug_ins.loaded.owner("panel", name)
        self.failed.emit(name, owner, "".join(traceback.format_exception(error)))

    def _close(self, name: str, detail: str) -> None:
        if name in self._panels:  # the first of its errors; there may be more on the way
            self._remove(name)
            self.failed.emit(name, self._plug_ins.loaded.owner("panel", name), detail)

    def _remove(self, name: str) -> None:
        self._closed.add(name)
        panel = self._panels.pop(name)
        self._desk.tabs.removeTab(self._desk.tabs.indexOf(panel))
        panel.deleteLater()
