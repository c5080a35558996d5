"""Precision, recall and F1 of every class after a task, to sort by any of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from workbench.answers import ClassScore, class_scores, confusion, wilson
from workbench.face.book import Book
from workbench.face.task_card import AnyIndex
from workbench.face.words import percent

SORT_ROLE = Qt.ItemDataRole.UserRole + 1
_NOWHERE = QModelIndex()
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_WILSON = "95 % interval of E. B. Wilson (1927): (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), z = 1.96"


@dataclass(frozen=True)
class Column:
    """One column: its title, what it shows, what it sorts by, what it means."""

    title: str
    shown: Callable[[Book, ClassScore], str]
    key: Callable[[Book, ClassScore], Any]
    help: str = ""
    number: bool = True


def _share(share: float | None, right: int, total: int) -> str:
    interval = wilson(right, total)
    if share is None or interval is None:
        return "–"
    return f"{100 * share:.0f} %  ({100 * interval[0]:.0f}–{100 * interval[1]:.0f})"


def _mistaken(book: Book, score: ClassScore) -> str:
    return "–" if score.mistaken_for is None else book.names[score.mistaken_for]


COLUMNS = (
    Column("Class", lambda b, s: b.names[s.label], lambda b, s: b.names[s.label].casefold(), number=False),
    Column("Pictures", lambda b, s: f"{s.pictures:,}", lambda b, s: s.pictures, "Test pictures of the class"),
    Column("Recall", lambda b, s: _share(s.recall, s.right, s.pictures), lambda b, s: s.recall, f"Right / pictures of the class. In brackets: {_WILSON}"),
    Column("Precision", lambda b, s: _share(s.precision, s.right, s.answers), lambda b, s: s.precision, f"Right / pictures taken for the class. In brackets: {_WILSON}"),
    Column("F1", lambda b, s: percent(s.f1, 0), lambda b, s: s.f1, "2 right / (pictures of the class + pictures taken for it)"),
    Column("Mostly taken for", _mistaken, _mistaken, "The class that its wrong answers name most often", number=False),
    Column("Task", lambda b, s: b.task_label(b.owner[s.label]), lambda b, s: b.owner[s.label], "The task it was first learnt in", number=False),
)  # fmt: skip


class ClassModel(QAbstractTableModel):
    """One row a class."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.scores: list[ClassScore] = []

    def show_scores(self, book: Book, scores: Sequence[ClassScore]) -> None:
        """Show these classes."""
        self.beginResetModel()
        self.book, self.scores = book, list(scores)
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of classes."""
        return 0 if parent.isValid() else len(self.scores)

    def columnCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text, the sort key or the alignment of a cell."""
        if not index.isValid():
            return None
        column, score = COLUMNS[index.column()], self.scores[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.shown(self.book, score)
        if role == SORT_ROLE:
            key = column.key(self.book, score)
            return -1.0 if key is None else key
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.number else _LEFT
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return a column's title, or what it means."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.tr(COLUMNS[section].title)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.tr(COLUMNS[section].help) if COLUMNS[section].help else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if COLUMNS[section].number else _LEFT
        return None


class ClassTable(QWidget):
    """The table. A row that is activated asks for the class's mistakes."""

    opened = Signal(int)  # global number of a class

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ClassModel()
        self.model.setParent(self)
        self.sorted = QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortRole(SORT_ROLE)
        self.table = QTableView(self)
        self.table.setModel(self.sorted)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(len(COLUMNS) - 1, Qt.SortOrder.AscendingOrder)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.setAccessibleName(self.tr("Scores of classes"))
        self.table.setToolTip(self.tr("Enter or a double click shows the class's mistakes"))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        header.setMinimumSectionSize(70)
        self.table.activated.connect(self._activated)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addWidget(self.table)

    def show_answers(self, book: Book, after: int) -> None:
        """Show the classes learnt by the end of a task."""
        answers = book.history.get(after)
        if answers is None:
            self.model.show_scores(book, [])
            return
        classes = book.classes(after)
        scores = class_scores(confusion(answers, max(classes) + 1))
        self.model.show_scores(book, [scores[number] for number in classes])

    def _activated(self, index: QModelIndex) -> None:
        self.opened.emit(self.model.scores[self.sorted.mapToSource(index).row()].label)
