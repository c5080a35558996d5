"""The draft's tasks as a Qt model: order, names, and what a run under way says of each task."""

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    Qt,
    Signal,
)

from workbench.events import Evaluated, Event, RunStarted, TaskEnded, TaskStarted
from workbench.face.draft import Draft
from workbench.face.row_drag import RowDrag
from workbench.face.task_card import CARD_ROLE, AnyIndex, Card
from workbench.face.words import as_written
from workbench.report import ClassReport, TaskReport

_NOWHERE = QModelIndex()


class TaskModel(RowDrag, QAbstractListModel):
    """The draft's tasks as cards. While a run trains it also knows what became of each."""

    row_format = "application/x-workbench-task-row"

    refused = Signal(str)
    locked = Signal(str)  # why nothing can be changed while a run trains

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self._draft = draft
        self._cards: list[Card] = []
        self.fixed_by = ""  # name of the run that trains on these tasks
        self.gone: frozenset[str] = frozenset()  # folders that are not there
        draft.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Take over the draft's tasks; what a run said of them stays where the task stayed."""
        known = {_identity(card.report): card for card in self._cards}
        fresh = []
        for number, report in enumerate(self._draft.state.tasks, start=1):
            old = known.get(_identity(report), Card(number, report))
            gone = not self.gone.isdisjoint(report.folder.paths)
            fresh.append(dataclasses.replace(old, number=number, report=report, gone=gone))
        if len(fresh) != len(self._cards):
            self.beginResetModel()
            self._cards = fresh
            self.endResetModel()
        elif fresh != self._cards:
            self._cards = fresh
            self.dataChanged.emit(self.index(0), self.index(len(fresh) - 1))

    def show_news(self, events: Sequence[Event]) -> None:
        """Mark which task is being learnt, which are learnt, and their latest accuracy."""
        for event in events:
            if isinstance(event, RunStarted):
                self._take_counts(event)
            elif isinstance(event, TaskStarted):
                self._mark(event.task, running=True)
            elif isinstance(event, Evaluated):
                for task, accuracy in enumerate(event.accuracy):
                    self._mark(task, accuracy=accuracy)
            elif isinstance(event, TaskEnded):
                self._mark(event.task, running=False, learnt=True)

    def set_fixed(self, run: str) -> None:
        """Fix the order while the run named `run` trains; an empty name frees it again."""
        if run and not self.fixed_by:
            self._cards = [Card(card.number, card.report) for card in self._cards]
        elif not run:
            self._cards = [dataclasses.replace(card, running=False) for card in self._cards]
        self.fixed_by = run
        if self._cards:
            self.dataChanged.emit(self.index(0), self.index(len(self._cards) - 1))

    def set_gone(self, folders: Collection[str]) -> None:
        """Mark the tasks whose folders are not there."""
        self.gone = frozenset(folders)
        self.refresh()

    def forget_run(self) -> None:
        """Take off what a run said of the tasks: they are a copy now, for the next run."""
        self.fixed_by = ""
        self.beginResetModel()
        self._cards = []
        self.endResetModel()
        self.refresh()

    def allowed(self) -> bool:
        """Return whether tasks may be changed now; says why not."""
        if self.fixed_by:
            text = self.tr("The order is fixed while {run} trains. Duplicate to change it.")
            self.locked.emit(text.format(run=self.fixed_by))
        return not self.fixed_by

    def rowCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of tasks."""
        return 0 if parent.isValid() else len(self._cards)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the card, its name, or what is said and shown about it."""
        if not index.isValid():
            return None
        card = self._cards[index.row()]
        if role == CARD_ROLE:
            return card
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return card.report.folder.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return card.spoken()
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = [
                *card.report.folder.paths,
                card.size_sentence(),
                *(p.sentence for p in card.report.problems[:8]),
            ]
            return as_written("\n".join(lines))
        return None

    def setData(self, index: AnyIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Rename the task."""
        if role != Qt.ItemDataRole.EditRole or not self.allowed():
            return False
        sentence = self._draft.rename(index.row(), str(value))
        if sentence:
            self.refused.emit(sentence)
        return not sentence

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        """Let cards be dragged between cards, not onto them."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        changing = Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemIsEditable
        return plain if self.fixed_by else plain | changing

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: AnyIndex
    ) -> bool:
        """Move the dragged task; return False so that the view removes nothing."""
        move = self.move_of(data, row, len(self._cards))
        if move is not None and self.allowed():
            self._draft.move(*move)
        return False

    def _mark(self, task: int, **values: Any) -> None:
        if task < len(self._cards):
            self._cards[task] = dataclasses.replace(self._cards[task], **values)
            self.dataChanged.emit(self.index(task), self.index(task))

    def _take_counts(self, event: RunStarted) -> None:
        """Fill in what the engine counted where the tasks were never scanned here."""
        reports = []
        for report, task in zip(self._draft.state.tasks, event.tasks, strict=False):
            counts = zip(task.class_names, task.train_counts, task.test_counts, strict=True)
            classes = tuple(ClassReport(*count) for count in counts)
            if not report.classes:
                reports.append(dataclasses.replace(report, classes=classes))
        if reports:
            self._draft.learn_counts(reports)


def _identity(report: TaskReport) -> tuple[str, tuple[str, ...]]:
    """Return what stays the same when a task is renamed or moved."""
    return report.folder.path, report.folder.classes
