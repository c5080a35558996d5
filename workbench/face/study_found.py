"""The parts of a study's findings: methods and their ranks, settings chosen, and what failed or is odd."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.face.study_tables import (
    MethodsTable,
    WholeTable,
    candidates_table,
    ranking_rows,
    ranking_table,
)
from workbench.face.words import counted
from workbench.session.ledger import values_text
from workbench.session.study_choice import Choice
from workbench.session.study_plan import CHOOSING
from workbench.session.study_results import StudyResults
from workbench.session.study_state import StudyState


class Part(QWidget):
    """Sentences and tables below each other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 8, 6, 4)
        self.column.setSpacing(6)

    def empty(self) -> None:
        """Take everything away."""
        while (item := self.column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def add_sentence(self, text: str, kind: str = "") -> QLabel:
        """Add plain text that wraps and can be selected."""
        label = QLabel(text, self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if kind:
            label.setProperty(kind, "true")
        self.column.addWidget(label)
        return label


class MethodsPart(Part):
    """A table of methods for each set of pictures, and the ranking over all of them."""

    runs_wanted = Signal(str, str)  # name of the set of pictures, label of the method

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tables: list[MethodsTable] = []
        self._of = ""  # id of the study that the tables are for
        self.ranking: WholeTable | None = None

    def show_study(self, state: StudyState, found: StudyResults) -> None:
        """Fill the tables; they are made anew only for another study, so that what is chosen in them stays."""
        if self._of != state.id:
            self._make(state)
        for table, rows in zip(self.tables, found.tables, strict=True):
            table.show_rows(rows)
        if self.ranking is not None:
            self.ranking.fill(*ranking_rows(found))
            self.ranking.setVisible(bool(found.ranking))
            self.unranked.setVisible(not found.ranking)
        self._row_chosen()

    def chosen(self) -> tuple[str, str] | None:
        """Return set of pictures and method of the row that is chosen."""
        return next(((t.data, t.chosen()) for t in self.tables if t.chosen()), None)

    def _make(self, state: StudyState) -> None:
        self.empty()
        self._of, study = state.id, state.study
        self.tables = []
        text = self.tr("Per cent, mean ± s (n − 1) over the cells (order, seed) tested. Δ: less {baseline}, in points, with its 95 % interval; ▲ better, ▼ worse where that leaves zero out.")  # fmt: skip
        self.add_sentence(text.format(baseline=study.baseline), "muted")
        for data in study.data:
            self.add_sentence(data.name, "heading")
            table = MethodsTable(data.name, study.baseline, self)
            table.itemSelectionChanged.connect(partial(self._only, table))
            table.activated.connect(self._show_runs)
            self.tables.append(table)
            self.column.addWidget(table)
        self.show_runs = QPushButton(self.tr("Show these runs"), self)
        self.show_runs.clicked.connect(self._show_runs)
        self.hint = QLabel(self)
        self.hint.setProperty("muted", "true")
        self.hint.setTextFormat(Qt.TextFormat.PlainText)
        row = QWidget(self)
        beside = QHBoxLayout(row)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.show_runs)
        beside.addWidget(self.hint, 1)
        self.column.addWidget(row)
        self.add_sentence(self.tr("Ranking"), "heading")
        self.ranking = ranking_table(self)
        self.column.addWidget(self.ranking)
        self.unranked = self.add_sentence(self.tr("No cell was finished by every method yet, so there is no ranking."), "muted")  # fmt: skip
        self.column.addStretch(1)

    def _only(self, table: MethodsTable) -> None:
        """Let one row be chosen in all tables together."""
        if table.chosen():
            for other in self.tables:
                if other is not table:
                    other.clearSelection()
        self._row_chosen()

    def _row_chosen(self) -> None:
        chosen = self.chosen()
        self.show_runs.setEnabled(chosen is not None)
        text = self.tr("{method} on {data}, over each other in Compare")
        said = text.format(method=chosen[1], data=chosen[0]) if chosen else self.tr("Choose a method's row first.")  # fmt: skip
        self.hint.setText(said)

    def _show_runs(self) -> None:
        chosen = self.chosen()
        if chosen is not None:
            self.runs_wanted.emit(*chosen)


class ChosenPart(Part):
    """What was chosen for each method, with the validation accuracy of every candidate."""

    def show_study(self, state: StudyState) -> None:
        """Show the choices, or when they will be made."""
        self.empty()
        self.add_sentence(state.study.choosing.sentence, "muted")
        if state.chosen is None:
            text = self.tr("Nothing is chosen yet: {ended} of {trials} trials have ended.")
            tried = [e for e in state.of_stage(CHOOSING) if e.run.state in ("finished", "failed")]
            self.add_sentence(text.format(ended=len(tried), trials=state.study.trials), "muted")
        for choice in state.chosen or ():
            self.add_sentence(self._heading(choice), "heading")
            self.column.addWidget(candidates_table(choice, self))
        self.column.addStretch(1)

    def _heading(self, choice: Choice) -> str:
        if not choice.found:
            text = self.tr("{method} on {data}: nothing, as every candidate failed")
            return text.format(method=choice.method, data=choice.data)
        text = self.tr("{method} on {data}: {values}")
        return text.format(method=choice.method, data=choice.data, values=values_text(choice.values))  # fmt: skip


class FailedPart(Part):
    """Runs that failed, each with its reason, and what makes numbers less comparable."""

    count = 0

    def show_study(self, state: StudyState, found: StudyResults) -> None:
        """Say what failed and what is odd."""
        self.empty()
        self.count = len(state.failed) + len(found.odd)
        if state.failed:
            text = self.tr("{runs} failed. 'Train failed again' lets them wait once more.")
            runs = counted(len(state.failed), "run", "runs")
            self.add_sentence(text.format(runs=runs), "muted")
        for each in state.failed:
            self.add_sentence(f"{each.label}: {each.run.state_reason}")
        for sentence in found.odd:
            self.add_sentence(sentence)
        self.column.addStretch(1)
