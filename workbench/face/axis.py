"""A y axis painted beside a drawing: round numbers, thin lines across, and where a value lies."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from workbench.face.drawing import Place

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers (1, 2 or 5 times a power of ten apart) in [low, high], at most about `most`."""
    span = high - low
    if not span > 0 or most < 1:
        return []
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= span / most * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def paint_below(
    painter: QPainter, place: Place, box: QRectF, high: float, word: Callable[[float], str]
) -> None:
    """Write round numbers from 0 to `high` below a box."""
    metrics = QFontMetricsF(place.font)
    painter.setFont(place.font)
    painter.setPen(QColor(place.theme.muted))
    room = max(int(box.width() / (1.6 * metrics.horizontalAdvance(word(high)))), 1)
    for value in ticks(0.0, high, room):
        x, wide = (
            box.left() + box.width() * value / high,
            metrics.horizontalAdvance(word(value)) + 2,
        )
        text = QRectF(x - wide / 2, box.bottom() + 3, wide, metrics.height())
        painter.drawText(text, Qt.AlignmentFlag.AlignCenter, word(value))


@dataclass(frozen=True)
class YAxis:
    """The values from `low` to `high` over the height of `box`."""

    box: QRectF
    low: float
    high: float

    def y(self, value: float) -> float:
        """Return where a value lies."""
        share = (value - self.low) / (self.high - self.low)
        return self.box.bottom() - share * self.box.height()

    def paint(self, painter: QPainter, place: Place, word: Callable[[float], str]) -> None:
        """Draw lines across the box and numbers at its left; the line at 0 is stronger."""
        metrics = QFontMetricsF(place.font)
        painter.setFont(place.font)
        room = max(int(self.box.height() / (1.8 * metrics.height())), 1)
        for value in ticks(self.low, self.high, room):
            y = self.y(value)
            strong = abs(value) < 1e-12
            painter.setPen(QPen(QColor(place.theme.control if strong else place.theme.grid), 1))
            painter.drawLine(QLineF(self.box.left(), y, self.box.right(), y))
            painter.setPen(QColor(place.theme.muted))
            high = metrics.height()
            text = QRectF(
                place.rect.left(), y - high / 2, self.box.left() - 6 - place.rect.left(), high
            )
            painter.drawText(text, _RIGHT, word(value))
