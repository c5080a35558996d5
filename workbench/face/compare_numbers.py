"""The last numbers of compared runs: one of them as bars, all of them in the table beside."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QScrollArea,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.face.bars import LEVELS, SIGNS, Bar, Bars, number_text
from workbench.face.compare_lines import Drawn
from workbench.face.drawing import DrawingPanel
from workbench.face.plot_file import SIZE, laid_out
from workbench.face.theme import LIGHT, current_theme
from workbench.face.words import as_written
from workbench.session.compare import Comparison, FinalNumber

_ROW = 18  # pixels that a bar needs
_HIGH = 30  # pixels of a bar in a figure


def made_table(parent: QWidget, name: str) -> QTableWidget:
    """Return an empty table to read and copy from."""
    table = QTableWidget(parent)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    table.setWordWrap(False)
    table.verticalHeader().setMaximumWidth(36 * table.fontMetrics().averageCharWidth())
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
    table.setAccessibleName(name)
    return table


def size_table(table: QTableWidget, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Empty a table and name its rows and columns."""
    table.clear()
    table.setRowCount(len(rows))
    table.setColumnCount(len(columns))
    table.setVerticalHeaderLabels(list(rows))
    table.setHorizontalHeaderLabels(list(columns))
    for row, label in enumerate(rows):  # a long one is cut
        table.verticalHeaderItem(row).setToolTip(as_written(label))


class NumbersPanel(QWidget):
    """Bars of the number that is chosen in the list, or by its row in the table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparison = Comparison()
        self._drawn: list[Drawn] = []
        self._wanted = ""  # the number last chosen by hand
        self.table = made_table(self, self.tr("Last numbers of the compared runs"))
        self.choice = QComboBox(self)
        self.choice.setAccessibleName(self.tr("Which number the bars show"))
        self.choice.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.choice.setMinimumContentsLength(14)
        self.chart = DrawingPanel(self.tr("Final numbers"), self)
        self.chart.setMinimumSize(120, 60)
        self.chart.hide_title(still_painted=True)
        self.chart.header.insertWidget(0, self.choice)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self.chart)
        self.split = QSplitter(Qt.Orientation.Vertical, self)
        self.split.setChildrenCollapsible(False)
        for widget in (self._scroll, self.table):
            self.split.addWidget(widget)
        self.split.setSizes([200, 300])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.split)
        self.choice.activated.connect(self._chosen)
        self.choice.currentIndexChanged.connect(self._show_bars)
        self.table.currentCellChanged.connect(self._row_chosen)

    def show_numbers(self, comparison: Comparison, drawn: Sequence[Drawn]) -> None:
        """Show the numbers of these runs and groups; the number chosen before stays if it is there."""
        self._comparison, self._drawn = comparison, list(drawn)
        self.choice.blockSignals(True)
        self.choice.clear()
        for number in comparison.numbers:
            self.choice.addItem(number.label, number.name)
        self.choice.setCurrentIndex(max(self.choice.findData(self._wanted), 0))
        self.choice.blockSignals(False)
        self._fill_table()
        self._show_bars()

    def bars(self, number: FinalNumber) -> Bars:
        """Return one number of every run or group as bars."""
        baseline = self._comparison.baseline
        line = number.values[baseline] if baseline >= 0 else None
        bars = tuple(
            Bar(each.label, self._values(number, each), self._verdict(number, each))
            for each in self._drawn
        )
        return Bars(number.label, bars, number.share, self.tr("not recorded"), line)

    def figure(self) -> DrawingPanel | None:
        """Return the bars that are seen as a light figure of its own size; None where there are none."""
        bars = self.chart.drawing
        if not isinstance(bars, Bars):
            return None
        panel = DrawingPanel(bars.measure, theme=LIGHT)
        panel.show_drawing(bars, "", empty="")
        laid_out(panel, QSize(SIZE.width(), 60 + _HIGH * len(bars.bars)))
        return panel

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the table below the bars where there is height for both, else beside them."""
        tall = 2 * self.height() >= self.width()
        wanted = Qt.Orientation.Vertical if tall else Qt.Orientation.Horizontal
        if wanted != self.split.orientation():
            self.split.setOrientation(wanted)
            self.split.setSizes([200, 300])
        super().resizeEvent(event)

    def _chosen(self) -> None:
        self._wanted = str(self.choice.currentData() or "")

    def _row_chosen(self, row: int) -> None:
        if row >= 0:
            self.choice.setCurrentIndex(row)
            self._chosen()

    def _show_bars(self) -> None:
        place = self.choice.currentIndex()
        empty = self.tr("Not recorded by these runs")
        if not 0 <= place < len(self._comparison.numbers):
            self.chart.show_drawing(None, empty, empty=empty)
            return
        bars = self.bars(self._comparison.numbers[place])
        self.chart.set_title(bars.measure)
        said = "; ".join(f"{bar.label} {bars.text(bar)}" for bar in bars.bars)
        self.chart.show_drawing(bars, f"{bars.measure}: {said}", empty=empty)
        self.chart.view.setMinimumHeight(_ROW * len(bars.bars))

    def _places(self, drawn: Drawn) -> list[int]:
        places = {run.id: place for place, run in enumerate(self._comparison.runs)}
        return [places[run] for run in drawn.members]

    def _values(self, number: FinalNumber, drawn: Drawn) -> tuple[float, ...]:
        values = (number.values[place] for place in self._places(drawn))
        return tuple(value for value in values if value is not None)

    def _verdict(self, number: FinalNumber, drawn: Drawn) -> str:
        places = self._places(drawn)
        if places == [self._comparison.baseline]:
            return "baseline"
        return number.verdict_of_mean(places, self._comparison.baseline)

    def _fill_table(self) -> None:
        numbers = self._comparison.numbers
        labels = [each.label for each in self._drawn]
        self.table.blockSignals(True)
        size_table(self.table, [each.label for each in numbers], labels)
        self.table.blockSignals(False)
        for row, number in enumerate(numbers):
            for column, drawn in enumerate(self._drawn):
                self.table.setItem(row, column, self._item(number, drawn))
        self.table.resizeColumnsToContents()

    def _item(self, number: FinalNumber, drawn: Drawn) -> QTableWidgetItem:
        values = self._values(number, drawn)
        if not values:
            return QTableWidgetItem(self.tr("not recorded"))
        verdict = self._verdict(number, drawn)
        item = QTableWidgetItem(number_text(values, share=number.share))
        if verdict in SIGNS:
            item.setText(f"{SIGNS[verdict]} {item.text()}")
            item.setForeground(QColor(getattr(current_theme(), LEVELS[verdict])))
        item.setToolTip(f"{number.label}\n{self._told(verdict, len(values)) or item.text()}")
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return item

    def _told(self, verdict: str, members: int) -> str:
        words = {
            "better": self.tr("better than the baseline"),
            "worse": self.tr("worse than the baseline"),
            "equal": self.tr("equal to the baseline"),
            "baseline": self.tr("the baseline"),
        }
        if members > 1 and verdict:
            return self.tr("the mean is {verdict}").format(verdict=words[verdict])
        return words.get(verdict, "")
