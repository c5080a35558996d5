"""A plot's numbers at full resolution: one row for every x, however many there are, made as they are read."""

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.face.language import say
from workbench.face.panel import Table
from workbench.face.plot_line import Lines
from workbench.face.pyramid import Floats
from workbench.face.views import YRange

_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Numbers:
    """Columns of numbers; the first is x, NaN is an empty cell."""

    headings: list[str]
    columns: list[Floats]
    y: YRange

    def cell(self, row: int, column: int) -> str:
        """Return a number as a person reads it, with all digits that could matter."""
        value = float(self.columns[column][row])
        if math.isnan(value):
            return ""
        if math.isinf(value):
            return say("not finite")
        if column and self.y != "auto":
            return f"{value * 100:.8g} %"
        return f"{value:.10g}"

    def table(self) -> Table:
        """Return all rows as text."""
        rows, columns = range(len(self.columns[0])), range(len(self.columns))
        return self.headings, [[self.cell(row, column) for column in columns] for row in rows]

    def tabbed(self) -> str:
        """Return the numbers as they are, shares as fractions, for a spreadsheet."""
        columns = [[_plain(value) for value in column.tolist()] for column in self.columns]
        lines = ("\t".join(row) for row in zip(*columns, strict=True))
        headings = "\t".join(" ".join(heading.split()) for heading in self.headings)
        return "\n".join([headings, *lines, ""])


def numbers_of(lines: Lines, x_label: str, y: YRange) -> Numbers:
    """Return one row for every x at which a shown line has a value; where one has two, the last."""
    shown = [line for line in lines if line.shown and len(line.series)]
    kept = [(s.x[known], s.y[known]) for s in (line.series for line in shown)
            for known in [~np.isnan(s.y)]]  # fmt: skip
    every = np.sort(np.concatenate([np.empty(0), *(x for x, _ in kept)]))
    every = every[np.r_[True, np.diff(every) > 0]] if len(every) else every
    columns = [every]
    for x, values in kept:
        column = np.full(len(every), np.nan)
        column[np.searchsorted(every, x)] = values
        columns.append(column)
    return Numbers([x_label, *(line.entry.label for line in shown)], columns, y)


class NumbersModel(QAbstractTableModel):
    """Shows numbers in a table view: only the rows seen are turned into text."""

    def __init__(self, numbers: Numbers, parent: QObject) -> None:
        super().__init__(parent)
        self.numbers = numbers

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        return 0 if parent.isValid() else len(self.numbers.columns[0])

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.numbers.columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return self.numbers.cell(index.row(), index.column())
        return _RIGHT if role == Qt.ItemDataRole.TextAlignmentRole and index.column() else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        across = orientation == Qt.Orientation.Horizontal
        if across and role == Qt.ItemDataRole.DisplayRole:
            return self.numbers.headings[section]
        return None


def _plain(value: float) -> str:
    return "" if math.isnan(value) else repr(value) if value % 1 else f"{value:.15g}"
