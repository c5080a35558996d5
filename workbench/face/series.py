"""Points of one curve: arrays grown by doubling, and a drawing of them that never loses a spike.

Reduction keeps the smallest and the largest value of every column of pixels, as an oscilloscope
in peak-detect mode does.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Series:
    """x never falls; y may be NaN, which is a gap in the line."""

    def __init__(self) -> None:
        self._x: Floats = np.empty(64)
        self._y: Floats = np.empty(64)
        self._count = 0

    @classmethod
    def of(cls, x: Floats, y: Floats) -> "Series":
        """Return a series of these points, taken as they are: x must not fall."""
        series = cls()
        series._x, series._y, series._count = x, y, len(x)
        return series

    def __len__(self) -> int:
        return self._count

    @property
    def x(self) -> Floats:
        """All x, as a view: shape (n,)."""
        return self._x[: self._count]

    @property
    def y(self) -> Floats:
        """All y, as a view: shape (n,)."""
        return self._y[: self._count]

    def append(self, x: float, y: float | None) -> None:
        """Add a point; None or NaN is a gap. Raises ValueError if x falls."""
        if self._count and not x >= self._x[self._count - 1]:
            raise ValueError(f"x falls from {self._x[self._count - 1]} to {x}.")
        if self._count == len(self._x):
            more = np.empty(max(self._count, 64))
            self._x = np.concatenate([self._x, more])
            self._y = np.concatenate([self._y, more])
        self._x[self._count] = x
        self._y[self._count] = np.nan if y is None else y
        self._count += 1

    def reduced(self, x0: float, x1: float, columns: int) -> tuple[Floats, Floats]:
        """Return what to draw between x0 and x1: `reduce` of the points seen there."""
        return reduce(self.x, self.y, x0, x1, columns)


def reduce(x: Floats, y: Floats, x0: float, x1: float, columns: int) -> tuple[Floats, Floats]:
    """Return the points in [x0, x1] and one neighbour on each side, at most about 4 a column.

    Few points come back as they are. Otherwise each column gives its first point, its smallest,
    its largest and its last, in order of x; a column with a gap in it also gives one NaN.
    """
    start = max(int(np.searchsorted(x, x0, "left")) - 1, 0)
    stop = min(int(np.searchsorted(x, x1, "right")) + 1, len(x))
    if stop - start <= 2 * columns:
        return x[start:stop], y[start:stop]
    seen_x, seen_y = x[start:stop], y[start:stop]
    edges = np.linspace(x0, x1, columns + 1)[1:-1]
    column = np.searchsorted(edges, seen_x, "right")  # (n,), non-decreasing
    column[seen_x < x0] = -1  # neighbours stand alone, so that they cannot hide a visible extreme
    column[seen_x > x1] = columns
    starts = np.flatnonzero(np.r_[True, np.diff(column) > 0])  # (c,)
    keep = _extremes(seen_y, starts)
    return seen_x[keep], seen_y[keep]


def _extremes(y: Floats, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return sorted indices of each group's first, last, smallest, largest and one NaN."""
    count = len(y)
    ends = np.r_[starts[1:], count]
    group = np.repeat(np.arange(len(starts)), ends - starts)  # (n,)
    gap = np.isnan(y)
    keep = np.zeros(count, dtype=bool)
    keep[starts] = True
    keep[ends - 1] = True
    low = np.minimum.reduceat(np.where(gap, np.inf, y), starts)  # (c,)
    high = np.maximum.reduceat(np.where(gap, -np.inf, y), starts)
    for found in (y == low[group], y == high[group], gap):
        where = np.flatnonzero(found)
        _, first = np.unique(group[where], return_index=True)
        keep[where[first]] = True
    return np.flatnonzero(keep)
