"""How fast a run goes and how long it will take, from the passes through the backbone it has made."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from workbench.core.learner import Learner
from workbench.events import Pace

E = TypeVar("E")

INTERVAL = 0.25  # seconds between two Pace events
FIRST_ESTIMATE = 5.0  # seconds before a time left is named,
SURE_AFTER = 0.03  # which then is a share of the whole,
LONG_ENOUGH = 30.0  # or as many seconds: of a long run, a hundredth part says enough


def tested(test: Sequence[int], task: int, learner: Learner) -> int:
    """Return how many test pictures are looked at after a 0-based task: those of all tasks so far, or the new ones alone
    where the task is not trained on, so that what was seen of the others holds.
    """
    return sum(test[: task + 1]) if learner.trains(task) else test[task]


def looks(train: Sequence[int], test: Sequence[int], learner: Learner) -> int:
    """Return the pictures seen in evaluation by a run of tasks with so many: for prototypes, and in the tests so far.

    Where the network grows, one seen after task t (from 1 on) counts t times: it passes through t tasks' adapters.
    Those of a task (from 0 on) that the learner `compares` are seen once more, as they were before it. Looks by which a task
    may stop early are counted as they are made, and those at tests that a task taken back makes needless are taken off then.
    """
    found = 0
    for task, learnt in enumerate(train):
        before = learnt * learner.compares(task)
        passes = task + 1 if learner.network.grows else 1
        found += (learnt + before + tested(test, task, learner)) * passes
    return found


class Pacer:
    """Counts work in passes of one picture through the backbone.

    Args:
        steps: training steps of the whole run.
        passes: passes of the whole run, estimated beforehand.
    """

    def __init__(
        self, steps: int, passes: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._steps, self.passes = steps, max(passes, 1.0)
        self._clock = clock
        self._began = self._said = clock()
        self._done_steps, self.done = 0, 0.0  # `done` in passes
        self._rate = 0.0
        self._since, self._images = self._began, 0
        self._measured = 0.0  # seconds
        # Passes and steps that turned out to be needed beside those of the plan, or fewer.
        self._more = 0.0, 0

    def did(self, passes: float, images: int = 0, steps: int = 0) -> list[Pace]:
        """Count work; returns one Pace if it is time for one, else nothing."""
        self.done += passes
        self._done_steps += steps
        self._images += images
        now = self._clock()
        if now - self._said < INTERVAL and self._done_steps < self._steps:
            return []
        self._said = now
        if images and now > self._since:
            fresh = self._images / (now - self._since)
            self._rate = fresh if self._rate == 0 else 0.7 * self._rate + 0.3 * fresh
            self._since, self._images = now, 0
        share = self._measured / max(now - self._began, 1e-9)
        work = min(self.done / max(self.passes, 1.0), 1.0)
        return [Pace(self._rate, self._left(now), self._done_steps, self._steps, share, work)]

    def expect(self, passes: float, steps: int) -> None:
        """Count on so much more work than before, or less."""
        self.passes, self._steps = self.passes + passes, self._steps + steps
        self._more = self._more[0] + passes, self._more[1] + steps

    def measuring(self, events: Iterable[E]) -> Iterator[E]:
        """Hand on a measurement's events, counting the time until each as the monitor's."""
        began = self._clock()
        for event in events:
            self._measured += self._clock() - began
            yield event
            began = self._clock()
        self._measured += self._clock() - began

    def restart_clock_of_images(self) -> None:
        """Forget the time since the last training step: what came between was not training."""
        self._since, self._images = self._clock(), 0

    def state(self) -> list[float]:
        """Return what `restore` needs to count on."""
        elapsed = self._clock() - self._began
        done = [self.done, float(self._done_steps), elapsed, self._measured, self._rate]
        return [*done, *map(float, self._more)]

    def restore(self, state: list[float]) -> None:
        """Count on from where another pacer of the same run stood."""
        self.done, steps, elapsed, self._measured, self._rate, passes, more = state
        self._done_steps = int(steps)
        self.expect(passes, int(more))
        self._began = self._clock() - elapsed

    def _left(self, now: float) -> float | None:
        elapsed = now - self._began
        enough = self.done >= SURE_AFTER * self.passes or elapsed >= LONG_ENOUGH
        if elapsed < FIRST_ESTIMATE or self.done <= 0 or not enough:
            return None
        return elapsed * max(self.passes - self.done, 0.0) / self.done
