"""Which pictures a run used, by content; and what became of them since.

The list lies as `pictures.json` in the run's folder. A picture that was there and not used (left
out, unreadable, beyond a limit) is listed without a content, so that it is not taken for a new one.
"""

import hashlib
import json
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.config import TaskFolder
from workbench.core.files import write_whole
from workbench.core.gather import pools
from workbench.core.listing import list_task
from workbench.core.pictures import Cadence
from workbench.core.steps import result_of
from workbench.errors import WorkbenchError
from workbench.report import PictureChanges, ScanProgress

FILE_NAME = "pictures.json"
_FORMAT = 1
_PIECE = 1 << 20  # bytes read at once

Contents = Mapping[str, str]  # path relative to the task's folder -> sha256, "" if it was not used


def write_manifest(folder: Path, tasks: Sequence[tuple[str, Contents]]) -> None:
    """Write what each task, by name, was made of; the file is there whole or not at all."""
    listed = [{"name": name, "pictures": dict(contents)} for name, contents in tasks]
    text = json.dumps({"format": _FORMAT, "tasks": listed})
    try:
        write_whole(folder / FILE_NAME, text.encode())
    except OSError as error:
        raise WorkbenchError(
            f"The list of pictures could not be written to {folder}: {error.strerror}. Free some space."
        ) from error


def read_manifest(folder: Path) -> list[Contents]:
    """Return the contents task by task; none if the run kept no list."""
    try:
        tree: Any = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return [
            {str(path): str(sha) for path, sha in task["pictures"].items()}
            for task in tree["tasks"]
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise WorkbenchError(
            f"The list of pictures in {folder} cannot be read. The run's numbers are kept."
        ) from error


def changes_since(
    folders: Sequence[TaskFolder], known: Sequence[Contents]
) -> Generator[ScanProgress | tuple[PictureChanges, ...], None, None]:
    """Compare what was used with what is on disk now; the last item is the answer, task by task."""
    total = sum(len(contents) for contents in known)
    done, found = 0, []
    for folder, contents in zip(folders, known, strict=False):
        changes = yield from _compared(folder, contents, done, total)
        done += len(contents)
        found.append(changes)
    yield tuple(found)


def same_contents(name: str, before: Contents, after: Contents) -> PictureChanges:
    """Compare two lists of contents by path, where both are known."""
    return PictureChanges(
        name,
        changed=tuple(p for p, sha in before.items() if sha and after.get(p, sha) != sha),
        missing=tuple(p for p in before if p not in after),
        new=tuple(p for p in after if p not in before),
    )


def _compared(
    folder: TaskFolder, known: Contents, done: int, total: int
) -> Generator[ScanProgress, None, PictureChanges]:
    root, cadence = Path(folder.path), Cadence()
    gone = next((path for path in folder.paths if not os.path.isdir(path)), "")
    if gone:
        return PictureChanges(folder.name, gone=gone)
    changed, missing = [], []
    for number, (path, sha) in enumerate(known.items(), done + 1):
        now = _content(root / path) if sha else ""
        if now is None:
            missing.append(path)
        elif now != sha:
            changed.append(path)
        if cadence.is_due(number):
            yield ScanProgress(f"Comparing '{folder.name}'", number, total)
    new = [path for path in _there(folder) if path not in known]
    return PictureChanges(folder.name, tuple(changed), tuple(missing), tuple(new))


def _there(folder: TaskFolder) -> Iterator[str]:
    """Yield every picture that lies in the task's classes now."""
    listed = []
    for part in folder.parts:
        listing = result_of(list_task(Path(part.path)))
        listed.append((part, listing.as_one_class() if part.one_class else listing))
    try:
        for pool in pools(listed):
            yield from pool.pictures
    except WorkbenchError:  # a class folder is gone: its pictures are told as missing
        return


def _content(path: Path) -> str | None:
    """Return a file's content hash, "" if it cannot be read, None if it is not there."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return ""
    return digest.hexdigest()
