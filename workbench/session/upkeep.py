"""The health of the log's file: opened for reading only if need be, checked and copied once a day, rescued when damaged."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from workbench import paths
from workbench.errors import LogFault, UsageError, WorkbenchError
from workbench.events import Stage
from workbench.log import backup, rescue
from workbench.log.store import Log

START_WAIT_MS = 3_000  # that a start waits for another program's lock
LARGE = 500 * 2**20  # bytes; a log of more is checked once a week
WEEK = 7 * backup.DAY
_MARK = "log-checked.txt"


@dataclass(frozen=True)
class Health:
    """What a check found: `damaged` pages, or a `trouble` that kept the daily copy from being made."""

    damaged: int = 0
    trouble: str = ""
    backup: Path | None = None


@dataclass(frozen=True)
class Rescue:
    """What became of a damaged log: a sentence, and the new file that waits beside the old one."""

    sentence: str
    new: Path


def open_log(path: Path) -> tuple[Log, list[str]]:
    """Open the log, for reading only where it cannot be written; return it and the ids of runs found cut off.

    Raises:
        WorkbenchError: not even reading is possible.
    """
    try:
        log = Log(path, wait_ms=START_WAIT_MS)
    except LogFault as error:
        return _to_read(path, error), []
    try:
        gone = log.sweep()
    except LogFault as error:
        log.close()
        return _to_read(path, error), []
    except BaseException:
        log.close()
        raise
    log.be_patient()
    return log, gone


def _to_read(path: Path, error: LogFault) -> Log:
    reasons = {
        "locked": "The log is in use by another program. Opened for reading only.",
        "read-only": "The log's file is read-only. Opened for reading only.",
    }
    if error.kind not in reasons:
        raise error
    return Log(path, reading_only=reasons[error.kind], wait_ms=START_WAIT_MS)


class Upkeep:
    """What is asked about the file of one home folder's log.

    Attributes:
        replacement: the file that is to take the log's place once the log is closed.
    """

    def __init__(self, home: Path, log: Log) -> None:
        self._path = home / paths.LOG_NAME
        self._mark = home / _MARK
        self._log = log
        self.replacement: Path | None = None

    @property
    def reading_only(self) -> str:
        """Why nothing can be written, as a sentence; empty if it can."""
        return self._log.reading_only

    @property
    def slow_disk(self) -> str:
        """What is to be said if the log is on a network, or on a disk that makes writing slow."""
        return self._log.journal_note

    @property
    def brought_up_to_date(self) -> str:
        """What is to be said if this start brought the log's schema up to date, with the copy's name."""
        if self._log.backup is None:
            return ""
        return (
            "The log was brought up to date for this version. "
            f"A copy was kept as {self._log.backup.name}."
        )

    def notes(self) -> tuple[str, ...]:
        """Return what a command says at the start."""
        said = (self.reading_only, self.slow_disk, self.brought_up_to_date)
        return tuple(note for note in said if note)

    def look(self) -> Iterator[Stage | Health]:
        """Check the file and copy it if the last copy is a day old; the last item is the Health."""
        if self.reading_only:
            yield Health()
            return
        with closing(Log(self._path)) as log, log.reading_along() as connection:
            if self._check_is_due():
                yield Stage("Checking the log")
                damaged = rescue.damaged_pages(connection)
                if damaged:
                    yield Health(damaged)
                    return
                self._note_check()
            yield Stage("Copying the log")
            yield self._daily_copy(log)

    def stop_writing(self, sentence: str) -> None:
        """Let nothing be written into the log from now on."""
        self._log.reading_only = sentence

    def _check_is_due(self) -> bool:
        if self._path.stat().st_size <= LARGE:
            return True
        try:
            return not 0 <= time.time() - self._mark.stat().st_mtime < WEEK
        except OSError:
            return True

    def _note_check(self) -> None:
        if self._path.stat().st_size > LARGE:
            self._mark.write_text("The log was checked when this file was written.\n", "utf-8")

    def _daily_copy(self, log: Log) -> Health:
        if not backup.is_due(self._path, time.time()) or not log.runs(binned=True):
            return Health()
        try:
            with log.reading_along() as connection:
                return Health(backup=backup.back_up(connection, self._path))
        except WorkbenchError as error:
            return Health(trouble=f"No copy of the log could be made today. {error}")


def rescue_log(home: Path, *, only_damaged: bool = False) -> Rescue:
    """Save what can be read of a damaged log into a new file beside it; nothing is replaced yet.

    Raises:
        UsageError: `only_damaged`, and nothing is wrong with it.
        WorkbenchError: a run still writes into it, or the new file does not fit.
    """
    path = home / paths.LOG_NAME
    pages = _pages(path)
    found = rescue.rescue(path)
    if only_damaged and not (pages or found.gaps or found.backup) and found.saved == found.runs:
        found.new.unlink()
        raise UsageError(f"The log {path} is sound; there is nothing to rescue.")
    return Rescue(sentence_of(found, pages), found.new)


def rescuing(home: Path) -> Iterator[Stage | Rescue]:
    """Do `rescue_log`; the last item is what became of it."""
    yield Stage("Saving what can be read of the log")
    yield rescue_log(home)


def put_in_place(home: Path, new: Path) -> Path:
    """Let the new file be the log; return where the old one is kept. No log of this home may be open."""
    return rescue.put_in_place(home / paths.LOG_NAME, new)


def sentence_of(found: rescue.Rescued, pages: int) -> str:
    """Return what became of a damaged log."""
    count = {0: "", 1: " (1 page)"}.get(pages, f" ({pages} pages)")
    first = f"The log is damaged{count}."
    if found.backup is not None:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(backup.made(found.backup)))
        held = f"{found.saved} run" if found.saved == 1 else f"{found.saved} runs"
        return f"{first} Nothing of it could be read. The backup of {when} with {held} takes its place; the old file was kept."
    if not found.saved:
        return f"{first} Nothing of it could be read, and there is no backup. A new log takes its place; the old file was kept."
    gaps = ""
    if found.gaps:
        verb = "lacks" if found.gaps == 1 else "lack"
        gaps = f" {found.gaps} of them {verb} numbers that were on the damaged pages."
    return (
        f"{first} {found.saved} of {found.runs} runs could be saved into a new log; "
        f"the old file was kept.{gaps}"
    )


def _pages(path: Path) -> int:
    try:
        return rescue.pages_of(path)
    except WorkbenchError:  # it cannot be opened at all
        return 0
