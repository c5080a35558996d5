"""What this program is, which keys it listens to, and which versions it runs with."""

import os

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHeaderView,
    QLineEdit,
    QMenuBar,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workbench.face.actions import Command
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.messages import DetailBox
from workbench.face.palette import WordFilter, actions_of
from workbench.paths import has_gpu_driver

_SEARCHED = 257  # Qt.ItemDataRole.UserRole + 1


def keys_of(bar: QMenuBar) -> list[tuple[str, str, str]]:
    """Return keys, command and place in the menus of every command that has keys."""
    rows = []
    for way, action in actions_of(bar):
        keys = [
            keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in action.shortcuts()
        ]
        if keys:
            rows.append((", ".join(keys), action.text().rstrip("…"), way))
    return rows


class KeysBox(QDialog):
    """The list of keys, with a line that searches it."""

    def __init__(self, bar: QMenuBar, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.resize(min(620, parent.width() - 60), min(560, parent.height() - 60))
        self.model = QStandardItemModel(0, 3, self)
        titles = [self.tr("Keys"), self.tr("What they do"), self.tr("Where")]
        self.model.setHorizontalHeaderLabels(titles)
        for row in (*keys_of(bar), *self._others()):
            items = [QStandardItem(text) for text in row]
            items[0].setData(" ".join(row), _SEARCHED)
            self.model.appendRow(items)
        self.filter = WordFilter(self)
        self.filter.words_role = _SEARCHED
        self.filter.setSourceModel(self.model)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search keys and commands"))
        self.search.setAccessibleName(self.tr("Search keys and commands"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.filter.set_text)
        column = QVBoxLayout(self)
        column.addWidget(self.search)
        column.addWidget(self._table())

    def _others(self) -> list[tuple[str, str, str]]:
        """Return the keys that no menu of the window shows, by the place where they work."""
        runs, plots, cells = self.tr("Runs"), self.tr("Plots"), self.tr("Maps and bars")
        drawings, queue, everywhere = self.tr("Drawings"), self.tr("Queue"), self.tr("Everywhere")
        return [
            (self.tr("Space"), self.tr("Tick the chosen run"), runs),
            (self.tr("Enter"), self.tr("Replay the chosen run, open or close a group"), runs),
            (self.tr("Home"), self.tr("Fit"), plots),
            ("+, -", self.tr("Zoom in, zoom out"), plots),
            (self.tr("Left, Right"), self.tr("Move left, move right"), plots),
            (self.tr("PgUp, PgDown"), self.tr("Previous task, next task"), plots),
            ("L", self.tr("Logarithmic"), plots),
            ("Ctrl+T", self.tr("Show as table"), drawings),
            ("Ctrl+Shift+C", self.tr("Copy picture"), drawings),
            (self.tr("Arrows"), self.tr("Walk over the cells"), cells),
            (self.tr("Enter"), self.tr("Open the cell"), cells),
            (
                self.tr("Enter"),
                self.tr("Open the picture in Try it"),
                self.tr("Pictures of Results"),
            ),
            ("Del", self.tr("Leave the chosen pictures out"), self.tr("Pictures of a class")),
            (self.tr("Alt+Up, Alt+Down"), self.tr("Earlier, later"), queue),
            ("Del", self.tr("Remove from the queue"), queue),
            ("F2", self.tr("Rename"), queue),
            (self.tr("Tab"), self.tr("Next control"), everywhere),
            (self.tr("Esc"), self.tr("Close a box or a list; never stops a run"), everywhere),
        ]

    def _table(self) -> QTableView:
        table = QTableView(self)
        table.setModel(self.filter)
        table.setAccessibleName(self.tr("Keyboard shortcuts"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        return table


class About(Feature):
    """The list of keys, and the box that says what this is."""

    commands = (
        Command("keys", "Help", "Keyboard shortcuts…", ("Ctrl+/",), help="Every key the window listens to"),
        Command("about", "Help", "About…", apart=True, help="What this is, versions and places"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.box: QDialog | None = None
        desk.versions_wanted.connect(self.about)

    def keys(self) -> None:
        """Show the list of keys."""
        bar = self.desk.window.findChild(QMenuBar)
        if bar is not None:
            self.box = KeysBox(bar, self.desk.window)
            self.box.show()

    def about(self) -> None:
        """Say what this is, where it keeps things, and all versions."""
        sentence = self.tr(
            "NTK-CL workbench: drop folders, watch a frozen Vision Transformer learn task after "
            "task with small adapters, and take them away. Everything stays on this computer; "
            "nothing is sent anywhere, and nothing is fetched without a click."
        )
        home = self.desk.session.home
        gpu = self.tr("an NVIDIA driver") if has_gpu_driver() else self.tr("no NVIDIA driver")
        cores = self.tr("{cores} processor cores").format(cores=os.cpu_count())
        lines: tuple[str, ...] = (
            self.tr("log: {path}").format(path=home / "workbench.db"),
            self.tr("runs: {path}").format(path=home / "runs"),
            self.tr("weights: {path}").format(path=home / "weights"),
            self.tr("hardware: {cores}, {gpu}").format(cores=cores, gpu=gpu),
        )
        plug_ins = self.desk.session.plug_ins.facts().items()
        lines += tuple(f"{name} {line}" for name, line in plug_ins)
        box = DetailBox(sentence, "\n".join(lines) + "\n", home, self.desk.window)
        box.details_button.click()
        self.box = box
        box.open()
