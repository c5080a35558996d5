"""A heat map of numbers with names at its left and above: task against task, on viridis."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from workbench.face.drawing import Drawing, Place
from workbench.face.legend import beside_each_other, shortened
from workbench.face.panel import Table
from workbench.face.theme import Theme, readable_on, viridis

_CENTRE = Qt.AlignmentFlag.AlignCenter
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_APART = 6.0  # pixels between the other rows and one that is set apart
_HIGHEST = 64.0  # pixels of a row
_SPILL = 20.0  # pixels that a number above may reach over its column
_SMALLEST = 5.0  # points of the numbers in cells

Values = tuple[tuple[float | None, ...], ...]  # (rows, columns), None where nothing is known


@dataclass(frozen=True)
class HeatMap(Drawing):
    """Numbers by row and column; `top` is the value drawn brightest, 0 the darkest."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Values
    say: Callable[[int, int], str]  # a cell in words, by row and column
    corner: str  # says what rows and columns are
    formula: str
    short: Callable[[float], str]  # in a cell
    exact: Callable[[float], str]  # in the table
    top: float = 1.0
    last_apart: bool = False  # the last row is of another kind

    @property
    def shape(self) -> tuple[int, int]:
        return (len(self.rows), len(self.columns)) if self.columns else (0, 0)

    def sentence(self, row: int, column: int) -> str:
        return self.say(row, column)

    def hint(self, row: int, column: int, point: QPointF, place: Place) -> str:
        return f"{self.sentence(row, column)}\n{self.formula}"

    def table(self) -> Table:
        rows = [
            [name, *("" if value is None else self.exact(value) for value in values)]
            for name, values in zip(self.rows, self.values, strict=True)
        ]
        return [self.corner, *self.columns], rows if self.columns else []

    def box(self, row: int, column: int, place: Place) -> QRectF:
        left, top = self._name_width(place), _head_height(place)
        wide = (place.rect.width() - left) / len(self.columns)
        apart = _APART if self.last_apart else 0.0
        high = min((place.rect.height() - top - apart) / len(self.rows), _HIGHEST)
        below = apart if row == len(self.rows) - 1 else 0.0
        y = place.rect.top() + top + row * high + below
        return QRectF(place.rect.left() + left + column * wide, y, wide, high)

    def paint(self, painter: QPainter, place: Place) -> None:
        self._paint_names(painter, place)
        number = self._number_font(place)
        written = number.pointSizeF() > _SMALLEST
        for row, values in enumerate(self.values):
            for column, value in enumerate(values):
                box = self.box(row, column, place)
                self._paint_cell(painter, box, value, number if written else None, place.theme)

    def _paint_names(self, painter: QPainter, place: Place) -> None:
        metrics = QFontMetricsF(place.font)
        wide, high = self._name_width(place), _head_height(place)
        painter.setFont(place.font)
        painter.setPen(QColor(place.theme.muted))
        room = self.box(0, 0, place).width() - 1
        for column, name in enumerate(beside_each_other(self.columns, room, metrics)):
            box = self.box(0, column, place)
            head = QRectF(box.left() - _SPILL, place.rect.top(), box.width() + 2 * _SPILL, high)
            painter.drawText(head, _CENTRE, name)
        corner = QRectF(place.rect.topLeft(), QSizeF(wide, high))
        painter.drawText(corner, _LEFT, shortened(self.corner, corner.width(), metrics))
        for row, name in enumerate(self.rows):
            box = self.box(row, 0, place)
            side = QRectF(place.rect.left(), box.top(), wide, box.height())
            painter.drawText(side, _LEFT, shortened(name, wide - 8, metrics))

    def _paint_cell(
        self, painter: QPainter, box: QRectF, value: float | None, font: QFont | None, theme: Theme
    ) -> None:
        inner = box.adjusted(1, 1, -1, -1)
        if value is None:
            painter.fillRect(inner, QColor(theme.grid if theme.name == "dark" else theme.window))
            return
        colour = viridis(value / self.top)
        painter.fillRect(inner, QColor(colour))
        if font is not None:
            painter.setPen(QColor(readable_on(colour)))
            painter.setFont(font)
            painter.drawText(inner, _CENTRE, self.short(value))

    def _name_width(self, place: Place) -> float:
        """Return the width of the row names: at most 30 % of the whole."""
        metrics = QFontMetricsF(place.font)
        wide = max(metrics.horizontalAdvance(name) for name in (*self.rows, self.corner)) + 10
        return min(wide, 0.3 * place.rect.width())

    def _number_font(self, place: Place) -> QFont:
        """Return the font, made smaller until every number fits a cell; the smallest fits none."""
        box, font = self.box(0, 0, place), QFont(place.font)
        known = [self.short(value) for row in self.values for value in row if value is not None]
        longest = max(known, key=len, default="")
        while font.pointSizeF() > _SMALLEST:
            metrics = QFontMetricsF(font)
            wide = metrics.horizontalAdvance(longest) + 4
            if wide <= box.width() and metrics.height() <= box.height():
                break
            font.setPointSizeF(font.pointSizeF() - 0.5)
        return font


def _head_height(place: Place) -> float:
    """Return the height of the column names."""
    return QFontMetricsF(place.font).height() + 6
