"""Several runs that wait, trained at the same time: each in a process of its own, with its share of the processor's cores.

A run alone leaves cores, or a GPU, idle between its small products; several fill them. Each is the run that it is alone.
"""

import os
import signal
import time
from threading import Thread

from workbench.cli.commands import say_stopped, stopped_by_signals
from workbench.cli.lookout import Lookout
from workbench.cli.progress import Progress, row_of
from workbench.errors import UsageError
from workbench.events import Evaluated, Event, Failed, Note, Pace, Stage
from workbench.session import Run, Session
from workbench.session.process_engine import ProcessEngine

MOST = 16
LOOK_SECONDS = 0.05  # between two looks at all of them
THREADS = "OMP_NUM_THREADS"  # torch's, and those of what it computes with


def must_be_possible(places: int) -> None:
    """Raise UsageError unless so many runs may be trained at once."""
    if not 1 <= places <= MOST:
        raise UsageError(
            f"--at-once {places}: from 1 to {MOST} runs are trained at a time. More than there are cores, or than a GPU's "
            "memory holds, only wait for each other."
        )


def train_at_once(session: Session, group: str, places: int) -> int:
    """Train what waits (of a group), so many runs at a time; a stop leaves the rest in the queue.

    Raises:
        KeyboardInterrupt: Ctrl-C stopped it.
    """
    os.environ.setdefault(THREADS, str(max(1, (os.cpu_count() or 1) // places)))
    lanes, alone = [_Lane(session) for _ in range(places)], session.engine
    try:
        return _train(session, group, lanes)
    finally:
        session.engine = alone
        for lane in lanes:
            lane.engine.shut_down()


class _Lane:
    """A place for one run after another."""

    def __init__(self, session: Session) -> None:
        self.engine = ProcessEngine(session.home, session.plug_ins)
        self.run: Run | None = None

    def begin(self, run: Run, progress: Progress) -> None:
        """Train a run in a thread, which watches over its process."""
        self.run, self.share, self._progress = run, 0.0, progress
        self._lookout = Lookout(run, progress)
        self._worker = Thread(target=run.work, name=f"training {run.name}")
        self._worker.start()

    def follow(self) -> str:
        """Tell what the run has said; return how it ended, once it has."""
        run = self.run
        assert run is not None
        ended = not self._worker.is_alive()  # before its news: they are its last then
        for event in run.news():
            self._tell(run.name, event)
            self._lookout.hear(event)
        if not ended:
            self._lookout.look()
            return ""
        self.run = None
        say_stopped(run)
        return run.state

    def _tell(self, name: str, event: Event) -> None:
        if isinstance(event, Pace):
            self.share = event.work
        elif isinstance(event, Evaluated):
            self._progress.line(f"{name}, after task {row_of(event)}")
        elif isinstance(event, Note):
            self._progress.line(f"{name}: {event.text}")
        elif isinstance(event, Failed):
            self._progress.line(f"{name}: {event.detail}{event.sentence}")


def _train(session: Session, group: str, lanes: list[_Lane]) -> int:
    progress, runs, code, room, stopped = Progress(), list[Run](), 0, True, False
    with stopped_by_signals(runs) as heard:
        while True:
            if room and not heard and not stopped:
                code = max(code, _fill(session, group, lanes, progress))
            runs[:] = [lane.run for lane in lanes if lane.run is not None]
            for run in runs if heard else ():  # one may have begun as the signal came
                run.stop()
            if not runs:
                break
            time.sleep(LOOK_SECONDS)
            ends = [lane.follow() for lane in lanes if lane.run is not None]
            room = any(ends)  # not asked each time: what waits is in the log
            stopped = stopped or "stopped" in ends  # by a signal, or since it was blocked for long
            if any(state not in ("", "finished", "stopped") for state in ends):
                code = 1
            far = [f"{lane.run.name} {100 * lane.share:.0f} %" for lane in lanes if lane.run]
            progress.show(Stage(", ".join(far) or "Done"))
    progress.close()
    if signal.SIGINT in heard:
        raise KeyboardInterrupt
    return 3 if heard or stopped else code


def _fill(session: Session, group: str, lanes: list[_Lane], progress: Progress) -> int:
    """Begin what waits wherever there is place; return 1 if something could not start."""
    code = 0
    for lane in (each for each in lanes if each.run is None):
        session.engine = lane.engine
        run, problems = session.queue.start_next(group)
        for problem in problems:
            progress.line(problem)
            code = 1
        if run is None:
            break
        lane.begin(run, progress)
        progress.line(f"{run.name} trains; {session.queue.waiting()} more wait.")
    return code
