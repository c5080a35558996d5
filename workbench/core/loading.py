"""One task's pictures from its folders into the cache: which are used, and what is said of those that cannot be read."""

import hashlib
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from workbench.config import DataConfig, SeedConfig, TaskFolder
from workbench.core.away import PicturesAway, must_exist
from workbench.core.cache import PictureCache
from workbench.core.gather import NAMED, Parts, Pool, divided
from workbench.core.pictures import Cadence, PictureError, read_all
from workbench.core.walk import counted
from workbench.errors import WorkbenchError
from workbench.events import Note, Stage

SPARED = 0.01  # of a task's pictures; where more cannot be read, something else is wrong


@dataclass
class Loaded:
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


def load(
    loaded: Loaded, data: DataConfig, seeds: SeedConfig, cache: PictureCache
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
    loaded: Loaded, paths: Sequence[str], max_side: int, cache: PictureCache
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


def _skipped(loaded: Loaded) -> str:
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


def _shortage(loaded: Loaded, short: Sequence[Pool]) -> str:
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
