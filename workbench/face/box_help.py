"""F1 in a box or sheet: the shortcuts of the window are not heard there unless they are its own, too."""

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget


def let_f1_help(box: QWidget, page: str = "") -> None:
    """Let F1 be heard in `box`, and lead to `page` unless something inside names another."""
    if page:
        box.setProperty("page", page)
    around = box.parentWidget()
    while around is not None:
        action = around.findChild(QAction, "help_here")
        if action is not None:
            box.addAction(action)
            return
        around = around.parentWidget()
