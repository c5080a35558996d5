"""The command palette: type a few letters of any command, press Enter."""

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QModelIndex, QObject, QSortFilterProxyModel, Qt
from PySide6.QtGui import QAction, QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QDialog,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QMenuBar,
    QVBoxLayout,
    QWidget,
)

from workbench.face.actions import Command
from workbench.face.desk import Desk
from workbench.face.feature import Feature

ACTION_ROLE = Qt.ItemDataRole.UserRole + 1
_PASSED_ON = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


def actions_of(bar: QMenuBar) -> Iterator[tuple[str, QAction]]:
    """Yield every command of the menus with its way there, such as "File › Export"."""
    for top in bar.actions():
        menu = top.menu()
        if isinstance(menu, QMenu):
            yield from _below(menu, _plain(menu.title()))


def _below(menu: QMenu, way: str) -> Iterator[tuple[str, QAction]]:
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            yield from _below(inner, f"{way} › {_plain(inner.title())}")
        elif not action.isSeparator():
            yield way, action


def _plain(text: str) -> str:
    return text.replace("&", "").rstrip("…")


class WordFilter(QSortFilterProxyModel):
    """Keeps the rows that hold every word typed, in any order; `words_role` is what is searched."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: list[str] = []
        self.words_role = int(Qt.ItemDataRole.DisplayRole)

    def set_text(self, text: str) -> None:
        """Keep the rows that hold all words of `text`."""
        self._words = text.casefold().split()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:  # type: ignore[override]
        """Return whether the row holds all words."""
        shown = str(self.sourceModel().index(row, 0, parent).data(self.words_role)).casefold()
        return all(word in shown for word in self._words)


class PaletteBox(QDialog):
    """A line to type in over the list of what matches; greyed commands say why they cannot be used."""

    def __init__(self, bar: QMenuBar, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(self.tr("Search commands"))
        self._model = QStandardItemModel(self)
        for way, action in actions_of(bar):
            self._model.appendRow(_row(way, action))
        self.filter = WordFilter(self)
        self.filter.setSourceModel(self._model)
        self.line = QLineEdit(self)
        self.line.setPlaceholderText(self.tr("Search commands"))
        self.line.setAccessibleName(self.tr("Search commands"))
        self.line.setClearButtonEnabled(True)
        self.line.textChanged.connect(self._typed)
        self.line.returnPressed.connect(self._use_current)
        self.line.installEventFilter(self)
        self.list = QListView(self)
        self.list.setModel(self.filter)
        self.list.setAccessibleName(self.tr("Commands found"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.clicked.connect(self._use)
        self.nothing = QLabel(self.tr("No command holds these words."), self)
        self.nothing.setProperty("muted", "true")
        column = QVBoxLayout(self)
        for widget in (self.line, self.list, self.nothing):
            column.addWidget(widget)
        self._typed("")
        self._place(parent)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys walk the list while the line keeps the keyboard."""
        if isinstance(event, QKeyEvent) and event.key() in _PASSED_ON:
            self.list.event(event)
            return True
        return super().eventFilter(watched, event)

    def _typed(self, text: str) -> None:
        self.filter.set_text(text)
        found = self.filter.rowCount() > 0
        self.list.setVisible(found)
        self.nothing.setVisible(not found)
        if found:
            self.list.setCurrentIndex(self.filter.index(0, 0))

    def _use_current(self) -> None:
        if self.list.currentIndex().isValid() and self.filter.rowCount():
            self._use(self.list.currentIndex())

    def _use(self, index: QModelIndex) -> None:
        action = index.data(ACTION_ROLE)
        if action.isEnabled():
            self.close()
            action.trigger()

    def _place(self, parent: QWidget) -> None:
        width = min(560, parent.width() - 40)
        self.resize(width, min(420, parent.height() - 120))
        corner = parent.mapToGlobal(parent.rect().topLeft())
        self.move(corner.x() + (parent.width() - width) // 2, corner.y() + 60)


def _row(way: str, action: QAction) -> QStandardItem:
    keys = action.shortcut().toString()
    text = f"{_plain(action.text())}   ·   {way}"
    item = QStandardItem(f"{text}   ·   {keys}" if keys else text)
    item.setData(action, ACTION_ROLE)
    item.setEnabled(action.isEnabled())
    item.setToolTip(action.toolTip())
    return item


class CommandPalette(Feature):
    """Opens the palette over the window."""

    commands = (
        Command("palette", "Help", "Search commands…", ("Ctrl+K",), help="Find any command by a few letters"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.box: PaletteBox | None = None

    def palette(self) -> None:
        """Show the palette with the keyboard in its line."""
        bar = self.desk.window.findChild(QMenuBar)
        if bar is not None:
            self.box = PaletteBox(bar, self.desk.window)
            self.box.show()
            self.box.line.setFocus()
