"""Little plots beside each other on equal axes, one for each task."""

import itertools
import math
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from workbench.face.axis import YAxis
from workbench.face.drawing import Drawing, Place
from workbench.face.legend import DASHES, beside_each_other
from workbench.face.panel import Table

_NARROWEST = 104.0  # pixels of a plot with numbers below it
_GAP = 12.0
_FEW = 12  # points that have room as dots
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


@dataclass(frozen=True)
class Stroke:
    """One line of a little plot: points (x, y), x never falling."""

    label: str
    colour: str
    dash: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Little:
    """One little plot."""

    name: str
    strokes: tuple[Stroke, ...]
    told: str  # in words


@dataclass(frozen=True)
class Multiples(Drawing):
    """All plots share y, from 0 to the largest value, at least 1; x is each plot's own."""

    plots: tuple[Little, ...]
    x_name: str
    formula: str

    @property
    def shape(self) -> tuple[int, int]:
        return (1, len(self.plots)) if self.plots else (0, 0)

    def box(self, row: int, column: int, place: Place) -> QRectF:
        area, columns = self._area(place), self._columns(place)
        rows = math.ceil(len(self.plots) / columns)
        wide = (area.width() - _GAP * (columns - 1)) / columns
        high = (area.height() - _GAP * (rows - 1)) / rows
        down, across = divmod(column, columns)
        return QRectF(
            area.left() + across * (wide + _GAP), area.top() + down * (high + _GAP), wide, high
        )

    def sentence(self, row: int, column: int) -> str:
        return self.plots[column].told

    def hint(self, row: int, column: int, point: QPointF, place: Place) -> str:
        return f"{self.sentence(row, column)}\n\n{self.formula}"

    def table(self) -> Table:
        labels = list(dict.fromkeys(stroke.label for plot in self.plots for stroke in plot.strokes))
        rows = []
        for plot in self.plots:
            known = {stroke.label: dict(stroke.points) for stroke in plot.strokes}
            for x in sorted({x for points in known.values() for x in points}):
                found = [known.get(label, {}).get(x) for label in labels]
                values = ("" if value is None else f"{value:.4g}" for value in found)
                rows.append([plot.name, f"{x:g}", *values])
        return ["task", self.x_name, *labels], rows

    def paint(self, painter: QPainter, place: Place) -> None:
        top = max((y for p in self.plots for s in p.strokes for _, y in s.points), default=1.0)
        metrics, room = QFontMetricsF(place.font), self.box(0, 0, place).width()
        names = beside_each_other([plot.name for plot in self.plots], room, metrics)
        for index, name in enumerate(names):
            box = self.box(0, index, place)
            painter.setFont(place.font)
            painter.setPen(QColor(place.theme.text))
            painter.drawText(QRectF(box.topLeft(), QSizeF(room, metrics.height())), _LEFT, name)
            self._paint_plot(painter, place, index, max(1.0, 1.05 * top))

    def _paint_plot(self, painter: QPainter, place: Place, index: int, top: float) -> None:
        plot, box = self.plots[index], self.box(0, index, place)
        metrics = QFontMetricsF(place.font)
        inner = box.adjusted(0, metrics.height() + 6, 0, -metrics.height() - 5)
        axis = YAxis(inner, 0.0, top)
        first = index % self._columns(place) == 0
        axis.paint(painter, place, (lambda v: f"{v:.3g}") if first else (lambda v: ""))
        xs = sorted({x for stroke in plot.strokes for x, _ in stroke.points})
        painter.setPen(QColor(place.theme.muted))
        if not xs:
            painter.drawText(inner, Qt.AlignmentFlag.AlignCenter, "absent")
            return
        foot = QRectF(box.left(), inner.bottom() + 4, box.width(), metrics.height())
        if box.width() >= _NARROWEST:
            painter.drawText(foot, _LEFT, f"{xs[0]:,.0f}" if len(xs) > 1 else "")
            painter.drawText(foot, _RIGHT, f"{self.x_name} {xs[-1]:,.0f}")
        for stroke in plot.strokes:
            _paint_stroke(painter, stroke, axis, (xs[0], xs[-1]))

    def _area(self, place: Place) -> QRectF:
        left = QFontMetricsF(place.font).horizontalAdvance("0.5") + 8
        return place.rect.adjusted(left, 0, -2, 0)

    def _columns(self, place: Place) -> int:
        """Return as many columns as are wide enough, or more where the rows would be too low."""
        area, count = self._area(place), len(self.plots)
        lowest = 3.5 * QFontMetricsF(place.font).height() + _GAP
        fitting = max(int((area.width() + _GAP) / (_NARROWEST + _GAP)), 1)
        most_rows = max(int((area.height() + _GAP) / lowest), 1)
        columns = min(max(fitting, math.ceil(count / most_rows)), count)
        return math.ceil(count / math.ceil(count / columns))  # rows of nearly equal length


def _paint_stroke(
    painter: QPainter, stroke: Stroke, axis: YAxis, span: tuple[float, float]
) -> None:
    left, right = axis.box.left() + 4, axis.box.right() - 4
    each = (right - left) / (span[1] - span[0]) if span[1] > span[0] else 0.0
    points = [QPointF(right - each * (span[1] - x), axis.y(y)) for x, y in stroke.points]
    pen = QPen(QColor(stroke.colour), 2)
    pen.setStyle(DASHES[stroke.dash])
    painter.setPen(pen)
    for one, other in itertools.pairwise(points):
        painter.drawLine(QLineF(one, other))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(stroke.colour))
    size = 2.5 if len(points) <= _FEW else 1.5
    for point in points:
        painter.drawEllipse(point, size, size)
    painter.setBrush(Qt.BrushStyle.NoBrush)
