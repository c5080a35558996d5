"""How folders become tasks, chosen in the report sheet, with the tasks that would come of it."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from workbench.face.review import Plan
from workbench.face.words import as_written, counted
from workbench.report import TaskReport

_LARGEST_SEED = 2**31 - 1


class PlanRow(QWidget):
    """The choice, the numbers of a split, and the list of tasks; the list is draggable where tasks are folders."""

    changed = Signal()
    moved = Signal(int, int)

    def __init__(self, tasks: int, classes: int, parent: QWidget | None = None) -> None:
        """`classes` are those of the only task; with several tasks there is nothing to split."""
        super().__init__(parent)
        self.each = QRadioButton(self.tr("One task each") if tasks > 1 else self.tr("As one task"))
        self.one = QRadioButton(self.tr("All as one task"))
        self.split = QRadioButton(self.tr("Split by classes:"))
        self.each.setChecked(True)
        row = QHBoxLayout()
        for button, shown in ((self.each, True), (self.one, tasks > 1), (self.split, tasks == 1)):
            button.setVisible(shown)
            button.toggled.connect(self._choice_changed)
            row.addWidget(button)
        self.split.setEnabled(classes >= 2)
        self.first = self._spin(row, self.tr("first"), 1, classes, max(1, classes // 2))
        self.increment = self._spin(row, self.tr("then"), 1, classes, max(1, classes // 4))
        self.seed = self._spin(row, self.tr("seed"), 0, _LARGEST_SEED, 0)
        row.addStretch(1)
        self.list = QListWidget(self)
        self.list.setAccessibleName(
            self.tr("Tasks that will be added, in the order they are learnt")
        )
        self.list.setFixedHeight(4 * (self.fontMetrics().height() + 6) + 6)
        self.list.model().rowsMoved.connect(self._row_moved)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.list)
        self._show_numbers()

    def plan(self) -> Plan:
        """Return what is chosen."""
        kind = "split" if self.split.isChecked() else "one" if self.one.isChecked() else "each"
        return Plan(kind, self.first.value(), self.increment.value(), self.seed.value())

    def show_tasks(self, tasks: Sequence[TaskReport], first: int) -> None:
        """List the tasks that would come of it; `first` is the number of the first one."""
        self.list.clear()
        for number, task in enumerate(tasks, first):
            train, test = (
                sum(getattr(c, part) for c in task.classes) for part in ("train", "test")
            )
            classes = counted(len(task.classes), "class", "classes")
            text = f"{number}   {task.folder.name}   ·   {classes}   ·   {train:,} + {test:,}"
            item = QListWidgetItem(text, self.list)
            item.setToolTip(as_written(", ".join(each.name for each in task.classes[:40])))
        free = self.each.isChecked() and len(tasks) > 1
        mode = QAbstractItemView.DragDropMode
        self.list.setDragDropMode(mode.InternalMove if free else mode.NoDragDrop)

    def _spin(self, row: QHBoxLayout, text: str, low: int, high: int, value: int) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setRange(low, max(low, high))
        spin.setValue(value)
        spin.setAccessibleName(text)
        spin.setMaximumWidth(96)
        spin.valueChanged.connect(self.changed)
        label = QLabel(text, self)
        label.setBuddy(spin)
        row.addWidget(label)
        row.addWidget(spin)
        return spin

    def _choice_changed(self, on: bool) -> None:
        if on:
            self._show_numbers()
            self.changed.emit()

    def _show_numbers(self) -> None:
        for spin in (self.first, self.increment, self.seed):
            spin.setEnabled(self.split.isChecked())
            spin.setVisible(self.split.isVisibleTo(self))
        for label in self.findChildren(QLabel):
            label.setVisible(self.split.isVisibleTo(self))

    def _row_moved(
        self, parent: QModelIndex, start: int, end: int, to: QModelIndex, row: int
    ) -> None:
        self.moved.emit(start, row - 1 if row > start else row)
