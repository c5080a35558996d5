"""Rows of one list that are put into another order by dragging."""

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QModelIndex, Qt


class RowDrag:
    """For a model beside its Qt class: one row is dragged between rows, and never leaves its list.

    A subclass names its `row_format`, and asks `move_of` what a drop means.
    """

    row_format = ""  # a MIME type known to this list alone

    def supportedDropActions(self) -> Qt.DropAction:
        """Return that dragging moves."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """Return the one format."""
        return [self.row_format]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Return the row that is dragged."""
        mime = QMimeData()
        mime.setData(self.row_format, str(indexes[0].row()).encode())
        return mime

    def move_of(self, data: QMimeData, row: int, rows: int) -> tuple[int, int] | None:
        """Return from which row to which a drop before `row` moves, of `rows`; None if it is none of ours."""
        if not data.hasFormat(self.row_format):
            return None
        source = int(data.data(self.row_format).toStdString())
        target = row if row >= 0 else rows
        return source, target - 1 if target > source else target
