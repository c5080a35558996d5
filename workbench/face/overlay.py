"""Words that float over a plot: what will appear there, and what lies under the mouse."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QWidget

from workbench.face.theme import Theme

_ASIDE = 18  # pixels from the mouse


class Overlay(QLabel):
    """A label over `sheet` that lets the mouse through."""

    def __init__(self, sheet: QWidget, text: str = "") -> None:
        super().__init__(text, sheet)
        self._sheet = sheet
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setTextFormat(Qt.TextFormat.RichText)

    def centre(self) -> None:
        """Stand in the middle, in several lines where one is too wide."""
        room = self._sheet.width() - 2 * _ASIDE
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(False)
        self.adjustSize()
        if 0 < room < self.width():
            self.setWordWrap(True)
            self.resize(room, self.heightForWidth(room))
        self.move(self._sheet.rect().center() - self.rect().center())

    def stand_beside(self, place: QPoint) -> None:
        """Stand in the window right of a place of the sheet, else left of it: never cut off, never under it."""
        window = self._sheet.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        self.adjustSize()
        at = self._sheet.mapTo(window, place)
        right, left = at.x() + _ASIDE, at.x() - _ASIDE - self.width()
        x = right if right + self.width() <= window.width() else max(left, 0)
        self.move(x, max(min(at.y() - self.height() // 2, window.height() - self.height()), 0))
        self.raise_()

    def colour(self, theme: Theme, *, card: bool) -> None:
        """Take the theme's colours, on a card or on nothing."""
        look = f"color: {theme.text}; background: {theme.raised}; border: 1px solid {theme.border};"
        rest = "border-radius: 4px; padding: 4px;"
        plain = f"color: {theme.muted}; background: transparent; border: none;"
        self.setStyleSheet(look + rest if card else plain)
