"""Words that float over a plot: what will appear there, and what lies under the mouse."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from workbench.face.theme import Theme


class Overlay(QLabel):
    """A label over `sheet` that lets the mouse through."""

    def __init__(self, sheet: QWidget, text: str = "") -> None:
        super().__init__(text, sheet)
        self._sheet = sheet
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setTextFormat(Qt.TextFormat.RichText)

    def centre(self) -> None:
        """Stand in the middle."""
        self.adjustSize()
        self.move(self._sheet.rect().center() - self.rect().center())

    def stand_aside(self, pixel: float) -> None:
        """Stand in the half where the mouse, at this x, is not."""
        self.adjustSize()
        right = self._sheet.width() - self.width() - 16
        self.move(right if pixel < self._sheet.width() / 2 else 56, 28)

    def colour(self, theme: Theme, *, card: bool) -> None:
        """Take the theme's colours, on a card or on nothing."""
        look = f"color: {theme.text}; background: {theme.raised}; border: 1px solid {theme.border};"
        rest = "border-radius: 4px; padding: 4px;"
        plain = f"color: {theme.muted}; background: transparent; border: none;"
        self.setStyleSheet(look + rest if card else plain)
