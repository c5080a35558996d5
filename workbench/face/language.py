"""Sentences in the window's language where there is no widget that could say `self.tr`.

Tables of a module (commands, columns, views) hold the English words, and are said when they are shown.
"""

from PySide6.QtCore import QCoreApplication


def say(text: str) -> str:
    """Return `text` in the language of the window; what stands in braces is filled in afterwards."""
    return QCoreApplication.translate("Workbench", text)
