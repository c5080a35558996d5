"""What a bundle may hold, looked at before a byte of it is written: names, number and size of its members.

Members are copied as plain files below one folder. A link in the archive is never made a link here.
"""

import json
import lzma
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from workbench.errors import UsageError, WorkbenchError
from workbench.session.packing import Amount

# Files that may run programs when they are opened.
PROGRAMS = frozenset({
    ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".py", ".pyc", ".pyd", ".so", ".dll", ".exe",
    ".bat", ".cmd", ".ps1", ".sh", ".lnk", ".desktop",
})  # fmt: skip
MOST_MEMBERS = 20_000
LONGEST_CARD = 16 << 20  # bytes
MOST_BYTES = 1 << 30  # unpacked; a larger bundle may grow by ...
MOST_GROWTH = 100  # ... this factor, more than tables of numbers ever do

# What `zipfile` raises on damaged bytes; RuntimeError: an encrypted member, or JSON nested too deep.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error, RuntimeError, ValueError,
    OverflowError,
)  # fmt: skip
# Names that Windows takes for devices, whatever follows their first point.
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.I)


@contextmanager
def opened(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive to read from; whatever is wrong with it becomes a UsageError that names it."""
    try:
        with _archive(file) as packed:
            _check_members(packed, file)
            yield packed
    except _DAMAGED as error:
        raise UsageError(
            f"{file.name} is not a bundle of a run, or it is damaged: {error}."
        ) from error


def _archive(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}.") from error


def read_json(packed: zipfile.ZipFile, name: str) -> Any:
    """Return a small member's JSON; raises KeyError if it is not there, ValueError if it is none."""
    if packed.getinfo(name).file_size > LONGEST_CARD:
        raise ValueError(f"{name} is longer than {LONGEST_CARD >> 20} MB")
    return json.loads(packed.read(name))


def check_name(name: str) -> None:
    """Refuse a path that leaves the run's folder, a name no system takes, and files that may run."""
    path = PurePosixPath(name)
    odd = path.is_absolute() or ".." in path.parts or any(letter in name for letter in "\\:\x00")
    if odd or not path.parts or any(map(_is_device, path.parts)):
        raise WorkbenchError(f"The bundle is damaged: {name!r} would lie outside the run's folder.")
    if path.suffix.lower() in PROGRAMS:
        raise WorkbenchError(
            f"The bundle holds {path.name}, which can run programs. It was not opened."
        )


def copy_member(packed: zipfile.ZipFile, name: str, folder: Path, amount: Amount) -> str:
    """Copy one member below `folder` as a plain file and return its SHA-256."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(name) as source, target.open("xb") as sink:
        return amount.copy(source, sink)


def check_room(packed: zipfile.ZipFile, file: Path, folder: Path) -> None:
    """Refuse an archive that would unpack to more than its kind ever holds, or than there is room for."""
    size = sum(member.file_size for member in packed.infolist())
    if size > max(MOST_BYTES, MOST_GROWTH * os.path.getsize(file)):
        raise WorkbenchError(
            f"{file.name} would unpack to {size / 1e9:,.1f} GB, far more than a run of its size holds. "
            "It was not opened."
        )
    free = shutil.disk_usage(folder).free
    if size > free:
        raise WorkbenchError(
            f"{file.name} needs {size / 1e6:,.0f} MB; {free / 1e6:,.0f} MB are free in {folder}. "
            "Free some space there."
        ).or_elsewhere()


def _check_members(packed: zipfile.ZipFile, file: Path) -> None:
    names = packed.namelist()
    if len(names) > MOST_MEMBERS:
        raise UsageError(
            f"{file.name} is not a bundle of a run: it holds {len(names):,} files, and a run at most {MOST_MEMBERS:,}."
        )
    folded = [name.casefold() for name in names]
    if len(set(folded)) < len(folded):
        twice = next(name for name in names if folded.count(name.casefold()) > 1)
        raise UsageError(f"{file.name} is damaged: it holds {twice!r} twice.")


def _is_device(part: str) -> bool:
    return part != part.rstrip(" .") or _DEVICES.fullmatch(part) is not None
