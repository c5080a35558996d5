"""One folder's way down: what lies in it by name, and a problem for everything that cannot be entered."""

import errno
import os
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.core.pictures import is_picture_name
from workbench.report import Problem

NAMED = 3  # files named as examples in a sentence that counts them
Identity = tuple[int, int]  # device and inode: the same folder whatever its path


def name_of(path: Path) -> str:
    """Return the folder's name; the root of a drive has none and is called 'pictures'."""
    return path.name or "pictures"


def examples(names: Iterable[str]) -> str:
    """Return the first few of `names` for a sentence, with an ellipsis where there are more."""
    listed = list(names)
    return ", ".join(listed[:NAMED]) + (", …" if len(listed) > NAMED else "")


def counted(number: int, noun: str) -> str:
    """Return "1 picture", "2 pictures"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


@dataclass(frozen=True)
class Entry:
    """A visible entry of a folder."""

    name: str
    is_folder: bool

    @property
    def is_picture(self) -> bool:
        """Whether its name is a picture's."""
        return not self.is_folder and is_picture_name(self.name)

    @property
    def is_other(self) -> bool:
        """Whether it is neither a folder nor a picture."""
        return not self.is_folder and not is_picture_name(self.name)


class Walk:
    """Goes through one task's folders and keeps what went wrong."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.found = 0
        self.problems: list[Problem] = []
        above = (_identity(place) for place in (root, *root.absolute().parents))
        self.above = frozenset(place for place in above if place)

    def open(self, folder: Path, relative: str) -> list[Entry]:
        """Return the visible entries of a folder by name; a folder that cannot be entered has none."""
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            self._note_closed(folder, relative, error)
            return []
        visible = [entry for entry in entries if not _is_hidden(entry.name)]
        return [each for entry in visible for each in self._look(entry, relative)]

    def _look(self, entry: os.DirEntry[str], relative: str) -> Iterator[Entry]:
        shown = self.shown(join(relative, entry.name))
        if not _is_text(entry.name):
            self._add(relative, "unreadable", f"The name {shown!r} is not valid text. Rename it.")
            return
        try:
            yield Entry(entry.name, entry.is_dir())
        except OSError as error:
            if error.errno == errno.ELOOP:
                self._note_loop(join(relative, entry.name))
            else:
                reason = error.strerror or "the system gave no reason"
                self._add(
                    join(relative, entry.name),
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
            inner = {join(path, entry.name): entry for entry in entries}
            waiting += [(self.root / name, name, around) for name in inner if inner[name].is_folder]
            pictures += [name for name in inner if inner[name].is_picture]
            others += [name for name in inner if inner[name].is_other]
            self.found += sum(entry.is_picture for entry in entries)
            yield self.found
        self.note_others(relative, [other.removeprefix(relative + "/") for other in others])
        return tuple(sorted(pictures))

    def shown(self, relative: str) -> str:
        """Return how sentences call a path below the root: with the task folder's name before it."""
        return join(name_of(self.root), relative)

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

    def note_unused(self, parts: tuple[str, str], folders: list[Entry]) -> None:
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


def _identity(folder: Path) -> Identity | None:
    try:
        status = os.stat(folder)
    except OSError:  # opening it will say why
        return None
    return status.st_dev, status.st_ino


def _beyond_windows(folder: Path, error: OSError) -> bool:
    """Return whether Windows, which then says "not found", was given more letters than it takes."""
    return os.name == "nt" and isinstance(error, FileNotFoundError) and len(str(folder)) >= 248


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"  # what a Mac adds to an archive


def _is_text(name: str) -> bool:
    """Return whether the name is Unicode: a name of other bytes cannot be stored in a configuration."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def join(folder: str, name: str) -> str:
    """Return a path of two steps, either of which may be empty."""
    return f"{folder}/{name}" if folder and name else folder or name
