"""The log: one SQLite file of all runs. One connection, which stays in the thread that opened it.

Several logs may be open on one file at once: write-ahead logging lets one write while others read.
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlite_utils import Database

from workbench.errors import LogFault, UsageError
from workbench.events import Event, Stage
from workbench.log import cost, queue, reading
from workbench.log.faults import rebuilding, speaking
from workbench.log.migrations import WAIT_MS, open_file, open_to_read, schema_known
from workbench.log.processes import own_process, process_lives
from workbench.log.rows import Recorder, json_of, text_of, utc
from workbench.report import RunDetails, RunSummary
from workbench.tell import Tell, along, silent

UNDER_WAY = ("starting", "running", "paused")


class Log:
    """Runs in, runs out. Methods raise WorkbenchError if the file cannot be read or written.

    Attributes:
        reading_only: why nothing may be written, as a sentence; empty if it may.
        journal_note: a sentence if the disk makes writing slow.
        backup: the copy of it as it was before it was brought up to date just now, if it was.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        reading_only: str = "",
        wait_ms: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.reading_only = reading_only
        self.journal_note = ""
        self.backup: Path | None = None
        if reading_only:
            self._db = open_to_read(self.path, wait_ms)
        else:
            opened = open_file(self.path, wait_ms=wait_ms)
            self._db, self.journal_note = opened.db, opened.journal_note
            self.backup = opened.backup
        self.queue = queue.QueueTables(self._reading, self._writing)

    def __enter__(self) -> "Log":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the last one of a file merges its write-ahead log."""
        self._db.close()

    def must_be_writable(self) -> None:
        """Raise LogFault if the log is open for reading only."""
        if self.reading_only:
            raise LogFault(self.reading_only, "read-only", str(self.path))

    def be_patient(self) -> None:
        """Wait for another program's lock as long as a run under way needs."""
        self._db.execute(f"PRAGMA busy_timeout = {WAIT_MS}")

    def checkpoint(self) -> None:
        """Put what is in the write-ahead log into the file and empty it, unless somebody reads just now."""
        if not self.reading_only:
            with suppress(sqlite3.Error):  # the next to open or close does it
                self._db.execute("PRAGMA busy_timeout = 500")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def begin(
        self,
        run_id: str,
        name: str,
        config: Mapping[str, Any],
        switches: Mapping[str, str],
        profile: str,
        backbone: str,
        seed: int,
        versions: Mapping[str, str],
        tasks_total: int,
        queued: int = 0,
        also: Callable[[Database], None] | None = None,
    ) -> None:
        """Enter a run in state "starting", owned by this process; `config` is the effective one.

        A run that waited takes the place of its row `queued`, and `also` is done with it: all happens, or nothing.
        """
        now, (pid, pid_started) = utc(time.time()), own_process()
        values = {
            "id": run_id, "name": text_of(name), "state": "starting", "created": now, "heartbeat": now,
            "config": json_of(config), "switches": json_of(dict(switches)), "seeds": json_of(config.get("seeds", {})),
            "versions": json_of(dict(versions)), "profile": profile, "backbone": text_of(backbone), "seed": seed,
            "tasks_total": tasks_total, "pid": pid, "pid_started": pid_started,
        }  # fmt: skip
        with self._writing() as db:
            slots = ", ".join(f":{column}" for column in values)
            cursor = db.execute(f"INSERT INTO run ({', '.join(values)}) VALUES ({slots})", values)
            db.execute("INSERT INTO run_summary (run) VALUES (?)", [cursor.lastrowid])
            if queued:
                queue.started(db, queued, run_id)
            if also is not None:
                also(db)

    def write(self, run_id: str, events: Iterable[tuple[float, Event]]) -> None:
        """Add events, each with the unix time it was said at, in one transaction: all or none."""
        with self._writing() as db:
            recorder = Recorder(db, reading.number_of(db, run_id))
            for said, event in events:
                recorder.put(said, event)
            recorder.finish()
            self._set(run_id, "heartbeat", utc(time.time()))

    def own(self, run_id: str) -> None:
        """Note that this process is the one in which the run lives from now on."""
        with self._writing() as db:
            db.execute(
                "UPDATE run SET pid = ?, pid_started = ? WHERE id = ?", [*own_process(), run_id]
            )

    def settle(self, run_id: str, last_word: Event) -> None:
        """Write the last word of a run that has ended here, if the log has none and nobody resumed the run."""
        with self._writing() as db:
            state, pid, started = db.execute(
                "SELECT state, pid, pid_started FROM run WHERE id = ?", [run_id]
            ).fetchone()
            elsewhere = pid != os.getpid() and process_lives(pid, started)
            if state in UNDER_WAY and not elsewhere:
                recorder = Recorder(db, reading.number_of(db, run_id))
                recorder.put(last_word.time or time.time(), last_word)
                recorder.finish()

    def rename(self, run_id: str, name: str) -> None:
        """Give a run another name; two runs may share one."""
        if not name.strip():
            raise UsageError("A run's name must have at least one letter.")
        with self._writing():
            self._set(run_id, "name", text_of(name.strip()))

    def sweep(self, is_alive: Callable[[int, float], bool] | None = None) -> list[str]:
        """Mark runs under way whose process is gone as "interrupted"; return their ids."""

        def lives(pid: int, started: float, beat: str) -> bool:
            if is_alive is not None:
                return is_alive(pid, started)
            with rebuilding():
                heard = datetime.fromisoformat(beat).timestamp()
                return process_lives(pid, started, heard)

        with self._writing() as db:
            rows = db.execute(
                "SELECT id, pid, pid_started, heartbeat FROM run WHERE state IN (?, ?, ?)",
                UNDER_WAY,
            ).fetchall()
            gone = [
                (key, pid, beat)
                for key, pid, started, beat in rows
                if not lives(pid, started, beat)
            ]
            for key, pid, beat in gone:
                reason = (
                    f"Its process ({pid}) ended without a word; the last sign of it is of {beat}."
                )
                db.execute(
                    "UPDATE run SET state = 'interrupted', state_reason = ?, ended = ? WHERE id = ?",
                    [reason, beat, key],
                )
        return [key for key, _, _ in gone]

    def note_file(self, run_id: str, kind: str, file: Path) -> None:
        """Note a file that the run made, below the log's folder: its size and its SHA-256."""
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        path = file.relative_to(self.path.parent).as_posix()
        with self._writing() as db:
            run = reading.number_of(db, run_id)
            row = (run, kind, text_of(path), file.stat().st_size, digest, utc(time.time()))
            db.execute("INSERT OR REPLACE INTO artifact VALUES (?, ?, ?, ?, ?, ?)", row)

    def keep_forecast(self, run_id: str, candidate: str, forecast: Mapping[str, Any]) -> int:
        """Keep what was forecast of learning the folder `candidate` next; return its number."""
        with self._writing() as db:
            run = reading.number_of(db, run_id)
            row = (run, text_of(candidate), utc(time.time()), json_of(forecast))
            cursor = db.execute(
                "INSERT INTO forecast (run, candidate, created, forecast) VALUES (?, ?, ?, ?)", row
            )
            return int(cursor.lastrowid or 0)

    def score_forecast(self, number: int, score: Mapping[str, Any]) -> None:
        """Keep how good a forecast turned out to be; the first score stays."""
        with self._writing() as db:
            db.execute(
                "UPDATE forecast SET scored = ?, score = ? WHERE id = ? AND score IS NULL",
                [utc(time.time()), json_of(score), number],
            )

    def forecasts(self, run_id: str) -> list[dict[str, Any]]:
        """Return the run's forecasts, oldest first, each with its `number`, `created` and `score`."""
        with self._reading() as db:
            return reading.forecasts(db, reading.number_of(db, run_id))

    def unscored(self) -> list[str]:
        """Return the ids of runs that have a forecast without a score."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT DISTINCT r.id FROM forecast f JOIN run r ON r.number = f.run WHERE f.score IS NULL"
            )
            return [run_id for (run_id,) in rows]

    def runs(self, *, binned: bool = False) -> list[RunSummary]:
        """Return all runs, newest first; those in the bin only if asked for."""
        with self._reading() as db:
            found = reading.summaries(db)
        return [run for run in found if binned or run.deleted is None]

    def names(self) -> set[str]:
        """Return the names that runs have, in the bin too; cheap."""
        with self._reading() as db:
            return {name for (name,) in db.execute("SELECT name FROM run")}

    def find(self, text: str) -> str:
        """Return the id of the run with this id, name or unique beginning of an id, or raise UsageError."""
        with self._reading() as db:
            return reading.find(db, text)

    def events(self, run_id: str, tell: Tell = silent) -> list[Event]:
        """Return the run's events in order, equal to those written, without Stage and Pace.

        A number that was not finite comes back as None.
        """
        return list(self.told(run_id, tell))

    def told(self, run_id: str, tell: Tell = silent) -> Iterator[Event]:
        """Yield what `events` returns, as it is read: a long run need not be held whole."""
        with self._reading() as db:
            run = reading.number_of(db, run_id)
            yield from along(reading.events(db, run), tell, Stage("Reading the log"))

    def details(self, run_id: str) -> RunDetails:
        """Return everything the log knows of the run except its steps."""
        with self._reading() as db:
            return reading.details(db, reading.number_of(db, run_id))

    def cost(self, run_id: str) -> cost.LoggedCost:
        """Return what the run has cost so far, as far as the log knows."""
        with self._reading() as db:
            return cost.cost(db, reading.number_of(db, run_id))

    def health(self) -> dict[str, Any]:
        """Return what `doctor` shows; reads the whole file (about a second for 70 MB)."""
        with self._reading() as db:
            (schema,), (mode,) = (
                db.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "journal_mode")
            )
            (runs,) = db.execute("SELECT COUNT(*) FROM run").fetchone()
            found = [line for (line,) in db.execute("PRAGMA quick_check(5)")]
        return {
            "path": str(self.path), "bytes": self.path.stat().st_size, "schema": schema,
            "schema_known": schema_known(), "journal_mode": mode, "journal_note": self.journal_note,
            "quick_check": "; ".join(found), "runs": runs,
        }  # fmt: skip

    @contextmanager
    def snapshot(self) -> Iterator[Database]:
        """One snapshot for a module of the log that reads: `log.table`, `log.bundle`."""
        with self._reading() as db:
            yield db

    @contextmanager
    def reading_along(self) -> Iterator[sqlite3.Connection]:
        """The connection, outside a transaction, for what looks at the file as a whole: checks and copies."""
        with speaking(self.path):
            yield self._db.conn

    @contextmanager
    def change(self) -> Iterator[Database]:
        """One transaction for a module of the log that writes; keep it short."""
        with self._writing() as db:
            yield db

    def _set(self, run_id: str, column: str, value: str) -> None:
        cursor = self._db.execute(f"UPDATE run SET {column} = ? WHERE id = ?", [value, run_id])
        if not cursor.rowcount:
            raise UsageError(f"run {run_id!r} is not in this log.")

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        """A transaction that takes the write lock first: reading before would make it fail, not wait."""
        self.must_be_writable()
        with self._transaction("BEGIN IMMEDIATE") as db:
            yield db

    @contextmanager
    def _reading(self) -> Iterator[Database]:
        """One snapshot for all that is read, whatever a run writes meanwhile."""
        with self._transaction("BEGIN") as db:
            yield db

    @contextmanager
    def _transaction(self, start: str) -> Iterator[Database]:
        with speaking(self.path):
            self._db.execute(start)
            try:
                yield self._db
                self._db.commit()
            finally:
                self._db.rollback()
