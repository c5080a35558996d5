"""A study taken away: as the file that describes it, as a ledger, and as numbers and figures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from workbench.face.background import Background
from workbench.face.comparison_export import ComparisonExport
from workbench.face.desk import Desk
from workbench.face.exports import plain_name
from workbench.face.question import Answer
from workbench.face.whole import write_text
from workbench.session.ledger import Entry, ledger
from workbench.session.study_file import study_text
from workbench.session.study_results import StudyResults
from workbench.session.study_state import StudyState

if TYPE_CHECKING:
    from workbench.face.cost_panel import CostPanel

_SUBJECT = "study"


class StudySaving(QObject):
    """Asks for a place and writes there; texts are made and written in a thread."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self._work = Background(self, desk.activities)
        self._work.item.connect(self._saved)
        self._work.failed.connect(self._refuse)
        self.exporter = ComparisonExport(desk.window, desk.activities)
        self.exporter.said.connect(desk.toast.say)
        self.exporter.refused.connect(self._refuse)
        self.exporter.done.connect(self._exported)

    def shut_down(self) -> None:
        """Wait for the text being written; figures not drawn yet are given up."""
        self.exporter.shut_down()
        self._work.shut_down()

    def ask_study(self, state: StudyState | None) -> None:
        """Ask where the study file goes."""
        kinds = self.tr("Study (*.toml)")
        path = self._place(state, self.tr("Save the study file"), "toml", kinds)
        if state is not None and path is not None:
            self.save_study(state, path)

    def ask_ledger(self, state: StudyState | None) -> None:
        """Ask where the ledger goes."""
        path = self._place(state, self.tr("Save the ledger"), "md", self.tr("Markdown (*.md)"))
        if state is not None and path is not None:
            self.save_ledger(state, path)

    def ask_export(
        self, state: StudyState | None, found: StudyResults | None, plot: CostPanel
    ) -> None:
        """Ask where numbers and figures go."""
        start = str(self._desk.memory.value("export_folder", str(Path.home())))
        title = self.tr("Export the study: choose a place")
        place = QFileDialog.getExistingDirectory(self._desk.window, title, start)
        if place and state is not None and found is not None:
            self.export_to(Path(place), state, found, plot)

    def save_study(self, state: StudyState, path: Path) -> None:
        """Write the study as a file that begins it anew, or goes on with it."""
        self._write(path, lambda: study_text(state.study))

    def save_ledger(self, state: StudyState, path: Path) -> None:
        """Write the page of Markdown that says what was asked, chosen and found."""
        self._write(path, partial(self._ledger, state.id))

    def export_to(
        self, place: Path, state: StudyState, found: StudyResults, plot: CostPanel
    ) -> None:
        """Write tables and figures into a new folder below `place`."""
        from workbench.face.study_tables import numbers_of  # plots take long to load

        self._desk.strips.clear_strip(_SUBJECT)
        tables = numbers_of(found, state.study.baseline)
        self.exporter.write(place, tables, plot.figures, state.study.name)

    def _ledger(self, key: str) -> str:
        studies = self._desk.session.studies
        state = studies.get(key)
        sha256 = hashlib.sha256(study_text(state.study).encode()).hexdigest()
        name = f"{plain_name(state.study.name)}.toml"
        entry = Entry(name, sha256, state, studies.results(key), studies.commits(key))
        return ledger([entry])

    def _write(self, path: Path, text: Callable[[], str]) -> None:
        self._desk.strips.clear_strip(_SUBJECT)
        title = self.tr("Saving {file}").format(file=path.name)
        self._work.do(lambda _: write_text(path, text()), title)

    def _place(self, state: StudyState | None, title: str, ending: str, kinds: str) -> Path | None:
        folder = str(self._desk.memory.value("study_folder", str(Path.home())))
        name = f"{plain_name(state.study.name)}.{ending}" if state is not None else ""
        chosen, _ = QFileDialog.getSaveFileName(self._desk.window, title, str(Path(folder) / name), kinds)  # fmt: skip
        if not chosen:
            return None
        self._desk.memory.setValue("study_folder", str(Path(chosen).parent))
        path = Path(chosen)
        return path if path.suffix else path.with_suffix(f".{ending}")

    def _saved(self, path: Path) -> None:
        text = self.tr("Saved as '{file}'.")
        self._desk.toast.say(text.format(file=path.name))

    def _refuse(self, sentence: str, answers: tuple[Answer, ...] | list[Answer] = ()) -> None:
        self._desk.strips.show_strip(_SUBJECT, sentence, "error", answers)

    def _exported(self, sentence: str) -> None:
        self._desk.toast.say(sentence, self.tr("Open folder"), self.exporter.open_folder)
