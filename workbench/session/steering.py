"""What has been asked of a run under way: to stop, and when; to pause, and when. Any thread may ask."""

import threading
import time
from collections.abc import Callable

from workbench.events import Blocked, EpochEnded, Event, Finished, RunStarted, TaskEnded

NOW, EPOCH, TASK = "now", "epoch", "task"  # when a run that is to stop stops
WHENS = (NOW, EPOCH, TASK)
Wish = tuple[str, str | bool | tuple[str, str]]  # what was asked, and how


class WorkClock:
    """Monotonic seconds without those that a run was paused."""

    def __init__(self) -> None:
        self._paused = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return time.monotonic() - self._paused

    def leave_out(self, seconds: float) -> None:
        """Count `seconds` that have just passed as if they had not."""
        self._paused += seconds


class Steering:
    """Wishes, and after which event each takes effect. A run asked to stop does not pause any more.

    Attributes:
        found: where folders of pictures lie that were looked for: old path -> new path.
    """

    def __init__(self) -> None:
        self._between_tasks = False
        self._follower: Callable[[Wish], None] | None = None
        self._changed = threading.Condition()
        self._stop = self._cause = ""
        self._paused = False
        self._tasks = 0  # of the run; 0: not known yet
        self.found: dict[str, str] = {}

    @property
    def stop_when(self) -> str:
        """When it is to stop: now, epoch or task; empty: it is not to stop."""
        return self._stop

    def expect(self, tasks: int) -> None:
        """Know how many tasks the run has; one that goes on does not say so again."""
        self._tasks = tasks

    @property
    def between_tasks(self) -> bool:
        """Whether the run is to pause after each task but the last."""
        return self._between_tasks

    @between_tasks.setter
    def between_tasks(self, wanted: bool) -> None:
        with self._changed:
            self._between_tasks = wanted
            self._hand_on(("between_tasks", wanted))

    def stop(self, when: str = NOW) -> None:
        """Ask to end after the current step, epoch or task. The last word counts; a pause is over."""
        if when not in WHENS:
            raise ValueError(f"when is {when!r}, not one of {', '.join(WHENS)}")
        with self._changed:
            self._stop = when
            self._paused = False
            self._hand_on(("stop", when))
            self._changed.notify_all()

    def cut_off(self, cause: str) -> None:
        """Ask to end after the current step as a run that was interrupted, not one that its user stopped."""
        self._cause = cause
        self.stop()

    @property
    def cause(self) -> str:
        """Why it is to end, if nobody asked for it; else empty."""
        return self._cause

    def pause(self) -> None:
        """Ask to wait after the next event; asking twice is harmless."""
        with self._changed:
            self._paused = not self._stop
            self._hand_on(("pause", True))

    def go_on(self) -> None:
        """End the pause, or the wish for one."""
        with self._changed:
            self._paused = False
            self._hand_on(("pause", False))
            self._changed.notify_all()

    def find(self, old: str, new: str) -> None:
        """Say where a folder of pictures lies now; a run that waits for it goes on."""
        with self._changed:
            self.found[old] = new
            self._hand_on(("found", (old, new)))
        self.go_on()

    def follow(self, follower: Callable[[Wish], None] | None) -> None:
        """Hand every wish on to `follower` as it is made, those that stand at once."""
        with self._changed:
            self._follower = follower
            self._hand_on(("between_tasks", self._between_tasks))
            for place in self.found.items():
                self._hand_on(("found", place))
            if self._stop:
                self._hand_on(("stop", self._stop))
            elif self._paused:
                self._hand_on(("pause", True))

    def obey(self, wish: Wish) -> None:
        """Take a wish that another steering handed on."""
        what, how = wish
        if what == "stop":
            self.stop(str(how))
        elif what == "between_tasks":
            self.between_tasks = bool(how)
        elif isinstance(how, tuple):
            self.find(*how)
        elif how:
            self.pause()
        else:
            self.go_on()

    def ends_after(self, event: Event) -> bool:
        """Return whether the run is to end now that `event` has been said.

        Where an epoch is waited for, the end of a task does as well: between tasks no epoch is under
        way. When the last task is learnt everything is, and the run finishes instead. A run that
        cannot go on does not wait for the end of anything.
        """
        if isinstance(event, RunStarted):
            self._tasks = len(event.tasks)
        if isinstance(event, Finished) or self._is_last(event):
            return False
        if isinstance(event, Blocked):
            return bool(self._stop)
        if self._stop == EPOCH:
            return isinstance(event, (EpochEnded, TaskEnded))
        if self._stop == TASK:
            return isinstance(event, TaskEnded)
        return self._stop == NOW

    def pauses_after(self, event: Event) -> bool:
        """Return whether the run is to wait now that `event` has been said."""
        if isinstance(event, Finished) or self._is_last(event):
            return False
        with self._changed:
            if isinstance(event, TaskEnded) and self.between_tasks and not self._stop:
                self._paused = True
            return self._paused

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds`; return whether the pause is over."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._paused, seconds)

    def _hand_on(self, wish: Wish) -> None:
        if self._follower is not None:
            self._follower(wish)

    def _is_last(self, event: Event) -> bool:
        return isinstance(event, TaskEnded) and event.task + 1 == self._tasks
