"""The left side: the tasks in learning order, to reorder, rename and remove; and the scan under way."""

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QMenu,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workbench.face import drop
from workbench.face.draft import Draft
from workbench.face.task_card import CARD_ROLE, CardDelegate
from workbench.face.task_model import TaskModel
from workbench.face.words import listed
from workbench.report import ScanProgress


class TaskView(QListView):
    """The list of cards. A click on a card's warning asks for its problems."""

    problems_requested = Signal(int)
    menu_requested = Signal(QPoint)  # on the screen
    find_requested = Signal(int)  # the folder of the task in this row

    def __init__(self, model: TaskModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(CardDelegate(self))
        self.setAccessibleName(self.tr("Tasks, in the order they are learnt"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open the problems when the mark in the card's upper right corner is clicked."""
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and index.data(CARD_ROLE).gone:
            self.find_requested.emit(index.row())
        elif index.isValid() and index.data(CARD_ROLE).report.problems:
            corner = self.visualRect(index)
            point = event.position().toPoint()
            if point.x() > corner.right() - 60 and point.y() < corner.top() + 32:
                self.problems_requested.emit(index.row())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu, from the mouse or the keyboard."""
        if self.currentIndex().isValid():
            self.menu_requested.emit(event.globalPos())


class TaskPanel(QWidget):
    """Heading, cards, the scan under way. Wishes go out as signals; the draft is changed here."""

    add_requested = Signal()
    cancel_requested = Signal()
    problems_requested = Signal(int)
    removed = Signal(str)
    chosen_changed = Signal()

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self.model = TaskModel(draft)
        self.view = TaskView(self.model, self)
        self.view.problems_requested.connect(self.problems_requested)
        self.view.menu_requested.connect(self._show_menu)
        self.view.selectionModel().selectionChanged.connect(self.chosen_changed)
        self.menu = QMenu(self)
        heading = QLabel(self.tr("TASKS"), self)
        heading.setProperty("heading", "true")
        heading.setMinimumHeight(self.fontMetrics().height() + 12)
        self.add_button = QPushButton(self.tr("+ Add…"), self)
        self.add_button.setToolTip(self.tr("Add a folder as a task (Ctrl+O)"))
        self.add_button.setAccessibleName(self.tr("Add a folder as a task"))
        self.add_button.clicked.connect(self.add_requested)
        top = QHBoxLayout()
        top.addWidget(heading)
        top.addStretch(1)
        top.addWidget(self.add_button)
        self.hint = QFrame(self)
        self.hint.setProperty("drop", "true")
        self.hint_words = words = QLabel(self.tr("drop folders here"), self.hint)
        if drop.is_elevated():
            words.setText(
                self.tr(
                    "Windows allows no dropping while the program runs as administrator. Use + Add…"
                )
            )
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words.setProperty("muted", "true")
        QVBoxLayout(self.hint).addWidget(words)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 4, 8)
        column.addLayout(top)
        column.addWidget(self.view, 1)
        column.addWidget(self._pending_card())
        column.addWidget(self.hint)
        self.setMinimumWidth(190)

    def chosen(self) -> int:
        """Return the row of the chosen task, the first of several, or -1."""
        return min(self.all_chosen(), default=-1)

    def all_chosen(self) -> list[int]:
        """Return the rows of all chosen tasks in order."""
        return sorted(index.row() for index in self.view.selectionModel().selectedIndexes())

    def choose(self, row: int) -> None:
        """Choose one task and bring it into sight."""
        self.view.setCurrentIndex(self.model.index(row))
        self.view.scrollTo(self.model.index(row))

    def move_chosen(self, by: int) -> None:
        """Move the chosen task up (-1) or down (+1); it stays chosen."""
        row = self.chosen()
        if row >= 0 and 0 <= row + by < self.model.rowCount() and self.model.allowed():
            self._draft.move(row, row + by)
            self.view.setCurrentIndex(self.model.index(row + by))

    def rename_chosen(self) -> None:
        """Open the editor over the chosen task's name."""
        if self.chosen() >= 0 and self.model.allowed():
            self.view.edit(self.model.index(self.chosen()))

    def remove_chosen(self) -> None:
        """Take the chosen tasks out, as one step."""
        rows = self.all_chosen()
        if rows and self.model.allowed():
            names = [self._draft.state.names()[row] for row in rows]
            self._draft.remove(*rows)
            self.view.setCurrentIndex(self.model.index(min(rows[0], self.model.rowCount() - 1)))
            text = self.tr("Task {names} removed.") if len(rows) == 1 else None
            text = text or self.tr("Tasks {names} removed.")
            self.removed.emit(text.format(names=listed(names)))

    def scan_began(self, what: str) -> None:
        """Show the pending card."""
        self._pending_text.setText(self.tr("Looking into {what}…").format(what=what))
        self._pending_bar.setRange(0, 0)
        self.pending.show()

    def scan_progressed(self, progress: ScanProgress) -> None:
        """Move the pending card's bar."""
        self._pending_text.setText(progress.text)
        self._pending_bar.setRange(0, progress.total)
        self._pending_bar.setValue(progress.done)

    def scan_ended(self) -> None:
        """Take the pending card away."""
        self.pending.hide()

    def _pending_card(self) -> QFrame:
        self.pending = QFrame(self)
        self.pending.setProperty("card", "true")
        self._pending_text = QLabel(self.pending)
        self._pending_text.setTextFormat(Qt.TextFormat.PlainText)
        self._pending_text.setWordWrap(True)
        self._pending_bar = QProgressBar(self.pending)
        self._pending_bar.setTextVisible(False)
        self._pending_bar.setAccessibleName(self.tr("Progress of the scan"))
        cancel = QPushButton(self.tr("Stop"), self.pending)
        cancel.setAccessibleName(self.tr("Stop the scan"))
        cancel.clicked.connect(self.cancel_requested)
        column = QVBoxLayout(self.pending)
        column.addWidget(self._pending_text)
        column.addWidget(self._pending_bar)
        column.addWidget(cancel, 0, Qt.AlignmentFlag.AlignRight)
        self.pending.hide()
        return self.pending

    def _show_menu(self, place: QPoint) -> None:
        self.menu.popup(place)
