"""A confusion matrix as a drawing: rows true, columns answered, lines around tasks, darkness where nothing is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from workbench.answers import Integers
from workbench.face.drawing import Drawing, Place
from workbench.face.language import say
from workbench.face.legend import beside_each_other, shortened
from workbench.face.panel import Table
from workbench.face.theme import readable_on, viridis

Run = tuple[int, int, str]  # start, stop and name of the classes of one task

_CENTRE = Qt.AlignmentFlag.AlignCenter
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_NAMED = 38.0  # pixels of a column from which it has a name of its own
_GAPS = 8.0  # pixels of a cell from which a line of background lies around it
_SMALLEST = 6.0  # points of the numbers in cells
_LARGEST = 72.0  # pixels of a cell


@dataclass(frozen=True, eq=False)
class ConfusionMap(Drawing):
    """Counts (rows, columns); `shares` draws each as a share of its row's pictures, `totals`."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: Integers
    totals: Integers  # pictures of each row, those answered outside the columns included
    row_runs: tuple[Run, ...]
    column_runs: tuple[Run, ...]
    shares: bool
    say: Callable[[int, int], str]

    @property
    def shape(self) -> tuple[int, int]:
        return (len(self.rows), len(self.columns)) if self.columns else (0, 0)

    @cached_property
    def part(self) -> NDArray[np.float64]:
        """What is drawn, from 0 to 1."""
        whole = self.totals[:, None] if self.shares else max(int(self.counts.max()), 1)
        return np.asarray(self.counts / np.maximum(whole, 1))

    def sentence(self, row: int, column: int) -> str:
        return self.say(row, column)

    def table(self) -> Table:
        rows = [[name, *map(str, row)] for name, row in zip(self.rows, self.counts.tolist(), strict=True)]  # fmt: skip
        return [say("true ↓  answered →"), *self.columns], rows

    def field(self, place: Place) -> QRectF:
        """Return where the cells lie: as square as they can be, beside the names."""
        metrics = QFontMetricsF(place.font)
        left = self._name_width(place, metrics)
        top = metrics.height() + 8
        room = place.rect.adjusted(left, top, -2, -2)
        wide = min(max(room.width(), 1.0) / len(self.columns), _LARGEST)
        high = min(max(room.height(), 1.0) / len(self.rows), wide)
        wide = min(wide, max(high * 2.2, 24.0 if len(self.columns) < 12 else high))
        return QRectF(room.left(), room.top(), wide * len(self.columns), high * len(self.rows))

    def box(self, row: int, column: int, place: Place) -> QRectF:
        whole = self.field(place)
        wide, high = whole.width() / len(self.columns), whole.height() / len(self.rows)
        return QRectF(whole.left() + column * wide, whole.top() + row * high, wide, high)

    def at(self, point: QPointF, place: Place) -> tuple[int, int] | None:
        whole = self.field(place)
        if not whole.contains(point):
            return None
        row = int((point.y() - whole.top()) / whole.height() * len(self.rows))
        column = int((point.x() - whole.left()) / whole.width() * len(self.columns))
        return min(row, len(self.rows) - 1), min(column, len(self.columns) - 1)

    def paint(self, painter: QPainter, place: Place) -> None:
        whole = self.field(place)
        painter.fillRect(whole, QColor(place.theme.grid))
        self._paint_cells(painter, place, whole)
        self._paint_lines(painter, place, whole)
        self._paint_names(painter, place, whole)

    def _paint_cells(self, painter: QPainter, place: Place, whole: QRectF) -> None:
        wide, high = whole.width() / len(self.columns), whole.height() / len(self.rows)
        gap = 0.5 if min(wide, high) >= _GAPS else 0.0
        font = self._number_font(place, wide, high)
        painter.setFont(font or place.font)
        found = np.nonzero(self.counts)
        for row, column in zip(*(places.tolist() for places in found), strict=True):
            box = QRectF(whole.left() + column * wide, whole.top() + row * high, wide, high)
            colour = viridis(0.12 + 0.88 * float(self.part[row, column]))
            painter.fillRect(box.adjusted(gap, gap, -gap, -gap), QColor(colour))
            if font is not None:
                painter.setPen(QColor(readable_on(colour)))
                painter.drawText(box, _CENTRE, self._written(row, column))

    def _paint_lines(self, painter: QPainter, place: Place, whole: QRectF) -> None:
        wide, high = whole.width() / len(self.columns), whole.height() / len(self.rows)
        painter.setPen(QPen(QColor(place.theme.text), 1.2))
        for start, _, _ in self.row_runs[1:]:
            y = whole.top() + start * high
            painter.drawLine(QLineF(whole.left(), y, whole.right(), y))
        for start, _, _ in self.column_runs[1:]:
            x = whole.left() + start * wide
            painter.drawLine(QLineF(x, whole.top(), x, whole.bottom()))
        painter.setPen(QPen(QColor(place.theme.control), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(whole)

    def _paint_names(self, painter: QPainter, place: Place, whole: QRectF) -> None:
        metrics = QFontMetricsF(place.font)
        painter.setFont(place.font)
        painter.setPen(QColor(place.theme.muted))
        wide, high = whole.width() / len(self.columns), whole.height() / len(self.rows)
        left = place.rect.left()
        for start, stop, name in self._names(self.rows, self.row_runs, high, metrics.height()):
            side = QRectF(
                left, whole.top() + start * high, whole.left() - left, (stop - start) * high
            )
            painter.drawText(side, _LEFT, shortened(name, side.width() - 8, metrics))
        above = self._names(self.columns, self.column_runs, wide, _NAMED)
        for start, stop, name in above:
            x, room = whole.left() + start * wide, (stop - start) * wide
            (cut,) = beside_each_other([name], room - 4, metrics)
            painter.drawText(QRectF(x, place.rect.top(), room, metrics.height() + 6), _CENTRE, cut)

    def _names(
        self, names: Sequence[str], runs: Sequence[Run], each: float, needed: float
    ) -> Sequence[Run]:
        """Return the names of single classes where there is room, else those of the tasks."""
        if each >= needed:
            return [(i, i + 1, name) for i, name in enumerate(names)]
        return runs

    def _written(self, row: int, column: int) -> str:
        if self.shares:
            return f"{100 * self.part[row, column]:.0f}"
        return str(int(self.counts[row, column]))

    def _number_font(self, place: Place, wide: float, high: float) -> QFont | None:
        """Return a font in which every number fits its cell, or None where none does."""
        font = QFont(place.font)
        longest = "100" if self.shares else str(int(self.counts.max()))
        while font.pointSizeF() >= _SMALLEST:
            metrics = QFontMetricsF(font)
            if metrics.horizontalAdvance(longest) + 3 <= wide and metrics.height() <= high:
                return font
            font.setPointSizeF(font.pointSizeF() - 0.5)
        return None

    def _name_width(self, place: Place, metrics: QFontMetricsF) -> float:
        names: list[Any] = [*self.rows, *(name for _, _, name in self.row_runs)]
        widest = max(metrics.horizontalAdvance(name) for name in names) + 10
        return float(min(widest, 0.3 * place.rect.width()))
