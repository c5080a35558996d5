"""An owner process seen from outside: what it has told and when, its family, and their sudden end."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types

from workbench.events import Event, Pace, Stage, from_json
from workbench.session.engine import LOADING

ROOT = Path(__file__).resolve().parent.parent.parent
BEFORE_TRAINING = {"Stage", "Note", "Resumed", "Pace"}
BETWEEN_EPOCHS = {"EpochEnded", "Evaluated", "Answered", "TaskEnded", "Checkpointed"}


@dataclass(frozen=True)
class Heard:
    """An event, and when it was heard of."""

    at: float  # by the monotonic clock
    event: Event


class Owner:
    """One owner process, and all that it says."""

    def __init__(self, home: Path, kind: str, asked: str) -> None:
        self.began = time.monotonic()
        self.kind = kind
        self.run = ""
        self.known = 0  # events in the log when it began to train
        self.heard: list[Heard] = []
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.owner", str(home), kind, asked],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment,
        )  # fmt: skip
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._listen), threading.Thread(target=self._complaints)]  # fmt: skip
        for reader in self._readers:
            reader.start()

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    @property
    def complaints(self) -> str:
        """What it printed as errors."""
        return "".join(self._errors)

    @property
    def phase(self) -> str:
        """What the run was last heard to do."""
        kinds = [type(each.event).__name__ for each in self.heard]
        if all(isinstance(e.event, Stage) and e.event.text == LOADING for e in self.heard):
            return "starting"
        if set(kinds) <= BEFORE_TRAINING:
            return "loading"
        last = next(kind for kind in reversed(kinds) if kind not in ("Stage", "Pace"))
        if last in ("Finished", "Interrupted"):
            return "over"
        return "saving, evaluating" if last in BETWEEN_EPOCHS else "training"

    @property
    def trains(self) -> bool:
        """Whether everything is loaded."""
        return self.phase not in ("starting", "loading")

    def acknowledged(self, until: float) -> list[Event]:
        """Return what was heard until then, but for what the log leaves out."""
        return [e.event for e in self.heard if e.at <= until and not isinstance(e.event, (Stage, Pace))]  # fmt: skip

    def family(self) -> list[psutil.Process]:
        """Return the processes that it started."""
        with suppress(psutil.Error):
            return list(psutil.Process(self._process.pid).children(recursive=True))
        return []

    def engines(self) -> list[psutil.Process]:
        """Return the family without Python's own helper, which counts semaphores and outlives us all."""
        return [each for each in self.family() if "resource_tracker" not in _words_of(each)]

    def engine(self) -> psutil.Process | None:
        """Return the process that trains for it, if there is one yet."""
        return next((each for each in self.family() if "spawn_main" in _words_of(each)), None)

    def kill(self) -> None:
        """End the owner at once, as the system would."""
        self._process.kill()

    def wait(self, seconds: float) -> None:
        """Wait for its end, and for all it said.

        Raises:
            subprocess.TimeoutExpired: it goes on.
        """
        self._process.wait(seconds)
        for reader in self._readers:
            reader.join(seconds)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                at = time.monotonic()
                if not line.endswith("\n"):  # cut by the kill
                    return
                kind, _, text = line.partition("\t")
                if kind == "run":
                    told = json.loads(text)
                    self.run, self.known = told["id"], told["known"]
                else:
                    self.heard.append(Heard(at, from_json(kind, text)))

    def _complaints(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            self._errors += lines


def _words_of(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def is_gone(process: psutil.Process) -> bool:
    """Whether a process has ended; one that nobody has buried yet has."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
