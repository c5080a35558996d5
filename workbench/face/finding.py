"""The question where a folder of pictures lies now that is not where it was."""

import os
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from workbench.face.language import say


def chosen_folder(gone: str, parent: QWidget) -> str:
    """Ask for the new place of a folder; an empty string if none is chosen."""
    title = say("Where is {folder} now?").format(folder=gone)
    return QFileDialog.getExistingDirectory(parent, title, nearest_folder(gone))


def nearest_folder(path: str) -> str:
    """Return the nearest folder above that is there."""
    place = Path(path)
    while not os.path.isdir(place) and place != place.parent:
        place = place.parent
    return str(place)
