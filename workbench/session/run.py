"""One run under way, and the engine that trains it; whoever owns the thread calls `Run.work`."""

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import paths
from workbench.config import RunConfig
from workbench.errors import WorkbenchError
from workbench.events import (
    Answered,
    Event,
    Failed,
    Pace,
    Paused,
    Resumed,
    Snapshot,
    Stage,
    Step,
    Stopped,
    TaskEnded,
)
from workbench.log.writer import Writer
from workbench.plugins import culprit
from workbench.session.engine import LOADING, NoEngineError, starting
from workbench.session.steering import NOW, Steering, WorkClock

if TYPE_CHECKING:
    from workbench.session.plug_ins import PlugIns

_SUPERSEDED = (Stage, Pace)  # only the newest of these is worth delivering
HEARTBEAT = 10.0  # seconds between two signs of life of a paused run


class ThreadEngine:
    """Trains in the thread that asks for the events; the only engine so far.

    With `plug_ins` the run may learn by their methods, and their measures are taken.
    """

    def __init__(self, plug_ins: "PlugIns | None" = None) -> None:
        self._plug_ins = plug_ins

    def events(
        self,
        config: RunConfig,
        home: Path,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> Generator[Event, None, None]:
        """Return the run's events, paced on `clock`; torch is imported when the first one is asked for."""
        yield Stage(LOADING)
        with starting():
            from workbench.core.train import train

        if self._plug_ins is None:
            yield from train(config, home, folder, clock)
            return
        method = self._plug_ins.learner(config)
        yield from self._plug_ins.measured(train(config, home, folder, clock, method))


class Run:
    """One run under way. `work` blocks; everything else may be used from another thread.

    Attributes:
        state: starting, running or paused, and at the end finished, stopped or failed.
    """

    def __init__(
        self, home: Path, run_id: str, config: RunConfig, engine: ThreadEngine | None = None
    ) -> None:
        self.home = home
        self.id = run_id
        self.name = config.name
        self.config = config
        self.state = "starting"
        self._clock = WorkClock()
        self._engine = engine or ThreadEngine()
        self._news: deque[Event] = deque()
        self._lock = threading.Lock()
        self._steering = Steering()
        self._steps = 0  # done so far
        self._began: float | None = None  # by the run's clock
        self._resting: float | None = None  # since when, by the same clock

    @property
    def seconds(self) -> float:
        """How long the run has worked so far, pauses left out."""
        if self._began is None:
            return 0.0
        resting = self._resting
        return (self._clock() if resting is None else resting) - self._began

    def work(self) -> str:
        """Train to the end, writing the log; return the end state: finished, stopped or failed."""
        self._began = self._clock()
        try:
            with Writer(self.home / paths.LOG_NAME, self.id) as writer:
                self._work(writer)
        except WorkbenchError as error:  # the log itself: whoever listens is told all the same
            self._tell(Failed(str(error)))
        return self.state

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
    def stop_when(self) -> str:
        """When the run has been asked to end: now, epoch, task; empty if it has not."""
        return self._steering.stop_when

    def pause(self) -> None:
        """Ask the run to wait after the current step, with everything in memory."""
        self._steering.pause()

    def go_on(self) -> None:
        """Let a paused run go on."""
        self._steering.go_on()

    def pause_between_tasks(self, wanted: bool) -> None:
        """Choose whether the run waits after each task but the last; may be changed at any time."""
        self._steering.between_tasks = wanted

    def _work(self, writer: Writer) -> None:
        try:
            self._train(writer)
        except KeyboardInterrupt:
            self._say(writer, Stopped(self._steps))
            raise
        except NoEngineError as error:
            self._say(writer, Failed(str(error), traceback.format_exc()))
        except WorkbenchError as error:
            self._say(writer, Failed(str(error)))
        except Exception as error:  # noqa: BLE001  (the run must end in the log whatever broke)
            sentence = blamed_sentence(error, self.config.method.name) or _sentence_for(error)
            self._say(writer, Failed(sentence, traceback.format_exc()))

    def _train(self, writer: Writer) -> None:
        folder = paths.run_folder(self.home, self.id)
        with closing(self._engine.events(self.config, self.home, folder, self._clock)) as events:
            for event in events:
                self._say(writer, event)
                if isinstance(event, Snapshot):
                    writer.note_file("kernel", folder / event.path)
                if isinstance(event, Answered):
                    writer.note_file("answers", folder / event.path)
                    writer.note_file("answers", folder / event.pictures)
                if isinstance(event, TaskEnded):
                    writer.note_file("adapter", folder / "adapter" / "adapter.safetensors")
                if isinstance(event, Step):
                    self._steps = event.step + 1
                if self._steering.pauses_after(event):
                    self._wait(writer, event)
                if self._steering.ends_after(event):
                    self._say(writer, Stopped(self._steps))
                    return

    def _wait(self, writer: Writer, event: Event) -> None:
        """Wait until the pause is over; the log hears a sign of life now and then."""
        began = time.monotonic()
        self._resting = self._clock()
        self._say(writer, Paused(self._steps, event.task if isinstance(event, TaskEnded) else None))
        while not self._steering.wait(HEARTBEAT):
            writer.flush()
        self._clock.leave_out(time.monotonic() - began)
        self._resting = None
        if not self._steering.ends_after(event):
            self._say(writer, Resumed(self._steps))

    def _say(self, writer: Writer, event: Event) -> None:
        timed = replace(event, time=time.time())  # once: the log and whoever listens agree
        writer.add(timed)
        self._tell(timed)

    def _tell(self, event: Event) -> None:
        self.state = _STATE_AFTER.get(
            type(event).__name__, "running" if self.state == "starting" else self.state
        )
        with self._lock:
            if (
                self._news
                and isinstance(event, _SUPERSEDED)
                and type(self._news[-1]) is type(event)
            ):
                self._news.pop()
            self._news.append(event)


_STATE_AFTER = {
    "Finished": "finished", "Stopped": "stopped", "Failed": "failed", "Paused": "paused",
    "Resumed": "running",
}  # fmt: skip


def blamed_sentence(error: BaseException, method: str) -> str:
    """Return the sentence for an error in a plug-in's code, or an empty string."""
    blamed = culprit(error)
    if blamed is None:
        return ""
    return (
        f"The method '{method}' of the plug-in {blamed.name} failed: {blamed.reason} "
        "What was learnt up to the last whole task is kept. Choose another method, or tell its author."
    )


def _sentence_for(error: Exception) -> str:
    if type(error).__name__ == "OutOfMemoryError":
        return (
            "The GPU ran out of memory. A smaller batch, or the processor (device cpu), needs less."
        )
    return f"The program made a mistake ({type(error).__name__}: {error}). Everything up to the last task is kept."
