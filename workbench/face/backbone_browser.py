"""A dialog over every backbone there is: find one, read what it is, fetch its weights, use it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workbench.face.backbone_detail import BackboneDetail
from workbench.face.backbone_table import (
    DOWNLOAD,
    HERE,
    INPUT,
    NAME,
    PARAMETERS,
    WORK,
    BackboneFilter,
    BackboneTable,
)
from workbench.face.box_help import let_f1_help
from workbench.face.editors import CalmComboBox
from workbench.face.place import fit
from workbench.report import BackboneFacts
from workbench.session.backbones import Backbones

_BESIDE = 60  # pixels of margins and bars
_NAME = "vit_base_patch16_224.aug"  # so much of a name is always seen
_LIMITS = (0, 10, 25, 100, 350, 1000)  # million parameters; 0 is any


class BackboneBrowser(QDialog):
    """Finds a backbone. Work on weights is asked for by signals and shown when told."""

    used = Signal(str)
    download_wanted = Signal(str)
    file_wanted = Signal(str)
    delete_wanted = Signal(str)
    cancel_wanted = Signal()

    def __init__(self, backbones: Backbones, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        let_f1_help(self, "backbones")
        self.setWindowTitle(self.tr("Backbones"))
        fit(self, 1160, 620)
        self._backbones = backbones
        self._working = ""  # the backbone whose weights are worked on
        self._failures: dict[str, str] = {}
        self.table = BackboneTable(backbones.all())
        self.filter = BackboneFilter(self.table)
        self.detail = BackboneDetail(self)
        self._make_filters()
        self._make_view()
        self._make_buttons()
        self._arrange()
        self._filter_changed()
        self.view.selectRow(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave names their room: what is told beside the table, too, gives way."""
        room = self.width() - self.detail.minimumWidth() - _BESIDE
        room -= self.fontMetrics().horizontalAdvance(_NAME)
        for column in (HERE, WORK, PARAMETERS, DOWNLOAD, INPUT):
            heading = self.view.horizontalHeader().sectionSizeHint(column)
            room -= max(heading, self.view.sizeHintForColumn(column))
            self.view.setColumnHidden(column, room < 0)
        super().resizeEvent(event)

    def choose(self, name: str) -> None:
        """Select a backbone by name."""
        row = self.table.row_of(name.partition("?")[0])
        index = self.filter.mapFromSource(self.table.index(row, NAME)) if row >= 0 else None
        if index is not None and index.isValid():
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index)

    def chosen(self) -> BackboneFacts | None:
        """Return the selected backbone."""
        index = self.view.currentIndex()
        return self.table.facts(self.filter.mapToSource(index).row()) if index.isValid() else None

    def show_progress(self, name: str, text: str, done: int, total: int) -> None:
        """Show how far the work on a backbone's weights is."""
        name = name.partition("?")[0]
        self._working = name
        self._failures.pop(name, None)
        self._refresh()
        facts = self.chosen()
        if facts is not None and facts.name == name:
            self.detail.show_state(text)
            self.detail.bar.setRange(0, total)
            self.detail.bar.setValue(done)

    def show_end(self, name: str, failure: str = "") -> None:
        """Show that the work has ended, and why if it failed."""
        name, self._working = name.partition("?")[0], ""
        self._failures.pop(name, None)
        if failure:
            self._failures[name] = failure
        self.look_again(name)

    def look_again(self, name: str) -> None:
        """Read anew whether a backbone's weights are here."""
        facts = self._backbones.find(name)
        if facts is not None:
            self.table.update(facts)
        self._refresh()

    def _make_filters(self) -> None:
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search: every word, such as dino small"))
        self.search.setAccessibleName(self.tr("Search backbones"))
        self.search.textChanged.connect(self._filter_changed)
        self.only_here = QCheckBox(self.tr("On this computer"), self)
        self.only_here.toggled.connect(self._filter_changed)
        self.limit = CalmComboBox(self)
        self.limit.setAccessibleName(self.tr("Parameters up to"))
        for millions in _LIMITS:
            text = self.tr("Up to {millions} M").format(millions=millions)
            self.limit.addItem(text if millions else self.tr("Any size"), millions * 10**6)
        self.side = CalmComboBox(self)
        self.side.setAccessibleName(self.tr("Input size"))
        self.side.addItem(self.tr("Any input"), 0)
        for side in self.table.sizes():
            self.side.addItem(self.tr("{side} px").format(side=side), side)
        for box in (self.limit, self.side):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            box.currentIndexChanged.connect(self._filter_changed)
        self.count = QLabel(self)
        self.count.setTextFormat(Qt.TextFormat.PlainText)
        self.count.setProperty("muted", "true")

    def _make_view(self) -> None:
        self.view = QTableView(self)
        self.view.setModel(self.filter)
        self.view.setSortingEnabled(True)
        self.view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)  # the short list first
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setShowGrid(False)
        self.view.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # tags tell names apart
        self.view.setAccessibleName(self.tr("Backbones"))
        self.view.setTabKeyNavigation(False)
        self.view.verticalHeader().hide()
        header = self.view.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setStretchLastSection(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.view.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.view.selectionModel().currentRowChanged.connect(self._row_changed)
        self.view.doubleClicked.connect(self._use)

    def _make_buttons(self) -> None:
        self.use_button = self._button(self.tr("Use"), self._use)
        self.use_button.setObjectName("primary")
        self.use_button.setDefault(True)
        self.download_button = self._button(self.tr("Download"), self._download)
        self.file_button = self._button(self.tr("Choose file…"), self._ask_for_file)
        self.file_button.setToolTip(self.tr("Take the weights from a .safetensors or .pt file"))
        self.path_button = self._button(self.tr("Copy path"), self._copy_path)
        self.path_button.setToolTip(self.tr("Copy where the file is looked for"))
        self.delete_button = self._button(self.tr("Delete from this computer"), self._delete)
        self.cancel_button = self._button(self.tr("Cancel download"), self.cancel_wanted.emit)
        self.close_button = self._button(self.tr("Close"), self.close)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        for widget in (self.limit, self.side, self.only_here):
            top.addWidget(widget)
        grid = QGridLayout()
        buttons = (self.download_button, self.file_button, self.path_button, self.cancel_button)
        for place, button in enumerate(buttons):
            grid.addWidget(button, place // 2, place % 2)
        grid.addWidget(self.delete_button, 2, 0, 1, 2)
        self.detail.column.addLayout(grid)
        middle = QSplitter(Qt.Orientation.Horizontal, self)
        middle.setChildrenCollapsible(False)
        middle.addWidget(self.view)
        middle.addWidget(self.detail)
        middle.setStretchFactor(0, 1)
        middle.setSizes([840, 300])
        foot = QHBoxLayout()
        foot.addWidget(self.count, 1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.use_button)
        column = QVBoxLayout(self)
        column.addLayout(top)
        column.addWidget(middle, 1)
        column.addLayout(foot)

    def _button(self, text: str, call: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.clicked.connect(call)
        return button

    def _filter_changed(self) -> None:
        self.filter.search(self.search.text())
        self.filter.keep(
            only_here=self.only_here.isChecked(), most_parameters=self.limit.currentData(),
            side=self.side.currentData(),
        )  # fmt: skip
        text = self.tr("{shown} of {all} backbones")
        self.count.setText(text.format(shown=self.filter.rowCount(), all=self.table.rowCount()))
        self._refresh()

    def _row_changed(self, now: QModelIndex, before: QModelIndex) -> None:
        self._refresh()

    def _refresh(self) -> None:
        facts = self.chosen()
        self.detail.show_facts(facts)
        working = facts is not None and facts.name == self._working
        failure = self._failures.get(facts.name, "") if facts else ""
        self.detail.bar.setVisible(working)
        if not working:
            self.detail.show_state(failure, "warning" if failure else "none")
        missing = facts is not None and not facts.present
        self.use_button.setEnabled(facts is not None and not working)
        self.download_button.setVisible(missing and bool(facts and facts.hub) and not working)
        self.download_button.setEnabled(not self._working)
        self.download_button.setText(self.tr("Try again") if failure else self.tr("Download"))
        self.file_button.setVisible(missing and not working)
        self.path_button.setVisible(missing and not working)
        self.cancel_button.setVisible(working)
        ours = facts is not None and Path(facts.file).parent == self._backbones.folder
        self.delete_button.setVisible(ours and not working)

    def _use(self) -> None:
        facts = self.chosen()
        if facts is not None:
            self.used.emit(facts.name)

    def _download(self) -> None:
        facts = self.chosen()
        if facts is not None:
            self.download_wanted.emit(facts.name)

    def _ask_for_file(self) -> None:
        facts = self.chosen()
        if facts is not None:
            self.file_wanted.emit(facts.name)

    def _copy_path(self) -> None:
        facts = self.chosen()
        if facts is not None:
            QGuiApplication.clipboard().setText(str(self._backbones.place(facts.name)))

    def _delete(self) -> None:
        facts = self.chosen()
        if facts is not None:
            self.delete_wanted.emit(facts.name)
