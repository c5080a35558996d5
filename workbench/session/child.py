"""The process that trains: what its first function does, and its four threads.

The main thread works. One listens, to commands and to the parent's end; one tells; one gives signs of life.
Nothing here waits for the parent: what it does not take is left out by the outbox.
"""

import gc
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import closing, suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn

import psutil  # type: ignore[import-untyped]  # ships no types

from workbench.errors import WorkbenchError
from workbench.events import EpochEnded, Event, Pace, Step, TaskEnded
from workbench.session import engine_log
from workbench.session.asked import ASKED
from workbench.session.end import OWNER_GONE
from workbench.session.engine import NoEngineError, starting
from workbench.session.messages import (
    PROTOCOL,
    Answered,
    Ask,
    Beat,
    Enough,
    Hello,
    Item,
    Over,
    Quit,
    Ready,
    Start,
    Switches,
    Wished,
)
from workbench.session.outbox import Outbox
from workbench.session.plug_ins import PlugIns
from workbench.session.session import Session
from workbench.session.steering import Steering
from workbench.session.work import ThreadEngine

TELL_SECONDS = 0.1  # between two batches
BEAT_SECONDS = 5.0  # between two signs of life
REST_SECONDS = 1.0  # after which an idle child cleans up
GRACE = 10.0  # seconds that a step may still take once the parent is gone, and its checkpoint
LEAVE_SECONDS = 0.4  # that anything else may: what it made so far is in the log, or made again
_WORTH_A_CHECKPOINT = (Step, EpochEnded, TaskEnded)


def main(pipe: "Connection[Any, Any]", home: Path, switches: Switches) -> None:
    """Serve until told to quit or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which decides
    if hasattr(signal, "SIGHUP"):  # so does the end of the terminal
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    child = Child(pipe, home, switches)
    signal.signal(signal.SIGTERM, child.asked_to_end)
    child.serve()
    leave(0)


def leave(code: int) -> NoReturn:
    """End with all that was started here; taking torch down would take seconds."""
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            each.kill()
    os._exit(code)


class Child:
    """What the process does, whoever asks."""

    def __init__(self, pipe: "Connection[Any, Any]", home: Path, switches: Switches) -> None:
        self._pipe, self._home, self._switches = pipe, home, switches
        self._outbox = Outbox()
        self._todo: queue.SimpleQueue[Start | Ask | None] = queue.SimpleQueue()
        self._steering = Steering()
        self._enough = threading.Event()
        self._log_file: Path | None = None
        self._ready = self._busy = False
        self._used = False  # and may hold what it used
        self._worth_waiting = False  # whether a checkpoint can be written as soon as the step ends

    def serve(self) -> None:
        """Do one thing after another until there is nothing more to come."""
        self._outbox.put(Hello(PROTOCOL, os.getpid()))
        sender = threading.Thread(target=self._tell, name="telling", daemon=True)
        sender.start()
        threading.Thread(target=self._listen, name="listening", daemon=True).start()
        threading.Thread(target=self._beat, name="beating", daemon=True).start()
        with suppress(NoEngineError), starting():  # said when a run needs it
            import workbench.core.train  # noqa: F401
        self._ready = True
        self._outbox.put(Ready())
        while (asked := self._next()) is not None:
            self._busy = self._used = True
            if isinstance(asked, Start):
                self._train(asked)
            else:
                self._answer(asked)
            self._busy = False
        self._outbox.close()
        sender.join(GRACE)

    def asked_to_end(self, *_: object) -> None:
        """Take a SIGTERM, of a log-off or of the parent: end after this step, or at once if idle."""
        if not self._busy:
            leave(0)
        self._steering.stop()
        self._begin_nothing_more()

    def _next(self) -> Start | Ask | None:
        """Wait for what is to be done; memory is given back before, but not before the last word is told.

        Collecting takes half a second, in which no other thread gets to work.
        """
        try:
            asked = self._todo.get(timeout=REST_SECONDS)
        except queue.Empty:
            self._give_memory_back()
            return self._todo.get()
        if asked is not None:
            self._give_memory_back()
        return asked

    def _give_memory_back(self) -> None:
        """Let go of what the last thing left; the GPU's memory is for whoever comes next."""
        if not self._used:
            return
        self._used = False
        gc.collect()
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    def _train(self, start: Start) -> None:
        plug_ins = PlugIns(
            self._home, entry_points=self._switches.entry_points, safe_mode=self._switches.safe_mode
        )
        with engine_log.printed_to(start.job.folder) as self._log_file:
            ThreadEngine(plug_ins).work(start.job, self._steering, self._say)
        self._log_file = None
        self._outbox.put(Over())

    def _say(self, event: Event) -> None:
        if not isinstance(event, Pace):  # it changes nothing
            self._worth_waiting = isinstance(event, _WORTH_A_CHECKPOINT)
        self._outbox.put(event)

    def _answer(self, ask: Ask) -> None:
        try:
            with closing(self._session()) as session:
                items = ASKED[ask.name](session, *ask.arguments, **ask.named)
                with closing(items):  # so that one that is not wanted to its end cleans up
                    self._send_items(items)
        except WorkbenchError as error:
            self._outbox.put(Answered(error))
        except Exception:  # noqa: BLE001  (the parent raises it: a bug is told where it was asked)
            self._outbox.put(Answered(detail=traceback.format_exc()))
        else:
            self._outbox.put(Answered())

    def _session(self) -> Session:
        switches = self._switches
        return Session(self._home, entry_points=switches.entry_points, safe_mode=switches.safe_mode)

    def _send_items(self, items: Iterator[Any]) -> None:
        for item in items:
            self._outbox.put(Item(item))
            if self._enough.is_set():
                break

    def _tell(self) -> None:
        while messages := self._outbox.take():
            try:
                for message in messages:
                    self._pipe.send(message)
            except OSError:  # nobody reads any more; the listener sees to the end
                return
            if self._log_file is not None:
                engine_log.shorten(self._log_file)
            time.sleep(TELL_SECONDS)

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            if self._busy:  # nobody listens to an idle one
                self._outbox.put(Beat())

    def _listen(self) -> None:
        parent = parent_process()
        sentinel = [] if parent is None else [parent.sentinel]
        with suppress(EOFError, OSError):
            while self._pipe in wait([self._pipe, *sentinel]):
                if not self._obey(self._pipe.recv()):
                    return
        if not self._ready:  # nothing has begun
            leave(1)
        self._steering.cut_off(OWNER_GONE)
        self._begin_nothing_more()
        self._see_to_the_end(time.monotonic())

    def _see_to_the_end(self, began: float) -> None:
        """Leave whatever the main thread does: the log is whole, and so is the last checkpoint."""
        patience = LEAVE_SECONDS
        while time.monotonic() - began < patience:
            if self._worth_waiting:
                patience = GRACE
            time.sleep(LEAVE_SECONDS / 20)
        leave(1)

    def _obey(self, message: object) -> bool:
        """Take one command; return whether another may come."""
        if isinstance(message, Wished):
            self._steering.obey(message.wish)
        elif isinstance(message, Start):
            self._steering = Steering()
            self._todo.put(message)
        elif isinstance(message, Ask):
            self._enough.clear()
            self._todo.put(message)
        elif isinstance(message, Enough):
            self._enough.set()
        elif isinstance(message, Quit):
            if not self._ready:  # loading takes seconds, and nothing has begun
                leave(0)
            self._todo.put(None)
            return False
        return True

    def _begin_nothing_more(self) -> None:
        self._enough.set()
        self._todo.put(None)
