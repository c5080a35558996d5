"""A shaded band between a lower and an upper curve, such as mean ± spread over the seeds of a group."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsPathItem

from workbench.face.series import Floats, Series

_ALPHA, _PALE = 0.2, 0.07
_FLOOR = (
    1e-30  # what is not above 0 reaches down to here on a logarithmic axis: below every picture
)
Corner = tuple[Floats, Floats, Floats, Floats]  # x and y of the lower edge, x and y of the upper


class Band:
    """The area between two curves of the same x; where either is not finite, the band has a gap."""

    def __init__(self, x: Floats, low: Floats, high: Floats, color: str) -> None:
        x, low, high = (np.asarray(values, dtype=np.float64) for values in (x, low, high))
        if not len(x) == len(low) == len(high):
            raise ValueError(
                f"a band needs as many x as edges: {len(x)}, {len(low)} and {len(high)}"
            )
        self.color = color
        whole = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
        lower, upper = np.fmin(low, high), np.fmax(low, high)
        self._parts = [
            (Series.of(x[a:b], lower[a:b]), Series.of(x[a:b], upper[a:b]))
            for a, b in _stretches(whole)
        ]

    def reach(self) -> tuple[float, float] | None:
        """Return the smallest and largest x, or None where there is no point."""
        if not self._parts:
            return None
        return float(self._parts[0][0].x[0]), float(self._parts[-1][0].x[-1])

    def seen(self, x0: float, x1: float, columns: int) -> list[Corner]:
        """Return the corners to draw between x0 and x1: no peak of either edge is lost."""
        found = []
        for low, high in self._parts:
            if len(low) and low.x[0] <= x1 and low.x[-1] >= x0:
                found.append((*low.reduced(x0, x1, columns), *high.reduced(x0, x1, columns)))
        return found


def _stretches(whole: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Return where stretches of True begin and end."""
    edges = np.flatnonzero(np.diff(np.r_[False, whole, False].astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


class BandItem(QGraphicsPathItem):
    """The band as a shape behind the lines."""

    def __init__(self) -> None:
        super().__init__()
        self.setPen(QPen(Qt.PenStyle.NoPen))
        self.setZValue(0.2)

    def colour(self, color: str, *, pale: bool = False) -> None:
        """Fill with a thin layer of this colour."""
        shade = QColor(color)
        shade.setAlphaF(_PALE if pale else _ALPHA)
        self.setBrush(QBrush(shade))

    def show_corners(self, corners: Sequence[Corner], *, log: bool) -> None:
        """Take this shape; `log` draws the logarithms of y."""
        path = QPainterPath()
        for x_low, low, x_high, high in corners:
            if log:
                low, high = np.log10(np.maximum(low, _FLOOR)), np.log10(np.maximum(high, _FLOOR))
            around_x = np.concatenate([x_low, x_high[::-1]]).tolist()
            around_y = np.concatenate([low, high[::-1]]).tolist()
            points = [QPointF(a, b) for a, b in zip(around_x, around_y, strict=True)]
            path.addPolygon(QPolygonF(points))
            path.closeSubpath()
        self.setPath(path)
