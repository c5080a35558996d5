"""What every drawing in the window has: a heading, a menu of its own, a table, and words for a screen reader."""

import csv
import io
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QGuiApplication,
    QKeySequence,
    QPainter,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.errors import WorkbenchError
from workbench.face import canvas
from workbench.face.question import Question
from workbench.face.theme import Theme, current_theme

Table = tuple[list[str], list[list[str]]]  # headings, rows
_Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Panel(QWidget):
    """A heading with room for controls at its right, above the drawing that a subclass adds."""

    themed = Signal()  # the colours are others now

    def __init__(
        self, title: str, parent: QWidget | None = None, theme: Theme | None = None
    ) -> None:
        super().__init__(parent)
        self._fixed_theme = theme
        self.question: Question | None = None  # the last one asked
        self._instead = False
        self.theme = theme or current_theme()
        self._heading = QLabel(title, self)
        self._heading.setTextFormat(Qt.TextFormat.PlainText)
        self._heading.setProperty("heading", True)
        self._heading.setMinimumHeight(self.fontMetrics().height() + 10)  # as high as a list beside
        self.header = QHBoxLayout()
        self.header.setSpacing(6)
        self.header.addWidget(self._heading)
        self.header.addStretch(1)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(10, 8, 10, 4)
        self.body.setSpacing(4)
        self.body.addLayout(self.header)
        self._add_actions()
        self.set_title(title)

    def set_title(self, title: str) -> None:
        """Name the drawing, for the eye and for a screen reader."""
        self._heading.setText(title)
        self.setAccessibleName(title)

    def hide_title(self, *, still_painted: bool = False) -> None:
        """Show no heading, as something beside says it already; pictures may still have it."""
        self._heading.hide()
        self._instead = still_painted

    def title(self) -> str:
        """Return the drawing's name."""
        return self._heading.text()

    def set_summary(self, text: str) -> None:
        """Say in one sentence what is to be seen."""
        self.setAccessibleDescription(text)

    @abstractmethod
    def table(self) -> Table:
        """Return the drawing's numbers as headings and rows."""

    def paint(self, painter: QPainter) -> None:
        """Draw heading and drawing on any device, at the panel's own size."""
        if self._heading.isHidden() and not self._instead:
            return
        place = self.header.geometry()
        painter.setFont(self._heading.font())
        painter.setPen(QColor(self.theme.text))
        wide = QRect(place.left(), place.top(), self.width(), place.height())
        painter.drawText(wide, Qt.AlignmentFlag.AlignVCenter, self.title())

    def save_picture(self, path: Path) -> None:
        """Write the drawing to a .png, .svg or .pdf file."""
        canvas.write(path, self.size(), self.theme.base, self.title(), self.paint)

    def take_theme(self, theme: Theme) -> None:
        """Draw in these colours from now on."""
        self.theme = theme
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and self._fixed_theme is None:
            theme = current_theme()
            if theme is not self.theme:
                self.take_theme(theme)
                self.themed.emit()
        super().changeEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.show_menu(event.globalPos())

    def show_menu(self, place: QPoint) -> None:
        """Open the drawing's menu at a place on the screen."""
        menu = self.menu()
        menu.popup(place)

    def menu(self) -> QMenu:
        """Return a new menu of what can be done with the drawing; of an empty one, little."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        menu.addActions(self.actions())
        self._allow(self.has_data())
        menu.aboutToHide.connect(self._allow)  # keys are not held up: data may come any time
        return menu

    def has_data(self) -> bool:
        """Return whether anything is drawn yet."""
        return bool(self.table()[1])

    @Slot()
    def _allow(self, allowed: bool = True) -> None:
        for action in self._of_data:
            action.setEnabled(allowed)
            action.setToolTip(action.text() if allowed else self.tr("No data yet"))
            action.setStatusTip("" if allowed else self.tr("No data yet"))

    def add_action(
        self, text: str, keys: str, slot: object, where: QWidget | None = None
    ) -> QAction:
        """Add to the menu; the keys work while the focus is in this panel, or in `where` alone."""
        action = QAction(text, self)
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(slot)
        (where or self).addAction(action)
        return action

    def _add_actions(self) -> None:
        self._of_data = [
            self.add_action(self.tr("Show as table"), "Ctrl+T", self.show_table),
            self.add_action(self.tr("Copy picture"), "Ctrl+Shift+C", self.copy_picture),
            self.add_action(self.tr("Save picture…"), "", self._ask_where_to_save),
            self.add_action(self.tr("Copy data"), "", self.copy_data),
        ]

    @Slot()
    def show_table(self) -> None:
        """Open the numbers in a window of their own."""
        TableWindow(self.title(), TextModel(self.table(), self), self.tabbed, self).open()

    def tabbed(self) -> str:
        """Return the table as lines of cells with tabs between."""
        return tabbed(self.table())

    @Slot()
    def copy_data(self) -> None:
        """Put the numbers on the clipboard, as spreadsheets take them."""
        QGuiApplication.clipboard().setText(self.tabbed())

    @Slot()
    def copy_picture(self) -> None:
        """Put the drawing on the clipboard as it is seen, at twice the size."""
        image = canvas.image(self.size(), self.theme.base, self.title(), self.paint)
        QGuiApplication.clipboard().setImage(image)

    @Slot()
    def _ask_where_to_save(self) -> None:
        name = self.title().lower().replace(" ", "-") + ".png"
        kinds = self.tr("PNG picture (*.png);;SVG drawing (*.svg);;PDF page (*.pdf)")
        chosen, kind = QFileDialog.getSaveFileName(self, self.tr("Save picture"), name, kinds)
        if not chosen:
            return
        path = Path(chosen)
        if path.suffix.lower().lstrip(".") not in canvas.FORMATS:
            path = path.with_name(path.name + kind[kind.rfind(".") : -1])
        try:
            self.save_picture(path)
        except WorkbenchError as error:
            elsewhere = (self.tr("Choose another place"), self._ask_where_to_save)
            self.question = Question(str(error), [elsewhere], self.window())
            self.question.open()


class TextModel(QAbstractTableModel):
    """A table of text for a table view."""

    def __init__(self, table: Table, parent: QObject) -> None:
        super().__init__(parent)
        self._headings, self._rows = table

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._headings)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._rows[index.row()][index.column()]
        return int(_RIGHT) if role == Qt.ItemDataRole.TextAlignmentRole and index.column() else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        across = orientation == Qt.Orientation.Horizontal
        return self._headings[section] if across and role == Qt.ItemDataRole.DisplayRole else None


class TableWindow(QDialog):
    """Numbers as a table that can be read, selected and copied; `text` says what Copy takes."""

    def __init__(
        self, title: str, model: QAbstractTableModel, text: Callable[[], str], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._text = text
        self.grid = QTableView(self)
        model.setParent(self)
        self.grid.setModel(model)
        self.grid.verticalHeader().hide()
        self.grid.setWordWrap(False)
        self.grid.resizeColumnsToContents()
        self.grid.setAccessibleName(title)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.grid)
        layout.addWidget(buttons)
        self.resize(QSize(640, 420))

    @Slot()
    def _copy(self) -> None:
        QApplication.clipboard().setText(self._text())


def number_grid(title: str, table: Table, parent: QWidget) -> QTableWidget:
    """Return a table that can be read and selected, numbers at the right."""
    headings, rows = table
    grid = QTableWidget(len(rows), len(headings), parent)
    grid.setHorizontalHeaderLabels(headings)
    grid.verticalHeader().hide()
    grid.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    grid.setAccessibleName(title)
    _fill(grid, rows)
    return grid


def tabbed(table: Table) -> str:
    """Return headings and rows as lines of cells with tabs between, as spreadsheets take them."""
    headings, rows = table
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows([headings, *rows])
    return text.getvalue()


def _is_number(text: str) -> bool:
    """Whether a cell holds a number, a spread of numbers or a dash, rather than words."""
    return not any(letter.isalpha() for letter in text) or text in ("nan", "inf")


def _fill(grid: QTableWidget, rows: Sequence[Sequence[str]]) -> None:
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            item = QTableWidgetItem(value)
            if column and _is_number(value):
                item.setTextAlignment(_RIGHT)
            grid.setItem(row, column, item)
