"""What a disk or another program can do to the file of the log, said as WorkbenchError; the rest is a bug.

Source: https://www.sqlite.org/rescode.html.
"""

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import DiskFull, LogFault, WorkbenchError

_LITTLE = 64 * 1024  # bytes; with less free, an error of the disk is a lack of space

# What SQLite reports: the kind of fault, and what it means for the file.
_FAULTS = {
    sqlite3.SQLITE_BUSY: ("locked", "another program keeps it locked. Close that program and try again"),
    sqlite3.SQLITE_IOERR: ("broken", "the disk reports an error"),
    sqlite3.SQLITE_READONLY: ("read-only", "it is read-only"),
    sqlite3.SQLITE_PERM: ("read-only", "there is no permission to use it"),
    sqlite3.SQLITE_CANTOPEN: ("broken", "it cannot be opened"),
    sqlite3.SQLITE_CORRUPT: ("damaged", "it is damaged. It was left as it is: 'rescue' saves what can be read into a new log"),
    sqlite3.SQLITE_NOTADB: ("foreign", "it is not an SQLite file. It was left as it is: move it away to start a new log"),
}  # fmt: skip
_ELSEWHERE = ("broken", "read-only")  # kinds that another place helps against
_NO_TEXT = "Could not decode to UTF-8"  # said by Python, not by SQLite, of a text that is none


class BadRow(Exception):  # noqa: N818  (says what it is; `speaking` turns it into a sentence)
    """A row is not as it was written, though SQLite can read it."""


@contextmanager
def rebuilding() -> Iterator[None]:
    """Around what makes objects of rows and of nothing else: where that fails, bytes of the file were changed."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadRow(str(error)) from error


@contextmanager
def speaking(path: Path) -> Iterator[None]:
    """Turn what a disk or another program can do to the log at `path` into a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        code = code_of(error)
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
            raise disk_full(path) from error
        if code not in _FAULTS:
            raise
        raise fault(path, code) from error
    except (BadRow, json.JSONDecodeError, UnicodeDecodeError) as error:  # what we wrote was JSON
        raise fault(path, sqlite3.SQLITE_CORRUPT) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise disk_full(path) from error
        raise WorkbenchError(f"The log {path} cannot be used: {error.strerror}.") from error


def fault(path: Path, code: int) -> LogFault:
    """Return the sentence for one of SQLite's result codes."""
    kind, reason = _FAULTS[code]
    error = LogFault(f"The log {path} cannot be used: {reason}.", kind, str(path))
    return error.or_elsewhere() if kind in _ELSEWHERE else error


def disk_full(path: Path, needed: int = 0) -> DiskFull:
    """Return the sentence for a disk without space for the log."""
    place = drive_of(path)
    return DiskFull(
        f"No space left on {place} for the log. Free some space; nothing is lost so far.", place, needed
    )  # fmt: skip


def code_of(error: sqlite3.Error | UnicodeDecodeError) -> int:
    """Return the low byte of an extended code: what went wrong, without the details."""
    code: int = getattr(error, "sqlite_errorcode", 0) & 0xFF
    # nothing of ours is that large: a length was changed
    undecoded = isinstance(error, UnicodeDecodeError) or str(error).startswith(_NO_TEXT)
    changed = undecoded or code == sqlite3.SQLITE_TOOBIG
    return sqlite3.SQLITE_CORRUPT if changed else code


def drive_of(path: Path) -> str:
    """Return the drive ("D:") or the mount point that `path` lies on."""
    place = path.absolute()
    if place.drive:
        return place.drive
    return next((str(parent) for parent in place.parents if os.path.ismount(parent)), "/")


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LITTLE
    except OSError:
        return False
