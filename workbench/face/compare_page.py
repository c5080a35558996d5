"""The tab Compare: ticked runs' curves over each other, and beside them what differs and the last numbers."""

from collections.abc import Iterator, Mapping, Sequence

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStackedLayout,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from workbench.face.compare_lines import Drawn
from workbench.face.compare_numbers import NumbersPanel, made_table, size_table
from workbench.face.compare_plot import ComparePlot
from workbench.face.compare_words import doubt_of, shown_of
from workbench.face.comparison_report import ComparisonFacts
from workbench.face.filter_bar import fill_groups
from workbench.face.messages import Strips
from workbench.face.panel import Panel
from workbench.face.record import RunRecord
from workbench.face.saving import Rows
from workbench.face.scrolling import upright_area
from workbench.face.smoothing_slider import SmoothingSlider
from workbench.face.words import as_written
from workbench.session.compare import Comparison, Difference

_BESIDE = 720  # pixels of width from which tables lie beside the curves
_LEAST = 170  # height of the curves where the tables are below them


class ComparePage(QWidget):
    """Curves on one side, tables on the other; a strip where runs cannot be compared as they are."""

    group_changed = Signal(str)
    export_requested = Signal()
    report_requested = Signal()

    def __init__(self, memory: QSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("page", "compare")
        self._drawn: list[Drawn] = []
        self._records: dict[str, RunRecord] = {}
        self._ticked = 0  # may be more than are shown
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
        self.smoothed = SmoothingSlider(self)
        self.smoothed.slider.setAccessibleName(self.tr("Smoothing of the compared curves"))
        self.export = QPushButton(self.tr("Export"), self)
        menu = QMenu(self.export)
        menu.setToolTipsVisible(True)
        files = menu.addAction(self.tr("Numbers and plots…"))
        files.setToolTip(self.tr("Numbers and differences as CSV, curves as PNG, SVG and PDF"))
        files.triggered.connect(self.export_requested)
        report = menu.addAction(self.tr("Report…"))
        report.setToolTip(self.tr("Numbers, curves and what differs as one page"))
        report.triggered.connect(self.report_requested)
        self.export.setMenu(menu)
        self.told = QLabel(self)
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.told.setProperty("muted", "true")
        self.told.setWordWrap(True)
        self.plots = [ComparePlot(v, memory, i) for i, v in enumerate(("accuracy", "forgetting"))]
        self.numbers = NumbersPanel(self)
        self.differences = made_table(self, self.tr("Settings that differ"))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter  # as the values are
        self.differences.horizontalHeader().setDefaultAlignment(left)
        self._arrange()
        self.groups.currentIndexChanged.connect(self._grouped)
        self.axis.currentIndexChanged.connect(self.redraw)
        for plot in self.plots:
            plot.chosen.connect(self.redraw)
            plot.plot.themed.connect(self._colour)
            self.smoothed.changed.connect(plot.plot.set_smoothing)
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
        self.numbers.show_numbers(comparison, self._drawn)
        self._fill_differences()
        self._ticked = all_ticked
        self._warn()
        pinned = comparison.runs[comparison.baseline].name if comparison.baseline >= 0 else ""
        text = self.tr("▲ better, ▼ worse than {run}").format(run=pinned)
        self.told.setText(text if pinned else self.tr("B in the table pins a baseline"))

    def redraw(self) -> None:
        """Draw the curves anew."""
        for plot in self.plots:
            plot.show_runs(self._drawn, self._records, by_task=self.by_task)

    def _colour(self) -> None:
        """Draw in the colours of now: lines and verdicts carry theirs with them."""
        self.redraw()
        self.numbers.show_numbers(self.comparison, self._drawn)

    def tables_of(self) -> dict[str, Rows]:
        """Return final numbers and differences with all their digits, by file name."""
        names = [run.name for run in self.comparison.runs]
        numbers = [[each.name, each.better, *each.values] for each in self.comparison.numbers]
        differences = [[row.key, *row.values] for row in self._rows()]
        return {
            "numbers.csv": [["measure", "better", *names], *numbers],
            "differences.csv": [["setting", *names], *differences],
        }

    def figures(self) -> Iterator[tuple[str, Panel]]:
        """Draw what is seen now as light figures, each when it is asked for."""
        drawn, records, by_task = self._drawn, self._records, self.by_task
        for plot in self.plots:
            yield plot.view, plot.figure(drawn, records, by_task=by_task)
        bars = self.numbers.figure()
        if bars is not None:
            yield "bars", bars

    def title(self) -> str:
        """Return what stands below each figure: the names of what is drawn."""
        return ", ".join(each.label for each in self._drawn)

    def facts(self) -> ComparisonFacts:
        """Return what is shown now, for a report."""
        bars = [self.numbers.bars(number) for number in self.comparison.numbers]
        return ComparisonFacts(
            self.comparison, self._drawn, self._records, bars, self.by_task, self._ticked
        )

    @property
    def by_task(self) -> bool:
        """Whether curves run over tasks learnt."""
        return bool(self.axis.currentData() == "task")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the tables beside the curves where there is room, else below."""
        wide = self.width() >= _BESIDE
        self._split.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)
        self._curves.setOrientation(Qt.Orientation.Vertical if wide else Qt.Orientation.Horizontal)
        self._curves.setMinimumHeight(0 if wide else _LEAST)
        super().resizeEvent(event)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        for widget in (self.groups, self.axis, self.smoothed):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.export)
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
        self._split.addWidget(self._with_told())
        self._split.setStretchFactor(0, 3)
        self._split.setStretchFactor(1, 2)
        for splitter in (self._split, self._curves):
            splitter.setChildrenCollapsible(False)
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(0, 8, 0, 0)
        column.addLayout(head)
        column.addWidget(self._scrolled(self._split), 1)
        body = QWidget(self)
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(full)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.strips)
        whole.addWidget(body, 1)

    def _scrolled(self, inner: QWidget) -> QScrollArea:
        """Let a low window scroll rather than press the curves flat."""
        area = upright_area(self)
        area.setWidget(inner)
        return area

    def _with_told(self) -> QWidget:
        """The tables, and below them what their marks mean."""
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.tables, 1)
        column.addWidget(self.told)
        return side

    def _grouped(self) -> None:
        self.group_changed.emit(self.groups.currentData() or "")

    def _warn(self) -> None:
        self.strips.clear_strip("many")
        self.strips.clear_strip("pictures")
        cut = shown_of(len(self.comparison.runs), self._ticked)
        if cut:
            self.strips.show_strip("many", cut, "info")
        text, level = doubt_of(self.comparison)
        answer = [(self.tr("Show difference"), self._show_pictures)]
        if text:
            self.strips.show_strip("pictures", text, level, answer if level == "warning" else ())

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
        size_table(self.differences, [each.label for each in rows], columns)
        for row, each in enumerate(rows):
            for column, value in enumerate(each.values):
                item = QTableWidgetItem(value)
                item.setToolTip(as_written(f"{each.key}: {value}"))
                self.differences.setItem(row, column, item)
        self.differences.resizeColumnsToContents()
