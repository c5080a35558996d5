"""Tasks and their classes as found: a tick takes a class, a bar says how large it is."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from workbench.face.review import Review
from workbench.face.task_card import BarDelegate
from workbench.report import ClassReport

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_PLACE = Qt.ItemDataRole.UserRole + 1  # task and class
_NO_TASK = ("", -1)


class ClassTree(QTreeWidget):
    """One branch a task, one leaf a class."""

    ticked = Signal(int, set)  # task, names of the classes taken
    shown = Signal(int, str)  # task and class to look at

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Tasks and classes found"))
        self.setHeaderLabels([self.tr("Class"), self.tr("Train"), self.tr("Test"), ""])
        self.setItemDelegateForColumn(3, BarDelegate(self))
        self.header().setStretchLastSection(True)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.setColumnWidth(0, 190)
        for column in (1, 2):
            self.setColumnWidth(column, 64)
            self.headerItem().setTextAlignment(column, _RIGHT)
        self.itemChanged.connect(self._tell_ticks)
        self.currentItemChanged.connect(self._tell_shown)

    def show_review(self, review: Review) -> None:
        """Draw everything anew; what was looked at and folded stays so."""
        place = self.current()
        folded = {top.text(0) for top in self.tops() if not top.isExpanded()}
        first_time = not self.topLevelItemCount()
        self.blockSignals(True)
        self.clear()
        largest = max((_size(c) for t in review.tasks for c in t.classes), default=1)
        for number, task in enumerate(review.tasks):
            train, test = (
                sum(getattr(c, part) for c in task.classes) for part in ("train", "test")
            )
            top = _aligned(QTreeWidgetItem(self, [task.folder.name, f"{train:,}", f"{test:,}"]))
            taken = {each.name for each in task.classes}
            for each in review.classes(number):
                item = self._leaf(top, each, _size(each) / max(largest, 1))
                item.setData(0, _PLACE, (each.name, number))
                on = Qt.CheckState.Checked if each.name in taken else Qt.CheckState.Unchecked
                item.setCheckState(0, on)
            few = len(review.tasks) <= 6
            top.setExpanded(few if first_time else task.folder.name not in folded)
        self.blockSignals(False)
        self._go_to(place)

    def current(self) -> tuple[str, int]:
        """Return class and task looked at, or an empty name and -1."""
        item = self.currentItem()
        found = item.data(0, _PLACE) if item is not None else None
        return tuple(found) if found else _NO_TASK

    def leaves(self) -> list[QTreeWidgetItem]:
        """Return the rows of all classes."""
        found = (top.child(row) for top in self.tops() for row in range(top.childCount()))
        return [leaf for leaf in found if leaf is not None]

    def tops(self) -> list[QTreeWidgetItem]:
        """Return the rows of all tasks."""
        found = (self.topLevelItem(row) for row in range(self.topLevelItemCount()))
        return [top for top in found if top is not None]

    def _leaf(self, top: QTreeWidgetItem, each: ClassReport, share: float) -> QTreeWidgetItem:
        item = QTreeWidgetItem(top, [each.name, f"{each.train:,}", f"{each.test:,}"])
        item.setData(3, Qt.ItemDataRole.UserRole, share)
        item.setToolTip(0, self.tr("Untick to leave the class out"))
        return _aligned(item)

    def _go_to(self, place: tuple[str, int]) -> None:
        leaves = self.leaves()
        again = [leaf for leaf in leaves if tuple(leaf.data(0, _PLACE)) == place]
        for leaf in (again or leaves)[:1]:
            self.setCurrentItem(leaf)

    def _tell_ticks(self, item: QTreeWidgetItem) -> None:
        place = item.data(0, _PLACE)
        if place:
            self.ticked.emit(place[1], _ticked(self.leaves(), place[1]))

    def _tell_shown(self) -> None:
        name, task = self.current()
        if task >= 0:
            self.shown.emit(task, name)


def _ticked(leaves: Sequence[QTreeWidgetItem], task: int) -> set[str]:
    return {
        leaf.text(0)
        for leaf in leaves
        if leaf.data(0, _PLACE)[1] == task and leaf.checkState(0) == Qt.CheckState.Checked
    }


def _size(each: ClassReport) -> int:
    return each.train + each.test


def _aligned(row: QTreeWidgetItem) -> QTreeWidgetItem:
    """Set the row's numbers right."""
    for column in (1, 2):
        row.setTextAlignment(column, _RIGHT)
    return row
