"""The bottom: every run of the log, to tick for comparison, replay and rename."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QSortFilterProxyModel,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workbench.face.task_card import AnyIndex
from workbench.face.words import ago, percent
from workbench.measures import MEASURES
from workbench.report import RunSummary

ID_ROLE = Qt.ItemDataRole.UserRole + 1
SORT_ROLE = Qt.ItemDataRole.UserRole + 2
_NOWHERE = QModelIndex()
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_MARKS = {
    "starting": "○", "running": "●", "paused": "◐", "finished": "✓", "stopped": "■", "failed": "✕", "interrupted": "◌",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column: what it is called, what it shows, what it sorts by."""

    title: str
    shown: Callable[[RunSummary], str]
    key: Callable[[RunSummary], Any]
    help: str = ""
    width: int = 90
    number: bool = False


def _measured(title: str, measure: str, field: str) -> Column:
    def value(run: RunSummary) -> Any:
        return getattr(run, field)

    about = MEASURES[measure]
    text = f"{about.label}\n{about.formula}\n{about.reading}"
    return Column(
        title,
        lambda run: percent(value(run)),
        lambda run: -1e9 if value(run) is None else value(run),
        text,
        84 if title == "Forgetting" else 64,
        True,
    )


COLUMNS = (
    Column("Run", lambda run: run.name, lambda run: run.name, "Tick to lay its curves over the plots", 150),
    Column("State", lambda run: f"{_MARKS.get(run.state, '')} {run.state}", lambda run: run.state, "", 104),
    Column("Tasks", lambda run: f"{run.tasks_done}/{run.tasks_total}", lambda run: run.tasks_done, "Tasks learnt of all", 50, True),
    _measured("Ā", "average_accuracy", "average_accuracy"),
    _measured("A_T", "accuracy_seen", "final_accuracy"),
    _measured("Forgetting", "forgetting", "forgetting"),
    _measured("Floor", "baseline_seen", "baseline_accuracy"),
    Column("Profile", lambda run: run.profile, lambda run: run.profile, "Arithmetic: repaired, or paper", 76),
    Column("Backbone", lambda run: run.backbone, lambda run: run.backbone, "The frozen Vision Transformer", 124),
    Column("Seed", lambda run: str(run.seed), lambda run: run.seed, "", 46, True),
    Column("Created", lambda run: ago(run.created), lambda run: run.created, "", 96),
)  # fmt: skip


class RunModel(QAbstractTableModel):
    """Runs as rows, newest first. A refresh changes only what changed."""

    ticked_changed = Signal()
    rename_requested = Signal(str, str)  # run id, new name

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: list[RunSummary] = []
        self._ticked: set[str] = set()

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Take over the log's runs: new ones are put in, changed ones redrawn in place."""
        known = {run.id for run in self._runs}
        added = [run for run in runs if run.id not in known]
        if [run.id for run in runs] != [run.id for run in (*added, *self._runs)]:
            self.beginResetModel()
            self._runs = list(runs)
            self.endResetModel()
            return
        if added:
            self.beginInsertRows(QModelIndex(), 0, len(added) - 1)
            self._runs = [*added, *self._runs]
            self.endInsertRows()
        for row, run in enumerate(runs):
            if run != self._runs[row]:
                self._runs[row] = run
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def runs(self) -> list[RunSummary]:
        """Return the rows, newest first."""
        return list(self._runs)

    def ticked(self) -> list[RunSummary]:
        """Return the ticked runs, newest first."""
        return [run for run in self._runs if run.id in self._ticked]

    def age(self) -> None:
        """Redraw the ages."""
        if self._runs:
            last = len(COLUMNS) - 1
            self.dataChanged.emit(self.index(0, last), self.index(len(self._runs) - 1, last))

    def rowCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of runs."""
        return 0 if parent.isValid() else len(self._runs)

    def columnCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return a column's title, or its formula as tooltip."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if COLUMNS[section].number else _LEFT
        return COLUMNS[section].help if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows, sorts by, or says."""
        if not index.isValid():
            return None
        run, column = self._runs[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.shown(run)
        if role == Qt.ItemDataRole.EditRole:
            return run.name
        if role == SORT_ROLE:
            return column.key(run)
        if role == ID_ROLE:
            return run.id
        if role == Qt.ItemDataRole.TextAlignmentRole and column.number:
            return _RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return run.state_reason or column.shown(run)
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            chosen = run.id in self._ticked
            return Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked
        return None

    def setData(self, index: AnyIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick a run, or ask for another name."""
        run = self._runs[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole:
            chosen = Qt.CheckState(value) == Qt.CheckState.Checked
            (self._ticked.add if chosen else self._ticked.discard)(run.id)
            self.dataChanged.emit(index, index)
            self.ticked_changed.emit()
            return True
        if role == Qt.ItemDataRole.EditRole and str(value).strip() not in ("", run.name):
            self.rename_requested.emit(run.id, str(value).strip())
            return True
        return False

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        """Return that the first column can be ticked and renamed."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == 0:
            return plain | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEditable
        return plain


class HistoryPanel(QWidget):
    """The table of runs. Enter or a double click replays, Space ticks, F2 renames."""

    replay_requested = Signal(str)
    chosen_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = RunModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.model)
        self._sorted.setSortRole(SORT_ROLE)
        self.table = QTableView(self)
        self.table.setModel(self._sorted)
        self._dress_table()
        self.table.activated.connect(self._replay)
        self.table.selectionModel().selectionChanged.connect(self.chosen_changed)
        heading = QLabel(self.tr("RUNS"), self)
        heading.setProperty("heading", "true")
        self.empty = QLabel(self.tr("Every run appears here and stays. There is none yet."), self)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("muted", "true")
        body = QWidget(self)
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.addWidget(heading)
        column.addWidget(body, 1)
        self.setMinimumHeight(88)
        self._clock = QTimer(self)
        self._clock.setInterval(30_000)
        self._clock.timeout.connect(self.model.age)

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Show the log's runs, or the sentence that there is none."""
        self.model.show_runs(runs)
        self._stack.setCurrentIndex(1 if runs else 0)

    def chosen(self) -> str:
        """Return the chosen run's id, or an empty string."""
        rows = self.table.selectionModel().selectedRows()
        return rows[0].data(ID_ROLE) if rows else ""

    def showEvent(self, event: QShowEvent) -> None:
        """Let the ages grow while they are seen."""
        self._clock.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the clock."""
        self._clock.stop()
        super().hideEvent(event)

    def _dress_table(self) -> None:
        self.table.setAccessibleName(self.tr("Table of runs"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.table.fontMetrics().height() + 8)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for place, column in enumerate(COLUMNS):
            self.table.setColumnWidth(place, column.width)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(len(COLUMNS) - 1, Qt.SortOrder.DescendingOrder)

    def _replay(self, index: QModelIndex) -> None:
        self.replay_requested.emit(index.data(ID_ROLE))
