"""The program's own picture, and what a desktop must be told to show it."""

import ctypes
import sys

from PySide6.QtGui import QIcon

from workbench.paths import resource

_TASKBAR_ID = "ntkcl.workbench"


def app_icon() -> QIcon:
    """Return the program's icon, drawn from one SVG at whatever size is asked for."""
    return QIcon(str(resource("icons/app.svg")))


def claim_taskbar() -> None:
    """On Windows: keep our windows from being filed under Python's icon; before the first window."""
    if sys.platform == "win32":
        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(_TASKBAR_ID)
