"""Files of checkpoints: whether one is whole, copies for another run."""

import shutil
from pathlib import Path

from workbench.errors import CannotWrite, because
from workbench.events import Stage
from workbench.tell import Tell, silent


def is_whole(folder: Path, path: str) -> bool:
    """Return whether the checkpoint at `path` of a run's folder can be gone on from."""
    from workbench.core.checkpoint import DamagedCheckpoint, usable

    try:
        usable(folder, path)
    except DamagedCheckpoint:
        return False
    return True


def give(parent: Path, child: Path, checkpoint: str, tell: Tell = silent) -> None:
    """Copy what a run goes on with into another's folder: everything it made, and one checkpoint.

    Copies and not links: the child writes some of these files again.

    Tells before each file; where that raises, the child's folder is left as it is.

    Raises:
        CannotWrite: the disk is full, or the folder cannot be written.
    """
    keep = Path(checkpoint)

    def copy(source: str, target: str) -> str:
        tell(Stage(f"Copying {Path(source).name}"))
        return shutil.copy2(source, target)

    try:
        shutil.copytree(
            parent, child, dirs_exist_ok=True, copy_function=copy,
            ignore=shutil.ignore_patterns(keep.parent.name, "*.part", "*.log"),
        )  # fmt: skip
        (child / keep).parent.mkdir(parents=True, exist_ok=True)
        for name in (keep, keep.with_suffix(".json")):
            copy(str(parent / name), str(child / name))
    except shutil.Error as error:  # several files at once; each is named with its reason
        source, _, reason = error.args[0][0]
        raise CannotWrite(_not_copied(Path(source), child, reason)) from error
    except OSError as error:
        raise CannotWrite(_not_copied(parent, child, because(error))) from error


def _not_copied(source: Path, child: Path, reason: str) -> str:
    return (
        f"What the run goes on with could not be copied from {source} to {child}: {reason}. Nothing was "
        "changed; try again when there is room and the file can be read."
    )
