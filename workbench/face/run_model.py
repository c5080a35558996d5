"""The model of the table of runs: pages read from the log as they are scrolled to, or groups with their members."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QWidget

from workbench.face.run_columns import COLUMNS, LEVELS, PLACES
from workbench.face.task_card import AnyIndex
from workbench.face.theme import current_theme
from workbench.face.words import as_written
from workbench.query import Query
from workbench.report import RunSummary
from workbench.session.table import PAGE, AlikeRuns, RunTable

ID_ROLE = Qt.ItemDataRole.UserRole + 1
_NOWHERE = QModelIndex()
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_EDITABLE = ("name", "tags", "note")

Row = RunSummary | AlikeRuns


class RunModel(QAbstractTableModel):
    """Runs as rows. A reload changes only what changed; sorting and filtering happen in the log."""

    ticked_changed = Signal()
    counted = Signal(int)  # runs that the filter lets through
    rename_requested = Signal(str, str)  # run id, new name
    tags_requested = Signal(str, str)  # run id, words between commas
    note_requested = Signal(str, str)
    opened_changed = Signal()

    def __init__(self, table: RunTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._rows: list[Row] = []
        self._ticked: set[str] = set()
        self._open: set[str] = set()  # groups whose members are shown
        self._baseline = ""
        self.matching = 0  # runs that the filter lets through
        self.query = Query()
        self.group_key = ""
        self.binned = False
        self.order, self.descending = "created", True

    def look_for(self, query: Query) -> None:
        """Show only what the query lets through."""
        self.query = query
        self.reload(afresh=True)

    def group_by(self, key: str) -> None:
        """Group runs that differ only in a setting; an empty key shows each by itself."""
        self.group_key = key
        self.reload(afresh=True)

    def show_bin(self, binned: bool) -> None:
        """Show the runs in the bin, or those outside it."""
        self.binned = binned
        self.reload(afresh=True)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Let the log sort by a column."""
        wanted = COLUMNS[column].order, order == Qt.SortOrder.DescendingOrder
        if wanted != (self.order, self.descending):
            self.order, self.descending = wanted
            self.reload(afresh=True)

    def reload(self, *, afresh: bool = False) -> None:
        """Read the rows shown again: changed ones are redrawn in place, new ones on top put in."""
        pinned = self._table.baseline()
        self._baseline = pinned.id if pinned else ""
        self.matching = self._table.count(self.query, self.binned)
        rows = self._read(PAGE if afresh else max(PAGE, len(self._rows)))
        self._take(rows, afresh=afresh)
        self.counted.emit(self.matching)

    def runs(self) -> list[RunSummary]:
        """Return the runs read so far, in the order shown."""
        return [run for row in self._rows for run in members(row)]

    def known(self, run_id: str) -> RunSummary | None:
        """Return a run of the log by its id, whether its row has been read or not."""
        for run in self.runs():
            if run.id == run_id:
                return run
        return next(iter(self._table.some([run_id])), None) if run_id else None

    def ticked(self) -> list[RunSummary]:
        """Return the ticked runs that are not in the bin, newest first."""
        found = self._table.some(sorted(self._ticked)) if self._ticked else []
        return [run for run in found if run.deleted is None]

    def tick(self, run_ids: Sequence[str], chosen: bool) -> None:
        """Tick runs, or take their ticks off."""
        (self._ticked.update if chosen else self._ticked.difference_update)(run_ids)
        self._redraw(0, 0)
        self.ticked_changed.emit()

    def row_at(self, row: int) -> Row:
        """Return the run or group in a row."""
        return self._rows[row]

    def row_of(self, run_id: str) -> int:
        """Return where a run is shown, or -1."""
        places = (
            i
            for i, row in enumerate(self._rows)
            if isinstance(row, RunSummary) and row.id == run_id
        )
        return next(places, -1)

    def toggle_group(self, row: int) -> None:
        """Show the members of the group in this row, or hide them."""
        group = self._rows[row]
        if isinstance(group, AlikeRuns):
            self._open ^= {group.key}
            self.reload(afresh=True)
            self.opened_changed.emit()

    def age(self) -> None:
        """Redraw the ages."""
        self._redraw(PLACES["created"], PLACES["created"])

    def canFetchMore(self, parent: AnyIndex = _NOWHERE) -> bool:
        """Return whether the log has more runs than have been read."""
        return not parent.isValid() and not self.group_key and len(self._rows) < self.matching

    def fetchMore(self, parent: AnyIndex = _NOWHERE) -> None:
        """Read the next page."""
        start = len(self._rows)
        more = self._table.page(self.query, self.order, self.descending, PAGE, start, self.binned)
        known = {run.id for run in self.runs()}
        fresh = [run for run in more if run.id not in known]  # a run begun since shifts the pages
        if fresh:
            self.beginInsertRows(QModelIndex(), start, start + len(fresh) - 1)
            self._rows += fresh
            self.endInsertRows()

    def rowCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of rows read."""
        return 0 if parent.isValid() else len(self._rows)

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
            return self.tr(COLUMNS[section].title)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if COLUMNS[section].number else _LEFT
        tip = role == Qt.ItemDataRole.ToolTipRole
        return self.tr(COLUMNS[section].help) if tip and COLUMNS[section].help else None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows or says."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.EditRole and isinstance(row, RunSummary):
            return {"tags": ", ".join(row.tags), "note": row.note}.get(column.order, row.name)
        if role == ID_ROLE:
            return row.id if isinstance(row, RunSummary) else ""
        if role == Qt.ItemDataRole.TextAlignmentRole and column.number:
            return _RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_written(self._tip(row) or self._text(row, index.column()))
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            return self._tick_of(row)
        return self._look(row, column.order, role)

    def _tip(self, row: RunSummary | AlikeRuns) -> str:
        """Return why a run is in its state and which one it goes on from."""
        if not isinstance(row, RunSummary):
            return ""
        parent = self.known(row.parent) if row.parent else None
        text = self.tr("Goes on from {run}.").format(run=parent.name) if parent else ""
        return " ".join(part for part in (row.state_reason, text) if part)

    def setData(self, index: AnyIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick a run or a whole group, or ask for another name, tags or note."""
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole:
            chosen = Qt.CheckState(value) == Qt.CheckState.Checked
            self.tick([run.id for run in members(row)], chosen)
            return True
        if role != Qt.ItemDataRole.EditRole or not isinstance(row, RunSummary):
            return False
        return self._ask(row, COLUMNS[index.column()].order, str(value).strip())

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        """Return that the first column can be ticked, and name, tags and note edited."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        found = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == 0:
            found |= Qt.ItemFlag.ItemIsUserCheckable
        single = isinstance(self._rows[index.row()], RunSummary)
        if single and COLUMNS[index.column()].order in _EDITABLE:
            found |= Qt.ItemFlag.ItemIsEditable
        return found

    def _read(self, limit: int) -> list[Row]:
        if not self.group_key:
            return list(
                self._table.page(self.query, self.order, self.descending, limit, 0, self.binned)
            )
        rows: list[Row] = []
        for group in self._table.groups(
            self.query, self.group_key, self.order, self.descending, self.binned
        ):
            if len(group.runs) == 1:
                rows.append(group.runs[0])
                continue
            rows.append(group)
            rows += group.runs if group.key in self._open else ()
        return rows

    def _take(self, rows: list[Row], *, afresh: bool) -> None:
        old, new = [key_of(row) for row in self._rows], [key_of(row) for row in rows]
        added = len(new) - len(old)
        if afresh or added < 0 or new[added:] != old:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        if added:
            self.beginInsertRows(QModelIndex(), 0, added - 1)
            self._rows = [*rows[:added], *self._rows]
            self.endInsertRows()
        for place, row in enumerate(rows):
            if row != self._rows[place]:
                self._rows[place] = row
                self.dataChanged.emit(self.index(place, 0), self.index(place, len(COLUMNS) - 1))

    def _redraw(self, first: int, last: int) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, first), self.index(len(self._rows) - 1, last))

    def _ask(self, run: RunSummary, order: str, text: str) -> bool:
        if order == "name" and text not in ("", run.name):
            self.rename_requested.emit(run.id, text)
        elif order == "tags" and text != ", ".join(run.tags):
            self.tags_requested.emit(run.id, text)
        elif order == "note" and text != run.note:
            self.note_requested.emit(run.id, text)
        else:
            return False
        return True

    def _text(self, row: Row, place: int) -> str:
        column = COLUMNS[place]
        if isinstance(row, AlikeRuns):
            sign = ("▾ " if row.key in self._open else "▸ ") if place == 0 else ""
            return sign + column.shared(row)
        pinned = self.tr(" (baseline)") if place == 0 and row.id == self._baseline else ""
        return column.shown(row) + pinned

    def _tick_of(self, row: Row) -> Qt.CheckState:
        ticked = [run.id in self._ticked for run in members(row)]
        if all(ticked):
            return Qt.CheckState.Checked
        return Qt.CheckState.PartiallyChecked if any(ticked) else Qt.CheckState.Unchecked

    def _look(self, row: Row, order: str, role: int) -> Any:
        if role == Qt.ItemDataRole.FontRole and isinstance(row, AlikeRuns):
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.ForegroundRole and isinstance(row, RunSummary):
            level = {"state": LEVELS.get(row.state), "star": "warning"}.get(order)
            return QColor(getattr(current_theme(), level)) if level else None
        return None


def members(row: Row) -> tuple[RunSummary, ...]:
    """Return the runs of a row."""
    return row.runs if isinstance(row, AlikeRuns) else (row,)


def key_of(row: Row) -> tuple[str, str]:
    """Return what tells one row from another."""
    return ("group", row.key) if isinstance(row, AlikeRuns) else ("run", row.id)
