"""The engine processes of a window: started, kept warm for the next use, ended with all that they started."""

import atexit
import threading
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no types

from workbench.session import child
from workbench.session.messages import Quit, Ready, Switches

QUIT_SECONDS = 5.0  # that an idle child may take to end
EXIT_SECONDS = 10.0  # that one which works may take when the program ends without closing
KILL_SECONDS = 3.0  # between asking a child to end and ending it


class EngineChild:
    """One spawned process and the pipe to it. One thread receives; any may send or end it."""

    def __init__(self, home: Path, switches: Switches) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._sending = threading.Lock()
        # not daemonic: it may have children of its own, which load pictures
        self.process = context.Process(
            target=child.main, args=(theirs, home, switches), name="engine", daemon=False
        )
        self.process.start()
        theirs.close()
        self._ended = False  # nothing more can be read
        self.ready = False  # whether it has loaded what it needs, as far as was received
        self.waited = False  # for its use: it may have ended just before, and not be known to

    @property
    def alive(self) -> bool:
        """Whether the process is there and can be talked to."""
        return not self._ended and self.process.is_alive()

    def send(self, message: object) -> None:
        """Hand a message over; that the process is gone shows where it is received from."""
        with self._sending, suppress(OSError):
            self._pipe.send(message)

    def receive(self, seconds: float) -> list[Any]:
        """Return what it has said, waiting for the first word; after its end, what is left and then nothing."""
        wait([self._pipe, self.process.sentinel], seconds)
        messages = []
        try:
            while self._pipe.poll():
                messages.append(self._pipe.recv())
        except (EOFError, OSError):
            self._ended = True
        if not messages and not self.process.is_alive():
            self._ended = True
        self.ready = self.ready or Ready() in messages
        return messages

    @property
    def gone(self) -> bool:
        """Whether it has ended and all it said has been received."""
        return self._ended

    def end(self, *, at_once: bool = False) -> None:
        """Ask it and whatever it started to end, or end them."""
        with suppress(psutil.Error):
            leader = psutil.Process(self.process.pid)
            for each in [*leader.children(recursive=True), leader]:
                with suppress(psutil.Error):
                    each.kill() if at_once else each.terminate()

    def bury(self) -> int | None:
        """Wait for its end, which is near; return the exit code."""
        self.process.join(QUIT_SECONDS)
        if self.process.is_alive():
            self.end(at_once=True)
            self.process.join(QUIT_SECONDS)
        self._pipe.close()
        return self.process.exitcode


class Children:
    """Hands out children: a warm one if there is one, else a new one."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._idle: list[tuple[object, EngineChild]] = []
        self._taken: list[EngineChild] = []
        self._closed = False
        atexit.register(self._end_all)

    def warm(self, switches: Switches, mark: object) -> None:
        """Have a child ready for those who come with this mark."""
        with self._lock:
            if not self._closed and not self._idle:
                self._idle.append((mark, EngineChild(self._home, switches)))

    def take(self, switches: Switches, mark: object) -> EngineChild:
        """Return a child of this mark, which is the taker's until it is given back."""
        with self._lock:
            unfit = [each for its, each in self._idle if its != mark or not each.alive]
            fit = [each for its, each in self._idle if its == mark and each.alive]
            self._idle = [(mark, each) for each in fit[1:]]
        for each in unfit:
            each.send(Quit())
            each.bury()
        taken = fit[0] if fit else EngineChild(self._home, switches)
        taken.waited = bool(fit)
        with self._lock:
            self._taken.append(taken)
        return taken

    def give_back(self, used: EngineChild, mark: object, *, whole: bool = True) -> None:
        """Keep one for the next use if it is `whole`; end what is more than that."""
        with self._lock:
            self._taken.remove(used)
            if whole and used.alive and not self._idle and not self._closed:
                self._idle.append((mark, used))
                return
        used.send(Quit())
        if not whole:
            used.end()
        used.bury()

    def close(self) -> None:
        """End those that are idle, and ask those that work to stop: they end when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            taken = list(self._taken)
        for each in taken:
            each.end()
        for _, each in idle:
            each.send(Quit())
        for _, each in idle:
            each.bury()
        if not taken:
            atexit.unregister(self._end_all)

    def _end_all(self) -> None:
        """Leave nothing behind when the interpreter ends, whoever forgot to close."""
        self.close()
        with self._lock:
            taken = list(self._taken)
        for each in taken:
            each.process.join(EXIT_SECONDS)
            if each.process.is_alive():
                each.end(at_once=True)
