"""The classes of a task over all its folders, and how each is divided into training and test pictures.

A picture is known by its path relative to the task's own folder. Those of a further folder begin with
the way there ("../farm/hen/1.png"), so that joining folder and path finds every picture.
"""

import os
from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from workbench.config import DataConfig, ExtraFolder, TaskFolder
from workbench.core.away import must_exist
from workbench.core.listing import ClassFiles, Listing, list_task
from workbench.core.pictures import Cadence
from workbench.core.split import at_most, fold_of, split_pictures
from workbench.core.steps import retold
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Note, Stage

CLOSED = frozenset(
    {"no_permission", "vanished", "unreadable", "link_loop", "too_long"}
)  # kinds worth a note
NAMED = 10  # pictures or classes named in one note
Parts = tuple[tuple[str, ...], tuple[str, ...]]  # training and test pictures


@dataclass(frozen=True)
class Pool:
    """One class of a task: pictures yet to be divided, and those of folders with parts of their own."""

    name: str
    whole: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    test: tuple[str, ...] = ()

    @property
    def pictures(self) -> tuple[str, ...]:
        """All pictures of the class."""
        return (*self.whole, *self.train, *self.test)


def pools(listed: Sequence[tuple[ExtraFolder, Listing]]) -> tuple[Pool, ...]:
    """Return a task's classes from its folders, the task's own first.

    Raises:
        WorkbenchError: a class that is asked for by name is not there.
    """
    merged: dict[str, Pool] = {}
    for part, listing in listed:
        before = way_to(listed[0][0].path, part.path)
        for each in _chosen(part, listing):
            name = name_within(part, each.name)
            old = merged.get(name, Pool(name))
            train = tuple(before + path for path in each.train)
            test = tuple(before + path for path in each.test)
            if listing.parts:
                merged[name] = replace(old, train=old.train + train, test=old.test + test)
            else:
                merged[name] = replace(old, whole=old.whole + train)
    return tuple(merged.values())


def name_within(part: ExtraFolder, class_name: str) -> str:
    """Return what a class of one of a task's folders is called in the task."""
    return f"{class_name} ({part.name})" if class_name in part.other_classes else class_name


def way_to(first: str, other: str) -> str:
    """Return what stands before the paths of a further folder: "" for the first itself."""
    if os.path.abspath(first) == os.path.abspath(other):
        return ""
    try:
        way = os.path.relpath(os.path.realpath(other), os.path.realpath(first))
    except ValueError:  # another drive
        way = os.path.abspath(other)
    return PurePath(way).as_posix() + "/"


def divided(pool: Pool, left_out: Collection[str], data: DataConfig, seed: int) -> Parts | None:
    """Return a class's training and test pictures, or None if one part would be empty."""
    whole, train, test = (
        tuple(path for path in paths if path not in left_out)
        for paths in (pool.whole, pool.train, pool.test)
    )
    if len(whole) >= 2:
        learnt, held = split_pictures(whole, pool.name, seed, data.test_share)
        train, test = train + learnt, test + held
    if not train or not test:
        return None
    train = at_most(train, data.train_per_class, pool.name, seed)
    if data.folds:
        train, test = fold_of(train, pool.name, seed, data.folds, data.fold)
    return train, at_most(test, data.test_per_class, pool.name, seed)


def gathered(
    folder: TaskFolder, listings: dict[tuple[str, bool], Listing]
) -> Generator[Stage | Note, None, tuple[Pool, ...]]:
    """Return a task's classes over all its folders; each folder is listed once.

    Raises:
        PicturesAway: a folder is not there, or is not any more once it has been listed.
        WorkbenchError: a class that is asked for by name is not there.
    """
    must_exist(folder)
    listed = []
    for part in folder.parts:
        key = (part.path, part.one_class)
        if key not in listings:
            listings[key] = yield from _listed(folder, part)
        listed.append((part, listings[key]))
    return pools(listed)


def first_few(sentences: Iterable[str]) -> str:
    """Return the first sentences, and how many more there are."""
    listed = list(sentences)
    more = [f"And {len(listed) - NAMED} more."] if len(listed) > NAMED else []
    return " ".join([*listed[:NAMED], *more])


def _listed(folder: TaskFolder, part: ExtraFolder) -> Generator[Stage | Note, None, Listing]:
    listing = yield from _walked(part)
    must_exist(folder)  # else what was found may be a half
    closed = [problem for problem in listing.problems if problem.kind in CLOSED]
    if any(problem.path == str(listing.path) for problem in closed):
        raise WorkbenchError(f"Task {part.name!r}: {closed[0].sentence}")
    if closed:
        sentences = first_few(problem.sentence for problem in closed)
        yield Note(f"Task {part.name!r}: {sentences}", "warning")
    if part.one_class:
        return listing.as_one_class()
    if listing.is_loose:
        raise UsageError(
            f"Task {part.name!r}: {part.path} holds pictures but no sub-folders. "
            "Use it as one class (one_class = true), or choose the folder above."
        )
    return listing


def _walked(part: ExtraFolder) -> Generator[Stage, None, Listing]:
    cadence, text = Cadence(), f"Looking into '{part.name}'"

    def tell(found: int) -> Stage | None:
        return Stage(text, found) if cadence.is_due(found) else None

    return (yield from retold(list_task(Path(part.path)), tell))


def _chosen(part: ExtraFolder, listing: Listing) -> list[ClassFiles]:
    known = {each.name: each for each in listing.classes}
    if part.one_class or not part.classes:
        return list(known.values())
    absent = [name for name in part.classes if name not in known]
    if absent:
        raise WorkbenchError(
            f"Task {part.name!r}: there is no class folder {absent[0]!r} in {part.path}. "
            "Scan the folder again."
        )
    return [known[name] for name in dict.fromkeys(part.classes)]
