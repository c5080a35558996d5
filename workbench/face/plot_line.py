"""One line of a plot: its look, its points, and what is drawn and said of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from workbench.face.legend import Entry
from workbench.face.series import Series
from workbench.face.smoothing import Smoother


@dataclass
class PlotLine:
    """One line of a plot; `said` tells where its index-th point was made: run and task."""

    key: str
    entry: Entry
    group: str
    points: bool
    series: Series = field(default_factory=Series)
    shown: bool = True
    said: Callable[[int], str] | None = None
    _smoother: Smoother | None = None
    _over: float = 1.0

    def smoothed(self, points: float) -> Series | None:
        """Return the series averaged over about `points` points, or None for none."""
        if points <= 1 or not len(self.series):
            return None
        if self._smoother is None or self._over != points or not self._smoother.fits(self.series):
            self._smoother, self._over = Smoother(points), points
        return self._smoother.follow(self.series)


Lines = Sequence[PlotLine]


@dataclass(frozen=True)
class Found:
    """The point of a line that lies nearest to a place, and how many pixels away its line is."""

    line: PlotLine
    index: int
    distance: float

    @property
    def x(self) -> float:
        """The point's x."""
        return float(self.line.series.x[self.index])

    @property
    def y(self) -> float:
        """The point's y, which is finite."""
        return float(self.line.series.y[self.index])


def nearest(
    lines: Lines, place: tuple[float, float], per_pixel: tuple[float, float], *, log: bool,
    reach: float = 24.0,
) -> Found | None:  # fmt: skip
    """Return the point, of all measured ones, nearest to a place within `reach` pixels of its line.

    `place` is in units of what is drawn: logarithms of y on a logarithmic axis.
    """
    found = [
        near for line in lines if line.shown and (near := _of_line(line, place, per_pixel, log=log))
    ]
    best = min(found, key=lambda near: near.distance, default=None)
    return best if best is not None and best.distance <= reach else None


def nearest_x(lines: Lines, x: float) -> float | None:
    """Return the x of the point nearest to `x`, or None if there are no points."""
    found = []
    for line in lines:
        known = line.series.x
        if len(known) and line.shown:
            index = int(np.searchsorted(known, x))
            found += [float(value) for value in known[max(index - 1, 0) : index + 1]]
    return min(found, key=lambda value: abs(value - x), default=None)


def _of_line(
    line: PlotLine, place: tuple[float, float], per_pixel: tuple[float, float], *, log: bool
) -> Found | None:
    """Look at the points around, and at the stroke between the two neighbours of x."""
    xs, (x, y) = line.series.x, place
    wide, high = (max(size, 1e-300) for size in per_pixel)
    around = 40 * wide
    first = max(int(np.searchsorted(xs, x - around, "left")) - 1, 0)
    last = min(int(np.searchsorted(xs, x + around, "right")) + 1, len(xs))
    values = line.series.y[first:last]
    known = np.flatnonzero(np.isfinite(values) & ((values > 0) if log else True))
    if not len(known):
        return None
    drawn = np.log10(values[known]) if log else values[known]
    across, down = (xs[first + known] - x) / wide, (drawn - y) / high
    best = int(np.hypot(across, down).argmin())
    distance = float(np.hypot(across[best], down[best]))
    if across[0] <= 0 <= across[-1]:
        distance = min(distance, abs(float(np.interp(0.0, across, down))))
    return Found(line, first + int(known[best]), distance)
