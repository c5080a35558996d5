"""From a configuration's folders to tasks in memory: listed, split, decoded once, classes numbered.

What comes out is a function of folders, configuration and seeds; threads change only how fast.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workbench.config import DataConfig, SeedConfig, TaskFolder
from workbench.core.cache import PictureCache
from workbench.core.gather import divided, gathered
from workbench.core.listing import Listing
from workbench.core.loading import Loaded, load
from workbench.core.naming import number_classes
from workbench.core.split import split_by_class
from workbench.core.steps import result_of
from workbench.errors import UsageError
from workbench.events import Note, Stage, TaskInfo

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TaskData:
    """One task's pictures as indices into the cache, each with its class's global number."""

    info: TaskInfo
    train: Integers  # (n_train,), class by class, sorted by path within a class
    train_labels: Integers
    test: Integers  # (n_test,)
    test_labels: Integers
    test_paths: tuple[str, ...] = ()  # (n_test,) POSIX, below the task's folder

    @property
    def local_labels(self) -> Integers:
        """The class of each training picture (n_train,) by its place among the task's own classes, 0…C_t−1."""
        local = {class_id: i for i, class_id in enumerate(self.info.class_ids)}
        return np.array([local[int(label)] for label in self.train_labels])


@dataclass(frozen=True, eq=False)
class TaskSet:
    """All tasks in the order they are learnt. Whoever has it closes the cache."""

    cache: PictureCache
    tasks: tuple[TaskData, ...]
    contents: tuple[tuple[str, dict[str, str]], ...] = ()  # what `core.manifest` keeps of each
    hashes: tuple[str, ...] = ()  # SHA-256 of each picture's file, by its index in the cache


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
        self._loaded: list[Loaded] = []  # all whole, but for the last one after PicturesAway

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
            DiskFull: there is no room to keep them; likewise.
            UsageError: the configuration does not fit the folders.
            WorkbenchError: the folders hold too little.
        """
        self._data = expand(self._data, self._seeds)
        for number, folder in enumerate(self._data.tasks):
            if number == len(self._loaded):
                classes = yield from gathered(folder, self._listings)
                self._loaded.append(Loaded(folder, classes))
            if number == len(self._loaded) - 1:
                yield from load(self._loaded[number], self._data, self._seeds, self._cache)
        self._arrange()
        tasks = _numbered(self._loaded, join_all=self._data.same_names == "same")
        contents = tuple(each.contents() for each in self._loaded)
        hashes = tuple(each.hashes[path] for each in self._loaded for path in each.used())
        return TaskSet(self._cache, tasks, contents, hashes)

    def _arrange(self) -> None:
        """Number the pictures in use by their order, whatever was read when: checkpoints speak of numbers."""
        order: list[int] = []
        for each in self._loaded:
            used = each.used()
            order += [each.places[path] for path in used]
            first = len(order) - len(used)
            each.places = {path: number for number, path in enumerate(used, first)}
        self._cache.keep(order)


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


def _numbered(loaded: Sequence[Loaded], *, join_all: bool) -> tuple[TaskData, ...]:
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


def _task(each: Loaded, ids: tuple[int, ...], shown: Sequence[str]) -> TaskData:
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
