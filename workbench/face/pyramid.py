"""Where the smallest and the largest values of blocks of 64, 64², … points lie: zooming never walks all points.

Each level keeps four numbers a block: the indices of its smallest and largest finite value and of
its first gap (NaN) and first mark (±inf), −1 where there is none. Levels grow by doubling.
"""

import numpy as np
from numpy.typing import NDArray

FACTOR = 64
_KINDS = 4  # smallest, largest, gap, mark
_SMALLEST, _LARGEST, _GAP, _MARK = range(_KINDS)
Floats = NDArray[np.float64]
Places = NDArray[np.int64]


class Pyramid:
    """Grows with an array whose first values never change."""

    def __init__(self) -> None:
        self._levels: list[Places] = []  # of shape (room, 4) each
        self._filled: list[int] = []

    def grow(self, y: Floats) -> None:
        """Take in what was added to `y`; only whole blocks are kept."""
        level, whole = 0, len(y) // FACTOR
        while whole:
            if level == len(self._levels):
                self._levels.append(np.empty((64, _KINDS), dtype=np.int64))
                self._filled.append(0)
            begin = self._filled[level]
            if whole > begin:
                self._room(level, whole)
                below = _of_points(y, begin, whole) if level == 0 else self._of_blocks(y, level)
                self._levels[level][begin:whole] = below
                self._filled[level] = whole
            level, whole = level + 1, whole // FACTOR

    def candidates(self, start: int, stop: int, cuts: Places) -> Places:
        """Return sorted indices in [start, stop) among which every stretch between cuts has its extremes.

        `cuts` are sorted. A block with a cut inside is opened down to its points.
        """
        found: list[Places] = []
        size = FACTOR ** (len(self._levels) + 1)
        blocks = np.arange(start // size, -(-stop // size))  # above the highest level
        for level in reversed(range(len(self._levels))):
            blocks = (blocks[:, None] * FACTOR + np.arange(FACTOR)).ravel()  # of this level
            size //= FACTOR
            blocks = blocks[(blocks * size < stop) & ((blocks + 1) * size > start)]
            closed = self._closed(blocks, level, size, start, stop, cuts)
            found.append(self._levels[level][blocks[closed]].ravel())
            blocks = blocks[~closed]
        points = (blocks[:, None] * FACTOR + np.arange(FACTOR)).ravel()
        found.append(points[(points >= start) & (points < stop)])
        return in_order(np.concatenate(found))

    def _closed(
        self, blocks: Places, level: int, size: int, start: int, stop: int, cuts: Places
    ) -> NDArray[np.bool_]:
        """Return which blocks are known, wholly inside [start, stop), and cut nowhere."""
        low, high = blocks * size, (blocks + 1) * size
        known = (blocks < self._filled[level]) & (low >= start) & (high <= stop)
        uncut = np.searchsorted(cuts, low, "right") == np.searchsorted(cuts, high, "left")
        closed: NDArray[np.bool_] = known & uncut
        return closed

    def _of_blocks(self, y: Floats, level: int) -> Places:
        begin = self._filled[level] * FACTOR
        end = self._filled[level - 1] // FACTOR * FACTOR
        below = self._levels[level - 1][begin:end].reshape(-1, FACTOR, _KINDS)
        rows = np.arange(len(below))
        low = _chosen(y, below[..., _SMALLEST], np.inf).argmin(1)
        high = _chosen(y, below[..., _LARGEST], -np.inf).argmax(1)
        gap, mark = ((below[..., kind] >= 0).argmax(1) for kind in (_GAP, _MARK))
        picked = ((low, _SMALLEST), (high, _LARGEST), (gap, _GAP), (mark, _MARK))
        return np.stack([below[rows, child, kind] for child, kind in picked], 1)

    def _room(self, level: int, count: int) -> None:
        held = self._levels[level]
        if count > len(held):
            more = np.empty((max(count, 2 * len(held)), _KINDS), dtype=np.int64)
            more[: len(held)] = held
            self._levels[level] = more


def _of_points(y: Floats, begin: int, end: int) -> Places:
    blocks = y[begin * FACTOR : end * FACTOR].reshape(-1, FACTOR)
    first = np.arange(begin, end)[:, None] * FACTOR
    finite, gap, mark = np.isfinite(blocks), np.isnan(blocks), np.isinf(blocks)
    inside = np.stack(
        [
            np.where(finite, blocks, np.inf).argmin(1),
            np.where(finite, blocks, -np.inf).argmax(1),
            gap.argmax(1),
            mark.argmax(1),
        ],
        1,
    )
    there = np.stack([finite.any(1), finite.any(1), gap.any(1), mark.any(1)], 1)
    return np.where(there, first + inside, -1)


def _chosen(y: Floats, places: Places, absent: float) -> Floats:
    """Return y at these places, `absent` where there is none."""
    return np.where(places >= 0, y[places], absent)


def in_order(places: Places) -> Places:
    """Return the places that exist (not −1), each once, in order; sorting is faster here than np.unique."""
    ordered = np.sort(places[places >= 0])
    return ordered[np.r_[True, np.diff(ordered) > 0]] if len(ordered) else ordered
