"""Where a window is at first, and how large: in the middle of its screen, no larger than that."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QWidget

FIRST = QSize(1280, 800)
_SPREAD = (
    Qt.WindowState.WindowMaximized
    | Qt.WindowState.WindowFullScreen
    | Qt.WindowState.WindowMinimized
)


def first_place(window: QWidget) -> None:
    """Give a window its first size and place, whatever has become of them."""
    window.setWindowState(window.windowState() & ~_SPREAD)
    room = window.screen().availableGeometry()
    size = FIRST.boundedTo(room.size()).expandedTo(window.minimumSize())
    window.resize(size)
    window.move(
        room.x() + max(0, (room.width() - size.width()) // 2),
        room.y() + max(0, (room.height() - size.height()) // 2),
    )
