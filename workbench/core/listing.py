"""What lies in a dropped folder: tasks, classes and their picture files, by name alone.

    FOLDER/class/…/picture           one task
    FOLDER/train/class/…  + test/    one task with its own test part (also val, valid, validation)
    FOLDER/task/class/…/picture      a folder of tasks
    FOLDER/picture                   one class, if the user says so

Nothing is opened. Whatever cannot be entered becomes a `Problem` and the rest goes on.
"""

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.core.pictures import FORMATS_SHOWN
from workbench.core.walk import Entry, Walk, join, name_of
from workbench.report import Problem

TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "val", "valid", "validation")  # the first that is there is used


@dataclass(frozen=True)
class ClassFiles:
    """One class: sorted POSIX paths relative to the task's folder."""

    name: str
    train: tuple[str, ...]  # all pictures where the folder has no test part
    test: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """One task's folder. `classes` are sorted by name and may hold too few pictures, or none."""

    path: Path
    classes: tuple[ClassFiles, ...]
    loose: tuple[str, ...]  # pictures in the folder itself, of no class
    problems: tuple[Problem, ...]
    parts: tuple[str, str] | None = None  # its own folders of a train and a test part
    one_class: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """All pictures of all classes, class by class."""
        return tuple(path for each in self.classes for path in (*each.train, *each.test))

    @property
    def is_loose(self) -> bool:
        """Whether there are pictures, but none in a class."""
        return bool(self.loose) and not self.files

    def as_one_class(self) -> "Listing":
        """Return the listing with the loose pictures as its only class, named like the folder."""
        one = ClassFiles(name_of(self.path), self.loose)
        return Listing(self.path, (one,), (), self.problems, one_class=True)


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts '2' before '10'."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return tuple((0, int(p), p) if p[0] in "0123456789" else (1, 0, p) for p in parts)


def task_folders(path: Path) -> tuple[Path, ...]:
    """Return the folders that are one task each: `path` itself, or its sub-folders in natural order.

    Sub-folders are tasks if one of them has a train and a test part, or if none holds pictures
    itself while one holds several folders of pictures.
    """
    below = _folders_in(path)
    if _parts(folder.name for folder in below) or not below:
        return (path,)
    is_split = any(_parts(inner.name for inner in _folders_in(folder)) for folder in below)
    if not is_split:
        if any(_holds_pictures(folder) for folder in below):
            return (path,)
        if not any(_is_task(folder) for folder in below):
            return (path,)
    return tuple(sorted(below, key=lambda folder: (natural(folder.name), folder.name)))


def list_task(path: Path) -> Generator[int, None, Listing]:
    """List one task's folder, yielding the number of pictures found so far after each folder."""
    walk = Walk(path)
    top = walk.open(path, "")
    folders = [entry for entry in top if entry.is_folder]
    loose = tuple(entry.name for entry in top if entry.is_picture)
    walk.note_others("", [entry.name for entry in top if entry.is_other])
    parts = _parts(entry.name for entry in folders)
    if parts:
        classes = yield from _split_classes(walk, parts)
        walk.note_unused(parts, folders)
    else:
        found = yield from _classes(walk, "", folders)
        classes = tuple(ClassFiles(name, files) for name, files in found.items())
    listing = Listing(path, classes, loose, (), parts)
    if loose and not listing.is_loose:
        walk.note_loose(loose)
    return replace(listing, problems=tuple(walk.problems))


def beside_tasks(path: Path) -> tuple[Problem, ...]:
    """Return the problem of pictures that lie beside the folders of a folder of tasks, if any."""
    walk = Walk(path)
    loose = tuple(entry.name for entry in walk.open(path, "") if entry.is_picture)
    if loose:
        walk.note_loose(loose)
    return tuple(walk.problems)


def no_pictures(path: Path) -> Problem:
    """Return the problem of a folder without a single picture."""
    name = name_of(path)
    return Problem(
        str(path), "no_pictures", f"No pictures in {name!r}. Looked for {FORMATS_SHOWN}."
    )


def _split_classes(
    walk: Walk, parts: tuple[str, str]
) -> Generator[int, None, tuple[ClassFiles, ...]]:
    found: list[dict[str, tuple[str, ...]]] = []
    for part in parts:
        entries = walk.open(walk.root / part, part)
        walk.note_others(part, [entry.name for entry in entries if not entry.is_folder])
        files = yield from _classes(walk, part, [entry for entry in entries if entry.is_folder])
        found.append(files)
    train, test = found
    names = sorted({*train, *test})
    return tuple(ClassFiles(name, train.get(name, ()), test.get(name, ())) for name in names)


def _classes(
    walk: Walk, relative: str, folders: list[Entry]
) -> Generator[int, None, dict[str, tuple[str, ...]]]:
    classes = {}
    for entry in folders:
        inner = join(relative, entry.name)
        classes[entry.name] = yield from walk.files_below(inner)
    return classes


def _parts(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the names of the train and the test part if both are among `names`."""
    lower = {name.lower(): name for name in names}
    train = next((lower[name] for name in TRAIN_NAMES if name in lower), "")
    test = next((lower[name] for name in TEST_NAMES if name in lower), "")
    return (train, test) if train and test else None


def _folders_in(folder: Path) -> list[Path]:
    entries = Walk(folder).open(folder, "")
    return [folder / entry.name for entry in entries if entry.is_folder]


def _holds_pictures(folder: Path) -> bool:
    return any(entry.is_picture for entry in Walk(folder).open(folder, ""))


def _is_task(folder: Path) -> bool:
    """Return whether at least two sub-folders hold pictures, directly or deeper."""
    full = 0
    for inner in _folders_in(folder):
        full += any(Walk(folder).files_below(inner.name))  # stops at the first picture's folder
        if full == 2:
            return True
    return False
