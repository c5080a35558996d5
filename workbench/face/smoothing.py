"""A moving average that forgets exponentially, for eyes that look for a trend. What is measured stays as it is.

    m_t = Σ_k βᵏ y_{t−k} / Σ_k βᵏ  over the points of one stretch, β = 1 − 1/n

The denominator (debiasing) lets it start at the first value instead of at 0. It begins anew after
every gap, so that nothing of one task leaks into the next.
"""

from itertools import pairwise

import numpy as np

from workbench.face.pyramid import Floats, Pyramid
from workbench.face.series import Series

FORMULA = "m_t = Σ_k βᵏ y_{t−k} / Σ_k βᵏ, β = 1 − 1/n; begins anew after every gap"
_SHORT = 48  # points that a plain loop averages as fast as whole arrays
_LOWEST = 1e-150  # of powers of β within one block of an array


class Smoother:
    """Averages one growing series over about `points` points; what was averaged before is kept."""

    def __init__(self, points: float) -> None:
        self._beta = 1 - 1 / max(points, 1.0)
        self._means: Floats = np.empty(64)
        self._count = 0
        self._sum = self._weight = 0.0  # numerator and denominator at the last point
        self._source, self._average = Pyramid(), Pyramid()

    def fits(self, series: Series) -> bool:
        """Whether `series` is the one followed so far, perhaps grown, or over another x."""
        return series.pyramid is self._source and len(series) >= self._count

    def follow(self, series: Series) -> Series:
        """Return the averages of all points of `series`, which only grows from call to call."""
        y, self._source = series.y, series.pyramid
        if len(y) > len(self._means):
            more = np.empty(2 * len(y))
            more[: self._count] = self._means[: self._count]
            self._means = more
        for begin, end, whole in _stretches(y, self._count):
            if not whole or self._beta == 0:
                self._means[begin:end] = y[begin:end]
                self._sum = self._weight = 0.0
            elif end - begin < _SHORT:
                self._one_by_one(y, begin, end)
            else:
                self._in_blocks(y, begin, end)
        self._count = len(y)
        return Series.of(series.x, self._means[: self._count], self._average)

    def _one_by_one(self, y: Floats, begin: int, end: int) -> None:
        for index in range(begin, end):
            self._sum = self._beta * self._sum + float(y[index])
            self._weight = self._beta * self._weight + 1.0
            self._means[index] = self._sum / self._weight

    def _in_blocks(self, y: Floats, begin: int, end: int) -> None:
        """Within a block a sum of y_k β⁻ᵏ, times βᵏ; from block to block the last sum is carried on."""
        size = int(np.clip(np.log(_LOWEST) / np.log(self._beta), 1, 256))
        powers = self._beta ** np.arange(1, size + 1)  # (b,)
        for first in range(begin, end, size):
            part = y[first : min(first + size, end)]
            decay = powers[: len(part)]
            sums = decay * (self._sum + np.cumsum(part / decay))
            weights = decay * (self._weight + np.cumsum(1 / decay))
            self._means[first : first + len(part)] = sums / weights
            self._sum, self._weight = float(sums[-1]), float(weights[-1])


def _stretches(y: Floats, start: int) -> list[tuple[int, int, bool]]:
    """Return where stretches of finite values, and of gaps, begin and end from `start` on."""
    finite = np.isfinite(y[start:])
    if not len(finite):
        return []
    edges = [0, *(np.flatnonzero(np.diff(finite)) + 1).tolist(), len(finite)]
    return [(start + a, start + b, bool(finite[a])) for a, b in pairwise(edges)]
