"""Rows of one list that are put into another order by dragging."""

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QModelIndex, Qt

from workbench.face.task_card import AnyIndex


class RowDrag:
    """For a model beside its Qt class: one row is dragged between rows, and never leaves its list.

    A subclass names its `row_format` and says in `row_dropped` what a drop does.
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

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: AnyIndex
    ) -> bool:
        """Hand on where the row goes; return False so that the view removes nothing."""
        if data.hasFormat(self.row_format):
            source = int(data.data(self.row_format).toStdString())
            target = row if row >= 0 else self.rowCount()
            self.row_dropped(source, target - 1 if target > source else target)
        return False

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008  (Qt's own default)
        """Return the number of rows: the model's own."""
        raise NotImplementedError

    def row_dropped(self, source: int, target: int) -> None:
        """Take it that row `source` is to become row `target`."""
        raise NotImplementedError
