"""How fast the log writes, replays and lists. Run by hand: `python -m tests.benchmarks.bench_log`."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.logged import begin
from workbench.events import Event, Measured, Step
from workbench.log.store import Log

STEPS, BATCH, RUNS, TERMS = 20_000, 100, 5_000, 7


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


def fill(log: Log) -> None:
    for number in range(RUNS):
        begin(log, f"{number:08x}", f"run {number}")
        log.write(f"{number:08x}", [(0.0, Measured("average_accuracy", 0, 0, 1, 0.5))])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
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
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
