"""How fast the log writes, replays and lists, and how long each question takes of a log with a run of 10^6 rows.

    python -m tests.benchmarks.bench_log [long]

With `long`: one run of a million rows, 50 tasks and everything the monitor says, beside 200 small ones; for each
question its median time, and the tables that SQLite reads from end to end for it (EXPLAIN QUERY PLAN). What the
window asks on its own thread is marked; it should take at most 300 ms.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from tests.logged import begin, timed as with_times
from tests.recorded import recorded_run
from workbench.events import Checkpointed, EpochEnded, Event, Measured, Step
from workbench.log import numbers, resume, table
from workbench.log.store import Log
from workbench.log.writer import Writer
from workbench.query import Query

STEPS, BATCH, RUNS, TERMS = 20_000, 100, 5_000, 7
TASKS, EPOCHS, OF_EPOCH, SMALL, TIMES = 50, 20, 121, 200, 5
LONG = "run1"
CURVE = (
    "SELECT step, value FROM metric WHERE run = (SELECT number FROM run WHERE id = ?) "
    "AND metric_key = (SELECT id FROM metric_key WHERE kind = 'loss' AND name = 'total') ORDER BY step"
)
MATRIX = "SELECT after_task, on_task, accuracy FROM accuracy_matrix WHERE run_id = ?"


def steps(first: int, count: int) -> list[tuple[float, Event]]:
    terms = {f"term {k}": 0.1 * k for k in range(TERMS)}
    return [(0.0, Step(0, 0, first + n, 0.1, terms)) for n in range(count)]


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def write_all(log: Log) -> None:
    for first in range(0, STEPS, BATCH):
        log.write("run1", steps(first, BATCH))


def fill(log: Log, runs: int = RUNS) -> None:
    for number in range(runs):
        begin(log, f"{number:08x}", f"run {number}")
        log.write(f"{number:08x}", [(0.0, Measured("average_accuracy", 0, 0, 1, 0.5))])


def throughput(folder: Path) -> list[str]:
    """Return rows written and read in a second, and how long a list of thousands takes."""
    path = folder / "log.db"
    with Log(path) as log:
        begin(log)
        seconds = timed(lambda: write_all(log))
        rows = STEPS * (1 + TERMS)
        lines = [
            f"write   {rows / seconds:>10,.0f} rows/s   {STEPS / seconds:,.0f} steps/s, batches of {BATCH}",
            f"replay  {STEPS / timed(lambda: log.events('run1')):>10,.0f} steps/s",
        ]
    lines.append(f"size    {path.stat().st_size / rows:>10.1f} bytes a row")
    with Log(path) as log:
        lines.append(f"fill    {RUNS / timed(lambda: fill(log)):>10,.0f} runs/s")
        lines.append(f"list    {1000 * timed(log.runs):>10.1f} ms for {RUNS + 1:,} runs")
    return lines


def long_run() -> Iterator[Event]:
    """Yield a long run's events, a checkpoint after each epoch."""
    for event in recorded_run(TASKS, epochs=EPOCHS, steps=OF_EPOCH, kernel=True):
        yield event
        if isinstance(event, Measured) and event.name == "probe_accuracy":
            yield EpochEnded(event.task, event.epoch, event.step)
            yield Checkpointed(event.task, event.epoch + 1, event.step, f"checkpoint/{event.step:06d}")  # fmt: skip


def filled(path: Path) -> str:
    """Write the long run through the writer, and the small ones; return how fast."""
    with Log(path) as log:
        fill(log, SMALL)
        begin(log, LONG, "the long one", tasks_total=TASKS)
    said = with_times(long_run())
    with Writer(path, LONG) as writer:
        seconds = timed(lambda: [writer.add(event) for _, event in said])
    with Log(path) as log, log.snapshot() as db:
        rows = sum(db.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in ("step", "metric", "event"))  # fmt: skip
    size = path.stat().st_size / 1e6
    return (
        f"{rows:,} rows, {size:.0f} MB, written in {seconds:.1f} s ({rows / seconds:,.0f} rows/s)"
    )


@contextmanager
def traced(log: Log) -> Iterator[list[str]]:
    """Collect the statements that the log runs meanwhile, with their values in them."""
    found: list[str] = []
    with log.reading_along() as connection:
        connection.set_trace_callback(found.append)
        try:
            yield found
        finally:
            connection.set_trace_callback(None)


def scanned(db: Database, statements: list[str]) -> str:
    """Return the tables that the plans of the statements read whole; those with a row a run are small."""
    found = set()
    for sql in set(statements):
        if sql.lstrip().upper().startswith(("SELECT", "DELETE", "UPDATE", "INSERT")):
            plan = db.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
            found |= {row[3].split(" USING ")[0] for row in plan if row[3].startswith("SCAN")}
    return ", ".join(sorted(item.removeprefix("SCAN ") for item in found)) or "-"


def questions(log: Log, folder: Path) -> dict[str, Callable[[], object]]:
    """Return what is asked of the log by its name; a star: the window waits for it on its own thread."""

    def asked(work: Callable[[Database], object]) -> Callable[[], object]:
        def ask() -> object:
            with log.snapshot() as db:
                return work(db)

        return ask

    return {
        "open *": lambda: Log(log.path).close(),
        "list of all runs *": log.runs,
        "page of 200 runs *": asked(lambda db: table.page(db, Query(), limit=200)),
        "find by name *": lambda: log.find("the long one"),
        "length *": asked(lambda db: table.length(db, LONG)),
        "configuration *": asked(lambda db: table.configurations(db, [LONG])),
        "summary *": asked(lambda db: table.some(db, [LONG])),
        "details *": lambda: log.details(LONG),
        "final measures *": asked(lambda db: table.finals(db, [LONG])),
        "cost *": lambda: log.cost(LONG),
        "checkpoints to go on from *": asked(lambda db: resume.checkpoints(db, LONG)),
        "last step *": asked(lambda db: resume.last_step(db, LONG)),
        "accuracy matrix": asked(lambda db: db.execute(MATRIX, [LONG]).fetchall()),
        "newest 1,000 of a curve": asked(lambda db: db.execute(f"{CURVE} DESC LIMIT 1000", [LONG]).fetchall()),
        "a whole curve": asked(lambda db: db.execute(CURVE, [LONG]).fetchall()),
        "all events (replay)": lambda: sum(1 for _ in log.told(LONG)),
        "export as CSV and JSON": lambda: exported(log, folder),
    }  # fmt: skip


def exported(log: Log, folder: Path) -> object:
    """Write the long run's numbers into a folder."""
    return numbers.write_numbers(log.details(LONG), log.told(LONG), folder)


def held_up(work: Callable[[], object]) -> float:
    """Return the longest time between two turns of a thread that wants one every 5 ms, while another works."""
    worker = threading.Thread(target=work)
    longest, last = 0.0, time.perf_counter()
    worker.start()
    while worker.is_alive():
        time.sleep(0.005)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest


def waits(folder: Path) -> list[str]:
    """Return a line for each question of the long log, and one for going back to a checkpoint."""
    path = folder / "log.db"
    lines = [filled(path)]
    with Log(path) as log:
        for name, ask in questions(log, folder / "export").items():
            with traced(log) as statements:
                first = timed(ask)
            times = TIMES if first < 2 else 1
            taken = statistics.median([timed(ask) for _ in range(times)])
            with log.snapshot() as db:
                lines.append(f"{name:30}{1000 * taken:10.1f} ms   scans: {scanned(db, statements)}")
        held = held_up(lambda: _export_anew(path, folder / "again"))
        lines.append(f"{'an export holds others up for':30}{1000 * held:10.1f} ms")
        with log.snapshot() as db:
            back = resume.checkpoints(db, LONG)[1]
        with log.change() as db:
            seconds = timed(lambda: resume.rewind(db, LONG, back))
        lines.append(f"{'back to a checkpoint *':30}{1000 * seconds:10.1f} ms")
    return lines


def _export_anew(path: Path, folder: Path) -> None:
    with Log(path) as log:
        exported(log, folder)


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = (waits if "long" in arguments else throughput)(Path(folder))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
