"""From a configuration's folders to tasks in memory: listed, split, decoded once, classes numbered.

What comes out is a function of folders, configuration and seeds; threads change only how fast.
"""

import hashlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.config import DataConfig, SeedConfig, TaskFolder
from workbench.core.away import PicturesAway, must_exist
from workbench.core.cache import PictureCache
from workbench.core.gather import NAMED, Parts, Pool, divided, gathered
from workbench.core.listing import Listing
from workbench.core.naming import number_classes
from workbench.core.pictures import Cadence, PictureError, read_all
from workbench.core.split import split_by_class
from workbench.core.steps import result_of
from workbench.core.walk import counted
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Note, Stage, TaskInfo

Integers = NDArray[np.int64]
CLOSED = frozenset(
    {"no_permission", "vanished", "unreadable", "link_loop", "too_long"}
)  # kinds worth a note
SPARED = 0.01  # of a task's pictures; where more cannot be read, something else is wrong


@dataclass(frozen=True, eq=False)
class TaskData:
    """One task's pictures as indices into the cache, each with its class's global number."""

    info: TaskInfo
    train: Integers  # (n_train,), class by class, sorted by path within a class
    train_labels: Integers
    test: Integers  # (n_test,)
    test_labels: Integers
    test_paths: tuple[str, ...] = ()  # (n_test,) POSIX, below the task's folder


@dataclass(frozen=True, eq=False)
class TaskSet:
    """All tasks in the order they are learnt. Whoever has it closes the cache."""

    cache: PictureCache
    tasks: tuple[TaskData, ...]
    contents: tuple[tuple[str, dict[str, str]], ...] = ()  # what `core.manifest` keeps of each


def expand(data: DataConfig, seeds: SeedConfig) -> DataConfig:
    """Return `data` with its one folder split into tasks by class, if that is asked for.

    Raises:
        UsageError: the numbers of classes do not fit the folder.
        WorkbenchError: the folder is not there.
    """
    first = data.first_classes or data.increment
    if not first or len(data.tasks) != 1 or data.tasks[0].also:
        return data
    (folder,) = data.tasks
    names = folder.classes or tuple(result_of(outline(folder, data)))
    parts = split_by_class(names, first, data.increment, seeds.class_order)
    tasks = tuple(
        replace(folder, name=f"{folder.name} {number}", classes=part)
        for number, part in enumerate(parts, 1)
    )
    return replace(data, tasks=tasks, first_classes=0, increment=0)


@dataclass
class _Loaded:
    """A task before its classes are numbered."""

    folder: TaskFolder
    classes: tuple[Pool, ...]
    parts: dict[str, Parts] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)  # path -> index into the cache
    hashes: dict[str, str] = field(default_factory=dict)
    errors: dict[str, PictureError] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Return a hash of the paths and contents in use."""
        lines = "".join(f"{path}\0{self.hashes[path]}\n" for path in sorted(self.used()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def used(self) -> list[str]:
        """Return the pictures in use."""
        return [path for part in self.parts.values() for path in (*part[0], *part[1])]

    def contents(self) -> tuple[str, dict[str, str]]:
        """Return name and every picture of its classes, with the content of those in use."""
        used = {path: self.hashes[path] for path in self.used()}
        known = {path: "" for each in self.classes for path in each.pictures}
        return self.folder.name, known | used


class TaskLoader:
    """Loads all tasks of a configuration; where their pictures are away, it goes on once they are back.

    Whoever makes it closes it.

    Raises:
        UsageError: there are no tasks.
    """

    def __init__(self, data: DataConfig, seeds: SeedConfig) -> None:
        if not data.tasks:
            raise UsageError("There are no tasks. Add a folder of pictures.")
        self._data, self._seeds = data, seeds
        self._cache = PictureCache(data.cache_megabytes << 20)
        self._listings: dict[tuple[str, bool], Listing] = {}
        self._loaded: list[_Loaded] = []  # all whole, but for the last one after PicturesAway

    def close(self) -> None:
        """Forget the pictures."""
        self._cache.close()

    def move(self, found: Mapping[str, str]) -> None:
        """Look for folders where they have been found: old path -> new path."""
        tasks = tuple(folder.moved(found) for folder in self._data.tasks)
        self._data = replace(self._data, tasks=tasks)
        for each in self._loaded:
            each.folder = each.folder.moved(found)

    def load(self) -> Generator[Stage | Note, None, TaskSet]:
        """Return the tasks, telling how far it is; closing the generator joins threads.

        Raises:
            PicturesAway: a folder or many of its pictures cannot be read; call again to go on.
            UsageError: the configuration does not fit the folders.
            WorkbenchError: the folders hold too little.
        """
        self._data = expand(self._data, self._seeds)
        for number, folder in enumerate(self._data.tasks):
            if number == len(self._loaded):
                classes = yield from gathered(folder, self._listings)
                self._loaded.append(_Loaded(folder, classes))
            if number == len(self._loaded) - 1:
                yield from _load(self._loaded[number], self._data, self._seeds, self._cache)
        tasks = _numbered(self._loaded, join_all=self._data.same_names == "same")
        return TaskSet(self._cache, tasks, tuple(each.contents() for each in self._loaded))


def load_tasks(data: DataConfig, seeds: SeedConfig) -> Generator[Stage | Note, None, TaskSet]:
    """Load all tasks, telling how far it is; closing the generator joins threads, closes the cache.

    Raises:
        UsageError: the configuration does not fit the folders.
        WorkbenchError: a folder is gone, or too little of it can be read.
    """
    loader = TaskLoader(data, seeds)
    with ExitStack() as stack:
        stack.callback(loader.close)
        tasks = yield from loader.load()
        stack.pop_all()
    return tasks


def outline(folder: TaskFolder, data: DataConfig) -> Generator[Stage | Note, None, dict[str, int]]:
    """Return how many training pictures each class of a folder would have; nothing is decoded.

    Raises:
        WorkbenchError: the folder, or a class chosen by name, is not there.
    """
    classes = yield from gathered(folder, {})
    left_out = frozenset(folder.left_out)
    parts = {each.name: divided(each, left_out, data, 0) for each in classes}
    return {name: len(found[0]) for name, found in parts.items() if found}


def _load(
    loaded: _Loaded, data: DataConfig, seeds: SeedConfig, cache: PictureCache
) -> Generator[Stage | Note, None, None]:
    """Read a task's pictures, or the rest; where one fails, its class is divided anew without it.

    Raises:
        PicturesAway: too many fail; those that did are tried again the next time.
    """
    folder, classes = loaded.folder, loaded.classes
    loaded.errors.clear()
    while True:
        left_out = {*folder.left_out, *loaded.errors}
        parts = {each.name: divided(each, left_out, data, seeds.split) for each in classes}
        loaded.parts = {name: found for name, found in parts.items() if found}
        missing = [path for path in loaded.used() if path not in loaded.places]
        if not missing:
            break
        yield from _read(loaded, missing, data.max_side, cache)
        if loaded.errors:
            must_exist(folder)
    if loaded.errors:
        yield Note(_skipped(loaded), "warning")
    short = [each for each in classes if each.name not in loaded.parts]
    if short:
        yield Note(_shortage(loaded, short), "warning")
    if not loaded.parts:
        raise WorkbenchError(
            f"Task {folder.name!r} has no class that can be learnt: {folder.path} needs sub-folders "
            "with at least 2 readable pictures each."
        )


def _read(
    loaded: _Loaded, paths: Sequence[str], max_side: int, cache: PictureCache
) -> Generator[Stage, None, None]:
    folder = loaded.folder
    root = Path(folder.path)
    files = ((str(root / path), f"{folder.name}/{path}") for path in paths)
    waiting = iter(paths)
    cadence = Cadence()
    done = 0
    with closing(read_all(files, max_side)) as reading:
        for item in reading:
            if item is not None:
                path = next(waiting)
                done += 1
                if isinstance(item, PictureError):
                    loaded.errors[path] = item
                else:
                    loaded.places[path] = cache.append(item.pixels)
                    loaded.hashes[path] = item.sha256
            if cadence.is_due(done):
                yield Stage(f"Reading '{folder.name}'", done, len(paths))


def _skipped(loaded: _Loaded) -> str:
    """Return what to say of pictures that could not be read, which are left out.

    A scan leaves out what it cannot read, so these became so since. One picture never ends a run.

    Raises:
        PicturesAway: they are more than `SPARED` of those the task needs.
    """
    name, failed = loaded.folder.name, len(loaded.errors)
    needed = failed + len(loaded.places)
    named = [f"{name}/{path}" for path in loaded.errors]
    more = f" and {failed - NAMED} more" if failed > NAMED else ""
    which = ", ".join(named[:NAMED]) + more
    if failed > max(1, SPARED * needed):
        raise PicturesAway(
            f"{failed} of the {needed} pictures of task {name!r} could not be read, more than 1 %: "
            f"{which}. Repair them, or add the folder again: what a scan cannot read is left out.",
            loaded.folder.path,
        )
    were = "was" if failed == 1 else "were"
    return f"{counted(failed, 'picture')} could not be read and {were} skipped: {which}."


def _shortage(loaded: _Loaded, short: Sequence[Pool]) -> str:
    """Return what to say of classes with too few pictures, which are left out.

    Raises:
        WorkbenchError: they were chosen by name, so that leaving them out is not ours to decide.
    """
    folder = loaded.folder
    rule = (
        "each part needs at least 1 readable picture"
        if short[0].train or short[0].test
        else "at least 2 readable pictures are needed (1 to learn, 1 to test)"
    )
    if folder.classes or folder.one_class:
        raise WorkbenchError(
            f"Class {short[0].name!r} of task {folder.name!r} has too few pictures left: {rule}. "
            "Repair them, or leave the class out."
        )
    names = ", ".join(repr(each.name) for each in short[:NAMED])
    more = f" and {len(short) - NAMED} more" if len(short) > NAMED else ""
    classes = "class" if len(short) == 1 else "classes"
    return f"Task {folder.name!r}: left out the {classes} {names}{more}; {rule}."


def _numbered(loaded: Sequence[_Loaded], *, join_all: bool) -> tuple[TaskData, ...]:
    numbering = number_classes(
        [
            (
                each.folder.name,
                tuple(each.parts),
                each.parts if join_all else each.folder.same_classes,
                each.folder.other_classes,
            )
            for each in loaded
        ]
    )
    return tuple(
        _task(each, ids, numbering.shown) for each, ids in zip(loaded, numbering.ids, strict=True)
    )


def _task(each: _Loaded, ids: tuple[int, ...], shown: Sequence[str]) -> TaskData:
    parts = list(each.parts.values())
    info = TaskInfo(
        name=each.folder.name,
        class_names=tuple(shown[number] for number in ids),
        class_ids=ids,
        train_counts=tuple(len(train) for train, _ in parts),
        test_counts=tuple(len(test) for _, test in parts),
        fingerprint=each.fingerprint(),
    )
    train = [each.places[path] for paths, _ in parts for path in paths]
    test = [each.places[path] for _, paths in parts for path in paths]
    return TaskData(
        info,
        np.array(train, np.int64),
        np.repeat(np.array(ids, np.int64), info.train_counts),
        np.array(test, np.int64),
        np.repeat(np.array(ids, np.int64), info.test_counts),
        tuple(path for _, paths in parts for path in paths),
    )
