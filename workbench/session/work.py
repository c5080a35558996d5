"""The loop of a run, in whichever thread or process trains: events out of the engine, into the log, to a listener."""

import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import paths
from workbench.config import RunConfig
from workbench.errors import DiskFull, WorkbenchError
from workbench.events import (
    Answered,
    Blocked,
    Checkpointed,
    Event,
    Failed,
    Interrupted,
    Measured,
    Note,
    Paused,
    Resumed,
    Snapshot,
    Stage,
    Stopped,
    TaskEnded,
)
from workbench.log.store import Log
from workbench.log.writer import Writer
from workbench.session.end import Ending
from workbench.session.engine import LOADING, starting
from workbench.session.failing import failure
from workbench.session.steering import Steering, WorkClock

if TYPE_CHECKING:
    from workbench.core.train import Training
    from workbench.session.plug_ins import PlugIns

HEARTBEAT = 10.0  # seconds between two signs of life of a paused run
Tell = Callable[[Event], None]


@dataclass(frozen=True)
class Job:
    """What a run is asked to do; the log knows it by `id`."""

    home: Path
    id: str
    config: RunConfig
    resume: str = ""  # path of the checkpoint to go on from, below the run's folder
    accept_changed: bool = False  # go on though the pictures are not those that it began with

    @property
    def folder(self) -> Path:
        """Where the run keeps its files."""
        return paths.run_folder(self.home, self.id)


class ThreadEngine:
    """Trains in the thread that asks for it.

    With `plug_ins` the run may learn by their methods, and their measures are taken.
    """

    forceable = False  # a thread cannot be ended from outside
    seconds_silent = None  # nor does it give signs of life beside its work

    def __init__(self, plug_ins: "PlugIns | None" = None) -> None:
        self._plug_ins = plug_ins
        self._training: Training | None = None
        self._resume, self._accept_changed = "", False
        self._found: Mapping[str, str] | None = None
        self._ahead = False  # the training may be an event further than the run

    def work(self, job: Job, steering: Steering, tell: Tell) -> None:
        """Train to the end or until `steering` ends it; `tell` hears every event, the last word included."""
        self._resume, self._accept_changed = job.resume, job.accept_changed
        self._found = steering.found
        Work(self, job, steering, tell).do()

    def force_stop(self) -> None:
        """Nothing: see `forceable`."""

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
            from workbench.core.train import Training

        resume = folder / self._resume if self._resume else None
        method: dict[str, Any] = (
            {"method": self._plug_ins.learner(config)} if self._plug_ins is not None else {}
        )
        self._training = training = Training(
            config, home, folder, clock, resume=resume, accept_changed=self._accept_changed,
            found=self._found, **method,
        )  # fmt: skip
        if self._plug_ins is None:
            yield from training.events()
            return
        before = _said(home, folder.name) if resume else []
        with closing(self._plug_ins.measured(training.events(), before)) as events:
            for event in events:
                self._ahead = isinstance(event, (Measured, Note))  # a plug-in's, at a task's end
                yield event

    def keep(self) -> Checkpointed | None:
        """Write a checkpoint between two events; None where the last one counts."""
        if self._training is None or self._ahead:
            return None
        return self._training.keep()


def _said(home: Path, run_id: str) -> list[Event]:
    """Return what a run that goes on has said: the log's events until its checkpoint."""
    with Log(home / paths.LOG_NAME) as log:
        return list(log.events(run_id))


class Work:
    """One run's loop: writes each event into the log and tells it, and obeys what is asked between two."""

    def __init__(self, engine: ThreadEngine, job: Job, steering: Steering, tell: Tell) -> None:
        self._engine, self._job, self._steering, self._tell = engine, job, steering, tell
        self._clock = WorkClock()
        self._ending = Ending()  # knows what is done and kept so far

    @property
    def _steps(self) -> int:
        """How many are done so far."""
        return self._ending.steps

    def do(self) -> None:
        """Train to the end; whatever breaks, the last event told says how it ended."""
        try:
            with Writer(self._job.home / paths.LOG_NAME, self._job.id) as writer:
                self._work(writer)
        except WorkbenchError as error:  # the log itself: whoever listens is told all the same
            self._tell(Failed(str(error)))

    def _work(self, writer: Writer) -> None:
        try:
            self._train(writer)
        except KeyboardInterrupt:
            self._say(writer, Stopped(self._steps))
            raise
        except Exception as error:  # noqa: BLE001  (the run must end in the log whatever broke)
            self._say(writer, failure(error, self._job.config.method.name, self._ending))

    def _train(self, writer: Writer) -> None:
        job, folder = self._job, self._job.folder
        if job.resume:
            self._go_on(folder / job.resume)
            self._say(writer, Resumed(self._steps))
        with closing(self._engine.events(job.config, job.home, folder, self._clock)) as events:
            try:
                for event in events:
                    self._take(writer, event)
                    if self._steering.pauses_after(event):
                        self._wait(writer, event)
                    if self._steering.ends_after(event):
                        self._keep(writer)
                        self._say(writer, self._last_word())
                        return
            except KeyboardInterrupt:
                self._keep(writer)
                raise

    def _last_word(self) -> Event:
        cause = self._steering.cause
        if not cause:
            return Stopped(self._steps)
        sentence = f"Training stopped after step {self._steps:,}, because {cause}."
        return Interrupted(self._steps, sentence)

    def _go_on(self, place: Path) -> None:
        """Know what the events before the checkpoint had told."""
        head = _head_of(place)
        at = head["position"]
        self._ending.go_on(at["step"], at["task"])
        self._steering.expect(len(head["tasks"]))

    def _take(self, writer: Writer, event: Event) -> None:
        """Write an event into the log with the files that it speaks of, and tell it."""
        if isinstance(
            event, Blocked
        ):  # the log keeps none, and to try would wait for a full disk twice
            self._tell(replace(event, time=time.time()))
            self._steering.pause()
            return
        self._say(writer, event)
        for kind, path in _files_of(event):
            note = partial(writer.note_file, kind, self._job.folder / path)
            self._put(writer, note)

    def _wait(self, writer: Writer, event: Event) -> None:
        """Wait until the pause is over; the log hears a sign of life now and then.

        A folder that was looked for and is there again ends the pause by itself.
        """
        began = time.monotonic()
        away = (
            event.folder if isinstance(event, Blocked) and not os.path.isdir(event.folder) else ""
        )
        if not isinstance(event, Blocked):
            self._keep(writer)
        self._say(writer, Paused(self._steps, event.task if isinstance(event, TaskEnded) else None))
        while not self._steering.wait(HEARTBEAT):
            self._put(writer, writer.flush)
            if away and os.path.isdir(away):
                self._steering.go_on()
        self._clock.leave_out(time.monotonic() - began)
        if self._steering.found:
            self._put(writer, partial(writer.move, self._steering.found))
        if not self._steering.ends_after(event):
            self._say(writer, Resumed(self._steps))

    def _keep(self, writer: Writer) -> None:
        """Write a checkpoint of the state that is left, if there is something new to keep."""
        try:
            kept = self._engine.keep()
        except WorkbenchError as error:  # the run can still go on from an older one
            self._say(writer, Note(str(error), "warning"))
            return
        if kept is not None:
            self._say(writer, kept)

    def _say(self, writer: Writer, event: Event) -> None:
        timed = replace(event, time=time.time())  # once: the log and whoever listens agree
        self._ending.hear(timed)
        self._put(writer, partial(writer.add, timed))
        self._tell(timed)

    def _put(self, writer: Writer, put: Callable[[], None]) -> None:
        """Write; on a full disk wait, with the run in memory, until there is room or it is to stop."""
        while True:
            try:
                put()
                return
            except DiskFull as error:
                if self._steering.stop_when:
                    return  # what waits is tried once more at the end
                self._steering.pause()
                began = time.monotonic()
                self._tell(Blocked(str(error)))
                self._tell(Paused(self._steps))
            while not self._steering.wait(HEARTBEAT):
                pass
            self._clock.leave_out(time.monotonic() - began)
            self._tell(Resumed(self._steps))
            put = writer.flush  # it has what it was given


def place_before(job: Job) -> tuple[int, int]:
    """Return how many steps were done, and in which task, where a job goes on; cheap, no torch."""
    if not job.resume:
        return 0, 0
    at = _head_of(job.folder / job.resume)["position"]
    return int(at["step"]), int(at["task"])


def _head_of(place: Path) -> dict[str, Any]:
    from workbench.core.checkpoint import read_head

    return read_head(place)


def _files_of(event: Event) -> list[tuple[str, str]]:
    """Return kind and path, below the run's folder, of the files that an event speaks of."""
    if isinstance(event, Snapshot):
        return [("kernel", event.path)]
    if isinstance(event, Answered):
        return [("answers", event.path), ("answers", event.pictures)]
    if isinstance(event, TaskEnded):
        return [("adapter", "adapter/adapter.safetensors")]
    return []
