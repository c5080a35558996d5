"""Pictures made of cells, painted on any device: the keyboard walks over them, each cell tells itself in words."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QToolTip, QWidget

from workbench.face.legend import Entry, Legend
from workbench.face.panel import Panel, Table
from workbench.face.theme import Theme

_MOVES = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0),
          Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}  # fmt: skip
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


@dataclass(frozen=True)
class Place:
    """Where and in which looks a drawing is painted."""

    rect: QRectF
    font: QFont
    theme: Theme


class Drawing(ABC):
    """An immutable picture of rows and columns of cells."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Rows and columns; (0, 0) where there is nothing to see."""

    @abstractmethod
    def box(self, row: int, column: int, place: Place) -> QRectF:
        """Return a cell's rectangle."""

    @abstractmethod
    def paint(self, painter: QPainter, place: Place) -> None:
        """Draw everything on any device."""

    @abstractmethod
    def sentence(self, row: int, column: int) -> str:
        """Return one cell in words."""

    @abstractmethod
    def table(self) -> Table:
        """Return the numbers as headings and rows."""

    def hint(self, row: int, column: int, point: QPointF, place: Place) -> str:
        """Return what the tooltip says of a cell, or of a point within it."""
        return self.sentence(row, column)

    def at(self, point: QPointF, place: Place) -> tuple[int, int] | None:
        """Return row and column under a point."""
        rows, columns = self.shape
        for row in range(rows):
            for column in range(columns):
                if self.box(row, column, place).contains(point):
                    return row, column
        return None


class CellView(QWidget):
    """A drawing on the screen, or a sentence that says what will be there."""

    opened = Signal(int, int)  # row and column of a cell that was clicked, or entered by key

    def __init__(self, panel: "DrawingPanel") -> None:
        super().__init__(panel)
        self._panel = panel
        self.drawing: Drawing | None = None
        self.empty = ""
        self.current = (0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_drawing(self, drawing: Drawing | None, empty: str) -> None:
        """Show another drawing; the chosen cell stays where it can."""
        self.drawing = drawing if drawing is not None and drawing.shape[0] else None
        self.empty = empty
        rows, columns = self.drawing.shape if self.drawing else (1, 1)
        self.current = (min(self.current[0], rows - 1), min(self.current[1], columns - 1))
        self.update()

    def place(self) -> Place:
        """Return where the drawing lies within this widget."""
        return Place(QRectF(self.rect()), self.font(), self._panel.theme)

    def paintEvent(self, _: QPaintEvent) -> None:
        with QPainter(self) as painter:  # ended whatever happens: Qt dies of a painter left open
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_all(painter)

    def _paint_all(self, painter: QPainter) -> None:
        place = self.place()
        if self.drawing is None:
            painter.setPen(QColor(place.theme.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(place.rect.adjusted(12, 0, -12, 0), flags, self.empty)
        else:
            self.drawing.paint(painter, place)
            if self.hasFocus():
                self._paint_focus(painter, self.drawing.box(*self.current, place))

    def _paint_focus(self, painter: QPainter, box: QRectF) -> None:
        """Frame the chosen cell dark on bright, so that it is seen on any colour."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, inside in (("#ffffff", 1.0), ("#000000", 2.5)):
            painter.setPen(QPen(QColor(colour), 1.5))
            painter.drawRect(box.adjusted(inside, inside, -inside, -inside))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = _MOVES.get(Qt.Key(event.key()))
        if event.key() in _ENTER and self.drawing is not None:
            self.opened.emit(*self.current)
            return
        if move is None or self.drawing is None:
            super().keyPressEvent(event)
            return
        rows, columns = self.drawing.shape
        row = min(max(self.current[0] + move[0], 0), rows - 1)
        self._go_to((row, min(max(self.current[1] + move[1], 0), columns - 1)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.drawing.at(event.position(), self.place()) if self.drawing else None
        if found:
            self._go_to(found)
        super().mousePressEvent(event)
        if found and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(*found)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self.drawing:
            point, place = QPointF(event.pos()), self.place()
            found = self.drawing.at(point, place)
            if found:
                text = self.drawing.hint(*found, point, place)
                QToolTip.showText(event.globalPos(), text, self)
                return True
        return super().event(event)

    def _go_to(self, cell: tuple[int, int]) -> None:
        self.current = cell
        if self.drawing is not None:
            self.setAccessibleDescription(self.drawing.sentence(*cell))
        self.update()


class DrawingPanel(Panel):
    """A panel that shows one drawing at a time."""

    def __init__(
        self, title: str, parent: QWidget | None = None, theme: Theme | None = None
    ) -> None:
        super().__init__(title, parent, theme)
        self.view = CellView(self)
        self._legend: Legend | None = None
        self.body.addWidget(self.view, 1)
        self.setFocusProxy(self.view)
        self.setMinimumSize(160, 120)

    def add_legend(self) -> None:
        """Make room for names above the drawing; `show_legend` fills it."""
        self._legend = Legend(self.theme, self)
        self.body.insertWidget(1, self._legend)

    def show_legend(self, entries: Sequence[Entry]) -> None:
        """Name what is drawn."""
        if self._legend is not None:
            self._legend.theme = self.theme
            self._legend.show_entries(entries)

    @property
    def drawing(self) -> Drawing | None:
        """What is shown, if anything."""
        return self.view.drawing

    def show_drawing(self, drawing: Drawing | None, summary: str, *, empty: str) -> None:
        """Show a drawing with its summary; `empty` stands where there is nothing to draw."""
        self.view.show_drawing(drawing, empty)
        self.set_summary(summary)

    def table(self) -> Table:
        return self.view.drawing.table() if self.view.drawing else ([self.title()], [])

    def paint(self, painter: QPainter) -> None:
        super().paint(painter)
        if self._legend is not None:
            self._legend.paint_on(painter, self._legend.geometry().topLeft())
        if self.view.drawing is not None:
            place = Place(QRectF(self.view.geometry()), self.font(), self.theme)
            self.view.drawing.paint(painter, place)

    def set_summary(self, text: str) -> None:
        super().set_summary(text)
        self.view.setAccessibleName(self.title())
        self.view.setAccessibleDescription(text)

    def take_theme(self, theme: Theme) -> None:
        super().take_theme(theme)
        self.view.update()
