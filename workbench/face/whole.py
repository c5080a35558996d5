"""Files that are there whole or not at all."""

import os
from pathlib import Path

from workbench.errors import CannotWrite, because
from workbench.face.language import say


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the file and swap; raises OSError if it cannot be, and nothing has changed then."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        if part.is_file():
            part.unlink()


def write_text(path: Path, text: str) -> Path:
    """Write a text, whole or not at all, and return where.

    Raises:
        CannotWrite: the place cannot be written.
    """
    try:
        write_whole(path, text.encode("utf-8"))
    except OSError as error:
        said = say("Could not write to {path}: {reason}. Choose another place.")
        raise CannotWrite(said.format(path=path, reason=because(error))) from error
    return path
