"""Whether a row of measurements grows: by a robust slope and by thirds, after a warm-up that is left out."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

WARM_UP = 0.2  # share of the rounds that is left out, as caches fill
LEAST = 5  # rounds that are left out where there are enough


@dataclass(frozen=True)
class Growth:
    """How one number went over the rounds that count, and how far it may have risen over them."""

    what: str
    first: float  # median of the first third
    last: float  # median of the last third
    a_round: float  # the middle one of the slopes between any two rounds
    rounds: int
    allowed: float | None  # None: told, not judged

    @property
    def grown(self) -> float:
        """The larger of what the slope and what the thirds say; a fall is negative."""
        return max(self.last - self.first, self.a_round * max(self.rounds - 1, 0))

    @property
    def at_fault(self) -> bool:
        """Whether it has risen by more than is allowed."""
        return self.allowed is not None and self.grown > self.allowed


def judge(what: str, values: Sequence[float], allowed: float | None) -> Growth:
    """Return how `values`, one a round, grow once the first of them are left out.

    The slope is that of Theil and Sen, the median over all pairs: a few outliers do not move it. A
    rise in steps, which may leave that median at 0, shows in the thirds.
    """
    kept = np.asarray(values[left_out(len(values)) :], dtype=float)
    third = max(len(kept) // 3, 1)
    first, last = statistics.median(kept[:third]), statistics.median(kept[-third:])
    return Growth(what, float(first), float(last), _slope(kept), len(kept), allowed)


def left_out(rounds: int) -> int:
    """Return how many rounds count as warming up; a few always remain."""
    return min(max(LEAST, round(WARM_UP * rounds)), rounds // 2)


def _slope(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    earlier, later = np.triu_indices(len(values), 1)
    if not len(earlier):
        return 0.0
    return float(np.median((values[later] - values[earlier]) / (later - earlier)))


def table_of(growths: Sequence[Growth]) -> str:
    """Return the table of RESULTS.md."""
    lines = ["| | first third | last third | a round | grown by | allowed | |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for each in growths:
        allowed = "" if each.allowed is None else f"{each.allowed:,.0f}"
        verdict = "" if each.allowed is None else "GROWS" if each.at_fault else "flat"
        lines.append(
            f"| {each.what} | {each.first:,.1f} | {each.last:,.1f} | {each.a_round:+,.3f} | "
            f"{each.grown:+,.1f} | {allowed} | {verdict} |"
        )
    return "\n".join(lines)


def more_of(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Return what there is more of, by name, the largest rise first: "QMenu +3 (5)"."""
    rises = {name: count - before.get(name, 0) for name, count in after.items()}
    grown = sorted((rise, name) for name, rise in rises.items() if rise > 0)[::-1]
    return [f"{name} +{rise} ({after[name]})" for rise, name in grown]
