"""What lies in a dropped folder: tasks, classes and their picture files, by name alone.

    FOLDER/class/…/picture           one task
    FOLDER/train/class/…  + test/    one task with its own test part (also val, valid, validation)
    FOLDER/task/class/…/picture      a folder of tasks
    FOLDER/picture                   one class, if the user says so

Nothing is opened. Whatever cannot be entered becomes a `Problem` and the rest goes on.
"""

import errno
import os
import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.core.pictures import FORMATS_SHOWN, is_picture_name
from workbench.report import Problem

TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "val", "valid", "validation")  # the first that is there is used
NAMED = 3  # files named as examples in a sentence that counts them
Identity = tuple[int, int]  # device and inode: the same folder whatever its path


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


def name_of(path: Path) -> str:
    """Return the folder's name; the root of a drive has none and is called 'pictures'."""
    return path.name or "pictures"


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
    walk = _Walk(path)
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
    walk = _Walk(path)
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


def examples(names: Iterable[str]) -> str:
    """Return the first few of `names` for a sentence, with an ellipsis where there are more."""
    listed = list(names)
    return ", ".join(listed[:NAMED]) + (", …" if len(listed) > NAMED else "")


def counted(number: int, noun: str) -> str:
    """Return "1 picture", "2 pictures"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


@dataclass(frozen=True)
class _Entry:
    name: str
    is_folder: bool

    @property
    def is_picture(self) -> bool:
        return not self.is_folder and is_picture_name(self.name)

    @property
    def is_other(self) -> bool:
        return not self.is_folder and not is_picture_name(self.name)


class _Walk:
    """Goes through one task's folders and keeps what went wrong."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.found = 0
        self.problems: list[Problem] = []
        above = (_identity(place) for place in (root, *root.absolute().parents))
        self.above = frozenset(place for place in above if place)

    def open(self, folder: Path, relative: str) -> list[_Entry]:
        """Return the visible entries of a folder by name; a folder that cannot be entered has none."""
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            self._note_closed(folder, relative, error)
            return []
        visible = [entry for entry in entries if not _is_hidden(entry.name)]
        return [each for entry in visible for each in self._look(entry, relative)]

    def _look(self, entry: os.DirEntry[str], relative: str) -> Iterator[_Entry]:
        shown = self.shown(_join(relative, entry.name))
        if not _is_text(entry.name):
            self._add(relative, "unreadable", f"The name {shown!r} is not valid text. Rename it.")
            return
        try:
            yield _Entry(entry.name, entry.is_dir())
        except OSError as error:
            if error.errno == errno.ELOOP:
                self._note_loop(_join(relative, entry.name))
            else:
                reason = error.strerror or "the system gave no reason"
                self._add(
                    _join(relative, entry.name),
                    "unreadable",
                    f"{shown!r} could not be opened: {reason}.",
                )

    def files_below(self, relative: str) -> Generator[int, None, tuple[str, ...]]:
        """Return all pictures of a class, however deep, as sorted paths relative to the root."""
        pictures: list[str] = []
        others: list[str] = []
        waiting = [(self.root / relative, relative, self.above)]
        while waiting:
            here, path, above = waiting.pop()
            identity = _identity(here)
            if identity in above:
                self._note_loop(path)
                continue
            around = above if identity is None else above | {identity}
            entries = self.open(here, path)
            inner = {_join(path, entry.name): entry for entry in entries}
            waiting += [(self.root / name, name, around) for name in inner if inner[name].is_folder]
            pictures += [name for name in inner if inner[name].is_picture]
            others += [name for name in inner if inner[name].is_other]
            self.found += sum(entry.is_picture for entry in entries)
            yield self.found
        self.note_others(relative, [other.removeprefix(relative + "/") for other in others])
        return tuple(sorted(pictures))

    def shown(self, relative: str) -> str:
        """Return how sentences call a path below the root: with the task folder's name before it."""
        return _join(name_of(self.root), relative)

    def note_others(self, relative: str, names: list[str]) -> None:
        """Note in one sentence the files of a folder that are not pictures."""
        if not names:
            return
        is_are = "is not a picture" if len(names) == 1 else "are not pictures"
        self._add(
            relative,
            "not_a_picture",
            f"{counted(len(names), 'file')} in {self.shown(relative)!r} {is_are} and will be "
            f"skipped: {examples(map(repr, names))}.",
        )

    def note_unused(self, parts: tuple[str, str], folders: list[_Entry]) -> None:
        """Note the folders beside the two parts that are used."""
        for entry in folders:
            if entry.name not in parts:
                self._add(
                    entry.name,
                    "unused_part",
                    f"{self.shown(entry.name)!r} is not used: the pictures are taken from "
                    f"{parts[0]!r} and {parts[1]!r}.",
                )

    def note_loose(self, loose: tuple[str, ...]) -> None:
        """Note pictures that lie beside the class folders."""
        lies = "lies" if len(loose) == 1 else "lie"
        self._add(
            "",
            "unused_part",
            f"{counted(len(loose), 'picture')} in {name_of(self.root)!r} {lies} beside the folders "
            f"and will be skipped: {examples(map(repr, loose))}.",
        )

    def _note_loop(self, relative: str) -> None:
        self._add(
            relative,
            "link_loop",
            f"{self.shown(relative)!r} is a link that leads back to where it lies. It was skipped.",
        )

    def _note_closed(self, folder: Path, relative: str, error: OSError) -> None:
        shown = self.shown(relative)
        if isinstance(error, PermissionError):
            sentence = f"{shown!r} could not be opened (no permission). It was skipped."
            self._add(relative, "no_permission", sentence)
        elif error.errno == errno.ENAMETOOLONG or _beyond_windows(folder, error):
            sentence = f"{shown!r} could not be opened (path too long). It was skipped."
            self._add(relative, "too_long", sentence)
        elif isinstance(error, (FileNotFoundError, NotADirectoryError)):
            self._add(relative, "vanished", f"The folder {shown!r} is no longer there ({folder}).")
        else:
            reason = error.strerror or "the system gave no reason"
            sentence = f"{shown!r} could not be opened: {reason}. It was skipped."
            self._add(relative, "unreadable", sentence)

    def _add(self, relative: str, kind: str, sentence: str) -> None:
        path = str(self.root / relative).encode("utf-8", "backslashreplace").decode()
        self.problems.append(Problem(path, kind, sentence))


def _split_classes(
    walk: _Walk, parts: tuple[str, str]
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
    walk: _Walk, relative: str, folders: list[_Entry]
) -> Generator[int, None, dict[str, tuple[str, ...]]]:
    classes = {}
    for entry in folders:
        inner = _join(relative, entry.name)
        classes[entry.name] = yield from walk.files_below(inner)
    return classes


def _parts(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the names of the train and the test part if both are among `names`."""
    lower = {name.lower(): name for name in names}
    train = next((lower[name] for name in TRAIN_NAMES if name in lower), "")
    test = next((lower[name] for name in TEST_NAMES if name in lower), "")
    return (train, test) if train and test else None


def _folders_in(folder: Path) -> list[Path]:
    entries = _Walk(folder).open(folder, "")
    return [folder / entry.name for entry in entries if entry.is_folder]


def _holds_pictures(folder: Path) -> bool:
    return any(entry.is_picture for entry in _Walk(folder).open(folder, ""))


def _is_task(folder: Path) -> bool:
    """Return whether at least two sub-folders hold pictures, directly or deeper."""
    full = 0
    for inner in _folders_in(folder):
        full += any(_Walk(folder).files_below(inner.name))  # stops at the first picture's folder
        if full == 2:
            return True
    return False


def _beyond_windows(folder: Path, error: OSError) -> bool:
    """Return whether Windows, which then says "not found", was given more letters than it takes."""
    return os.name == "nt" and isinstance(error, FileNotFoundError) and len(str(folder)) >= 248


def _identity(folder: Path) -> Identity | None:
    try:
        status = os.stat(folder)
    except OSError:  # opening it will say why
        return None
    return status.st_dev, status.st_ino


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"  # what a Mac adds to an archive


def _is_text(name: str) -> bool:
    """Return whether the name is Unicode: a name of other bytes cannot be stored in a configuration."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name
