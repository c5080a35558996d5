"""The buttons that hold a run: pause or go on, stop, and when to stop. Drawn from its state alone."""

import time

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

_TOLD_AFTER = 2  # seconds of stopping before they are counted aloud


class HoldButtons(QWidget):
    """Pause, Stop, and a menu of the three moments to stop at."""

    stop_requested = Signal(str)  # now, epoch or task
    force_requested = Signal()
    pause_requested = Signal()
    go_on_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = "idle"
        self._overdue = False
        self._asked = 0.0  # when it was told to stop now
        self.seconds = QTimer(self)
        self.seconds.setInterval(1000)
        self.seconds.timeout.connect(self._count)
        self.pause = QPushButton(self)
        self.pause.clicked.connect(self._pause_or_go_on)
        self.stop = QPushButton(self)
        self.stop.clicked.connect(self._stop_now)
        self.menu = QMenu(self)
        self.moments: dict[str, QAction] = {}
        for when, text, call in (
            ("now", self.tr("Now"), self._stop_now),
            ("epoch", self.tr("After this epoch"), self._stop_after_epoch),
            ("task", self.tr("After this task"), self._stop_after_task),
        ):
            self.moments[when] = self.menu.addAction(text)
            self.moments[when].setCheckable(True)
            self.moments[when].triggered.connect(call)
        self.more = QToolButton(self)
        self.more.setText("▾")
        self.more.setToolTip(self.tr("Choose when to stop"))
        self.more.setAccessibleName(self.tr("When to stop"))
        self.more.setProperty("plain_menu", "true")
        self.more.setMenu(self.menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addStretch(1)
        for button in (self.pause, self.stop, self.more):
            row.addWidget(button)
        self.show_state("idle")

    def show_state(self, state: str, when: str = "", *, overdue: bool = False) -> None:
        """Follow the run's state; `when` is the moment at which it is to stop, `overdue` that it has not."""
        self._state, self._overdue = state, overdue
        self.setVisible(state != "idle")
        self._count_while(state == "stopping" and when == "now" and not overdue)
        waits = state in ("pausing", "paused")
        self.pause.setText(self._pause_text(state))
        self.pause.setToolTip(self._pause_help(state))
        self.pause.setEnabled(state in ("running", "pausing", "paused"))
        self.pause.setVisible(state != "stopping")
        self.stop.setText(self._stop_text(state, when))
        self.stop.setToolTip(self._stop_help(when))
        self.stop.setEnabled(when != "now" or overdue)
        self.more.setEnabled(when != "now")
        for name, action in self.moments.items():
            action.setChecked(name == when)
            action.setEnabled(name == "now" or not waits)
        for button in (self.pause, self.stop):
            button.setAccessibleName(button.text())

    def _pause_text(self, state: str) -> str:
        if state == "pausing":
            return self.tr("Pausing…")
        return self.tr("Go on") if state == "paused" else self.tr("Pause")

    def _pause_help(self, state: str) -> str:
        if state == "pausing":
            return self.tr("It waits after this step; press to let it go on")
        if state == "paused":
            return self.tr("Train on from where it waits (Ctrl+G)")
        return self.tr("Wait after this step, with everything in memory (Ctrl+P)")

    def _stop_text(self, state: str, when: str) -> str:
        if state != "stopping":
            return self.tr("Stop")
        if self._overdue:
            return self.tr("Force stop")
        if when == "epoch":
            return self.tr("Stopping after this epoch…")
        return self.tr("Stopping after this task…") if when == "task" else self.tr("Stopping…")

    def _stop_help(self, when: str) -> str:
        if self._overdue:
            return self.tr("End training in the middle of its step; what was saved before is kept")
        if when in ("epoch", "task"):
            return self.tr("Press to stop after this step instead (Ctrl+.)")
        return self.tr("Stop after this step (Ctrl+.)")

    def _count_while(self, stopping: bool) -> None:
        """Count the seconds while the end of the step is waited for."""
        if stopping and not self.seconds.isActive():
            self._asked = time.monotonic()
            self.seconds.start()
        elif not stopping:
            self.seconds.stop()

    def _count(self) -> None:
        waited = round(time.monotonic() - self._asked)
        if waited >= _TOLD_AFTER:
            self.stop.setText(self.tr("Stopping… ({seconds} s)").format(seconds=waited))

    def _pause_or_go_on(self) -> None:
        if self._state in ("pausing", "paused"):
            self.go_on_requested.emit()
        else:
            self.pause_requested.emit()

    def _stop_now(self) -> None:
        if self._overdue:
            self.force_requested.emit()
        else:
            self.stop_requested.emit("now")

    def _stop_after_epoch(self) -> None:
        self.stop_requested.emit("epoch")

    def _stop_after_task(self) -> None:
        self.stop_requested.emit("task")
