"""The versions that bear on a run's numbers, and the commit where the program runs from a git checkout."""

import platform
import re
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from workbench import __version__
from workbench.paths import ROOT

COMMIT = "git commit"
_HASH = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")  # SHA-1 or SHA-256


def versions() -> dict[str, str]:
    """Return the versions that bear on a run's numbers, without importing the libraries."""
    found = {
        "workbench": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    for package in ("torch", "torchvision", "timm", "numpy", "Pillow", "PySide6-Essentials"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    commit = commit_of(ROOT)
    return {**found, COMMIT: commit} if commit else found


def commit_of(folder: Path) -> str:
    """Return the commit that is checked out in `folder`, or "" where it is no checkout of its own.

    Git's files are read rather than git asked: a program that hangs on a lock or a dead network drive
    must not keep a run from starting. Changes that are not committed are therefore not seen.
    """
    with suppress(OSError, UnicodeDecodeError):
        place = folder / ".git"
        if place.is_file():  # a worktree, or a submodule: "gitdir: PATH"
            place = folder / _text(place).removeprefix("gitdir:").strip()
        head = _text(place / "HEAD")
        name = head.removeprefix("ref:").strip()
        commit = _of_branch(place, name) if head.startswith("ref:") else name
        return commit if _HASH.fullmatch(commit) else ""
    return ""


def _of_branch(place: Path, name: str) -> str:
    """Return a branch's commit: a file of its own, or a line among the packed ones."""
    shared = place
    with suppress(OSError):
        shared = place / _text(place / "commondir")
    for folder in (place, shared):
        with suppress(OSError):
            return _text(folder / name)
    lines = (line.split() for line in _text(shared / "packed-refs").splitlines())
    return next((line[0] for line in lines if line[1:] == [name]), "")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()
