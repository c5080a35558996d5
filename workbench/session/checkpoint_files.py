"""Files of checkpoints: whether one is whole, copies for another run."""

import shutil
from pathlib import Path

from workbench.errors import CannotWrite, because


def is_whole(folder: Path, path: str) -> bool:
    """Return whether the checkpoint at `path` of a run's folder can be gone on from."""
    from workbench.core.checkpoint import DamagedCheckpoint, usable

    try:
        usable(folder, path)
    except DamagedCheckpoint:
        return False
    return True


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
