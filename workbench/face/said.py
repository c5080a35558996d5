"""What the window has said in this session, so that a sentence that went by can be read again."""

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QObject, Signal

LONGEST = 200  # sentences kept


@dataclass(frozen=True)
class Said:
    """One sentence, when it was said, and how grave it is: info, warning or error."""

    time: datetime
    text: str
    level: str


class Conversation(QObject):
    """The sentences of this session, oldest first; the same one twice running counts once."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._said: list[Said] = []

    def add(self, text: str, level: str = "info") -> None:
        """Note that `text` was said just now."""
        if not text or (self._said and self._said[-1].text == text):
            return
        self._said = [*self._said[1 - LONGEST :], Said(datetime.now().astimezone(), text, level)]
        self.changed.emit()

    def sentences(self) -> list[Said]:
        """Return what was said, oldest first."""
        return list(self._said)
