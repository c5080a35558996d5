"""What a run that was stopped after a task is to learn next: its own tasks to come, and others."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.config import TaskFolder
from workbench.face.box_help import let_f1_help
from workbench.face.foretold import wrapped
from workbench.face.words import as_written

_TASK = Qt.ItemDataRole.UserRole


class TasksToCome(QListWidget):
    """Tasks with a tick each, in an order that is dragged, or moved with Alt and an arrow."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Tasks to come, those with a tick in this order"))
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setSpacing(3)

    def add(self, task: TaskFolder) -> None:
        """Put a task at the end, with its tick."""
        item = QListWidgetItem(task.name, self)
        item.setToolTip(as_written(task.path))
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Checked)
        item.setData(_TASK, task)

    def ticked(self) -> Iterator[TaskFolder]:
        """Return the tasks with a tick, in their order."""
        for item in map(self.item, range(self.count())):
            if item.checkState() == Qt.CheckState.Checked:
                yield item.data(_TASK)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt with an arrow moves the task chosen; the rest is as in any list."""
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        if not by or event.modifiers() != Qt.KeyboardModifier.AltModifier:
            super().keyPressEvent(event)
            return
        row = self.currentRow()
        if row >= 0 and 0 <= row + by < self.count():
            self.insertItem(row + by, self.takeItem(row))
            self.setCurrentRow(row + by)


class FollowingSheet(QDialog):
    """Asks what follows. Whoever shows it looks through folders and begins the new run."""

    folder_wanted = Signal()
    chosen = Signal(object)  # the tasks that follow, tuple of TaskFolder

    def __init__(self, run: str, learnt: int, tasks: Sequence[TaskFolder], parent: QWidget) -> None:
        super().__init__(parent)
        let_f1_help(self, "going-on")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("What follows"))
        text = self.tr("What shall be learnt after task {number} of {run}?")
        more = self.tr(
            "A new run goes on from there with the ticked tasks, in this order. "
            "{run} itself stays as it is, and can be resumed with its own tasks."
        )
        self.tasks = TasksToCome(self)
        for task in tasks:
            self.tasks.add(task)
        column = QVBoxLayout(self)
        column.addWidget(wrapped(text.format(number=learnt, run=run), self, "heading"))
        column.addWidget(wrapped(more.format(run=run), self))
        column.addWidget(self.tasks)
        column.addWidget(self._buttons())
        self.tasks.itemChanged.connect(self._judge)
        self._judge()
        self.resize(480, 340)

    def add(self, tasks: Sequence[TaskFolder]) -> None:
        """Put further tasks at the end."""
        for task in tasks:
            self.tasks.add(task)
        self._judge()

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        role = QDialogButtonBox.ButtonRole
        self.folder_button = buttons.addButton(self.tr("Add a folder…"), role.ActionRole)
        self.go_button = buttons.addButton(self.tr("Go on"), role.AcceptRole)
        self.go_button.setDefault(True)
        self.folder_button.clicked.connect(self.folder_wanted)
        buttons.accepted.connect(self._choose)
        buttons.rejected.connect(self.reject)
        return buttons

    @Slot()
    def _judge(self) -> None:
        some = any(True for _ in self.tasks.ticked())
        self.go_button.setEnabled(some)
        self.go_button.setToolTip("" if some else self.tr("Tick a task, or add a folder."))

    @Slot()
    def _choose(self) -> None:
        self.chosen.emit(tuple(self.tasks.ticked()))
        self.accept()
