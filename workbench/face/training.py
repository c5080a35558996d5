"""The worker thread that owns a run, and the one value from which every button is drawn."""

from PySide6.QtCore import QObject, QThread, Signal

from workbench.events import Event, Pace, Stage, TaskStarted
from workbench.face.activities import Activities, Activity
from workbench.face.background import LONGEST_WAIT
from workbench.face.pump import Pump
from workbench.session import Run


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

    The state is one of idle, starting, running, stopping.
    """

    news = Signal(list)
    state_changed = Signal()
    ended = Signal(str)  # finished, stopped or failed

    def __init__(self, parent: QObject | None = None, activities: Activities | None = None) -> None:
        super().__init__(parent)
        self._activities = activities or Activities(self)
        self._activity: Activity | None = None
        self.run: Run | None = None
        self._thread: TrainingThread | None = None
        self._pump: Pump | None = None
        self._learning = False
        self._stop_asked = False

    @property
    def state(self) -> str:
        """What is going on now."""
        if self._thread is None:
            return "idle"
        if self._stop_asked:
            return "stopping"
        return "running" if self._learning else "starting"

    def start(self, run: Run) -> None:
        """Work `run` on a new thread; none may be under way."""
        if self._thread is not None:
            raise RuntimeError(f"{run.name} cannot start while another run trains")
        self.run, self._learning, self._stop_asked = run, False, False
        self._thread = TrainingThread(run, self)
        self._thread.finished.connect(self._thread_finished)
        self._pump = Pump(run.news, self)
        self._pump.arrived.connect(self._hand_on)
        self._pump.start()
        self._activity = self._activities.begin(run.name, self.stop)
        self._thread.start()
        self.state_changed.emit()

    def stop(self) -> None:
        """Ask the run to end after its current step; asking twice is harmless."""
        if self.run is not None and self._thread is not None:
            self._stop_asked = True
            self.run.stop()
            self.state_changed.emit()

    def shut_down(self) -> bool:
        """Stop and wait, at most 15 s; return whether the thread has ended."""
        if self._thread is None:
            return True
        self.stop()
        ended = self._thread.wait(LONGEST_WAIT)
        if ended:
            self._thread_finished()  # the thread's own signal comes too late to be of use
        return ended

    def _hand_on(self, events: list[Event]) -> None:
        began = any(isinstance(event, TaskStarted) for event in events)
        if began and not self._learning:
            self._learning = True
            self.state_changed.emit()
        self._tell_progress(events)
        self.news.emit(events)

    def _tell_progress(self, events: list[Event]) -> None:
        if self._activity is None:
            return
        for event in events:
            if isinstance(event, Pace):
                self._activity.progress(event.done, event.total)
            elif isinstance(event, Stage) and not self._learning:
                self._activity.progress(event.done, event.total, event.text)

    def _thread_finished(self) -> None:
        if self._thread is None or self._pump is None:
            return
        self._pump.stop()
        end_state = self._thread.end_state
        self._pump.deleteLater()
        self._thread.deleteLater()
        self._thread = self._pump = None
        if self._activity is not None:
            self._activity.end()
        self.state_changed.emit()
        self.ended.emit(end_state)
