"""What ends the window from outside: a signal, or the end of the session with its desktop."""

import signal
import socket
from types import FrameType
from typing import Any

from PySide6.QtCore import QObject, QSocketNotifier, Signal
from PySide6.QtGui import QGuiApplication

from workbench.face.closing import Closing

INTERRUPTED, STOPPED = 130, 3  # exit codes, as on the command line
_NUMBERS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
]


class Signals(QObject):
    """Hands signals of the system to Qt's loop: the handler does nothing, the number comes by a socket."""

    heard = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._hand_on)
        self._before: dict[int, Any] = {
            number: signal.signal(number, _noted) for number in _NUMBERS if not _is_ignored(number)
        }
        self._wakeup = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)

    def shut_down(self) -> None:
        """Leave the signals to whoever had them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._notifier.setEnabled(False)
        self._read.close()
        self._write.close()

    def _hand_on(self) -> None:
        for number in self._read.recv(64):
            if number in self._before:
                self.heard.emit(number)


class FromOutside(QObject):
    """Ends the window as "Stop, save and quit" would, without a question.

    Attributes:
        code: exit code of a window that a signal ended; 0 if none did.
    """

    def __init__(self, app: QGuiApplication, closing: Closing) -> None:
        super().__init__(closing)
        self._app, self._closing = app, closing
        self.code = 0
        self._signals = Signals(self)
        self._signals.heard.connect(self._end)
        app.commitDataRequest.connect(self._save)

    def shut_down(self) -> None:
        """Listen no more."""
        self._signals.shut_down()
        self._app.commitDataRequest.disconnect(self._save)

    def _end(self, number: int) -> None:
        if not self.code:  # a second one changes nothing
            self.code = INTERRUPTED if number == signal.SIGINT else STOPPED
        self._closing.stop_and_close(unattended=True)

    def _save(self) -> None:
        """The session ends, or another program keeps it: the run is stopped and saved, the window stays."""
        self._closing.save()


def _is_ignored(number: int) -> bool:
    """Whether `nohup` protects the program from its terminal's end."""
    return number != signal.SIGINT and signal.getsignal(number) == signal.SIG_IGN


def _noted(_: int, __: FrameType | None) -> None:
    """Nothing: that there is a handler keeps the program alive, the rest is done in Qt's loop."""
