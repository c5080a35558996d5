"""What has been asked of a run under way: to stop, and when; to pause, and when. Any thread may ask."""

import threading
import time

from workbench.events import EpochEnded, Event, Finished, RunStarted, TaskEnded

NOW, EPOCH, TASK = "now", "epoch", "task"  # when a run that is to stop stops
WHENS = (NOW, EPOCH, TASK)


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
        between_tasks: whether the run is to pause after each task but the last.
    """

    def __init__(self) -> None:
        self.between_tasks = False
        self._changed = threading.Condition()
        self._stop = ""
        self._paused = False
        self._tasks = 0  # of the run; 0: not known yet

    @property
    def stop_when(self) -> str:
        """When it is to stop: now, epoch or task; empty: it is not to stop."""
        return self._stop

    def expect(self, tasks: int) -> None:
        """Know how many tasks the run has; one that goes on does not say so again."""
        self._tasks = tasks

    def stop(self, when: str = NOW) -> None:
        """Ask to end after the current step, epoch or task. The last word counts; a pause is over."""
        if when not in WHENS:
            raise ValueError(f"when is {when!r}, not one of {', '.join(WHENS)}")
        with self._changed:
            self._stop = when
            self._paused = False
            self._changed.notify_all()

    def pause(self) -> None:
        """Ask to wait after the next event; asking twice is harmless."""
        with self._changed:
            self._paused = not self._stop

    def go_on(self) -> None:
        """End the pause, or the wish for one."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def ends_after(self, event: Event) -> bool:
        """Return whether the run is to end now that `event` has been said.

        Where an epoch is waited for, the end of a task does as well: between tasks no epoch is under
        way. When the last task is learnt everything is, and the run finishes instead.
        """
        if isinstance(event, RunStarted):
            self._tasks = len(event.tasks)
        if isinstance(event, Finished) or self._is_last(event):
            return False
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

    def _is_last(self, event: Event) -> bool:
        return isinstance(event, TaskEnded) and event.task + 1 == self._tasks
