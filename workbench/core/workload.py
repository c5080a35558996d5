"""How much a run will do, counted before it starts: pictures by task and class, and how often each is seen.

Folders are listed and divided as the run does it; nothing is decoded.
"""

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.config import RunConfig
from workbench.core.budget import Budget, Costs, choose
from workbench.core.cache import PictureCache
from workbench.core.gather import divided, gathered
from workbench.core.learner import Learner
from workbench.core.listing import Listing
from workbench.core.pace import looks
from workbench.core.pictures import PictureError, read_all
from workbench.core.probe import draw_task
from workbench.core.tasks import TaskData, expand
from workbench.errors import WorkbenchError
from workbench.events import Note, Stage, TaskInfo

SAMPLES = 16  # pictures that are really read, spread over all


@dataclass(frozen=True)
class Counted:
    """The pictures of a run: for each task its classes' training and test counts, and some to look at."""

    tasks: tuple[tuple[tuple[int, int], ...], ...]
    files: tuple[str, ...] = ()

    @property
    def pictures(self) -> int:
        """Return how many pictures are read."""
        return sum(train + test for task in self.tasks for train, test in task)

    @property
    def largest(self) -> int:
        """Return the training pictures of the task that has most."""
        return max(sum(train for train, _ in task) for task in self.tasks)


@dataclass(frozen=True)
class Amounts:
    """The work of a run without its monitor.

    Attributes:
        read: pictures that are decoded.
        frozen: pictures that the frozen backbone sees, once each.
        steps: training steps.
        trained: pictures in these steps.
        looked: pictures seen in evaluation mode, for prototypes and tests; see `pace.looks`.
    """

    read: int
    frozen: int
    steps: int
    trained: int
    looked: int


def count(config: RunConfig) -> Generator[Stage | Note, None, Counted]:
    """Count the pictures that a run of `config` would use.

    Raises:
        WorkbenchError: a folder is gone, or a task has too few pictures.
    """
    data = expand(config.data, config.seeds)
    listings: dict[tuple[str, bool], Listing] = {}
    tasks: list[tuple[tuple[int, int], ...]] = []
    files: list[str] = []
    for folder in data.tasks:
        classes = yield from gathered(folder, listings)
        parts = [divided(each, folder.left_out, data, config.seeds.split) for each in classes]
        found = [part for part in parts if part is not None]
        if not found:
            raise WorkbenchError(
                f"Task {folder.name!r} has no class that can be learnt: {folder.path} needs sub-folders "
                "with at least 2 readable pictures each."
            )
        tasks.append(tuple((len(train), len(test)) for train, test in found))
        files += [str(Path(folder.path) / path) for train, _ in found for path in train]
    if data.joint:
        tasks = [tuple(each for task in tasks for each in task)]
    chosen = np.linspace(0, len(files) - 1, min(SAMPLES, len(files))).astype(int)
    return Counted(tuple(tasks), tuple(files[i] for i in chosen))


def read_samples(
    counted: Counted, max_side: int, cache: PictureCache
) -> Generator[Stage, None, float]:
    """Read the chosen pictures into `cache`, as large as the run keeps them; return the seconds each took.

    Raises:
        WorkbenchError: none of them can be read.
    """
    errors: list[PictureError] = []
    yield Stage("Reading some pictures")
    began = time.perf_counter()
    files = ((path, Path(path).name) for path in counted.files)
    with closing(read_all(files, max_side)) as reading:
        for item in reading:
            if isinstance(item, PictureError):
                errors.append(item)
            elif item is not None:
                cache.append(item.pixels)
    if not len(cache):
        raise WorkbenchError(f"None of {len(errors)} pictures tried can be read. {errors[0]}")
    return (time.perf_counter() - began) / len(counted.files)


def amounts(
    tasks: Sequence[Sequence[tuple[int, int]]], config: RunConfig, learner: Learner
) -> Amounts:
    """Return the work on tasks of so many pictures, with no more epochs than are likely to be needed."""
    train = [sum(n for n, _ in task) for task in tasks]
    test = [sum(n for _, n in task) for task in tasks]
    lengths = [learner.likely_length(i, counts) for i, counts in enumerate(_learnt(tasks))]
    whole = sum(train) + sum(test)
    again = sum(train[1:]) if learner.switches["prototype_drift"] == "compensated" else 0
    parts = sum(test) if config.data.joint else 0  # each task's own pictures, once more
    return Amounts(
        whole, whole, sum(length.steps for length in lengths), sum(length.pictures for length in lengths),
        looks(train, test, learner) + again + parts,
    )  # fmt: skip


def _learnt(tasks: Sequence[Sequence[tuple[int, int]]]) -> list[list[int]]:
    """Return the classes' training counts of each task."""
    return [[train for train, _ in task] for task in tasks]


def monitor_passes(
    tasks: Sequence[Sequence[tuple[int, int]]], config: RunConfig, learner: Learner, passes: float
) -> float:
    """Return what the monitor takes beside `passes` of the run, in passes of a picture, at most."""
    monitor, network = config.monitor, learner.network
    if not monitor.probe_per_task or not monitor.budget or network.why_no_kernel:
        return 0.0
    known = stand_ins(tasks)
    seed = config.seeds.probe
    room = Budget(monitor.budget).of(passes)
    plan, size, least = choose(
        learner, monitor,
        lambda size: [draw_task(task, n, size, seed) for n, task in enumerate(known)], room,
    )  # fmt: skip
    probes = [draw_task(task, n, size, seed) for n, task in enumerate(known)]
    between = sum(Costs(learner, plan, probes[: n + 1]).epoch() for n in range(len(probes)))
    epochs = max(learner.length(i, counts).epochs for i, counts in enumerate(_learnt(tasks)))
    return max(least, min(least + max(epochs - 1, 0) * between, room))


def stand_ins(tasks: Sequence[Sequence[tuple[int, int]]]) -> list[TaskData]:
    """Return tasks with so many pictures in each class and nothing in them."""
    found, first = [], 0
    for number, task in enumerate(tasks):
        ids = tuple(range(first, first + len(task)))
        first += len(task)
        train, test = (tuple(each[side] for each in task) for side in (0, 1))
        info = TaskInfo(str(number), tuple(map(str, ids)), ids, train, test, "")
        found.append(
            TaskData(
                info, np.arange(sum(train)), np.repeat(np.array(ids), train),
                np.arange(sum(test)), np.repeat(np.array(ids), test),
            )
        )  # fmt: skip
    return found
