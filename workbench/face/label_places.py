"""Where names go beside points so that none covers another, a point or a whisker."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF

_ANGLES = (
    0,
    180,
    -45,
    45,
    -135,
    135,
    -90,
    90,
)  # degrees from the right, downwards: the first that is free is taken
_REACHES = (9, 18, 30, 44, 60, 80, 104, 132)  # pixels from the point to the name
NEAR = 20  # pixels from which a name is joined to its point by a line
_GAP = 2.0


def label_places(
    points: Sequence[QPointF], sizes: Sequence[QSizeF], area: QRectF, taken: Sequence[QRectF]
) -> list[QRectF | None]:
    """Return a rectangle for each name, within `area` and clear of `taken` and of the others; None where there is no room.

    Greedy: names are placed in turn, each as near to its point as can be.
    """
    busy, found = list(taken), []
    for point, size in zip(points, sizes, strict=True):
        place = next((box for box in _around(point, size) if _free(box, area, busy)), None)
        found.append(place)
        if place is not None:
            busy.append(place)
    return found


def nearest(box: QRectF, point: QPointF) -> QPointF:
    """Return the place on a rectangle that is nearest to a point."""
    x = min(max(point.x(), box.left()), box.right())
    y = min(max(point.y(), box.top()), box.bottom())
    return QPointF(x, y)


def _around(point: QPointF, size: QSizeF) -> list[QRectF]:
    """Return rectangles around a point, the nearest first."""
    found = []
    for reach in _REACHES:
        for angle in _ANGLES:
            x, y = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            # a quarter of a circle holds the name's nearest corner, the axes its nearest side
            left = point.x() + reach * x + size.width() * (_side(x) - 1) / 2
            top = point.y() + reach * y + size.height() * (_side(y) - 1) / 2
            found.append(QRectF(left, top, size.width(), size.height()))
    return found


def _side(share: float) -> int:
    return 0 if abs(share) < 0.1 else 1 if share > 0 else -1


def _free(box: QRectF, area: QRectF, busy: Sequence[QRectF]) -> bool:
    wider = box.adjusted(-_GAP, -_GAP, _GAP, _GAP)
    return area.contains(box) and not any(wider.intersects(each) for each in busy)
