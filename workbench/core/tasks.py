"""From a configuration's folders to tasks in memory: listed, split, decoded once, classes numbered.

What comes out is a function of folders, configuration and seeds; threads change only how fast.
"""

import hashlib
import os
from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.config import DataConfig, SeedConfig, TaskFolder
from workbench.core.cache import PictureCache
from workbench.core.listing import ClassFiles, Listing, counted, list_task
from workbench.core.naming import number_classes
from workbench.core.pictures import Cadence, PictureError, read_all
from workbench.core.split import at_most, split_by_class, split_pictures
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Note, Stage, TaskInfo

Integers = NDArray[np.int64]
Parts = tuple[tuple[str, ...], tuple[str, ...]]  # training and test pictures, relative paths
CLOSED = frozenset({"no_permission", "vanished", "unreadable", "link_loop"})  # kinds worth a note
NAMED = 10  # pictures or classes named in one note


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


def expand(data: DataConfig, seeds: SeedConfig) -> DataConfig:
    """Return `data` with its one folder split into tasks by class, if that is asked for.

    Raises:
        UsageError: the numbers of classes do not fit the folder.
        WorkbenchError: the folder is not there.
    """
    first = data.first_classes or data.increment
    if not first or len(data.tasks) != 1:
        return data
    (folder,) = data.tasks
    names = folder.classes or tuple(_drained(outline(folder, data)))
    parts = split_by_class(names, first, data.increment, seeds.class_order)
    tasks = tuple(
        replace(folder, name=f"{folder.name} {number}", classes=part)
        for number, part in enumerate(parts, 1)
    )
    return replace(data, tasks=tasks, first_classes=0, increment=0)


def load_tasks(data: DataConfig, seeds: SeedConfig) -> Generator[Stage | Note, None, TaskSet]:
    """Load all tasks, telling how far it is; closing the generator joins threads, closes the cache.

    Raises:
        UsageError: the configuration does not fit the folders.
        WorkbenchError: a folder is gone, or too little of it can be read.
    """
    data = expand(data, seeds)
    if not data.tasks:
        raise UsageError("There are no tasks. Add a folder of pictures.")
    with ExitStack() as stack:
        cache = stack.enter_context(PictureCache(data.cache_megabytes << 20))
        listings: dict[tuple[str, bool], Listing] = {}
        loaded = []
        for folder in data.tasks:
            key = (folder.path, folder.one_class)
            if key not in listings:
                listings[key] = yield from _listed(folder)
            loaded.append((yield from _load(folder, listings[key], data, seeds, cache)))
        tasks = _numbered(loaded, join_all=data.same_names == "same")
        stack.pop_all()
    return TaskSet(cache, tasks)


@dataclass
class _Loaded:
    """A task before its classes are numbered."""

    folder: TaskFolder
    parts: dict[str, Parts] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)  # path -> index into the cache
    hashes: dict[str, str] = field(default_factory=dict)
    errors: dict[str, PictureError] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Return a hash of the paths and contents in use."""
        used = sorted(path for part in self.parts.values() for path in (*part[0], *part[1]))
        lines = "".join(f"{path}\0{self.hashes[path]}\n" for path in used)
        return hashlib.sha256(lines.encode()).hexdigest()


def outline(folder: TaskFolder, data: DataConfig) -> Generator[Stage | Note, None, dict[str, int]]:
    """Return how many training pictures each class of a folder would have; nothing is decoded.

    Raises:
        WorkbenchError: the folder, or a class chosen by name, is not there.
    """
    listing = yield from _listed(folder)
    left_out = frozenset(folder.left_out)
    classes = _chosen(folder, listing)
    divided = {each.name: _divided(each, listing, left_out, data, 0) for each in classes}
    return {name: len(parts[0]) for name, parts in divided.items() if parts}


def _drained(steps: Generator[Stage | Note, None, dict[str, int]]) -> dict[str, int]:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: dict[str, int] = end.value
            return found


def _listed(folder: TaskFolder) -> Generator[Stage | Note, None, Listing]:
    _must_exist(folder)
    listing = yield from _walked(folder)
    closed = [problem for problem in listing.problems if problem.kind in CLOSED]
    if any(problem.path == str(listing.path) for problem in closed):
        raise WorkbenchError(f"Task {folder.name!r}: {closed[0].sentence}")
    if closed:
        sentences = _first(problem.sentence for problem in closed)
        yield Note(f"Task {folder.name!r}: {sentences}", "warning")
    if folder.one_class:
        return listing.as_one_class()
    if listing.is_loose:
        raise UsageError(
            f"Task {folder.name!r}: {folder.path} holds pictures but no sub-folders. "
            "Use it as one class (one_class = true), or choose the folder above."
        )
    return listing


def _walked(folder: TaskFolder) -> Generator[Stage, None, Listing]:
    walk, cadence = list_task(Path(folder.path)), Cadence()
    while True:
        try:
            found = next(walk)
        except StopIteration as end:
            listing: Listing = end.value
            return listing
        if cadence.is_due(found):
            yield Stage(f"Looking into '{folder.name}'", found)


def _must_exist(folder: TaskFolder) -> None:
    if not os.path.isdir(folder.path):
        raise WorkbenchError(
            f"The folder of task {folder.name!r} is no longer there ({folder.path}). "
            "Connect the drive, or remove the task."
        )


def _load(
    folder: TaskFolder, listing: Listing, data: DataConfig, seeds: SeedConfig, cache: PictureCache
) -> Generator[Stage | Note, None, _Loaded]:
    """Read a task's pictures; where one fails, its class is divided anew without it."""
    loaded = _Loaded(folder)
    classes = _chosen(folder, listing)
    while True:
        left_out = {*folder.left_out, *loaded.errors}
        divided = {c.name: _divided(c, listing, left_out, data, seeds.split) for c in classes}
        loaded.parts = {name: parts for name, parts in divided.items() if parts}
        wanted = [path for parts in loaded.parts.values() for part in parts for path in part]
        missing = [path for path in wanted if path not in loaded.places]
        if not missing:
            break
        yield from _read(loaded, missing, data.max_side, cache)
    if loaded.errors:
        _must_exist(folder)
        yield Note(_unreadable(loaded), "warning")
    short = [each for each in classes if each.name not in loaded.parts]
    if short:
        yield Note(_shortage(loaded, short, listing), "warning")
    if not loaded.parts:
        raise WorkbenchError(
            f"Task {folder.name!r} has no class that can be learnt: {folder.path} needs sub-folders "
            "with at least 2 readable pictures each."
        )
    return loaded


def _chosen(folder: TaskFolder, listing: Listing) -> list[ClassFiles]:
    known = {each.name: each for each in listing.classes}
    if folder.one_class or not folder.classes:
        return list(known.values())
    absent = [name for name in folder.classes if name not in known]
    if absent:
        raise WorkbenchError(
            f"Task {folder.name!r}: there is no class folder {absent[0]!r} in {folder.path}. "
            "Scan the folder again."
        )
    return [known[name] for name in dict.fromkeys(folder.classes)]


def _divided(
    each: ClassFiles, listing: Listing, left_out: Collection[str], data: DataConfig, seed: int
) -> Parts | None:
    """Return a class's training and test pictures, or None if one part would be empty."""
    train = tuple(path for path in each.train if path not in left_out)
    test = tuple(path for path in each.test if path not in left_out)
    if not listing.parts and len(train) >= 2:
        train, test = split_pictures(train, each.name, seed, data.test_share)
    if not train or not test:
        return None
    train = at_most(train, data.train_per_class, each.name, seed)
    return train, at_most(test, data.test_per_class, each.name, seed)


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


def _unreadable(loaded: _Loaded) -> str:
    count = counted(len(loaded.errors), "picture")
    cannot = f"{count} of task {loaded.folder.name!r} cannot be used and will be left out."
    return f"{cannot} {_first(map(str, loaded.errors.values()))}"


def _shortage(loaded: _Loaded, short: Sequence[ClassFiles], listing: Listing) -> str:
    """Return what to say of classes with too few pictures, which are left out.

    Raises:
        WorkbenchError: they were chosen by name, so that leaving them out is not ours to decide.
    """
    folder = loaded.folder
    rule = (
        "each part needs at least 1 readable picture"
        if listing.parts
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


def _first(sentences: Iterable[str]) -> str:
    listed = list(sentences)
    more = [f"And {len(listed) - NAMED} more."] if len(listed) > NAMED else []
    return " ".join([*listed[:NAMED], *more])


def _numbered(loaded: Sequence[_Loaded], *, join_all: bool) -> tuple[TaskData, ...]:
    numbering = number_classes(
        [
            (
                each.folder.name,
                tuple(each.parts),
                each.parts if join_all else each.folder.same_classes,
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
