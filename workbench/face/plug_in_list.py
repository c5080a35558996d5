"""The list of plug-ins: what each brings, where it lies, how it fares and why; to load it, or switch it off."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QBrush, QColor, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.face.box_help import let_f1_help
from workbench.face.theme import current_theme
from workbench.face.words import as_written
from workbench.session import Session
from workbench.session.plug_ins import FAILED, LEFT_OUT, LOADED, NEW, OFF, WARNING, Entry

_NAME = Qt.ItemDataRole.UserRole


class PlugInList(QDialog):
    """One row a plug-in; the sentence about the chosen one stands below, with what can be done."""

    load_requested = Signal(str)
    switched = Signal(str, bool)

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        let_f1_help(self, "plugins")
        self._plug_ins = session.plug_ins
        self._folder = session.home / "plugins"
        self.setWindowTitle(self.tr("Plug-ins"))
        self.resize(820, 440)
        self.tree = self._made_tree()
        self.about = QPlainTextEdit(self)
        self.about.setReadOnly(True)
        self.about.setTabChangesFocus(True)
        self.about.setAccessibleName(self.tr("About the chosen plug-in"))
        self.about.setFixedHeight(6 * self.fontMetrics().height())
        self.empty = QLabel(
            self.tr("There are no plug-ins. Put a Python file into the folder."), self
        )
        warning = QLabel(self.tr(WARNING) + " " + self.tr("Switching off takes effect at the next start."), self)  # fmt: skip
        for label in (self.empty, warning):
            label.setProperty("muted", "true")
            label.setWordWrap(True)
        column = QVBoxLayout(self)
        for widget in (self.empty, self.tree, self.about, warning):
            column.addWidget(widget, 1 if widget is self.tree else 0)
        column.addLayout(self._made_buttons())
        self.refresh()

    def refresh(self) -> None:
        """Show the plug-ins as they are now; the chosen row stays chosen."""
        chosen = self.chosen()
        self.tree.clear()
        for entry in self._plug_ins.entries:
            self._add(entry)
        self.empty.setVisible(not self._plug_ins.entries)
        names = [entry.name for entry in self._plug_ins.entries]
        row = names.index(chosen.name) if chosen is not None else 0
        item = self.tree.topLevelItem(row)
        if item is not None:
            self.tree.setCurrentItem(item)
        self._show_chosen()

    def chosen(self) -> Entry | None:
        """Return the entry of the chosen row, if there is one."""
        item = self.tree.currentItem()
        return self._plug_ins.loaded.entry(item.data(0, _NAME)) if item is not None else None

    def choose(self, name: str) -> None:
        """Choose the row of this plug-in."""
        for row in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(row)
            if item is not None and item.data(0, _NAME) == name:
                self.tree.setCurrentItem(item)

    def state_text(self, entry: Entry) -> str:
        """Return in a few words how a plug-in fares."""
        texts = {
            LOADED: self.tr("on"), FAILED: self.tr("✕ failed"), NEW: self.tr("new, not run"),
            OFF: self.tr("off"), LEFT_OUT: self.tr("left out of this start"),
        }  # fmt: skip
        if entry.state == LOADED and self._plug_ins.is_off(entry.name):
            return self.tr("off from the next start")
        return texts[entry.state]

    def copy(self) -> None:
        """Put what is known of the chosen plug-in on the clipboard, with its traceback."""
        QGuiApplication.clipboard().setText(self.about.toPlainText())

    def open_folder(self) -> None:
        """Show the folder of the chosen file, else the user's own, in the file manager."""
        entry = self.chosen()
        is_file = entry is not None and bool(entry.source.digest)
        folder = entry.source.folder if entry is not None and is_file else self._folder
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _add(self, entry: Entry) -> None:
        brings = ", ".join(self._thing(kind, name) for kind, name in entry.brings)
        texts = [entry.name, entry.version, brings, self.state_text(entry), entry.source.place]
        item = QTreeWidgetItem(texts)
        item.setData(0, _NAME, entry.name)
        for place, text in enumerate(texts):
            item.setToolTip(place, as_written(text))
        if entry.state == FAILED:
            for place in (0, 3):
                item.setForeground(place, QBrush(QColor(current_theme().bad)))
        self.tree.addTopLevelItem(item)

    def _thing(self, kind: str, name: str) -> str:
        words = {
            "backbone": self.tr("backbone {name}"), "method": self.tr("method {name}"),
            "dataset": self.tr("data set {name}"), "measure": self.tr("measure {name}"),
            "exporter": self.tr("exporter {name}"), "panel": self.tr("panel {name}"),
        }  # fmt: skip
        return words[kind].format(name=name)

    def _show_chosen(self) -> None:
        entry = self.chosen()
        lines = []
        if entry is not None:
            reason = entry.problem or self._explained(entry)
            lines = [reason, entry.source.place, entry.detail]
        self.about.setPlainText("\n".join(line for line in lines if line))
        state = entry.state if entry is not None else ""
        off = entry is not None and self._plug_ins.is_off(entry.name)
        self.load_button.setVisible(state == NEW)
        self.switch_button.setEnabled(entry is not None)
        self.switch_button.setText(self.tr("Switch on") if off else self.tr("Switch off"))
        self.copy_button.setEnabled(entry is not None)

    def _explained(self, entry: Entry) -> str:
        if entry.state == NEW:
            return self.tr("'{name}' was not seen before with this content, so it was not run.").format(name=entry.name)  # fmt: skip
        if entry.state == LOADED and not entry.brings:
            return self.tr("'{name}' was run, and brings nothing.").format(name=entry.name)
        return f"{entry.name}: {self.state_text(entry)}."

    def _made_tree(self) -> QTreeWidget:
        tree = QTreeWidget(self)
        tree.setAccessibleName(self.tr("Plug-ins"))
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        tree.setHeaderLabels(
            [self.tr("Name"), self.tr("Version"), self.tr("Brings"), self.tr("State"), self.tr("From")]
        )  # fmt: skip
        header = tree.header()
        for place, width in enumerate((170, 70, 210, 150)):
            header.resizeSection(place, width)
        header.setSectionResizeMode(4, QHeaderView.ResizeMode.Stretch)
        tree.currentItemChanged.connect(self._show_chosen)
        return tree

    def _made_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.load_button = QPushButton(self.tr("Load…"), self)
        self.load_button.clicked.connect(self._ask_to_load)
        self.switch_button = QPushButton(self.tr("Switch off"), self)
        self.switch_button.clicked.connect(self._switch)
        folder = QPushButton(self.tr("Open folder"), self)
        folder.clicked.connect(self.open_folder)
        self.copy_button = QPushButton(self.tr("Copy"), self)
        self.copy_button.clicked.connect(self.copy)
        close = QPushButton(self.tr("Close"), self)
        close.setDefault(True)
        close.clicked.connect(self.close)
        for button in (self.load_button, self.switch_button, folder, self.copy_button):
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(close)
        return row

    def _ask_to_load(self) -> None:
        entry = self.chosen()
        if entry is not None:
            self.load_requested.emit(entry.name)

    def _switch(self) -> None:
        entry = self.chosen()
        if entry is not None:
            self.switched.emit(entry.name, self._plug_ins.is_off(entry.name))
