"""Copies of the log beside it: before each migration, and once a day; the newest five are kept.

Source: https://www.sqlite.org/lang_vacuum.html#vacuuminto, which reads every page, so that a damaged
log never replaces a good copy.
"""

import os
import re
import sqlite3
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from workbench.log.faults import speaking
from workbench.log.places import make_private, settle

KEPT = 5
DAY = 24 * 3600.0
_STAMP = "%Y%m%d-%H%M%S"


def back_up(connection: sqlite3.Connection, path: Path, now: float | None = None) -> Path:
    """Copy the log at `path` beside it, whole or not at all, and remove the oldest beyond five.

    Raises:
        DiskFull, LogFault: it could not be written, or not all be read.
    """
    copy = _free_name(path, time.time() if now is None else now)
    part = copy.with_name(f"{copy.name}.part")
    try:
        with speaking(path):
            part.unlink(missing_ok=True)
            make_private(part)
            connection.execute("VACUUM INTO ?", (str(part),))
            settle(part)
            os.replace(part, copy)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    for old in backups(path, but=copy)[KEPT - 1 :]:
        with suppress(OSError):  # it is tried again next time
            old.unlink()
    return copy


def backups(path: Path, but: Path | None = None) -> list[Path]:
    """Return the copies of the log at `path`, newest first, without the one named."""
    pattern = re.compile(rf"{re.escape(path.stem)}-backup-\d{{8}}-\d{{6}}(-\d+)?\.db")
    found = [item for item in path.parent.iterdir() if pattern.fullmatch(item.name) and item != but]
    return sorted(found, key=lambda item: (made(item), item.name), reverse=True)


def is_due(path: Path, now: float) -> bool:
    """Return whether no copy was made in the last day; one "made later than now" is of a wrong clock."""
    return not any(0 <= now - made(copy) < DAY for copy in backups(path))


def made(copy: Path) -> float:
    """Return the unix time that a copy's name tells."""
    stamp = "-".join(copy.stem.split("-backup-")[-1].split("-")[:2])
    with suppress(ValueError):
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
    return 0.0


def _free_name(path: Path, now: float) -> Path:
    stamp = datetime.fromtimestamp(now, UTC).strftime(_STAMP)
    name, number = f"{path.stem}-backup-{stamp}.db", 1
    while path.with_name(name).exists():
        number += 1
        name = f"{path.stem}-backup-{stamp}-{number}.db"
    return path.with_name(name)
