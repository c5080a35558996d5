"""What a task costs as tasks go by: processor seconds by kind of work, and how each grows with the task's number.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_tasks [TASKS]

A real run through a session, its log and its checkpoints, over 50 tasks of equal size, first without the monitor
and then with it. For each kind of work: a straight line over the tasks, its value at task 5 and at the last one, and
the ratio with its standard error. What must not depend on how many tasks there were stays near 1, or near the
yardstick's, the same matrix products after each task; what is done to all tests is counted by their pictures.
"""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from tests.pictures import make_task_folders
from tests.trained import quick_config
from workbench.config import RunConfig, from_dict, to_dict
from workbench.core import monitor
from workbench.events import (
    Answered,
    Checkpointed,
    EpochEnded,
    Evaluated,
    Event,
    Measured,
    Stage,
    Step,
    TaskEnded,
    TaskStarted,
)
from workbench.log.rows import NOT_STORED
from workbench.session import Session, ThreadEngine

TASKS, FIRST = 50, 5
TRAINED, TESTED, PROBED = 40, 10, 4  # pictures of each of two classes; of each task's probe
STAGES = {
    "Looking": "first looks", "Task": "training", "Making": "prototypes and refit", "Testing": "testing",
}  # fmt: skip
BEHIND = {
    TaskStarted: "training", Step: "training", EpochEnded: "prototypes and refit", Evaluated: "summary",
    Answered: "adapter",
}  # fmt: skip
# Kinds of work, and what one of each is counted by.
ROWS = {
    "first looks": "tasks", "training": "steps", "prototypes and refit": "tasks", "testing": "tested",
    "summary": "tasks", "answers": "tested", "adapter": "tasks", "checkpoint": "written",
    "log": "rows", "between tasks": "tasks", "monitor": "probed", "checkpoint, kB": "written", "adapter, kB": "tasks",
    "answers, kB": "tested", "yardstick": "tasks",
}  # fmt: skip


@dataclass
class Spent:
    """One task: seconds (or kilobytes) by kind of work, and how many there were of what that is counted by."""

    kinds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: dict[str, float] = field(default_factory=lambda: defaultdict(float, tasks=1))

    def hear(self, event: Event, folder: Path) -> None:
        """Count what an event speaks of."""
        self.counts["rows"] += not isinstance(event, NOT_STORED)
        if isinstance(event, Step):
            self.counts["steps"] += 1
            self.counts["rows"] += len(event.terms)
        elif isinstance(event, Evaluated):
            self.counts["tested"] = sum(event.sizes)
            self.counts["rows"] += len(event.sizes)
            self.counts["probed"] = PROBED * len(event.sizes)
        elif isinstance(event, Answered):
            self.kinds["answers, kB"] += (folder / event.path).stat().st_size / 1e3
        elif isinstance(event, TaskEnded):
            self.kinds["adapter, kB"] = sum(
                file.stat().st_size / 1e3 for file in (folder / "adapter").iterdir()
            )
        elif isinstance(event, Checkpointed):
            self.counts["written"] += 1
            place = folder / event.path
            sizes = (file.stat().st_size for file in (place, place.with_suffix(".json")))
            self.kinds["checkpoint, kB"] += sum(sizes) / 1e3


class TimedEngine(ThreadEngine):
    """The engine itself with a clock at each event: what comes before it is training's, what comes behind it the log's."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[Spent] = []

    def events(
        self,
        config: RunConfig,
        home: Path,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> Generator[Event, None, None]:
        """Pass the run's events on and note the processor's seconds between them."""
        spent, kind, ended, now = Spent(), "between tasks", False, time.process_time()
        for event in super().events(config, home, folder, clock):
            written = isinstance(event, Checkpointed)
            spent.kinds["checkpoint" if written else kind] += time.process_time() - now
            kind = _kind_behind(event, kind, ended)
            spent.hear(event, folder)
            now = time.process_time()
            yield event
            spent.kinds["log"] += time.process_time() - now
            ended = isinstance(event, TaskEnded) or (ended and not written)
            if written and kind == "between tasks":
                spent.kinds["yardstick"] = _yardstick()
                self.tasks.append(spent)
                spent = Spent()
            now = time.process_time()


def _kind_behind(event: Event, before: str, ended: bool) -> str:
    """Return what the time after an event is spent on."""
    if isinstance(event, Stage):
        measuring = event.text.startswith(monitor.TEXT)
        return "monitor" if measuring else STAGES.get(event.text.split(" ")[0], "between tasks")
    if isinstance(event, Checkpointed):
        return "between tasks" if ended else "prototypes and refit"
    if isinstance(event, Measured) and event.name == "baseline_average":  # the summary's last
        return "answers"
    return BEHIND.get(type(event), before)


def _yardstick() -> float:
    """Return the seconds of the same products each time: what the neighbours do to all the others."""
    began = time.process_time()
    square = torch.ones(640, 640)
    for _ in range(8):
        torch.mm(square, square)
    return time.process_time() - began


def configured(place: Path, tasks: int, *, measured: bool) -> RunConfig:
    """Return a run of one epoch over tasks of two classes with pictures of their own."""
    wanted = {
        f"task {n + 1:02d}": {f"{n}a": TRAINED + TESTED, f"{n}b": TRAINED + TESTED}
        for n in range(tasks)
    }
    tree = to_dict(quick_config(make_task_folders(place, wanted), batch_size=16))
    tree["data"]["test_share"] = TESTED / (TRAINED + TESTED)
    tree["monitor"] |= {"probe_per_task": PROBED if measured else 0, "budget": 0.5}
    return from_dict(tree)


def spent_by(home: Path, config: RunConfig) -> list[Spent]:
    """Train the run and return what each task took."""
    session = Session(home, entry_points=False)
    session.engine = engine = TimedEngine()
    run = session.start(config)
    state = run.work()
    session.close()
    if state != "finished":
        raise SystemExit(f"The run {state}: {run.news()[-1]}")
    return engine.tasks


def line_of(values: Sequence[float], first: int, last: int) -> tuple[float, float, float]:
    """Return a straight line through values of tasks 2, 3, …: at tasks `first` and `last`, and its slope's error there."""
    at = np.arange(2, 2 + len(values), dtype=float)
    slope, start = np.polyfit(at, values, 1)
    rest = np.asarray(values) - (start + slope * at)
    error = np.sqrt(rest @ rest / (len(at) - 2) / ((at - at.mean()) ** 2).sum())
    return start + slope * first, start + slope * last, error * (last - first)


def table(tasks: Sequence[Spent], whole: float) -> list[str]:
    """Return the lines of one run's table; `whole` are its processor seconds."""
    last = len(tasks)
    lines = [
        f"{'':22}{'one of':>8}{'all, %':>8}{f'task {FIRST}':>11}{f'task {last}':>11}{'ratio':>9}"
    ]
    for kind, unit in ROWS.items():
        each = [spent.kinds[kind] / max(spent.counts[unit], 1) for spent in tasks[1:]]
        if not any(each):
            continue
        small, large, error = line_of(each, FIRST, last)
        scale, share = (
            (1, "")
            if kind.endswith("kB")
            else (1e3, f"{100 * sum(s.kinds[kind] for s in tasks) / whole:.1f}")
        )
        lines.append(
            f"{kind:22}{unit:>8}{share:>8}{scale * small:11.3f}{scale * large:11.3f}"
            f"{large / small:9.2f} ± {error / small:.2f}"
        )
    return lines


def main(tasks: int) -> None:
    """Print both tables: milliseconds, or kilobytes."""
    for measured in (False, True):
        with tempfile.TemporaryDirectory() as place:
            config = configured(Path(place) / "pictures", tasks, measured=measured)
            began = time.process_time()
            found = spent_by(Path(place) / "home", config)
            whole = time.process_time() - began
        title = f"monitor {'on' if measured else 'off'}: {tasks} tasks, {whole:.0f} s; ms, or kB\n"
        sys.stdout.write(title + "\n".join(table(found, whole)) + "\n\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or [str(TASKS)]))
