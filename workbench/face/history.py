"""The bottom: every run of the log, to filter, group, tick for comparison, replay, name, tag and note."""

from PySide6.QtCore import QModelIndex, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QMenu,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workbench.face.filter_bar import FilterBar
from workbench.face.run_columns import COLUMNS, PLACES
from workbench.face.run_model import ID_ROLE, RunModel
from workbench.query import Query
from workbench.report import RunSummary
from workbench.session.table import AlikeRuns, RunTable

_LEAST = 88  # pixels of height with no run in it


class HistoryPanel(QWidget):
    """The table of runs. Enter or a double click replays or opens a group, Space ticks, F2 renames."""

    replay_requested = Signal(str)
    chosen_changed = Signal()

    def __init__(self, table: RunTable, memory: QSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = RunModel(table, self)
        self.bar = FilterBar(memory, self)
        self.table = QTableView(self)
        self.table.setModel(self.model)
        self._dress_table()
        self.table.activated.connect(self._replay)
        self.table.selectionModel().selectionChanged.connect(self.chosen_changed)
        self.empty = QLabel(self)
        self.empty.setTextFormat(Qt.TextFormat.PlainText)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("muted", "true")
        self.empty.setWordWrap(True)
        body = QWidget(self)
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.addWidget(self.bar)
        column.addWidget(body, 1)
        self.setMinimumHeight(_LEAST)
        self.menu = QMenu(self)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._show_menu)
        self._kept = ""  # the chosen run, over a reset of the model
        self._join()
        self._clock = QTimer(self)
        self._clock.setInterval(30_000)
        self._clock.timeout.connect(self.model.age)
        self.bar.restore()
        self._show_columns()

    def reload(self) -> None:
        """Bring the rows in step with the log."""
        self.model.reload()

    def chosen(self) -> str:
        """Return the chosen run's id, or an empty string."""
        rows = self.table.selectionModel().selectedRows()
        return str(rows[0].data(ID_ROLE) or "") if rows else ""

    def chosen_runs(self) -> list[RunSummary]:
        """Return the runs of the chosen rows; a group gives all of its members."""
        found: dict[str, RunSummary] = {}
        for index in self.table.selectionModel().selectedRows():
            row = self.model.row_at(index.row())
            runs = row.runs if isinstance(row, AlikeRuns) else (row,)
            found |= {run.id: run for run in runs}
        return list(found.values())

    def edit(self, order: str) -> None:
        """Edit a cell of the chosen run: its name, its tags or its note."""
        place = PLACES[order]
        rows = self.table.selectionModel().selectedRows()
        if rows:
            self.table.setColumnHidden(place, False)
            self.table.edit(self.model.index(rows[0].row(), place))

    def reset_columns(self) -> None:
        """Show the columns that are shown at first, each in its first width."""
        self.bar.reset_columns()
        self._size_columns()

    def showEvent(self, event: QShowEvent) -> None:
        """Let the ages grow while they are seen."""
        self._clock.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the clock."""
        self._clock.stop()
        super().hideEvent(event)

    def _join(self) -> None:
        self.model.counted.connect(self._show_count)
        self.model.modelAboutToBeReset.connect(self._keep_chosen)
        self.model.modelReset.connect(self._choose_again)
        self.bar.query_changed.connect(self.model.look_for)
        self.bar.group_changed.connect(self.model.group_by)
        self.bar.bin_toggled.connect(self.model.show_bin)
        self.bar.columns_changed.connect(self._show_columns)

    def _show_count(self, matching: int) -> None:
        self.bar.show_count(matching)
        self._stack.setCurrentIndex(1 if matching else 0)
        self.setMinimumHeight(self._least() if matching else _LEAST)
        if self.model.query != Query():
            self.empty.setText(self.tr("No run fits this filter."))
        elif self.model.binned:
            self.empty.setText(self.tr("The bin is empty."))
        else:
            self.empty.setText(self.tr("Every run appears here and stays. There is none yet."))

    def _least(self) -> int:
        """Return the height in which the first row can be read."""
        header, row = self.table.horizontalHeader(), self.table.verticalHeader()
        bar = self.table.horizontalScrollBar().sizeHint().height()
        return _LEAST - 34 + header.sizeHint().height() + row.defaultSectionSize() + bar

    def _show_columns(self) -> None:
        hidden = self.bar.hidden_columns()
        for place, column in enumerate(COLUMNS):
            self.table.setColumnHidden(place, column.order in hidden)

    def _keep_chosen(self) -> None:
        self._kept = self.chosen()

    def _choose_again(self) -> None:
        row = self.model.row_of(self._kept) if self._kept else -1
        if row >= 0:
            self.table.selectRow(row)
        else:
            self.chosen_changed.emit()

    def _dress_table(self) -> None:
        self.table.setAccessibleName(self.tr("Table of runs"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
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
        header.setSortIndicator(PLACES["created"], Qt.SortOrder.DescendingOrder)
        self._size_columns()
        self.table.setSortingEnabled(True)

    def _size_columns(self) -> None:
        for place, column in enumerate(COLUMNS):
            self.table.setColumnWidth(place, column.width)

    def _replay(self, index: QModelIndex) -> None:
        if isinstance(self.model.row_at(index.row()), AlikeRuns):
            self.model.toggle_group(index.row())
        else:
            self.replay_requested.emit(index.data(ID_ROLE))

    def _show_menu(self) -> None:
        self.menu.clear()
        self.menu.addActions(self.actions())  # those whose place is the table of runs
        self.menu.popup(self.cursor().pos())
