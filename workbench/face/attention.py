"""Tells who looks elsewhere: progress in the window's title, and a notification when a run has ended."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QStyle, QSystemTrayIcon

from workbench.face.desk import Desk
from workbench.face.feature import Feature

_SHOWN_MS = 15_000


class Attention(Feature):
    """Writes the title; speaks up at the end, or at a pause between tasks, if the window is not active."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._plain = desk.window.windowTitle()
        self.tray: QSystemTrayIcon | None = None
        self._gone = QTimer(self)
        self._gone.setSingleShot(True)
        self._gone.setInterval(_SHOWN_MS)
        self._gone.timeout.connect(self._hide)
        desk.training.state_changed.connect(self._state_changed)
        desk.training.news.connect(self._write_title)
        desk.training.ended.connect(self._run_ended)

    def shut_down(self) -> None:
        """Take the notification away."""
        self._gone.stop()
        self._hide()

    def title(self) -> str:
        """Return "61 % · run-0042 — NTK-CL workbench" while a run trains."""
        training = self.desk.training
        if training.state == "idle" or training.run is None:
            return self._plain
        counted, run = training.counted, training.run.name
        if training.state == "paused":
            return self.tr("Paused · {run} — {program}").format(run=run, program=self._plain)
        if not counted:
            return self.tr("{run} — {program}").format(run=run, program=self._plain)
        text = self.tr("{counted} · {run} — {program}")
        return text.format(counted=counted, run=run, program=self._plain)

    def _write_title(self) -> None:
        title = self.title()
        if title != self.desk.window.windowTitle():
            self.desk.window.setWindowTitle(title)

    def _state_changed(self) -> None:
        self._write_title()
        training = self.desk.training
        if training.state == "paused" and training.paused_after is not None:
            text = self.tr("Task {number} is learnt; the run waits.")
            self._speak_up(text.format(number=training.paused_after + 1))

    def _run_ended(self, state: str) -> None:
        self._write_title()
        run = self.desk.training.run
        sentences = {
            "finished": self.tr("{run} is finished."),
            "stopped": self.tr("{run} was stopped."),
            "failed": self.tr("{run} ended with an error."),
            "interrupted": self.tr("{run} was cut off before its end."),
        }
        if run is not None and state in sentences:
            self._speak_up(sentences[state].format(run=run.name))

    def _speak_up(self, sentence: str) -> None:
        """Blink in the task bar and show a notification, unless the window is being looked at."""
        window = self.desk.window
        if window.isActiveWindow() or not window.isVisible():
            return
        QApplication.alert(window)
        if QSystemTrayIcon.isSystemTrayAvailable():
            if self.tray is None:
                self.tray = QSystemTrayIcon(self._icon(), self)
                self.tray.messageClicked.connect(self._come_forward)
                self.tray.activated.connect(self._come_forward)
            self.tray.show()
            self.tray.showMessage(self._plain, sentence, self._icon(), _SHOWN_MS)
            self._gone.start()

    def _icon(self) -> QIcon:
        """Return the window's icon; a tray icon without one is not shown."""
        icon = self.desk.window.windowIcon()
        computer = QStyle.StandardPixmap.SP_ComputerIcon
        return self.desk.window.style().standardIcon(computer) if icon.isNull() else icon

    def _come_forward(self) -> None:
        self.desk.window.raise_()
        self.desk.window.activateWindow()
        self._hide()

    def _hide(self) -> None:
        if self.tray is not None:
            self.tray.hide()
