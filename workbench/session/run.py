"""One run under way, as whoever started it sees it; the thread that owns it calls `Run.work`."""

import threading
from collections import deque
from pathlib import Path
from typing import Protocol

from workbench import paths
from workbench.config import RunConfig
from workbench.errors import WorkbenchError
from workbench.events import Event, Pace, Paused, Resumed, Stage
from workbench.log.store import Log
from workbench.session.steering import NOW, Steering, WorkClock
from workbench.session.work import Job, Tell, ThreadEngine

SIGN_SECONDS = 15.0  # three signs of life may be missed
_SUPERSEDED = (Stage, Pace)  # only the newest of these is worth delivering
_STATE_AFTER = {
    "Finished": "finished", "Stopped": "stopped", "Failed": "failed", "Paused": "paused",
    "Resumed": "running", "Interrupted": "interrupted",
}  # fmt: skip
ENDED = ("finished", "stopped", "failed", "interrupted")
SETTLE_WAIT_MS = 200  # for another program's lock: it is tried again


class Engine(Protocol):
    """What trains: in this thread, or in a process that this thread watches over."""

    @property
    def forceable(self) -> bool:
        """Whether a step that does not end can be ended."""

    @property
    def seconds_silent(self) -> float | None:
        """How long ago what trains gave a sign of life beside its work; None if it gives none."""

    def work(self, job: Job, steering: Steering, tell: Tell) -> None:
        """Train to the end or until `steering` ends it; `tell` hears every event, the last word included."""

    def force_stop(self) -> None:
        """End what trains, whatever it is doing; nothing where that cannot be."""


class Run:
    """One run under way. `work` blocks; everything else may be used from another thread.

    One that goes on does so from a `checkpoint` of its folder.

    Attributes:
        steps: done before it began; more than 0 if it goes on.
        state: starting, running or paused, and at the end finished, stopped, failed or interrupted.
    """

    def __init__(
        self,
        home: Path,
        run_id: str,
        config: RunConfig,
        engine: Engine | None = None,
        checkpoint: str = "",
        steps: int = 0,
        *,
        accept_changed: bool = False,
    ) -> None:
        self.home = home
        self.id = run_id
        self.name = config.name
        self.config = config
        self.state = "starting"
        self._clock = WorkClock()
        self._engine = engine or ThreadEngine()
        self.steps = steps
        self._checkpoint, self._accept_changed = checkpoint, accept_changed
        self._news: deque[Event] = deque()
        self._lock = threading.Lock()
        self._steering = Steering()
        self._began: float | None = None  # by the run's clock
        self._resting: float | None = None  # since when, by the same clock
        self._last_word: Event | None = None

    @property
    def seconds(self) -> float:
        """How long the run has worked so far, pauses left out."""
        if self._began is None:
            return 0.0
        resting = self._resting
        return (self._clock() if resting is None else resting) - self._began

    def work(self) -> str:
        """Train to the end, writing the log; return the end state: finished, stopped, failed or interrupted."""
        self._began = self._clock()
        job = Job(self.home, self.id, self.config, self._checkpoint, self._accept_changed)
        self._engine.work(job, self._steering, self._take)
        return self.state

    def settle(self) -> bool:
        """Note how the run ended where a full or locked disk kept that out of the log; return whether it is there."""
        try:
            with Log(self.home / paths.LOG_NAME, wait_ms=SETTLE_WAIT_MS) as log:
                if self._last_word is not None:
                    log.settle(self.id, self._last_word)
        except WorkbenchError:
            return False
        return True

    def news(self) -> list[Event]:
        """Return the events since the last call, oldest first; never blocks for long."""
        with self._lock:
            fresh = list(self._news)
            self._news.clear()
        return fresh

    def stop(self, when: str = NOW) -> None:
        """Ask the run to end after the current step ("now"), "epoch" or "task"; the last word counts.

        A paused run goes on until then.
        """
        self._steering.stop(when)

    @property
    def can_be_forced(self) -> bool:
        """Whether the run can be ended in the middle of a step."""
        return self._engine.forceable

    @property
    def is_at_work(self) -> bool:
        """Whether what trains has just given a sign of life, though it may have said nothing for long."""
        silent = self._engine.seconds_silent
        return silent is not None and silent < SIGN_SECONDS

    def force_stop(self) -> None:
        """End the run in the middle of its step, within seconds; what was saved before is kept."""
        self.stop()
        self._engine.force_stop()

    @property
    def stop_when(self) -> str:
        """When the run has been asked to end: now, epoch, task; empty if it has not."""
        return self._steering.stop_when

    def pause(self) -> None:
        """Ask the run to wait after the current step, with everything in memory."""
        self._steering.pause()

    def go_on(self) -> None:
        """Let a paused run go on."""
        self._steering.go_on()

    def find(self, old: str, new: str) -> None:
        """Say where a folder of pictures lies now, and go on."""
        self._steering.find(old, new)

    def pause_between_tasks(self, wanted: bool) -> None:
        """Choose whether the run waits after each task but the last; may be changed at any time."""
        self._steering.between_tasks = wanted

    def _take(self, event: Event) -> None:
        self.state = _STATE_AFTER.get(
            type(event).__name__, "running" if self.state == "starting" else self.state
        )
        if self.state in ENDED:
            self._last_word = event
        if isinstance(event, Paused):
            self._resting = self._clock()
        if isinstance(event, Resumed) and self._resting is not None:
            self._clock.leave_out(self._clock() - self._resting)
            self._resting = None
        with self._lock:
            superseded = isinstance(event, _SUPERSEDED)
            if self._news and superseded and type(self._news[-1]) is type(event):
                self._news.pop()
            self._news.append(event)
