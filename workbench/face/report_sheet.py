"""What a scan found, shown before anything is added: classes, problems, and the questions they raise."""

import dataclasses
from collections.abc import Sequence
from pathlib import PurePath

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QSpinBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.errors import WorkbenchError
from workbench.face.problem_list import ProblemList
from workbench.face.task_card import BarDelegate
from workbench.face.words import counted
from workbench.report import Problem, ScanReport, TaskReport
from workbench.session import Session

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ReportSheet(QDialog):
    """Shows a report and gives back the tasks as answered. `tasks()` is valid once accepted."""

    def __init__(
        self,
        report: ScanReport,
        session: Session,
        others: Sequence[TaskReport],
        parent: QWidget,
        add_text: str = "",
    ) -> None:
        """`others` are the tasks already there, which pictures and class names are compared with."""
        super().__init__(parent, Qt.WindowType.Sheet)
        self.setWindowTitle(self.tr("What was found"))
        self.resize(680, 520)
        self._report = report
        self._others = tuple(others)
        self._session = session
        self._result: tuple[TaskReport, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        heading = QLabel(self._headline(), self)
        heading.setProperty("heading", "true")
        heading.setWordWrap(True)
        column.addWidget(heading)
        if report.tasks:
            column.addWidget(self._class_tree(), 3)
        problems = self.problems()
        if problems:
            column.addWidget(ProblemList(problems, self), 2)
        self.one_class = self._tick(
            self.tr("Use pictures that lie in a folder without sub-folders as one class"),
            any(task.question == "one_class" for task in report.tasks), column)  # fmt: skip
        self.leave_out = self._tick(
            self.tr("Leave out pictures that also occur in another task"),
            any(problem.kind == "duplicate_task" for problem in problems), column)  # fmt: skip
        self.same, self.different = self._same_name_question(column)
        self.one_each, self.split, self.first, self.increment, self.seed = self._split_row(column)
        self.trouble = QLabel(self)
        self.trouble.setProperty("level", "error")
        self.trouble.setWordWrap(True)
        self.trouble.hide()
        column.addWidget(self.trouble)
        column.addWidget(self._buttons(add_text or self.tr("Add")))
        self._refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Start with the keyboard on the button that goes on."""
        super().showEvent(event)
        (self.add_button if self.add_button.isEnabled() else self.cancel_button).setFocus()

    def problems(self) -> list[Problem]:
        """Return everything that was found wrong, tasks first."""
        return [*(p for task in self._report.tasks for p in task.problems), *self._report.problems]

    def tasks(self) -> tuple[TaskReport, ...]:
        """Return the tasks as answered."""
        return self._result

    def accept(self) -> None:
        """Work out the answered tasks; stay open with a sentence if they cannot be made."""
        answered = [self._answered(task) for task in self._report.tasks]
        usable = tuple(task for task in answered if task.usable)
        try:
            if self.split.isChecked() and len(usable) == 1:
                usable = self._session.pictures.split(
                    usable[0], self.first.value(), self.increment.value(), self.seed.value()
                )
        except WorkbenchError as error:
            self.trouble.setText(str(error))
            self.trouble.show()
            return
        self._result = usable
        super().accept()

    def _answered(self, found: TaskReport) -> TaskReport:
        task = found
        if task.question == "one_class" and self.one_class.isChecked():
            task = self._session.answer_one_class(task)
        folder = task.folder
        if self.leave_out.isChecked():
            out = (*folder.left_out, *self._also_elsewhere(found))
            folder = dataclasses.replace(folder, left_out=tuple(sorted(set(out))))
        if self.same.isChecked():
            names = tuple(PurePath(p.path).name for p in task.problems if p.kind == "same_name")
            folder = dataclasses.replace(folder, same_classes=names)
        return dataclasses.replace(task, folder=folder)

    def _also_elsewhere(self, task: TaskReport) -> list[str]:
        """Return the task's pictures whose content an earlier task holds too."""
        at = next(i for i, other in enumerate(self._report.tasks) if other is task)
        earlier = (*self._others, *self._report.tasks[:at])
        taken = {sha for other in earlier for sha in other.hashes}
        return [path for sha, path in task.hashes.items() if sha in taken]

    def _headline(self) -> str:
        tasks = self._report.tasks
        if not tasks:
            return self.tr("Nothing here can be learnt.")
        classes = sum(len(task.classes) for task in tasks)
        pictures = sum(item.train + item.test for task in tasks for item in task.classes)
        parts = (
            counted(len(tasks), "task", "tasks"), counted(classes, "class", "classes"),
            counted(pictures, "readable picture", "readable pictures"),
        )  # fmt: skip
        return " · ".join(parts)

    def _class_tree(self) -> QTreeWidget:
        tree = QTreeWidget(self)
        tree.setAccessibleName(self.tr("Tasks and classes found"))
        tree.setHeaderLabels([self.tr("Class"), self.tr("Train"), self.tr("Test"), ""])
        tree.setItemDelegateForColumn(3, BarDelegate(tree))
        counts = [item.train + item.test for task in self._report.tasks for item in task.classes]
        largest = max(counts, default=1)
        for task in self._report.tasks:
            train, test = (
                sum(getattr(c, part) for c in task.classes) for part in ("train", "test")
            )
            top = _aligned(QTreeWidgetItem(tree, [task.folder.name, f"{train:,}", f"{test:,}"]))
            for item in task.classes:
                numbers = [item.name, f"{item.train:,}", f"{item.test:,}"]
                row = _aligned(QTreeWidgetItem(top, numbers))
                row.setData(3, Qt.ItemDataRole.UserRole, (item.train + item.test) / max(largest, 1))
            top.setExpanded(len(self._report.tasks) <= 6)
        tree.setColumnWidth(0, 260)
        for column in (1, 2):
            tree.setColumnWidth(column, 80)
            tree.headerItem().setTextAlignment(column, _RIGHT)
        return tree

    def _tick(self, text: str, shown: bool, column: QVBoxLayout) -> QCheckBox:
        box = QCheckBox(text, self)
        box.setVisible(shown)
        box.setChecked(shown)
        box.toggled.connect(self._refresh)
        column.addWidget(box)
        return box

    def _same_name_question(self, column: QVBoxLayout) -> tuple[QRadioButton, QRadioButton]:
        group = QWidget(self)
        row = QHBoxLayout(group)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel(self.tr("The same class name in two tasks means"), group))
        same = QRadioButton(self.tr("the same class, learnt further"), group)
        different = QRadioButton(self.tr("a different class"), group)
        known = any(task.folder.same_classes for task in self._report.tasks)
        (same if known else different).setChecked(True)
        row.addWidget(same)
        row.addWidget(different)
        row.addStretch(1)
        group.setVisible(any(problem.kind == "same_name" for problem in self.problems()))
        column.addWidget(group)
        return same, different

    def _split_row(
        self, column: QVBoxLayout
    ) -> tuple[QRadioButton, QRadioButton, QSpinBox, QSpinBox, QSpinBox]:
        group = QWidget(self)
        row = QHBoxLayout(group)
        row.setContentsMargins(0, 0, 0, 0)
        one_each = QRadioButton(self.tr("As one task"), group)
        one_each.setChecked(True)
        split = QRadioButton(self.tr("Split by classes:"), group)
        row.addWidget(one_each)
        row.addWidget(split)
        tasks = self._report.tasks
        classes = len(tasks[0].classes) if len(tasks) == 1 else 0
        spins = []
        for text, low, value in (
            (self.tr("first"), 1, max(1, classes // 2)),
            (self.tr("then"), 1, max(1, classes // 4)),
            (self.tr("seed"), 0, 0),
        ):
            spin = QSpinBox(group)
            spin.setRange(low, classes if low else 2**31 - 1)
            spin.setValue(value)
            spin.setAccessibleName(text)
            spin.setMaximumWidth(90)
            spin.setEnabled(False)
            split.toggled.connect(spin.setEnabled)
            row.addWidget(QLabel(text, group))
            row.addWidget(spin)
            spins.append(spin)
        row.addStretch(1)
        group.setVisible(classes >= 2)
        column.addWidget(group)
        first, increment, seed = spins
        return one_each, split, first, increment, seed

    def _buttons(self, add_text: str) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        self.add_button = box.addButton(add_text, QDialogButtonBox.ButtonRole.AcceptRole)
        self.add_button.setObjectName("primary")
        self.cancel_button = box.addButton(QDialogButtonBox.StandardButton.Cancel)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box

    def _refresh(self) -> None:
        usable = any(self._answered(task).usable for task in self._report.tasks)
        self.add_button.setEnabled(usable)


def _aligned(row: QTreeWidgetItem) -> QTreeWidgetItem:
    """Set the row's numbers right."""
    for column in (1, 2):
        row.setTextAlignment(column, _RIGHT)
    return row
