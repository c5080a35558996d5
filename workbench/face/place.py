"""How large windows and boxes are at first: no larger than the screen, or the window around."""

from PySide6.QtCore import QMargins, QSize, Qt
from PySide6.QtWidgets import QWidget

FIRST = QSize(1280, 800)
_SPREAD = (
    Qt.WindowState.WindowMaximized
    | Qt.WindowState.WindowFullScreen
    | Qt.WindowState.WindowMinimized
)


def fit(box: QWidget, width: int, height: int) -> None:
    """Give a box this size, or less where the window that it lies over is smaller."""
    around = box.parentWidget()
    if around is not None:
        room = around.window().size().shrunkBy(QMargins(20, 15, 20, 15))
        width, height = min(width, room.width()), min(height, room.height())
    box.resize(width, height)


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
