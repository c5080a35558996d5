"""What a run has cost so far: parameters, disk, time of each task, and what the NTK monitor took of it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from workbench.face.book import Book
from workbench.face.cost_words import cost_facts


class CostView(QScrollArea):
    """A card of facts, the seconds of each task last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Cost so far"))
        self._shown: tuple[tuple[str, str], ...] = ()
        self._card = QFrame(self)
        self._card.setProperty("card", "true")
        self._grid = QGridLayout(self._card)
        self._grid.setContentsMargins(14, 12, 14, 12)
        self._grid.setHorizontalSpacing(18)
        self._grid.setVerticalSpacing(7)
        self._grid.setColumnStretch(1, 1)
        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 8, 4, 0)
        column.addWidget(self._card)
        column.addStretch(1)
        self.setWidget(inner)

    def show_cost(self, book: Book) -> None:
        """Show what is known of a run."""
        facts = self.facts(book)
        if facts == self._shown:
            return
        self._shown = facts
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        for row, (name, value) in enumerate(facts):
            label, text = QLabel(name, self._card), QLabel(value, self._card)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setProperty("muted", "true")
            text.setWordWrap(True)
            text.setTextFormat(Qt.TextFormat.PlainText)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.setAccessibleName(f"{name}: {value}")
            self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(text, row, 1)

    def facts(self, book: Book) -> tuple[tuple[str, str], ...]:
        """Return names and values, in order."""
        return cost_facts(book.cost, len(book.tasks), book.task_label) if book.cost else ()
