"""The table of backbones: six columns over plain facts, searched, filtered and sorted."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from workbench.face.words import size_text
from workbench.report import BackboneFacts

Index = QModelIndex | QPersistentModelIndex
NAME, PARAMETERS, INPUT, WORK, DOWNLOAD, HERE = range(6)
SORT_ROLE = Qt.ItemDataRole.UserRole
BASE_OPERATIONS = 3.51e10  # of one picture of 224 pixels through ViT-B/16


class BackboneTable(QAbstractTableModel):
    """One row a backbone, in the order given."""

    def __init__(self, facts: Sequence[BackboneFacts]) -> None:
        super().__init__()
        self._facts = list(facts)
        self._titles = (
            self.tr("Backbone"), self.tr("Parameters"), self.tr("Input"), self.tr("Work"),
            self.tr("Download"), self.tr("Here"),
        )  # fmt: skip

    def facts(self, row: int) -> BackboneFacts:
        """Return the backbone of a row."""
        return self._facts[row]

    def row_of(self, name: str) -> int:
        """Return the row of a backbone, -1 if it is not there."""
        return next((row for row, facts in enumerate(self._facts) if facts.name == name), -1)

    def update(self, facts: BackboneFacts) -> None:
        """Take what is known of a backbone now."""
        row = self.row_of(facts.name)
        if row >= 0:
            self._facts[row] = facts
            self.dataChanged.emit(self.index(row, 0), self.index(row, HERE))

    def sizes(self) -> list[int]:
        """Return the sides of input that occur, small ones first."""
        return sorted({facts.image_size for facts in self._facts})

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of backbones."""
        return 0 if parent.isValid() else len(self._facts)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self._titles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return a column's title."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._titles[section]
        return self._help(section) if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows, or what it is sorted by."""
        facts, column = self._facts[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._shown(facts, column)
        if role == SORT_ROLE:
            millions = facts.parameters / 1e6  # Qt counts whole numbers in 32 bits
            numbers = (facts.name, millions, facts.image_size, facts.operations, facts.megabytes)
            return (*numbers, not facts.present)[column]
        if role == Qt.ItemDataRole.TextAlignmentRole and NAME < column < HERE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.TextAlignmentRole and column == HERE:
            return Qt.AlignmentFlag.AlignCenter
        if role == Qt.ItemDataRole.ToolTipRole and column == NAME:
            return f"{facts.name}\n{facts.title}" if facts.title else facts.name
        if role == Qt.ItemDataRole.AccessibleTextRole and column == HERE:
            return self.tr("yes") if facts.present else self.tr("no")
        return None

    def _help(self, column: int) -> str | None:
        if column == HERE:
            return self.tr("Whether the weights are on this computer")
        if column == WORK:
            return self.tr(
                "Multiply-adds of one picture's pass, those of ViT-B/16 with 224 pixels being 1: "
                "the time of a step follows them nearly in proportion"
            )
        return None

    def _shown(self, facts: BackboneFacts, column: int) -> str:
        about = size_text(facts.megabytes) if facts.hub else self.tr("own file")
        return (
            facts.name,
            f"{facts.parameters / 1e6:,.0f} M" if facts.parameters >= 1e7 else f"{facts.parameters / 1e6:.1f} M",
            f"{facts.image_size} px",
            work_text(facts) or "–",
            "–" if facts.present and not facts.hub else about,
            "✓" if facts.present else "",
        )[column]  # fmt: skip


def work_text(facts: BackboneFacts) -> str:
    """Return how much work a picture is, in passes of ViT-B/16; "" where that is not known."""
    share = facts.operations / BASE_OPERATIONS
    return f"{share:,.0f} ×" if share >= 9.95 else f"{share:.2g} ×" if share else ""


class BackboneFilter(QSortFilterProxyModel):
    """Rows that hold every word searched and pass every filter."""

    def __init__(self, table: BackboneTable) -> None:
        super().__init__()
        self._table = table
        self._words: list[str] = []
        self._only_here = False
        self._most_parameters = self._side = 0
        self.setSourceModel(table)
        self.setSortRole(SORT_ROLE)

    def search(self, text: str) -> None:
        """Keep rows that hold every word of `text`, in name, title, licence or note."""
        self._words = text.casefold().split()
        self.invalidate()

    def keep(self, *, only_here: bool, most_parameters: int, side: int) -> None:
        """Keep what is on this computer, is no larger, and takes pictures of this side; 0 is any."""
        self._only_here, self._most_parameters, self._side = only_here, most_parameters, side
        self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Return whether a row passes."""
        facts = self._table.facts(source_row)
        text = " ".join((facts.name, facts.title, facts.licence, facts.note)).casefold()
        return (
            all(word in text for word in self._words)
            and (facts.present or not self._only_here)
            and (not self._most_parameters or facts.parameters <= self._most_parameters)
            and (not self._side or facts.image_size == self._side)
        )
