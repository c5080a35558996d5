"""Points of two numbers each on equal axes, with the line on which they are equal."""

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from workbench.face.axis import YAxis, paint_below
from workbench.face.drawing import Drawing, Place
from workbench.face.panel import Table

_SIZE = 4.5  # pixels: radius of a point


@dataclass(frozen=True)
class Point:
    """One point: `x` and `y` are 0 or above."""

    name: str
    colour: str
    x: float
    y: float


@dataclass(frozen=True)
class Scatter(Drawing):
    """Points in the order of their x, in which the arrow keys walk over them."""

    points: tuple[Point, ...]
    x_name: str
    y_name: str
    formula: str

    @property
    def shape(self) -> tuple[int, int]:
        return (1, len(self.points)) if self.points else (0, 0)

    def box(self, row: int, column: int, place: Place) -> QRectF:
        centre, half = self._centre(self.points[column], place), _SIZE + 4
        return QRectF(centre.x() - half, centre.y() - half, 2 * half, 2 * half)

    def sentence(self, row: int, column: int) -> str:
        point = self.points[column]
        return f"{point.name}: {self.x_name} {point.x:.3g}, {self.y_name} {point.y:.3g}."

    def hint(self, row: int, column: int, point: QPointF, place: Place) -> str:
        return f"{self.sentence(row, column)}\n{self.formula}"

    def table(self) -> Table:
        rows = [[point.name, f"{point.x:.4g}", f"{point.y:.4g}"] for point in self.points]
        return ["class", self.x_name, self.y_name], rows

    def paint(self, painter: QPainter, place: Place) -> None:
        inner, most = self._inner(place), self._most()
        metrics = QFontMetricsF(place.font)
        self._axis(place).paint(painter, place, lambda value: f"{value:.3g}")
        paint_below(painter, place, inner, most, lambda value: f"{value:.3g}")
        foot = QRectF(
            inner.left(), place.rect.bottom() - metrics.height(), inner.width(), metrics.height()
        )
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, f"{self.x_name} →   {self.y_name} ↑")
        painter.setPen(QPen(QColor(place.theme.control), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(inner.bottomLeft(), inner.topRight()))
        for point in self.points:
            painter.setPen(QPen(QColor(place.theme.base), 1))
            painter.setBrush(QColor(point.colour))
            painter.drawEllipse(self._centre(point, place), _SIZE, _SIZE)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _centre(self, point: Point, place: Place) -> QPointF:
        inner = self._inner(place)
        x = inner.left() + inner.width() * point.x / self._most()
        return QPointF(x, self._axis(place).y(point.y))

    def _most(self) -> float:
        """Return where both axes end."""
        return 1.06 * max(max(point.x, point.y) for point in self.points) or 1.0

    def _axis(self, place: Place) -> YAxis:
        return YAxis(self._inner(place), 0.0, self._most())

    def _inner(self, place: Place) -> QRectF:
        metrics = QFontMetricsF(place.font)
        left = metrics.horizontalAdvance("0.005") + 6
        return place.rect.adjusted(left, metrics.height() / 2, -10, -2 * metrics.height() - 6)
