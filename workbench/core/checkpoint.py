"""Checkpoints as files: `checkpoint/<number>.safetensors` and the JSON of the same name beside it.

The JSON is written last and holds the hash of both, so that a file is whole or refused. Written
beside its place, flushed to the disk, and moved there. Nothing here needs torch.
"""

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import CannotWrite, DiskFull, WorkbenchError, because

FORMAT = 2
FOLDER = "checkpoint"
KEPT = 2  # the newest so many
_LISTS = ("class_ids", "class_names", "train_counts", "test_counts")
_PIECE = 1 << 20  # bytes hashed at once


class DamagedCheckpoint(WorkbenchError):  # noqa: N818  (says what is, as the others do)
    """A checkpoint that cannot be gone on from; an older one may be whole."""


def place_of(number: int) -> str:
    """Return a checkpoint's path below the run's folder, POSIX."""
    return f"{FOLDER}/{number:06d}.safetensors"


def write(folder: Path, number: int, head: Mapping[str, Any], blob: bytes) -> str:
    """Write a checkpoint of plain values and a safetensors file's bytes; return its path below `folder`.

    Raises:
        DiskFull: no room; nothing half-written remains.
        CannotWrite: the folder cannot be written.
    """
    path = folder / place_of(number)
    tree = {**head, "format": FORMAT, "sha256": hashlib.sha256(blob).hexdigest()}
    text = json.dumps({**tree, "check": _check(tree)}, allow_nan=False).encode()
    contents = {path: blob, path.with_suffix(".json"): text}
    parts = [place.with_name(f"{place.name}.part") for place in contents]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for part, content in zip(parts, contents.values(), strict=True):
            _flushed(part, content)
        for part, place in zip(parts, contents, strict=True):
            os.replace(part, place)
        _flush_folder(path.parent)
    except OSError as error:
        raise _refused(error, path.parent, len(blob) + len(text)) from error
    finally:
        for part in parts:
            if part.is_file():  # no error where not even the folder is there
                part.unlink()
    return place_of(number)


def prune(folder: Path, newest: int) -> None:
    """Remove all but the last ones up to the `newest`; what cannot be removed stays."""
    for path in (folder / FOLDER).glob("*.safetensors"):
        if path.stem.isdigit() and int(path.stem) <= newest - KEPT:
            for file in (path.with_suffix(".json"), path):
                try:
                    file.unlink(missing_ok=True)
                except OSError:  # open elsewhere: it is in nobody's way
                    continue


def read_head(path: Path) -> dict[str, Any]:
    """Return a checkpoint's plain values: `position`, `versions`, `config`, `tasks`, `state`.

    What `state` holds is for whoever goes on with it; the others are there and of the right kinds.

    Raises:
        DamagedCheckpoint: the JSON is not there, damaged, or of a newer version.
    """
    place = path.with_suffix(".json")
    try:
        tree = json.loads(place.read_bytes())
    except OSError as error:
        raise DamagedCheckpoint(
            f"The checkpoint '{path.name}' cannot be read: {error.strerror}. Go on from an older one."
        ) from error
    except (ValueError, RecursionError) as error:
        raise damaged(path, "its description is not JSON") from error
    if not isinstance(tree, dict) or type(tree.get("format")) is not int:
        raise damaged(path, "its description names no format")
    if tree["format"] != FORMAT:
        raise DamagedCheckpoint(
            f"The checkpoint '{path.name}' was made by another version (format {tree['format']}; this one "
            f"reads {FORMAT}). Go on with the run in that version."
        )
    if tree.pop("check", None) != _check(tree):
        raise damaged(path, "its description was changed")
    try:
        _must_describe_a_run(tree)
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged(path, f"its description lacks {error}") from error
    return tree


def usable(folder: Path, path: str) -> None:
    """Raise unless the checkpoint at `path`, below the run's folder, is whole.

    Raises:
        DamagedCheckpoint: with what is wrong.
    """
    place = folder / path
    head = read_head(place)
    digest = hashlib.sha256()
    try:
        with place.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise damaged(place, f"it cannot be read: {error.strerror}") from error
    if digest.hexdigest() != head.get("sha256"):
        raise damaged(place, "its content is not what was written")


def damaged(path: Path, why: str) -> DamagedCheckpoint:
    """Return the error that says so."""
    return DamagedCheckpoint(
        f"The checkpoint '{path.name}' is damaged: {why}. Go on from an older one."
    )


def _must_describe_a_run(tree: Mapping[str, Any]) -> None:
    at, train = tree["position"], tree["config"]["train"]
    numbers = [at["task"], at["epoch"], at["step"], train["epochs"]]
    kinds: list[tuple[Any, type | tuple[type, ...]]] = [
        (at["begun"], bool), (train["learning_rate"], (int, float)), (tree["state"], dict),
        *((number, int) for number in numbers),
        *((task["name"], str) for task in tree["tasks"]),
        *((task["fingerprint"], str) for task in tree["tasks"]),
        *((task[key], list) for task in tree["tasks"] for key in _LISTS),
        *((name, str) for name in tree["config"]),
    ]  # fmt: skip
    right = all(isinstance(value, kind) for value, kind in kinds)
    if not right or not tree["tasks"] or min(numbers) < 0:
        raise TypeError("a value of the right kind")


def _check(tree: Mapping[str, Any]) -> str:
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _flushed(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(error: OSError, folder: Path, needed: int) -> WorkbenchError:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        size = f"{max(needed / 1e6, 0.1):,.1f} MB" if needed < 1e7 else f"{needed / 1e6:,.0f} MB"
        return DiskFull(
            f"No space left on {folder} for a checkpoint (needs {size}). Free some space; "
            "nothing is lost so far."
        )
    return CannotWrite(f"A checkpoint could not be written to {folder}: {because(error)}.")
