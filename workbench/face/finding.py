"""The question where a folder of pictures lies now that is not where it was."""

import os
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFileDialog, QWidget


def chosen_folder(gone: str, parent: QWidget) -> str:
    """Ask for the new place of a folder; an empty string if none is chosen."""
    title = QCoreApplication.translate("finding", "Where is {folder} now?")
    return QFileDialog.getExistingDirectory(parent, title.format(folder=gone), nearest_folder(gone))


def nearest_folder(path: str) -> str:
    """Return the nearest folder above that is there."""
    place = Path(path)
    while not os.path.isdir(place) and place != place.parent:
        place = place.parent
    return str(place)
