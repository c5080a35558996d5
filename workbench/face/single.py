"""One window for each log: a second start brings the first window to the front and hands its folders over.

A lock file beside the log says who owns it (Qt removes the lock of a process that is gone); a local
socket, named after user and log, carries the second start's folders. Nothing leaves the computer.
"""

import getpass
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QDeadlineTimer, QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_ANSWER_WITHIN = 5000  # ms that a second start waits for the first window
_LONGEST = 1 << 20  # bytes of a message; a thousand long paths fit
_SEEN = b"seen"


class OnlyWindow(QObject):
    """The right to be this log's window.

    `asked_for` brings the folders of a second start; an empty list only asks the window to come forward.
    """

    asked_for = Signal(list)

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = QLockFile(str(home / "window.lock"))
        self._lock.setStaleLockTime(0)  # only a process that is gone loses its lock, not a slow one
        self._name = _server_name(home)
        self._server: QLocalServer | None = None

    def take(self) -> bool:
        """Become the log's window; return False if another process is it already."""
        if not self._lock.tryLock(200):
            return False
        QLocalServer.removeServer(self._name)  # left by a window that was ended by force
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._greet)
        self._server.listen(self._name)
        return True

    def hand_over(self, folders: Sequence[str]) -> bool:
        """Give `folders` to the window that is open; return whether it answered."""
        socket = QLocalSocket()
        deadline = QDeadlineTimer(_ANSWER_WITHIN)
        socket.connectToServer(self._name)
        if not socket.waitForConnected(_ANSWER_WITHIN):
            return False
        socket.write(json.dumps(list(folders)).encode() + b"\n")
        while not socket.canReadLine() and socket.bytesAvailable() < len(_SEEN):
            if not socket.waitForReadyRead(max(1, int(deadline.remainingTime()))):
                return False
        return bytes(socket.readAll().data()).startswith(_SEEN)

    def release(self) -> None:
        """Let the next start be the log's window."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._lock.unlock()

    def _greet(self) -> None:
        while self._server is not None and self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            socket.readyRead.connect(self._read)
            socket.disconnected.connect(socket.deleteLater)

    def _read(self) -> None:
        socket = self.sender()
        if not isinstance(socket, QLocalSocket):
            return
        if socket.bytesAvailable() > _LONGEST:
            socket.abort()
        elif socket.canReadLine():
            folders = _folders_in(bytes(socket.readLine().data()))
            socket.write(_SEEN)
            socket.flush()
            self.asked_for.emit(folders)


def _folders_in(line: bytes) -> list[str]:
    """Return the paths a second start sent; whatever is not a list of texts is no request."""
    try:
        sent = json.loads(line)
    except ValueError:
        return []
    return [item for item in sent if isinstance(item, str)] if isinstance(sent, list) else []


def _server_name(home: Path) -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a process of a user without a name
        user = ""
    return f"ntkcl-{hashlib.sha256(f'{user}|{home}'.encode()).hexdigest()[:20]}"
