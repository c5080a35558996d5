"""Accuracy against cost: one point a method, a whisker of one standard deviation, cost on a logarithmic axis."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from workbench.face.compare_lines import style_of
from workbench.face.drawing import Drawing, Place
from workbench.face.label_places import NEAR, label_places, nearest
from workbench.face.language import say
from workbench.face.panel import Table

_MARK = 5.0  # half the width of a marker
_CAP = 4.0  # half the width of a whisker's end
_CENTRE = Qt.AlignmentFlag.AlignCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_SIDES = (0, 4, 3, 5)  # corners of the markers in turn; 0 is a disc


@dataclass(frozen=True)
class CostPoint:
    """One method: its cost (> 0), and mean and deviation of its accuracy as fractions."""

    label: str
    cost: float
    mean: float
    deviation: float | None
    place: int  # in the study: decides colour and marker


@dataclass(frozen=True)
class CostPlane(Drawing):
    """Points on one pair of axes; both begin near the data, as cost is a matter of orders of magnitude."""

    measure: str
    cost: str
    points: tuple[CostPoint, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.points), 1 if self.points else 0

    def box(self, row: int, column: int, place: Place) -> QRectF:
        at, reach = self.at_point(self.points[row], place), 2 * _MARK
        return QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach)

    def sentence(self, row: int, column: int) -> str:
        point = self.points[row]
        text = say("{label}: {measure} {accuracy} %, {cost} {value}")
        return text.format(
            label=point.label, measure=self.measure, accuracy=self._accuracy(point), cost=self.cost,
            value=number_text(point.cost),
        )  # fmt: skip

    def table(self) -> Table:
        rows = [
            [each.label, f"{each.cost:.6g}", f"{100 * each.mean:.2f}",
             "" if each.deviation is None else f"{100 * each.deviation:.2f}"]
            for each in self.points
        ]  # fmt: skip
        return [say("method"), self.cost, f"{self.measure}, %", "s"], rows

    @cached_property
    def costs(self) -> tuple[float, float]:
        """Lowest and highest cost of the axis, a factor of 4 apart at least."""
        low, high = (f(each.cost for each in self.points) for f in (min, max))
        middle, half = math.sqrt(low * high), max(math.sqrt(high / low), 2.0) * 1.35
        return middle / half, middle * half

    @cached_property
    def accuracies(self) -> tuple[float, float]:
        """Lowest and highest accuracy of the axis, with room around the whiskers."""
        low = min(each.mean - (each.deviation or 0.0) for each in self.points)
        high = max(each.mean + (each.deviation or 0.0) for each in self.points)
        room = max(0.12 * (high - low), 0.01)
        return max(low - room, 0.0), min(high + room, 1.0) if high <= 1 else high

    def area(self, place: Place) -> QRectF:
        """Return the room between the axes."""
        metrics = QFontMetricsF(place.font)
        wide = metrics.horizontalAdvance("100.5") + 10
        return place.rect.adjusted(wide, metrics.height() + 8, -12, -2 * metrics.height() - 10)

    def at_point(self, point: CostPoint, place: Place) -> QPointF:
        """Return where a method lies."""
        return QPointF(self._x(point.cost, place), self._y(point.mean, place))

    def names(self, place: Place) -> list[QRectF | None]:
        """Return where each method's name stands; None where there is no room for it."""
        metrics = QFontMetricsF(place.font)
        at = [self.at_point(each, place) for each in self.points]
        sizes = [
            QSizeF(metrics.horizontalAdvance(each.label) + 2, metrics.height())
            for each in self.points
        ]
        marks = [
            QRectF(p.x() - _MARK, p.y() - _MARK, 2 * _MARK, 2 * _MARK).united(whisker)
            for p, whisker in zip(at, self._whiskers(place), strict=True)
        ]
        return label_places(at, sizes, self.area(place), marks)

    def paint(self, painter: QPainter, place: Place) -> None:
        painter.setFont(place.font)
        self._paint_axes(painter, place)
        for point, whisker in zip(self.points, self._whiskers(place), strict=True):
            self._paint_whisker(painter, place, point, whisker)
        for point, name in zip(self.points, self.names(place), strict=True):
            at = self.at_point(point, place)
            if name is not None:
                self._paint_name(painter, place, point, name)
            self._paint_mark(painter, place, point, at)

    def _accuracy(self, point: CostPoint) -> str:
        mean = f"{100 * point.mean:.1f}"
        return mean if point.deviation is None else f"{mean} ± {100 * point.deviation:.1f}"

    def _x(self, cost: float, place: Place) -> float:
        area, (low, high) = self.area(place), self.costs
        return area.left() + area.width() * math.log(cost / low) / math.log(high / low)

    def _y(self, accuracy: float, place: Place) -> float:
        area, (low, high) = self.area(place), self.accuracies
        return area.bottom() - area.height() * (accuracy - low) / (high - low)

    def _whiskers(self, place: Place) -> list[QRectF]:
        """Return the box around each whisker; without a deviation it has no height."""
        found = []
        for point in self.points:
            s, x = point.deviation or 0.0, self._x(point.cost, place)
            top, bottom = self._y(point.mean + s, place), self._y(point.mean - s, place)
            found.append(QRectF(x - _CAP, top, 2 * _CAP, bottom - top))
        return found

    def _paint_axes(self, painter: QPainter, place: Place) -> None:
        area, theme = self.area(place), place.theme
        high = QFontMetricsF(place.font).height()
        grid, text = QPen(QColor(theme.grid), 1), QPen(QColor(theme.muted))
        for accuracy in even_ticks(*self.accuracies, most=max(2, int(area.height() / 36))):
            y = self._y(accuracy, place)
            painter.setPen(grid)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(text)
            box = QRectF(place.rect.left(), y - high / 2, area.left() - place.rect.left() - 6, high)
            painter.drawText(box, _RIGHT, f"{100 * accuracy:.4g}")
        for cost, box in self._cost_ticks(place):
            x = self._x(cost, place)
            painter.setPen(grid)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(text)
            painter.drawText(box, _CENTRE, number_text(cost))
        painter.setPen(QPen(QColor(theme.control), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.setPen(text)
        top = QRectF(place.rect.left(), place.rect.top(), place.rect.width(), high + 2)
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft, f"{self.measure}, %")
        below = QRectF(area.left(), area.bottom() + high + 6, area.width(), high + 2)
        painter.drawText(below, _CENTRE, say("{cost} (logarithmic)").format(cost=self.cost))

    def _cost_ticks(self, place: Place) -> Iterator[tuple[float, QRectF]]:
        """Yield costs with the boxes of their numbers, leaving out what would touch the one before."""
        metrics, area = QFontMetricsF(place.font), self.area(place)
        last = -math.inf
        for cost in log_ticks(*self.costs):
            x, wide = self._x(cost, place), metrics.horizontalAdvance(number_text(cost)) + 12
            if x - wide / 2 >= last and x + wide / 2 <= place.rect.right() + 8:
                last = x + wide / 2
                yield cost, QRectF(x - wide / 2, area.bottom() + 3, wide, metrics.height())

    def _paint_whisker(
        self, painter: QPainter, place: Place, point: CostPoint, box: QRectF
    ) -> None:
        if point.deviation is None:
            return
        painter.setPen(QPen(QColor(style_of(place.theme, point.place)[0]), 1.4))
        middle = box.center().x()
        painter.drawLine(QPointF(middle, box.top()), QPointF(middle, box.bottom()))
        for y in (box.top(), box.bottom()):
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))

    def _paint_name(self, painter: QPainter, place: Place, point: CostPoint, name: QRectF) -> None:
        at = self.at_point(point, place)
        end = nearest(name, at)
        if math.hypot(end.x() - at.x(), end.y() - at.y()) > NEAR:
            painter.setPen(QPen(QColor(place.theme.control), 1))
            painter.drawLine(at, end)
        painter.setPen(QColor(place.theme.text))
        painter.drawText(name, _CENTRE, point.label)

    def _paint_mark(self, painter: QPainter, place: Place, point: CostPoint, at: QPointF) -> None:
        painter.setPen(QPen(QColor(place.theme.base), 1.2))
        painter.setBrush(QColor(style_of(place.theme, point.place)[0]))
        corners = _SIDES[point.place % len(_SIDES)]
        if not corners:
            painter.drawEllipse(at, _MARK, _MARK)
        else:
            painter.drawPolygon(_corners(at, corners))
        painter.setBrush(Qt.BrushStyle.NoBrush)


def _corners(at: QPointF, count: int) -> QPolygonF:
    turns = (2 * math.pi * corner / count - math.pi / 2 for corner in range(count))
    reach = 1.25 * _MARK
    return QPolygonF([QPointF(at.x() + reach * math.cos(t), at.y() + reach * math.sin(t)) for t in turns])  # fmt: skip


def even_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most `most` + 1 round values from low to high, 1, 2 or 5 times a power of ten apart."""
    raw = (high - low) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten from low to high; over more than three decades the powers alone."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1,) if high / low > 2e3 else (1, 2, 5)
    found = (factor * 10.0**decade for decade in decades for factor in factors)
    return [value for value in found if low <= value <= high]


def number_text(value: float) -> str:
    """Return a number as an axis shows it: 0.5, 20, 1,000, 2.5 M; no power of ten in front of a unit."""
    if value >= 1e6:
        return say("{number} M").format(number=f"{value / 1e6:,.3g}")
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
