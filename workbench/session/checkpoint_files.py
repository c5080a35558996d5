"""Files of checkpoints as far as they can be judged without torch: whether one is whole, copies for another run."""

import hashlib
import json
import shutil
from pathlib import Path

from workbench.errors import CannotWrite, because

_HEADER = 8  # bytes that say how long a safetensors file's own description is


def damage(file: Path) -> str:
    """Return why a checkpoint cannot be gone on from, as the end of a sentence; empty if it is whole."""
    card = file.with_suffix(".json")
    try:
        known = json.loads(card.read_text("utf-8"))
        size = file.stat().st_size
        with file.open("rb") as opened:
            header = int.from_bytes(opened.read(_HEADER), "little")
            if not 0 < header <= size - _HEADER:
                return "it is cut short"
            tensors = json.loads(opened.read(header))
            tensors.pop("__metadata__", None)
            ends = [int(entry["data_offsets"][1]) for entry in tensors.values()]
            opened.seek(0)
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is not there"
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return "it cannot be read"
    if size != _HEADER + header + max(ends, default=0):
        return "it is cut short"
    told = known.get("sha256") if isinstance(known, dict) else None
    return "it is not as it was written" if told not in (None, digest) else ""


def give(parent: Path, child: Path, checkpoint: str) -> None:
    """Copy what a run goes on with into another's folder: everything it made, and one checkpoint.

    Copies and not links: the child writes some of these files again.

    Raises:
        CannotWrite: the disk is full, or the folder cannot be written.
    """
    keep = Path(checkpoint)
    try:
        shutil.copytree(
            parent, child, dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(keep.parent.name, "*.part", "*.log"),
        )  # fmt: skip
        (child / keep).parent.mkdir(parents=True, exist_ok=True)
        for name in (keep, keep.with_suffix(".json")):
            shutil.copy2(parent / name, child / name)
    except shutil.Error as error:  # several files at once
        raise CannotWrite(
            f"The run's files could not be copied to {child}: {error.args[0][0][2]}. Free some space."
        ) from error
    except OSError as error:
        raise CannotWrite(
            f"The run's files could not be copied to {child}: {because(error)}. Free some space."
        ) from error
