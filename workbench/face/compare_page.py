"""The tab Compare: ticked runs' curves over each other, and beside them what differs and the last numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from workbench.face.compare_lines import CHOICES, Drawn, draw
from workbench.face.filter_bar import fill_groups
from workbench.face.messages import Strips
from workbench.face.plot import LivePlot
from workbench.face.plot_file import write_panel
from workbench.face.record import RunRecord
from workbench.face.theme import current_theme
from workbench.face.views import VIEWS, explanation
from workbench.session.compare import Comparison, Difference, FinalNumber
from workbench.session.table import spread_of

_BESIDE = 720  # pixels of width from which tables lie beside the curves
_SIGNS = {"better": "▲", "worse": "▼", "equal": "="}
_LEVELS = {"better": "good", "worse": "bad", "equal": "muted"}


class ComparePlot(QFrame):
    """One pair of axes with a list of what it may show."""

    chosen = Signal()

    def __init__(self, view: str, memory: QSettings, place: int) -> None:
        super().__init__()
        self.setProperty("card", "true")
        self._memory, self._key = memory, f"compare/plot{place}"
        self.choice = QComboBox(self)
        self.choice.setAccessibleName(self.tr("What this plot compares"))
        for key in CHOICES:
            self.choice.addItem(self.tr(VIEWS[key].title), key)
        self.choice.setCurrentIndex(self.choice.findData(str(memory.value(self._key, view))))
        self.plot = LivePlot(VIEWS[view].title, parent=self)
        self.plot.header.insertWidget(0, self.choice)
        self.plot.hide_title(still_painted=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(self.plot)
        self.choice.currentIndexChanged.connect(self._chosen)

    @property
    def view(self) -> str:
        """The key of the view shown."""
        return str(self.choice.currentData() or CHOICES[0])

    def show_runs(
        self, drawn: Sequence[Drawn], records: Mapping[str, RunRecord], *, by_task: bool
    ) -> None:
        """Draw the runs' curves of this view."""
        view = VIEWS[self.view]
        self.plot.set_title(self.tr(view.title))
        self.plot.set_y(view.y)
        self.plot.set_x_label(self.tr("tasks learnt") if by_task else self.tr("step"))
        self.plot.set_empty_text(self.tr("Not recorded by these runs"))
        self.plot.setToolTip(explanation(view))
        draw(
            self.plot,
            self.view,
            drawn,
            records,
            by_task=by_task,
            absent=self.tr("{run}: not recorded"),
        )
        names = ", ".join(each.label for each in drawn)
        self.plot.set_summary(self.tr("{plot} of {runs}").format(plot=view.title, runs=names))
        self.plot.fit()

    def _chosen(self) -> None:
        self._memory.setValue(self._key, self.view)
        self.chosen.emit()


class ComparePage(QWidget):
    """Curves on one side, tables on the other; a strip where runs cannot be compared as they are."""

    group_changed = Signal(str)
    export_requested = Signal()

    def __init__(self, memory: QSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("page", "compare")
        self._drawn: list[Drawn] = []
        self._records: dict[str, RunRecord] = {}
        self.comparison = Comparison()
        self.strips = Strips(self)
        self.empty = QLabel(self.tr("Tick two or more runs below."), self)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("muted", "true")
        self.groups = QComboBox(self)
        self.groups.setAccessibleName(self.tr("Group compared runs by"))
        fill_groups(self.groups, self.tr("Each run"), self.tr("Group by {setting}"))
        self.groups.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.groups.setMinimumContentsLength(16)
        self.axis = QComboBox(self)
        self.axis.setAccessibleName(self.tr("What the compared curves run over"))
        self.axis.addItem(self.tr("over tasks"), "task")
        self.axis.addItem(self.tr("over steps"), "step")
        self.export = QPushButton(self.tr("Export…"), self)
        self.export.setToolTip(
            self.tr("Numbers and differences as CSV, curves as PNG, SVG and PDF")
        )
        self.told = QLabel(self)
        self.told.setProperty("muted", "true")
        self.plots = [ComparePlot(v, memory, i) for i, v in enumerate(("accuracy", "forgetting"))]
        self.numbers, self.differences = self._made_table(), self._made_table()
        self.numbers.setAccessibleName(self.tr("Last numbers of the compared runs"))
        self.differences.setAccessibleName(self.tr("Settings that differ"))
        self._arrange()
        self.groups.currentIndexChanged.connect(self._grouped)
        self.axis.currentIndexChanged.connect(self.redraw)
        self.export.clicked.connect(self.export_requested)
        for plot in self.plots:
            plot.chosen.connect(self.redraw)
        self.show_nothing()

    def show_nothing(self) -> None:
        """Say that two runs are needed."""
        self._drawn, self.comparison = [], Comparison()
        self._stack.setCurrentIndex(0)
        for subject in ("pictures", "many"):
            self.strips.clear_strip(subject)

    def show_comparison(
        self,
        comparison: Comparison,
        drawn: Sequence[Drawn],
        records: Mapping[str, RunRecord],
        all_ticked: int,
    ) -> None:
        """Show runs side by side; `all_ticked` may be more than are shown."""
        self.comparison, self._drawn, self._records = comparison, list(drawn), dict(records)
        self._stack.setCurrentIndex(1)
        self.redraw()
        self._fill_numbers()
        self._fill_differences()
        self._warn(all_ticked)
        pinned = comparison.runs[comparison.baseline].name if comparison.baseline >= 0 else ""
        text = self.tr("▲ better, ▼ worse than {run}").format(run=pinned)
        self.told.setText(
            text if pinned else self.tr("No baseline pinned among these (B in the table pins one)")
        )

    def redraw(self) -> None:
        """Draw the curves anew."""
        for plot in self.plots:
            plot.show_runs(self._drawn, self._records, by_task=self.axis.currentData() == "task")

    def save_plots(self, folder: Path) -> list[Path]:
        """Write what the plots show, as seen, into a folder; return the files."""
        files = []
        title = ", ".join(each.label for each in self._drawn)
        for plot in self.plots:
            for ending in ("png", "svg", "pdf"):
                files.append(folder / f"{plot.view}.{ending}")
                write_panel(files[-1], plot.plot, title, plot.plot.theme)
        return files

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the tables beside the curves where there is room, else below."""
        wide = self.width() >= _BESIDE
        self._split.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)
        self._curves.setOrientation(Qt.Orientation.Vertical if wide else Qt.Orientation.Horizontal)
        super().resizeEvent(event)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        for widget in (self.groups, self.axis):
            head.addWidget(widget)
        head.addWidget(self.told, 1)
        head.addWidget(self.export)
        self.told.setMinimumWidth(40)
        self._curves = QSplitter(Qt.Orientation.Vertical)
        for plot in self.plots:
            self._curves.addWidget(plot)
        self.tables = QTabWidget()
        self.tables.setDocumentMode(True)
        self.tables.tabBar().setDrawBase(False)
        self.tables.addTab(self.differences, self.tr("What differs"))
        self.tables.addTab(self.numbers, self.tr("Final numbers"))
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(self._curves)
        self._split.addWidget(self.tables)
        self._split.setStretchFactor(0, 3)
        self._split.setStretchFactor(1, 2)
        for splitter in (self._split, self._curves):
            splitter.setChildrenCollapsible(False)
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(0, 8, 0, 0)
        column.addLayout(head)
        column.addWidget(self._split, 1)
        body = QWidget(self)
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(full)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.strips)
        whole.addWidget(body, 1)

    def _made_table(self) -> QTableWidget:
        table = QTableWidget(self)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setWordWrap(False)
        table.verticalHeader().setMaximumWidth(24 * table.fontMetrics().averageCharWidth())
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
        return table

    def _grouped(self) -> None:
        self.group_changed.emit(self.groups.currentData() or "")

    def _warn(self, all_ticked: int) -> None:
        shown = len(self.comparison.runs)
        self.strips.clear_strip("many")
        self.strips.clear_strip("pictures")
        if all_ticked > shown:
            text = self.tr("Showing the {shown} newest of {ticked} ticked.")
            self.strips.show_strip("many", text.format(shown=shown, ticked=all_ticked), "info")
        if not self.comparison.comparable:
            text = self.tr(
                "These runs used different test pictures; their accuracies cannot be compared directly."
            )
            answer = (self.tr("Show difference"), self._show_pictures)
            self.strips.show_strip("pictures", text, "warning", [answer])
        elif self.comparison.split_differs:
            text = self.tr(
                "These runs draw their test part differently; where a folder brings none of its own, "
                "they were tested on different pictures."
            )
            self.strips.show_strip("pictures", text, "info")

    def _show_pictures(self) -> None:
        self.tables.setCurrentWidget(self.differences)
        row = next(i for i, each in enumerate(self._rows()) if each in self.comparison.pictures)
        self.differences.selectRow(row)
        self.differences.scrollTo(self.differences.model().index(row, 0))

    def _rows(self) -> tuple[Difference, ...]:
        return (*self.comparison.pictures, *self.comparison.differences)

    def _fill_differences(self) -> None:
        rows = self._rows()
        columns = [run.name for run in self.comparison.runs]
        self._size(self.differences, [each.label for each in rows], columns)
        for row, each in enumerate(rows):
            for column, value in enumerate(each.values):
                item = QTableWidgetItem(value)
                item.setToolTip(f"{each.key}: {value}")
                self.differences.setItem(row, column, item)
        self.differences.resizeColumnsToContents()

    def _fill_numbers(self) -> None:
        numbers = self.comparison.numbers
        self._size(self.numbers, [each.label for each in numbers], [d.label for d in self._drawn])
        places = {run.id: place for place, run in enumerate(self.comparison.runs)}
        for row, number in enumerate(numbers):
            for column, drawn in enumerate(self._drawn):
                members = [places[run] for run in drawn.members]
                self.numbers.setItem(row, column, self._number_item(number, members))
        self.numbers.resizeColumnsToContents()

    def _number_item(self, number: FinalNumber, members: Sequence[int]) -> QTableWidgetItem:
        found = [v for place in members if (v := number.values[place]) is not None]
        if not found:
            return QTableWidgetItem(self.tr("not recorded"))
        item = QTableWidgetItem(number_text(found, share=number.share))
        verdict = ""
        if len(members) == 1 and self.comparison.baseline >= 0:
            verdict = number.verdict(members[0], self.comparison.baseline)
        if verdict:
            item.setText(f"{_SIGNS[verdict]} {item.text()}")
            item.setForeground(QColor(getattr(current_theme(), _LEVELS[verdict])))
            item.setToolTip(
                self.tr("{verdict} than the baseline").format(verdict=verdict)
                if verdict != "equal"
                else self.tr("equal to the baseline")
            )
        item.setToolTip(f"{number.label}\n{item.toolTip() or item.text()}")
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return item

    def _size(self, table: QTableWidget, rows: Sequence[str], columns: Sequence[str]) -> None:
        table.clear()
        table.setRowCount(len(rows))
        table.setColumnCount(len(columns))
        table.setVerticalHeaderLabels(list(rows))
        table.setHorizontalHeaderLabels(list(columns))
        for row, label in enumerate(rows):  # a long one is cut
            table.verticalHeaderItem(row).setToolTip(label)


def number_text(values: Sequence[float], *, share: bool) -> str:
    """Return one number, or "mean ± deviation (n = 3)" of several."""
    spread = spread_of(values)
    factor, unit = (100, " %") if share else (1, "")
    mean = f"{factor * spread.mean:.1f}" if share else f"{spread.mean:.4g}"
    if spread.deviation is None:
        return f"{mean}{unit}"
    deviation = f"{factor * spread.deviation:.1f}" if share else f"{spread.deviation:.2g}"
    return f"{mean} ± {deviation}{unit} (n = {spread.count})"
