"""The pictures of one class, page by page, to look at and to leave out."""

from collections.abc import Collection, Sequence
from pathlib import Path, PurePath
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.face.notices import reveal
from workbench.face.task_card import AnyIndex
from workbench.face.theme import current_theme
from workbench.face.thumbnails import SIDE, Thumbnails
from workbench.face.words import as_written

PAGE = 60
_NOWHERE = QModelIndex()


class PageModel(QAbstractListModel):
    """One page of pictures: paths below `root`, which of them are left out, and what they look like."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._root = Path()
        self.paths: tuple[str, ...] = ()
        self.out: frozenset[str] = frozenset()
        thumbnails.arrived.connect(self._redraw)

    def show_page(self, root: Path, paths: Sequence[str], out: Collection[str]) -> None:
        """Show these pictures."""
        self.beginResetModel()
        self._root, self.paths, self.out = root, tuple(paths), frozenset(out)
        self.endResetModel()
        self._thumbnails.want([self.place(path) for path in self.paths])

    def place(self, path: str) -> str:
        """Return where a picture lies."""
        return str(self._root / path)

    def rowCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of pictures on the page."""
        return 0 if parent.isValid() else len(self.paths)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a picture's name, look and what is said about it."""
        if not index.isValid():
            return None
        path = self.paths[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return PurePath(path).name
        if role == Qt.ItemDataRole.DecorationRole:
            return QIcon(self._look(path))
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            out = self.tr("{path}, left out") if path in self.out else "{path}"
            said = out.format(path=path)
            return as_written(said) if role == Qt.ItemDataRole.ToolTipRole else said
        if role == Qt.ItemDataRole.ForegroundRole and path in self.out:
            return QColor(current_theme().muted)
        return None

    def _look(self, path: str) -> QPixmap:
        found = self._thumbnails.get(self.place(path))
        theme, out = current_theme(), path in self.out
        canvas = QPixmap(SIDE, SIDE)
        canvas.fill(QColor(theme.raised) if found is None or found.isNull() else QColor(0, 0, 0, 0))
        painter = QPainter(canvas)
        if found is not None and not found.isNull():
            painter.setOpacity(0.3 if out else 1.0)
            painter.drawImage((SIDE - found.width()) // 2, (SIDE - found.height()) // 2, found)
            painter.setOpacity(1.0)
        middle = Qt.AlignmentFlag.AlignCenter
        if out:
            painter.setPen(QColor(theme.bad))
            painter.drawText(canvas.rect(), middle, self.tr("left out"))
        elif isinstance(found, QImage) and found.isNull():
            painter.setPen(QColor(theme.muted))
            painter.drawText(canvas.rect(), middle, self.tr("no preview"))
        painter.end()
        return canvas

    def _redraw(self, place: str) -> None:
        for row, path in enumerate(self.paths):
            if self.place(path) == place:
                self.dataChanged.emit(self.index(row), self.index(row))


class Gallery(QWidget):
    """Pages through a class. `chosen_out` names the pictures that are to be left out from now on."""

    chosen_out = Signal(set)  # of this class

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.thumbnails = Thumbnails(self)
        self.model = PageModel(self.thumbnails, self)
        self._paths: tuple[str, ...] = ()
        self._root = Path()
        self._out: frozenset[str] = frozenset()
        self.page = 0
        self.view = QListView(self)
        self.view.setObjectName("gallery")
        self.view.setModel(self.model)
        self._dress()
        self.title = QLabel(self)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setProperty("heading", "true")
        self.where = QLabel(self)
        self.where.setTextFormat(Qt.TextFormat.PlainText)
        self.where.setProperty("muted", "true")
        self.back = self._turner("‹", self.tr("Previous page"), self.turn_back)
        self.forth = self._turner("›", self.tr("Next page"), self.turn_forth)
        self.out_button = QPushButton(self.tr("Leave out"), self)
        self.out_button.setToolTip(
            self.tr("Leave the chosen pictures out, or take them back (Del)")
        )
        self.out_button.setShortcut("Del")
        self.out_button.clicked.connect(self.toggle_chosen)
        self.reveal_button = QPushButton(self.tr("Reveal in folder"), self)
        self.reveal_button.clicked.connect(self._reveal)
        self._arrange()
        self.view.selectionModel().selectionChanged.connect(self._refresh)
        self._refresh()

    def show_class(
        self, title: str, root: Path, paths: Sequence[str], out: Collection[str]
    ) -> None:
        """Show a class, on the same page if it is shown already."""
        if tuple(paths) != self._paths or root != self._root:
            self.page = 0
        self._root, self._paths, self._out = root, tuple(paths), frozenset(out)
        self.title.setText(title)
        self._show_page()

    def pages(self) -> int:
        """Return how many pages there are, at least one."""
        return max(1, -(-len(self._paths) // PAGE))

    def turn_back(self) -> None:
        """Show the page before."""
        self._turn(-1)

    def turn_forth(self) -> None:
        """Show the next page."""
        self._turn(1)

    def chosen(self) -> set[str]:
        """Return the chosen pictures of the page."""
        rows = self.view.selectionModel().selectedIndexes()
        return {self.model.paths[index.row()] for index in rows}

    def toggle_chosen(self) -> None:
        """Leave the chosen pictures out; if all of them are, take them back."""
        chosen = self.chosen()
        if chosen:
            back = chosen <= self._out
            self.chosen_out.emit(set(self._out - chosen if back else self._out | chosen))

    def shut_down(self) -> None:
        """End the thread that reads pictures."""
        self.thumbnails.shut_down()

    def _turn(self, by: int) -> None:
        self.page = min(max(self.page + by, 0), self.pages() - 1)
        self._show_page()

    def _show_page(self) -> None:
        start, row = self.page * PAGE, self.view.currentIndex().row()
        before = self.model.paths
        self.model.show_page(self._root, self._paths[start : start + PAGE], self._out)
        if row >= 0 and self.model.paths == before:  # the keyboard stays where it was
            self.view.setCurrentIndex(self.model.index(row))
        self._refresh()

    def _refresh(self) -> None:
        pages, chosen = self.pages(), self.chosen()
        text = self.tr("Page {page} of {pages}")
        self.where.setText(text.format(page=f"{self.page + 1:,}", pages=f"{pages:,}"))
        self.back.setEnabled(self.page > 0)
        self.forth.setEnabled(self.page < pages - 1)
        self.out_button.setEnabled(bool(chosen))
        self.reveal_button.setEnabled(bool(chosen))
        back = bool(chosen) and chosen <= self._out
        self.out_button.setText(self.tr("Take back") if back else self.tr("Leave out"))
        self.out_button.setShortcut("Del")  # a new text drops it

    def _reveal(self) -> None:
        reveal(self._root / min(self.chosen()))

    def _turner(self, text: str, name: str, call: Any) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(call)
        return button

    def _dress(self) -> None:
        self.view.setAccessibleName(self.tr("Pictures of the class"))
        self.view.setViewMode(QListView.ViewMode.IconMode)
        self.view.setIconSize(QSize(SIDE, SIDE))
        line = self.fontMetrics().height()
        self.view.setGridSize(QSize(SIDE + 16, SIDE + line + 12))
        self.view.setResizeMode(QListView.ResizeMode.Adjust)
        self.view.setMovement(QListView.Movement.Static)
        self.view.setUniformItemSizes(True)
        self.view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)

    def _arrange(self) -> None:
        foot = QHBoxLayout()
        for widget in (self.back, self.where, self.forth):
            foot.addWidget(widget)
        foot.addStretch(1)
        foot.addWidget(self.reveal_button)
        foot.addWidget(self.out_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.view, 1)
        column.addLayout(foot)
