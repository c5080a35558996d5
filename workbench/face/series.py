"""Points of one curve: arrays grown by doubling, and a drawing of them that never loses a spike.

Reduction keeps the smallest and the largest value of every column of pixels, as an oscilloscope
in peak-detect mode does, and finds them by `pyramid` without walking all points.
"""

import math

import numpy as np

from workbench.face.pyramid import FACTOR, Floats, Places, Pyramid, in_order

_ROOM = 8  # points at first: a run has hundreds of curves, most of them short


class Series:
    """x never falls. y may be NaN, which is a gap in the line, or infinite, which is a marked gap."""

    def __init__(self) -> None:
        self._x: Floats = np.empty(_ROOM)
        self._y: Floats = np.empty(_ROOM)
        self._count = 0
        self.pyramid = Pyramid()

    @classmethod
    def of(cls, x: Floats, y: Floats, pyramid: Pyramid | None = None) -> "Series":
        """Return a series of these points, taken as they are: x must not fall; `pyramid` is that of y."""
        series = cls()
        series._x, series._y, series._count = x, y, len(x)
        series.pyramid = pyramid or series.pyramid
        return series

    def over(self, x: Floats) -> "Series":
        """Return the same values over another x, which must not fall either; what is known of y is shared."""
        return Series.of(x, self.y, self.pyramid)

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
        """Add a point; None is a gap, a number that is not finite a marked one. Raises ValueError if x falls."""
        if self._count and not x >= self._x[self._count - 1]:
            raise ValueError(f"x falls from {self._x[self._count - 1]} to {x}.")
        if self._count == len(self._x):
            more = np.empty(max(self._count, _ROOM))
            self._x = np.concatenate([self._x, more])
            self._y = np.concatenate([self._y, more])
        self._x[self._count] = x
        self._y[self._count] = np.nan if y is None else y if math.isfinite(y) else np.inf
        self._count += 1

    def reduced(self, x0: float, x1: float, columns: int) -> tuple[Floats, Floats]:
        """Return the points in [x0, x1] and one neighbour on each side, at most about 5 a column.

        Few points come back as they are. Otherwise each column gives its first point, its smallest,
        its largest and its last, in order of x; a column with a gap or a mark also gives that.
        """
        x, y = self.x, self.y
        start = max(int(np.searchsorted(x, x0, "left")) - 1, 0)
        stop = min(int(np.searchsorted(x, x1, "right")) + 1, len(x))
        if stop - start <= 2 * columns:
            return x[start:stop], y[start:stop]
        cuts = _cuts(x, x0, x1, columns, start, stop)
        if (
            stop - start < FACTOR * columns
        ):  # a cut in nearly every block: the pyramid would not help
            found = np.arange(start, stop)
        else:
            self.pyramid.grow(y)
            blocks = self.pyramid.candidates(start, stop, cuts)
            found = in_order(np.concatenate([blocks, cuts[:-1], cuts[1:] - 1]))
        keep = _kept(y, found, cuts)
        return x[keep], y[keep]


def _cuts(x: Floats, x0: float, x1: float, columns: int, start: int, stop: int) -> Places:
    """Return where each column's points begin, without empty columns, then where they end.

    Neighbours outside the picture stand alone, so that they cannot hide a visible extreme.
    """
    edges = np.linspace(x0, x1, columns + 1)
    begins = np.searchsorted(x, edges[:-1], "left")
    end = np.searchsorted(x, edges[-1:], "right")
    cuts = np.clip(np.concatenate([[start], begins, end, [stop]]), start, stop)
    return np.asarray(cuts[np.r_[True, np.diff(cuts) > 0]], dtype=np.int64)


def _kept(y: Floats, found: Places, cuts: Places) -> Places:
    """Return which of the sorted `found` are a column's first, last, smallest, largest, gap or mark.

    `found` holds every column's first and last.
    """
    first, last = cuts[:-1], cuts[1:] - 1  # (c,)
    begins = np.searchsorted(found, first)
    values = y[found]
    finite = np.isfinite(values)
    low = np.minimum.reduceat(np.where(finite, values, np.inf), begins)  # (c,)
    high = np.maximum.reduceat(np.where(finite, values, -np.inf), begins)
    column = np.repeat(np.arange(len(first)), np.diff(np.r_[begins, len(found)]))  # (n,)
    keep = [first, last]
    for wanted in (
        values == low[column],
        values == high[column],
        np.isnan(values),
        np.isinf(values),
    ):
        at = np.flatnonzero(wanted)
        new = np.r_[True, np.diff(column[at]) > 0] if len(at) else np.zeros(0, dtype=bool)
        keep.append(found[at[new]])
    return in_order(np.concatenate(keep))
