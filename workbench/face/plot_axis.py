"""The numbers beside a plot's axes: whole steps, per cent, powers of ten, and none that touch."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF, QPainter

from workbench.face.reading import clock_text

RIGHT = 14  # pixels beside a plot, for half of the last number
_SMALL = 1e-3  # below it, y is written with a power of ten
_ROOM_OF_CLOCK = 64  # pixels from one time to the next
_CLOCK_STEPS = ((1, (1, 2, 5, 10, 15, 30)), (60, (1, 2, 5, 10, 15, 30)), (3600, (1, 2, 3, 6, 12)))
_DECADES = 1.7  # of a logarithmic axis, up to which numbers between powers of ten have room
_Specs = tuple[Any, list[Any], list[tuple[QRectF, Any, str]]]  # the axis, its ticks, its numbers


class PlotAxis(pg.AxisItem):  # type: ignore[misc]
    """Ticks at whole x, and " %" after shares; numbers at the very ends are not dropped."""

    unit = ""
    clock = False  # values are seconds

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        if self.clock:
            return [clock_text(value) for value in values]
        if not self.logMode and max((abs(v * scale) for v in values), default=1.0) < _SMALL:
            return [_scientific(value * scale) + self.unit for value in values]
        return [text + self.unit for text in super().tickStrings(values, scale, spacing)]

    def logTickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        low, high = self.range
        return [_of_decade(value, few=high - low <= _DECADES) for value in values]

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        if self.clock:
            return [(_of_clock((high - low) * _ROOM_OF_CLOCK / max(size, 1)), 0.0)]
        levels: list[tuple[float, float]] = super().tickSpacing(low, high, size)[:1]
        if self.orientation == "left":
            room = QFontMetricsF(self.font()).height() * (high - low) / max(size, 1)
            return [(_at_least(step, room), at) for step, at in levels]
        return [(step, at) for step, at in levels if step >= 1] or [(1.0, 0.0)]

    def generateDrawSpecs(self, painter: QPainter) -> _Specs | None:
        """As pyqtgraph's, but a number that would be cut at the right edge stands as far to the left as it must."""
        specs: _Specs | None = super().generateDrawSpecs(painter)
        if specs is None or self.orientation == "left":
            return specs
        line, ticks, texts = specs
        edge = self.rect().right() + RIGHT - 1
        inside = [
            (rect.translated(min(edge - rect.right(), 0.0), 0.0), flags, text)
            for rect, flags, text in texts
        ]
        return line, ticks, inside

    def boundingRect(self) -> QRectF:
        wide, high = (0, 8) if self.orientation == "left" else (24, 0)
        rect: QRectF = super().boundingRect()
        return rect.adjusted(-wide, -high, wide, high)


def _scientific(value: float) -> str:
    """Return 5e-5 or 1.2e-4, and plain 0."""
    return np.format_float_scientific(value, 3, trim="-", exp_digits=1) if value else "0"


def _of_decade(logarithm: float, *, few: bool) -> str:
    """Return a power of ten, and 2 and 5 times it where there are `few` decades; the rest is left unsaid."""
    number = 10.0**logarithm
    leading = round(10.0 ** (logarithm - math.floor(logarithm + 1e-9)))
    if leading not in ((1, 2, 5) if few else (1,)):
        return ""
    return f"{number:.4g}" if _SMALL <= number < 1e4 else _scientific(number)


def _of_clock(room: float) -> float:
    """Return the first round number of seconds, minutes or hours of at least `room` seconds."""
    known = (step * unit for unit, steps in _CLOCK_STEPS for step in steps)
    return float(
        next((step for step in known if step >= room), 24 * 3600 * math.ceil(room / 86400))
    )


def _at_least(step: float, room: float) -> float:
    """Return `step`, or the first of 1, 2, 5 times a power of ten above `room` where numbers would touch."""
    if step >= room:
        return step
    power = 10.0 ** math.floor(math.log10(room))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= room)
