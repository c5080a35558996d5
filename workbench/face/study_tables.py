"""Tables of a study: methods on one set of pictures, their ranking, and candidates of settings. No taller than their rows."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem, QWidget

from workbench.face import study_words as words
from workbench.face.bars import LEVELS, SIGNS
from workbench.face.language import say
from workbench.face.saving import Rows
from workbench.face.theme import current_theme
from workbench.face.words import as_written
from workbench.measures import MEASURES
from workbench.session.ledger import cells_of, percent, values_text
from workbench.session.study_choice import Choice
from workbench.session.study_results import DataTable, MethodRow, StudyResults

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
# Of the columns behind a method's name; Δ is the method less the baseline.
METHOD_HEADINGS = ("n", "Ā", "A_T", "F_T", "ΔA_T", "ΔĀ", "floor Ā", "seconds", "numbers kept", "memory")  # fmt: skip
_FINAL, _AVERAGE = 4, 5  # columns of the differences to the baseline


class WholeTable(QTableWidget):
    """A table to read and copy from that shows all of its rows; its first column stays while the others scroll."""

    def __init__(self, name: str, headings: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(0, len(headings), parent)
        self._headings = tuple(headings)
        self.setAccessibleName(name)
        self.setProperty("whole", "true")
        self.setHorizontalHeaderLabels(list(headings))
        self.horizontalHeader().setDefaultAlignment(_RIGHT)
        self.horizontalHeader().setHighlightSections(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        self.verticalHeader().setMaximumWidth(26 * self.fontMetrics().averageCharWidth())
        self.verticalHeader().setDefaultAlignment(_LEFT)
        self.verticalHeader().setHighlightSections(False)

    def fill(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show these cells, each row behind its name; the row chosen before stays chosen."""
        self.setRowCount(len(rows))
        for row, values in enumerate(rows):
            name = QTableWidgetItem(names[row])
            name.setToolTip(as_written(names[row]))
            self.setVerticalHeaderItem(row, name)
            for column, value in enumerate(values):
                item = self.cell(row, column)
                item.setText(value)
                spoken = f"{names[row]}, {self._headings[column]}: {value}"
                item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
        self.resizeColumnsToContents()
        self.fit_height()

    def cell(self, row: int, column: int) -> QTableWidgetItem:
        """Return a cell, made now if it is not there yet."""
        item = self.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            item.setTextAlignment(_RIGHT)
            self.setItem(row, column, item)
        return item

    def fit_height(self) -> None:
        """Be as high as the rows need, with room for the bar that scrolls sideways where it is needed."""
        header = self.horizontalHeader()
        wide = header.length() + self.verticalHeader().sizeHint().width() + 2 > self.width()
        bar = self.horizontalScrollBar().sizeHint().height() if wide else 0
        self.setFixedHeight(header.sizeHint().height() + self.verticalHeader().length() + bar + 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_height()


class MethodsTable(WholeTable):
    """One line a method; a difference that is clear carries a mark besides its colour."""

    def __init__(self, data: str, baseline: str, parent: QWidget | None = None) -> None:
        name = say("Methods on {data}").format(data=data)
        super().__init__(name, METHOD_HEADINGS, parent)
        self.data, self.baseline = data, baseline
        self._methods: list[str] = []
        for column, text in enumerate(_explained(baseline)):
            heading = QTableWidgetItem(METHOD_HEADINGS[column])
            heading.setToolTip(text)
            self.setHorizontalHeaderItem(column, heading)

    def show_rows(self, table: DataTable) -> None:
        """Show what a study has found on this set of pictures."""
        cells = [cells_of(row, self.baseline) for row in table.rows]
        self._methods = [row.method for row in table.rows]
        self.fill(self._methods, [each[1:] for each in cells])
        for place, row in enumerate(table.rows):
            self._mark(place, row)
        self.resizeColumnsToContents()
        self.fit_height()

    def chosen(self) -> str:
        """Return the method whose row is chosen, or an empty string."""
        rows = self.selectionModel().selectedRows()
        return self._methods[rows[0].row()] if rows else ""

    def _mark(self, place: int, row: MethodRow) -> None:
        """Say of both differences whether they are clear; the baseline has none."""
        own = row.method == self.baseline
        for column, pair in ((_FINAL, row.final_difference), (_AVERAGE, row.average_difference)):
            item, found = self.cell(place, column), "" if own else words.verdict(pair)
            said = "" if own else words.verdict_text(pair, self.baseline)
            item.setData(Qt.ItemDataRole.ForegroundRole, None)
            item.setToolTip(as_written(said))
            if found:
                item.setText(f"{SIGNS[found]} {item.text()}")
                item.setForeground(QColor(getattr(current_theme(), LEVELS[found])))
            spoken = item.data(Qt.ItemDataRole.AccessibleTextRole)
            if said:
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{spoken}. {said}")


def ranking_table(parent: QWidget | None = None) -> WholeTable:
    """Return an empty table of ranks."""
    headings = [say("mean rank by A_T"), say("cells"), say("best mean on")]
    return WholeTable(say("Ranking of the methods"), headings, parent)


def ranking_rows(found: StudyResults) -> tuple[list[str], list[list[str]]]:
    """Return the names of the ranked methods, best first, and their cells."""
    of = say("{best} of {sets} sets")
    rows = [
        [f"{each.rank:.2f}", str(each.cells), of.format(best=each.best, sets=len(found.tables))]
        for each in found.ranking
    ]
    return [f"{place}  {each.method}" for place, each in enumerate(found.ranking, 1)], rows


def candidates_table(choice: Choice, parent: QWidget | None = None) -> WholeTable:
    """Return every candidate of a method with its validation accuracy; what was chosen and what is out are said."""
    name = say("Candidates of {method} on {data}")
    headings = [say("validation"), say("parts"), say("verdict")]
    table = WholeTable(name.format(method=choice.method, data=choice.data), headings, parent)
    names, rows = candidate_rows(choice)
    table.fill(names, rows)
    return table


def candidate_rows(choice: Choice) -> tuple[list[str], list[list[str]]]:
    """Return the candidates' values and their cells."""
    rows = []
    for place, trial in enumerate(choice.trials):
        chosen = say("✓ chosen") if place == choice.place else ""
        out = say("✕ out: {count} failed").format(count=trial.failed) if trial.failed else ""
        rows.append([percent(trial.spread), str(len(trial.accuracies)), chosen or out])
    return [values_text(trial.values) for trial in choice.trials], rows


def numbers_of(found: StudyResults, baseline: str) -> dict[str, Rows]:
    """Return tables of everything found, by the name of their file."""
    rows = [[t.data, *cells_of(row, baseline)] for t in found.tables for row in t.rows]
    _, ranks = ranking_rows(found)
    ranked = [[each.method, *row] for each, row in zip(found.ranking, ranks, strict=True)]
    measures = (say("mean rank by A_T"), say("cells"), say("best mean on"))
    return {
        "methods.csv": [[say("data"), say("method"), *METHOD_HEADINGS], *rows],
        "ranking.csv": [[say("method"), *measures], *ranked],
    }


def _explained(baseline: str) -> list[str]:
    """Return what each column of the methods means."""
    average, final, forgotten = (
        MEASURES[key] for key in ("average_accuracy", "accuracy_seen", "forgetting")
    )
    interval = say("Mean of the differences over the cells (order, seed) that both finished, in points, with its 95 % interval by Student's t. ▲ better and ▼ worse than {baseline} where the interval leaves zero out.")  # fmt: skip
    told = [say("Runs tested to their end; each is one cell: an order and a seed.")]
    told += [f"{each.label}\n{each.formula}" for each in (average, final, forgotten)]
    told += [interval.format(baseline=baseline)] * 2
    told += [say("Average accuracy of the nearest class mean of frozen features, on the same pictures.")]  # fmt: skip
    told += [say("Learning and testing of a run, mean; not the first look at each picture through the frozen backbone, which runs share.")]  # fmt: skip
    told += [say("Numbers that stay beside the backbone at the end, those to learn further included, mean.")]  # fmt: skip
    told += [say("The most memory that the process had held, mean.")]
    return [as_written(text) for text in told]
