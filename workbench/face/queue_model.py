"""The queue as a Qt model: what waits, in order, to drag, rename and read."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QMimeData, QModelIndex, QObject, Qt, Signal

from workbench.face.row_drag import RowDrag
from workbench.face.task_card import AnyIndex
from workbench.face.words import as_written, duration
from workbench.session import QueuedRun

ID_ROLE = Qt.ItemDataRole.UserRole + 1
_NOWHERE = QModelIndex()


class QueueModel(RowDrag, QAbstractTableModel):
    """One row a run that waits. Changes are asked for by signals; the log answers with new rows."""

    row_format = "application/x-workbench-queue-row"

    order_wanted = Signal(list)  # ids
    rename_wanted = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.runs: list[QueuedRun] = []
        self._groups: Mapping[str, str] = {}

    def show_runs(self, runs: Sequence[QueuedRun], groups: Mapping[str, str]) -> None:
        """Take over what waits; `groups` says of each group's id how it is called and how far it is."""
        if (list(runs), groups) == (self.runs, self._groups):
            return
        self.beginResetModel()
        self.runs, self._groups = list(runs), groups
        self.endResetModel()

    def ids(self) -> list[int]:
        """Return the runs' numbers in order."""
        return [run.id for run in self.runs]

    def moved(self, source: int, target: int) -> list[int]:
        """Return the numbers in order with one row taken out and put at `target`."""
        ids = self.ids()
        ids.insert(target, ids.pop(source))
        return ids

    def rowCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return how many wait."""
        return 0 if parent.isValid() else len(self.runs)

    def columnCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self._titles())

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return a column's title."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._titles()[section] if orientation == Qt.Orientation.Horizontal else section + 1

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows and says."""
        if not index.isValid():
            return None
        run = self.runs[index.row()]
        if role == ID_ROLE:
            return run.id
        if role == Qt.ItemDataRole.EditRole:
            return run.config.name
        cells = self._cells(run)
        if role == Qt.ItemDataRole.DisplayRole:
            return cells[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, cells))
        return as_written(cells[index.column()]) if role == Qt.ItemDataRole.ToolTipRole else None

    def setData(self, index: AnyIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Ask for another name."""
        if role != Qt.ItemDataRole.EditRole or not str(value).strip():
            return False
        self.rename_wanted.emit(self.runs[index.row()].id, str(value).strip())
        return True

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        """Let rows be dragged between rows, and names be edited."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled  # fmt: skip
        return plain | Qt.ItemFlag.ItemIsEditable if index.column() == 0 else plain

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: AnyIndex
    ) -> bool:
        """Ask for the new order; return False so that the view removes nothing."""
        move = self.move_of(data, row, len(self.runs))
        if move is not None:
            self.order_wanted.emit(self.moved(*move))
        return False

    def _titles(self) -> tuple[str, ...]:
        return (self.tr("Run"), self.tr("Group"), self.tr("Differs from the first in"), self.tr("About"))  # fmt: skip

    def _cells(self, run: QueuedRun) -> tuple[str, ...]:
        about = "" if run.seconds is None else duration(run.seconds)
        differs = run.reason or "; ".join(run.differs)
        return (run.name, self._groups.get(run.group, ""), differs, about)
