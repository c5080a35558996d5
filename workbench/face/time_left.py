"""How long something still takes, told only once it can be known and without jumping about. Qt-free."""

import statistics
import time
from collections import deque
from collections.abc import Callable

RATES = 20  # rates whose median counts
FIRST_TOLD = 5.0  # seconds, and
SURE_AFTER = 0.03  # share of the whole, before a time left is named
LARGEST_JUMP = 0.2  # by which what is told may differ from what was told before


class Calm:
    """Seconds left, told again and again without jumping about."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: tuple[float, float] | None = None  # when, seconds left then

    def told(self, left: float) -> float:
        """Return `left` no more than a fifth away from what was told before, less the time since."""
        now = self._clock()
        if self._told is not None:
            expected = max(self._told[1] - (now - self._told[0]), 0.0)
            low, high = expected * (1 - LARGEST_JUMP), expected * (1 + LARGEST_JUMP)
            left = min(max(left, low), high) if expected > 1 else left
        self._told = (now, left)
        return left


class TimeLeft:
    """Takes "so many of so many" as they come; says how many seconds are left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._since: tuple[float, float] | None = None  # when, how much was done then
        self._rates: deque[float] = deque(maxlen=RATES)
        self._calm = Calm(clock)

    def take(self, done: float, total: float) -> float | None:
        """Take how far it is; return the seconds left, or None while that is a guess."""
        now = self._clock()
        if self._since is not None and done > self._since[1] and now > self._since[0]:
            self._rates.append((done - self._since[1]) / (now - self._since[0]))
        if self._since is None or done != self._since[1]:
            self._since = (now, done)
        sure = total > 0 and done >= SURE_AFTER * total and now - self._began >= FIRST_TOLD
        if not sure or not self._rates:
            return None
        return self._calm.told(max(total - done, 0) / statistics.median(self._rates))
