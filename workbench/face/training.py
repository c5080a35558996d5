"""The worker thread that owns a run, and the one value from which every button is drawn."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from workbench.events import (
    Blocked,
    Event,
    Pace,
    Paused,
    Resumed,
    RunStarted,
    Stage,
    Step,
    TaskStarted,
)
from workbench.face.activities import Activities, Activity
from workbench.face.background import LONGEST_WAIT
from workbench.face.pump import Pump
from workbench.session import Run

FORCE_AFTER_MS = 10_000  # of waiting for the end of a step
_PARTS = 1000  # of a run's work


class TrainingThread(QThread):
    """Works one run to its end. The window never waits for it except to close."""

    def __init__(self, run: Run, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"training {run.name}")
        self._run = run
        self.end_state = "failed"  # what stands if `work` itself breaks

    def run(self) -> None:
        """Train; the run writes its own log."""
        self.end_state = self._run.work()


class Training(QObject):
    """At most one run at a time: its thread, its news, its state.

    The state is one of idle, starting, running, pausing, paused, stopping.

    Attributes:
        run: the run under way, else the last one.
        task: 0-based number of the task being learnt, or learnt last.
        tasks: how many the run has; 0 until that is known.
        between_tasks: whether a run is to wait after each task.
    """

    news = Signal(list)
    state_changed = Signal()
    ended = Signal(str)  # finished, stopped, failed or interrupted

    def __init__(self, parent: QObject | None = None, activities: Activities | None = None) -> None:
        super().__init__(parent)
        self._activities = activities or Activities(self)
        self.run: Run | None = None
        self.task = self.tasks = 0
        self.between_tasks = False
        self._activity: Activity | None = None
        self._thread: TrainingThread | None = None
        self._pump: Pump | None = None
        self._learning = self._paced = self._pause_asked = False
        self._paused: Paused | None = None
        self._overdue = False
        self.patience = QTimer(self)  # with a run that is to stop now
        self.patience.setSingleShot(True)
        self.patience.setInterval(FORCE_AFTER_MS)
        self.patience.timeout.connect(self._end_is_overdue)

    @property
    def state(self) -> str:
        """What is going on now."""
        if self._thread is None:
            return "idle"
        if self.stop_when:
            return "stopping"
        if self._paused is not None:
            return "paused"
        if self._pause_asked:
            return "pausing"
        return "running" if self._learning else "starting"

    @property
    def stop_when(self) -> str:
        """When the run under way is to stop: now, epoch, task; empty if it is not to."""
        return self.run.stop_when if self.run is not None and self._thread is not None else ""

    @property
    def can_be_forced(self) -> bool:
        """Whether the run under way could be ended in the middle of a step."""
        return self.run is not None and self._thread is not None and self.run.can_be_forced

    @property
    def overdue(self) -> bool:
        """Whether the run was to stop 10 s ago, still has not, and could be forced to."""
        return self._overdue and self.can_be_forced

    @property
    def paused_after(self) -> int | None:
        """The task after which the run waits, if it waits between two."""
        return self._paused.task if self._paused is not None else None

    @property
    def counted(self) -> str:
        """How much of the run under way is done, "23 %"; empty while that is not known."""
        return self._activity.counted if self._activity is not None and self._paced else ""

    @property
    def seconds_left(self) -> float | None:
        """How long the run under way still takes, once that can be said."""
        return self._activity.seconds_left if self._activity is not None else None

    def start(self, run: Run) -> None:
        """Work `run` on a new thread; none may be under way."""
        if self._thread is not None:
            raise RuntimeError(f"{run.name} cannot start while another run trains")
        self.run, self._paused = run, None
        self._learning = self._paced = self._pause_asked = False
        self.task = self.tasks = 0
        run.pause_between_tasks(self.between_tasks)
        self._thread = TrainingThread(run, self)
        self._thread.finished.connect(self._thread_finished)
        self._pump = Pump(run.news, self)
        self._pump.arrived.connect(self._hand_on)
        self._pump.start()
        self._activity = self._activities.begin(run.name, self.stop, in_parts=True)
        self._thread.start()
        self.state_changed.emit()

    def recall(self, events: Sequence[Event]) -> None:
        """Take what the run under way had said before it went on."""
        for event in events:
            if isinstance(event, RunStarted):
                self.tasks = len(event.tasks)
            elif isinstance(event, TaskStarted):
                self.task = event.task

    def stop(self, when: str = "now") -> None:
        """Ask the run to end after its current step, "epoch" or "task"; the last word counts."""
        if self.run is not None and self._thread is not None:
            self.run.stop(when)
            self._pause_asked, self._paused = False, None
            if when == "now" and not self.patience.isActive() and not self._overdue:
                self.patience.start()
            self.state_changed.emit()

    def force_stop(self) -> None:
        """End the run in the middle of its step."""
        if self.run is not None and self._thread is not None:
            self.run.force_stop()
            self.state_changed.emit()

    def stop_now(self) -> None:
        """Ask the run to end after its current step: for buttons, whose signal carries a tick."""
        self.stop()

    def pause(self) -> None:
        """Ask the run to wait after its current step."""
        if self.run is not None and self.state in ("starting", "running"):
            self._pause_asked = True
            self.run.pause()
            self.state_changed.emit()

    def go_on(self) -> None:
        """Let a paused run go on."""
        if self.run is not None and self.state in ("pausing", "paused"):
            self._pause_asked, self._paused = False, None
            self.run.go_on()
            self.state_changed.emit()

    def find(self, old: str, new: str) -> None:
        """Say where the folder lies now that a run waits for."""
        if self.run is not None and self.state in ("pausing", "paused"):
            self._pause_asked, self._paused = False, None
            self.run.find(old, new)
            self.state_changed.emit()

    def pause_between(self, wanted: bool) -> None:
        """Choose whether this run and those to come wait after each task."""
        self.between_tasks = wanted
        if self.run is not None:
            self.run.pause_between_tasks(wanted)

    def shut_down(self) -> bool:
        """Stop and wait, at most 15 s, 25 where it can be forced; return whether the thread has ended."""
        if self.stop_within(FORCE_AFTER_MS if self.can_be_forced else LONGEST_WAIT):
            return True
        if not self.can_be_forced:
            return False
        self.force_stop()
        return self.stop_within(LONGEST_WAIT)

    def stop_within(self, ms: int) -> bool:
        """Stop and wait no longer than that; return whether nothing trains any more."""
        if self._thread is None:
            return True
        self.stop()
        ended = self._thread.wait(ms)
        if ended:
            self._thread_finished()  # the thread's own signal comes too late to be of use
        return ended

    def _hand_on(self, events: list[Event]) -> None:
        before = self.state
        for event in events:
            self._take(event)
        if self.state != before:
            self.state_changed.emit()
        self.news.emit(events)

    def _take(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.tasks = len(event.tasks)
        elif isinstance(event, (TaskStarted, Step)):  # a run that goes on may be within a task
            self._learning, self.task = True, event.task
        elif isinstance(event, Blocked):
            self._pause_asked = True
        elif isinstance(event, Paused):
            self._paused = None if self.stop_when else event
        elif isinstance(event, Resumed):
            self._paused = None
            if self._activity is not None:
                self._activity.rested()
        elif self._activity is not None and isinstance(event, Pace):
            self._paced, done = True, round(_PARTS * event.work)
            self._activity.progress(done, _PARTS, seconds_left=event.seconds_left)
        elif self._activity is not None and isinstance(event, Stage):
            self._tell_stage(self._activity, event)

    def _tell_stage(self, activity: Activity, stage: Stage) -> None:
        """Once the pace of the whole work is told, that is what is counted."""
        if self._paced:
            activity.progress(activity.done, activity.total, stage.text)
        else:
            activity.progress(stage.done, stage.total, stage.text)

    def _end_is_overdue(self) -> None:
        self._overdue = True
        self.state_changed.emit()

    def _thread_finished(self) -> None:
        if self._thread is None or self._pump is None:
            return
        self.patience.stop()
        self._overdue = False
        self._pump.stop()
        end_state = self._thread.end_state
        self._pump.deleteLater()
        self._thread.deleteLater()
        self._thread = self._pump = self._paused = None
        if self._activity is not None:
            self._activity.end()
            self._activity = None
        self.state_changed.emit()
        self.ended.emit(end_state)
