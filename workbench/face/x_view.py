"""Which part of x a plot shows: everything as it grows, a part that stays, or a part that follows the newest point."""

from collections.abc import Sequence

Span = tuple[float, float]
_LEAD = 0.03  # share of the part left free behind the newest point


class XView:
    """Everything, until something is zoomed, moved or jumped to; `fit` shows everything again."""

    def __init__(self) -> None:
        self.whole = True
        self.following = False

    def fit(self) -> None:
        """Show everything, and go on doing so as it grows."""
        self.whole = True

    def hold(self) -> None:
        """Keep the part that is shown."""
        self.whole = False

    def span(self, now: Span, everything: Span, newest: float | None) -> Span:
        """Return what to show, given what is shown now, all there is, and the newest point's x."""
        if self.whole:
            return everything
        low, high = now
        lead = _LEAD * (high - low)
        if self.following and newest is not None and not low <= newest <= high - lead:
            return newest + lead - (high - low), newest + lead
        return low, high


def zoomed(now: Span, factor: float) -> Span:
    """Return `factor` times as much around the same middle."""
    middle, half = (now[0] + now[1]) / 2, (now[1] - now[0]) / 2 * factor
    return middle - half, middle + half


def moved(now: Span, share: float) -> Span:
    """Return the part that lies `share` of its width further right."""
    by = share * (now[1] - now[0])
    return now[0] + by, now[1] + by


def task_span(starts: Sequence[float], index: int, end: float) -> Span:
    """Return from where to where the index-th task reaches, with a small margin."""
    low = starts[index]
    high = starts[index + 1] if index + 1 < len(starts) else max(end, low)
    margin = 0.02 * (high - low) if high > low else 0.5
    return low - margin, high + margin


def task_at(starts: Sequence[float], x: float) -> int:
    """Return the index of the task that x lies in; before the first, the first."""
    return max(sum(start <= x for start in starts) - 1, 0)


def wall_near(starts: Sequence[float], x: float, reach: float) -> int:
    """Return the index of the boundary at most `reach` from x, or -1."""
    near = [(abs(start - x), index) for index, start in enumerate(starts)]
    distance, index = min(near, default=(reach + 1, -1))
    return index if distance <= reach else -1


def neighbour(starts: Sequence[float], now: Span, step: int) -> int:
    """Return the task before or after the one in the middle of what is shown, by `step` -1 or 1."""
    here = task_at(starts, (now[0] + now[1]) / 2)
    return min(max(here + step, 0), len(starts) - 1)
