"""Folders and pictures that are not there just now: a drive unplugged, a network that is down."""

import os

from workbench.config import TaskFolder
from workbench.errors import WorkbenchError


class PicturesAway(WorkbenchError):  # noqa: N818  (says what is, as the others do)
    """Pictures cannot be read now, and may be later.

    Attributes:
        folder: where they were looked for.
    """

    def __init__(self, sentence: str, folder: str) -> None:
        super().__init__(sentence)
        self.folder = folder


def must_exist(folder: TaskFolder) -> None:
    """Raise PicturesAway if one of a task's folders is not there."""
    for path in folder.paths:
        if not os.path.isdir(path):  # false for a dead network too, where a Path would raise
            raise PicturesAway(
                f"The folder of task {folder.name!r} is no longer there ({path}). "
                "Connect the drive, or say where the folder is now.",
                path,
            )
