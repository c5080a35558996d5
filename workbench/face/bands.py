"""Signed parts stacked above and below zero, a band for each moment, and their sum as a line."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from workbench.face.axis import YAxis
from workbench.face.drawing import Drawing, Place
from workbench.face.language import say
from workbench.face.legend import beside_each_other
from workbench.face.panel import Table

_CENTRE = Qt.AlignmentFlag.AlignCenter
_WIDEST = 72.0  # pixels of a band


@dataclass(frozen=True)
class Part:
    """One kind of part, with its value at each moment; None where it is absent."""

    label: str
    colour: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Bands(Drawing):
    """Parts by moment, fractions shown in per cent. What is positive grows up, what is negative down."""

    names: tuple[str, ...]  # of the moments
    parts: tuple[Part, ...]
    totals: tuple[float | None, ...]
    total_label: str
    formula: str
    room: tuple[float, float] = (0.0, 0.0)  # shown at least, so that drawings can be compared

    @property
    def shape(self) -> tuple[int, int]:
        return (1, len(self.names)) if self.names else (0, 0)

    def box(self, row: int, column: int, place: Place) -> QRectF:
        inner = self._inner(place)
        wide = inner.width() / len(self.names)
        return QRectF(inner.left() + column * wide, inner.top(), wide, inner.height())

    def sentence(self, row: int, column: int) -> str:
        said = [
            f"{part.label} {_percent(value)}"
            for part in self.parts
            if (value := part.values[column]) is not None
        ]
        total = self.totals[column]
        whole = say("not measured") if total is None else _percent(total)
        number = f"{whole} ({', '.join(said)})" if said else whole
        return say("After {name}, {label}: {number}.").format(
            name=self.names[column], label=self.total_label, number=number
        )

    def hint(self, row: int, column: int, point: QPointF, place: Place) -> str:
        return f"{self.sentence(row, column)}\n\n{self.formula}"

    def table(self) -> Table:
        columns = [*(part.values for part in self.parts), self.totals]
        rows = [
            [
                name,
                *("" if values[at] is None else _percent(values[at] or 0.0) for values in columns),
            ]
            for at, name in enumerate(self.names)
            if self.totals[at] is not None
        ]
        return [say("after"), *(part.label for part in self.parts), self.total_label], rows

    def reach(self) -> tuple[float, float]:
        """Return the lowest and the highest value that the drawing must show, 0 among them."""
        lows, highs = [self.room[0]], [self.room[1]]
        for at in range(len(self.names)):
            known = [part.values[at] or 0.0 for part in self.parts]
            highs += [sum(value for value in known if value > 0), self.totals[at] or 0.0]
            lows += [sum(value for value in known if value < 0), self.totals[at] or 0.0]
        return min(lows), max(max(highs), min(lows) + 0.02)

    def paint(self, painter: QPainter, place: Place) -> None:
        axis = self._axis(place)
        axis.paint(painter, place, lambda value: f"{100 * value:.3g} %")
        metrics = QFontMetricsF(place.font)
        room = self.box(0, 0, place).width() - 4
        for at, name in enumerate(beside_each_other(self.names, room, metrics)):
            box = self.box(0, at, place)
            self._paint_band(painter, box, at, axis)
            painter.setPen(QColor(place.theme.muted))
            foot = QRectF(box.left() - 20, box.bottom() + 4, box.width() + 40, metrics.height())
            painter.drawText(foot, _CENTRE, name)
        self._paint_total(painter, place, axis)

    def _paint_band(self, painter: QPainter, box: QRectF, at: int, axis: YAxis) -> None:
        wide = min(0.62 * box.width(), _WIDEST)
        up = down = 0.0
        for part in self.parts:
            value = part.values[at] or 0.0
            start = up if value > 0 else down
            top, bottom = sorted((axis.y(start), axis.y(start + value)))
            band = QRectF(box.center().x() - wide / 2, top, wide, bottom - top)
            painter.fillRect(band, QColor(part.colour))
            up, down = up + max(value, 0.0), down + min(value, 0.0)

    def _paint_total(self, painter: QPainter, place: Place, axis: YAxis) -> None:
        points = [
            QPointF(self.box(0, at, place).center().x(), axis.y(total))
            for at, total in enumerate(self.totals)
            if total is not None
        ]
        for colour, width in ((place.theme.base, 4.0), (place.theme.text, 2.0)):
            painter.setPen(QPen(QColor(colour), width))
            painter.drawPolyline(points)
            painter.setBrush(QColor(colour))
            for point in points:
                painter.drawEllipse(point, 1.0 + width / 2, 1.0 + width / 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _axis(self, place: Place) -> YAxis:
        return YAxis(self._inner(place), *self.reach())

    def _inner(self, place: Place) -> QRectF:
        metrics = QFontMetricsF(place.font)
        left = metrics.horizontalAdvance("−0.25 %") + 6
        return place.rect.adjusted(left, metrics.height() / 2, -2, -metrics.height() - 6)


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
