"""A small button in the status bar that opens a list above itself."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

_WIDTH = 64  # of the list, in letters
_ROWS = 22  # lines of text it may be high


class Popover(QFrame):
    """A heading over rows that scroll; closes with a click elsewhere or Esc."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("card", "true")
        self.setAccessibleName(title)
        heading = QLabel(title, self)
        heading.setTextFormat(Qt.TextFormat.PlainText)
        heading.setProperty("heading", "true")
        self.rows = QWidget(self)
        self.column = QVBoxLayout(self.rows)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(10)
        area = QScrollArea(self)
        area.setWidget(self.rows)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.viewport().setAutoFillBackground(False)
        self.rows.setAutoFillBackground(False)
        self.area = area
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(8)
        column.addWidget(heading)
        column.addWidget(area)

    def show_rows(self, rows: Sequence[QWidget]) -> None:
        """Show these in place of those before."""
        while (item := self.column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for row in rows:
            self.column.addWidget(row)
        self.column.addStretch(1)

    def open_over(self, button: QWidget) -> None:
        """Show the list above `button`, its right side over the button's."""
        metrics = self.fontMetrics()
        width = metrics.averageCharWidth() * _WIDTH
        self.area.setFixedWidth(width)
        wraps = self.column.hasHeightForWidth()
        wanted = self.column.heightForWidth(width) if wraps else self.column.sizeHint().height()
        self.area.setFixedHeight(min(wanted, metrics.lineSpacing() * _ROWS))
        self.adjustSize()
        corner = button.mapToGlobal(QPoint(button.width() - self.width(), -self.height() - 2))
        self.move(max(corner.x(), 0), max(corner.y(), 0))
        self.show()

    def hideEvent(self, event: QHideEvent) -> None:
        """Let the rows go: whoever opens the list fills it."""
        self.show_rows(())
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


def status_button(name: str, parent: QWidget) -> QToolButton:
    """Return a flat button for the status bar, reached by the keyboard."""
    button = QToolButton(parent)
    button.setAutoRaise(True)
    button.setAccessibleName(name)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
