"""Training in a process of its own, watched over by the thread that owns the run. No torch here."""

import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import paths
from workbench.errors import WorkbenchError
from workbench.events import Event, Failed, Finished, Interrupted, Stage, Stopped
from workbench.log.store import UNDER_WAY, Log
from workbench.session.asking import Asked
from workbench.session.children import KILL_SECONDS, Children, EngineChild
from workbench.session.end import Ending
from workbench.session.engine import LOADING
from workbench.session.engine_log import last_lines
from workbench.session.messages import (
    PROTOCOL,
    Ask,
    Hello,
    Over,
    Start,
    Switches,
    Told,
    Wished,
)
from workbench.session.steering import NOW, Steering
from workbench.session.work import Job, Tell, place_before

if TYPE_CHECKING:
    from workbench.session.plug_ins import PlugIns

LOOK_SECONDS = 0.5  # how often a supervisor looks around without being woken
_ENDS = (Finished, Stopped, Failed)


class ProcessEngine:
    """Trains in a child process that is kept warm, and answers what else needs torch in another one."""

    forceable = True

    def __init__(self, home: Path, plug_ins: "PlugIns") -> None:
        self._plug_ins = plug_ins
        self._children = Children(home)
        self._watched: _Supervision | None = None

    def warm(self) -> None:
        """Start a child in the background, so that torch is there before it is needed."""
        self._children.warm(self._switches, self._mark)

    def work(self, job: Job, steering: Steering, tell: Tell) -> None:
        """Train to the end or until `steering` ends it; `tell` hears every event, the last word included."""
        tell(Stage(LOADING))
        while not self._is_done(job, steering, tell):
            pass  # the child had ended while it waited for a run: another one takes this run

    def _is_done(self, job: Job, steering: Steering, tell: Tell) -> bool:
        mark = self._mark
        child = self._children.take(self._switches, mark)
        self._watched = watched = _Supervision(child, job, steering, tell)
        try:
            done = watched.watch()
        finally:
            self._watched = None
            # what an error left in it, or on the GPU, is not for the next run
            self._children.give_back(child, mark, whole=watched.whole)
        if done and not watched.whole:
            self.warm()
        return done

    def force_stop(self) -> None:
        """End the child that trains and all it started, whatever they are doing."""
        if self._watched is not None:
            self._watched.force()

    @property
    def seconds_silent(self) -> float | None:
        """How long ago what trains gave a sign of life; None if nothing trains."""
        watched = self._watched
        return None if watched is None else time.monotonic() - watched.last_sign

    def ask(self, name: str, *arguments: Any, **named: Any) -> Asked:
        """Return an iterator of what a session answers in a child; closing it, or its `cancel`, gives up.

        Iterating raises WorkbenchError: what the child raised, or that it has ended.
        """
        return Asked(self._children, self._switches, self._mark, Ask(name, arguments, named))

    def shut_down(self) -> None:
        """End all children that are idle; a run under way is to be stopped before."""
        self._children.close()

    @property
    def _switches(self) -> Switches:
        safe = self._plug_ins.safe_mode or bool(self._plug_ins.died_in)
        return Switches(self._plug_ins.entry_points, safe)

    @property
    def _mark(self) -> object:
        """Which plug-ins a child has: one that was started with others is not used."""
        return tuple((entry.name, entry.state) for entry in self._plug_ins.entries)


class _Supervision:
    """One run in one child, from its start to its last word, or to the child's end without one."""

    def __init__(self, child: EngineChild, job: Job, steering: Steering, tell: Tell) -> None:
        self._child, self._job, self._steering, self._tell = child, job, steering, tell
        self._ending = Ending()
        if job.resume:
            with suppress(WorkbenchError):  # the child says so
                self._ending.go_on(*place_before(job))
        self._forced: float | None = None
        self._heard = self._heard_end = self._over = False
        self._given_up = False  # before the child had even loaded what it needs
        self.whole = False  # whether the child may be used again
        self.last_sign = time.monotonic()  # of the child's life

    def watch(self) -> bool:
        """Pass on wishes and events until the end; return False if the child did not live to hear of it."""
        self._child.send(Start(self._job))
        self._steering.follow(lambda wish: self._child.send(Wished(wish)))
        interrupted = False
        try:
            while not self._over and not self._child.gone:
                try:
                    self._look()
                except KeyboardInterrupt:
                    if interrupted:
                        self.force()
                    interrupted = True
                    self._steering.stop()
        finally:
            self._steering.follow(None)
        ended = self._given_up or self._forced is not None
        deaf = self._child.waited and not self._heard and not ended
        if deaf and not interrupted:
            return False
        if not self._heard_end:
            self._say_the_end()
        if interrupted:
            raise KeyboardInterrupt
        return True

    def force(self) -> None:
        """Ask the child's whole family to end; three seconds later they are ended."""
        if self._forced is None:
            self._forced = time.monotonic()
            self._child.end()

    def _look(self) -> None:
        for message in self._child.receive(LOOK_SECONDS):
            self.last_sign = time.monotonic()
            self._take(message)
        if self._steering.stop_when == NOW and not self._heard and not self._child.ready:
            self._given_up = True
            self._child.end(at_once=True)
        if self._forced is not None and time.monotonic() - self._forced >= KILL_SECONDS:
            self._child.end(at_once=True)

    def _take(self, message: object) -> None:
        if isinstance(message, Told):
            self._heard = True
            for event in message.events:
                self._ending.hear(event)
                self._heard_end = self._heard_end or isinstance(event, _ENDS)
                self.whole = isinstance(event, (Finished, Stopped))
                self._tell(event)
        elif isinstance(message, Over):
            self._over = True
        elif isinstance(message, Hello) and message.protocol != PROTOCOL:
            self._child.end(at_once=True)

    def _say_the_end(self) -> None:
        """The child is gone without its last word: the log gets one, unless the word is there already."""
        code = self._child.bury()
        said = time.time()
        event: Event
        try:
            event = self._last_word(code, said)
            with closing(Log(self._job.home / paths.LOG_NAME)) as log:
                state = log.details(self._job.id).summary.state
                if state in (*UNDER_WAY, "interrupted"):  # found dead by another program: no word
                    log.write(self._job.id, [(said, event)])
                else:
                    event = log.events(self._job.id)[-1]
        except WorkbenchError as error:
            event = Failed(f"{self._ending.sentence(code, said)} {error}")
        self._tell(event)

    def _last_word(self, code: int | None, said: float) -> Event:
        if self._given_up:
            return Stopped(place_before(self._job)[0], time=said)
        sentence = self._ending.sentence(code, said, forced=self._forced is not None)
        return Interrupted(self._ending.steps, sentence, last_lines(self._job.folder), time=said)
