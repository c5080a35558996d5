"""The queue on a sheet: what trains, what waits, and everything that can be done to the order."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workbench.face.box_help import let_f1_help
from workbench.face.messages import Toast
from workbench.face.queue_model import ID_ROLE, QueueModel
from workbench.session import QueuedRun


class QueueTable(QTableView):
    """The rows, with the keys that move and remove the chosen one."""

    move_wanted = Signal(int)
    remove_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt with an arrow moves, Del removes; the rest is as in any table."""
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        if by and event.modifiers() == Qt.KeyboardModifier.AltModifier:
            self.move_wanted.emit(by)
        elif event.key() == Qt.Key.Key_Delete:
            self.remove_wanted.emit()
        else:
            super().keyPressEvent(event)


class QueueSheet(QDialog):
    """Lists what waits. Wishes go out as signals; whoever keeps the queue shows the answer."""

    remove_wanted = Signal(int)
    go_wanted = Signal(bool)  # go on, or hold
    retry_wanted = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        let_f1_help(self, "queue")
        self.setWindowTitle(self.tr("Queue"))
        self.model = QueueModel(self)
        self.state = QLabel(self)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setProperty("heading", "true")
        self.state.setWordWrap(True)
        self.table = QueueTable(self)
        self.table.setModel(self.model)
        self._dress_table()
        self.empty = QLabel(self.tr("Nothing waits. Run, Queue this draft puts the tasks at the left here."), self)  # fmt: skip
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setProperty("muted", "true")
        body = QWidget(self)
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        self.toast = Toast(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(self.state)
        column.addWidget(body, 1)
        column.addLayout(self._buttons())
        self.resize(760, 420)

    def show_queue(
        self, runs: Sequence[QueuedRun], groups: Mapping[str, str], state: str, *, going: bool
    ) -> None:
        """Show what waits and what is going on; the chosen run stays chosen."""
        chosen = self.chosen()
        self.state.setText(state)
        self.model.show_runs(runs, groups)
        self._stack.setCurrentIndex(1 if runs else 0)
        ids = self.model.ids()
        if chosen in ids:
            self.table.selectRow(ids.index(chosen))
        self.go_button.setText(self.tr("Hold") if going else self.tr("Go on"))
        self.go_button.setProperty("going", going)
        self._refresh()

    def chosen(self) -> int:
        """Return the number of the chosen run, or -1."""
        rows = self.table.selectionModel().selectedRows()
        return int(rows[0].data(ID_ROLE)) if rows else -1

    def move_chosen(self, by: int) -> None:
        """Move the chosen run up (-1) or down (+1); it stays chosen."""
        ids, chosen = self.model.ids(), self.chosen()
        row = ids.index(chosen) if chosen in ids else -1
        if row >= 0 and 0 <= row + by < len(ids):
            self.model.order_wanted.emit(self.model.moved(row, row + by))

    def _dress_table(self) -> None:
        table, header = self.table, self.table.horizontalHeader()
        table.setAccessibleName(self.tr("Runs that wait, in order"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        table.setDefaultDropAction(Qt.DropAction.MoveAction)
        table.setDragDropOverwriteMode(False)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 10)
        table.setTabKeyNavigation(False)
        table.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.DoubleClicked
        )  # fmt: skip
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate((180, 200, 0, 70)):
            table.setColumnWidth(column, width)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.move_wanted.connect(self.move_chosen)
        table.remove_wanted.connect(self._remove)
        table.selectionModel().selectionChanged.connect(self._refresh)
        self.model.modelReset.connect(self._refresh)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.up_button = self._button(row, self.tr("Up"), self.tr("Earlier (Alt+Up)"), self._up)
        self.down_button = self._button(row, self.tr("Down"), self.tr("Later (Alt+Down)"), self._down)  # fmt: skip
        self.name_button = self._button(row, self.tr("Rename"), self.tr("Give it a name (F2)"), self._rename)  # fmt: skip
        self.retry_button = self._button(row, self.tr("Try again"), self.tr("Let it wait again"), self._retry)  # fmt: skip
        self.remove_button = self._button(row, self.tr("Remove"), self.tr("Take it out (Del)"), self._remove)  # fmt: skip
        row.addStretch(1)
        self.go_button = self._button(row, self.tr("Go on"), "", self._go)
        close = self._button(row, self.tr("Close"), "", self.close)
        close.setDefault(True)
        return row

    def _button(
        self, row: QHBoxLayout, text: str, tip: str, call: Callable[[], object]
    ) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.clicked.connect(call)
        row.addWidget(button)
        return button

    def _refresh(self) -> None:
        ids, chosen = self.model.ids(), self.chosen()
        row = ids.index(chosen) if chosen in ids else -1
        self.up_button.setEnabled(row > 0)
        self.down_button.setEnabled(0 <= row < len(ids) - 1)
        self.name_button.setEnabled(row >= 0)
        self.remove_button.setEnabled(row >= 0)
        self.retry_button.setVisible(any(run.state == "refused" for run in self.model.runs))
        self.retry_button.setEnabled(row >= 0 and self.model.runs[row].state == "refused")
        waits = any(run.state == "waiting" for run in self.model.runs)
        self.go_button.setEnabled(waits or bool(self.go_button.property("going")))

    def _up(self) -> None:
        self.move_chosen(-1)

    def _down(self) -> None:
        self.move_chosen(1)

    def _rename(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if rows:
            self.table.edit(rows[0])

    def _retry(self) -> None:
        self.retry_wanted.emit(self.chosen())

    def _remove(self) -> None:
        if self.chosen() >= 0:
            self.remove_wanted.emit(self.chosen())

    def _go(self) -> None:
        self.go_wanted.emit(not self.go_button.property("going"))
