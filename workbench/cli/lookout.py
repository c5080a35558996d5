"""What a run without a window does that cannot go on: it looks again for a while, and then stops."""

import time

from workbench.cli.progress import Progress
from workbench.events import Blocked, Event, RunStarted, Step, TaskEnded
from workbench.session import Run

LOOK_AGAIN = 10.0  # seconds between two looks
PATIENCE = 600.0  # seconds until the run is stopped: nobody may be there to see to it


class Lookout:
    """Hears a run's events; `look` is called often, and asks the run to go on or to stop."""

    def __init__(self, run: Run, progress: Progress) -> None:
        self._run, self._progress = run, progress
        self._since: float | None = None  # when the run was first heard to be blocked
        self._next: float | None = None
        self._said = ""

    def hear(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, (RunStarted, Step, TaskEnded)):
            self._since, self._said = None, ""
        elif isinstance(event, Blocked):
            now = time.monotonic()
            self._since = now if self._since is None else self._since
            self._next = now + LOOK_AGAIN
            if event.sentence != self._said:
                self._said = event.sentence
                every, longest = f"{LOOK_AGAIN:.0f} s", f"{PATIENCE / 60:.0f} minutes"
                again = f"It is looked at again every {every}; after {longest} the run stops."
                self._progress.line(f"{event.sentence} {again}")

    def look(self) -> None:
        """Let the run try again if it is time, or stop it."""
        now = time.monotonic()
        if self._next is None or self._since is None or now < self._next:
            return
        self._next = None
        if now - self._since >= PATIENCE:
            self._run.stop()
        else:
            self._run.go_on()
