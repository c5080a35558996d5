"""Joins the ticks of the table to the tab Compare: reads the runs in a thread, each once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog

from workbench.events import Stage
from workbench.face.actions import Command
from workbench.face.background import Background
from workbench.face.comparison_export import ComparisonExport
from workbench.face.desk import MOST_BESIDE, Desk
from workbench.face.feature import Feature
from workbench.face.question import Answer
from workbench.face.record import RunRecord, record_of
from workbench.report import RunSummary
from workbench.tell import Tell, as_if

if TYPE_CHECKING:
    from workbench.face.compare_lines import Drawn
    from workbench.face.compare_page import ComparePage

_SUBJECT = "export_comparison"  # of the strip that tells of a failure
_MOST_KEPT = 60  # records in memory
_MOST_POINTS = 5_000_000  # of their curves, about 160 MB


class Comparing(Feature):
    """The tab Compare and what fills it."""

    commands = (
        Command("show_compare", "View", "Compare tab", ("Alt+3",), after="show_train", help="Ticked runs side by side"),
    )  # fmt: skip

    report_requested = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._page = desk.add_later(self._made_page, self.tr("Compare"))
        self._records: dict[tuple[str, str, str | None, int], RunRecord] = {}
        self._failed: set[tuple[str, str, str | None, int]] = set()  # not to be read while ticked
        self._reading: list[RunSummary] = []
        self._work = Background(self, desk.activities)
        self._work.item.connect(self._take)
        self._work.failed.connect(desk.toast.say)
        self._work.ended.connect(self._ended)
        self.exporter = ComparisonExport(desk.window, desk.activities)
        self.exporter.said.connect(desk.toast.say)
        self.exporter.refused.connect(self._tell_failure)
        self.exporter.done.connect(self._tell_done)
        self._work.given_up.connect(self._tell_given_up)
        desk.history.model.ticked_changed.connect(self.refresh)
        desk.training.ended.connect(self.refresh)
        desk.page.plots.then(self._curves_made)
        desk.ntk_later.then(self._curves_made)
        desk.exporter.runs_beside = self._beside

    @property
    def page(self) -> ComparePage:
        """The tab's page."""
        return self._page.get()

    def shut_down(self) -> None:
        """Wait for the run being read; what is being exported is given up."""
        self.exporter.shut_down()
        self._work.shut_down()

    def show_compare(self) -> None:
        """Show the tab Compare."""
        self.desk.tabs.setCurrentWidget(self.page)

    def refresh(self) -> None:
        """Bring the page in step with the ticks; what has not been read yet is read in a thread."""
        ticked = self.desk.history.model.ticked()
        self._failed &= {_key(run) for run in ticked}
        ticked = [run for run in ticked if _key(run) not in self._failed]
        if len(ticked) < 2 and self._page.part is not None:
            self.page.show_nothing()
        shown = ticked[:MOST_BESIDE]
        missing = [run for run in shown if _key(run) not in self._records]
        if not missing:
            self._show(shown, len(ticked))
        elif not self._work.busy:
            self._read(missing)

    def _made_page(self) -> ComparePage:
        from workbench.face.compare_page import ComparePage

        page = ComparePage(self.desk.memory)
        page.group_changed.connect(self.refresh)
        page.export_requested.connect(self.export)
        page.report_requested.connect(self.report_requested)
        return page

    def _curves_made(self, _where: object) -> None:
        """Lay the ticked runs over curves that have just been made."""
        self.refresh()

    def export(self) -> None:
        """Write numbers, differences and plots of the comparison into a new folder."""
        start = str(self.desk.memory.value("export_folder", str(Path.home())))
        place = QFileDialog.getExistingDirectory(
            self.desk.window, self.tr("Export the comparison: choose a place"), start
        )
        if place:
            self.export_to(Path(place))

    def export_to(self, place: Path) -> None:
        """Write the comparison into a new folder below `place`."""
        self.desk.strips.clear_strip(_SUBJECT)
        self.exporter.write(place, self.page.tables_of(), self.page.figures, self.page.title())

    def _tell_failure(self, sentence: str, answers: list[Answer]) -> None:
        self.desk.strips.show_strip(_SUBJECT, sentence, "error", answers)

    def _tell_done(self, sentence: str) -> None:
        self.desk.strips.clear_strip(_SUBJECT)
        self.desk.toast.say(sentence, self.tr("Open folder"), self.exporter.open_folder)

    def _read(self, missing: list[RunSummary]) -> None:
        session, self._reading = self.desk.session, missing

        def read(tell: Tell) -> None:
            for number, run in enumerate(missing):
                stage = Stage(run.name, number, len(missing))
                tell((run, record_of(session.events(run.id, as_if(tell, stage)))))

        self._work.do(read, self.tr("Reading runs to compare"))

    def _take(self, item: Stage | tuple[RunSummary, RunRecord] | None) -> None:
        if not isinstance(item, tuple):
            return
        run, record = item
        self._records[_key(run)] = record
        shown = {_key(each) for each in self.desk.history.model.ticked()[:MOST_BESIDE]}
        self._forget_beside(shown | {_key(run)})

    def _forget_beside(self, needed: set[tuple[str, str, str | None, int]]) -> None:
        """Drop the oldest records that are not needed now, until the rest is little enough."""
        points = sum(record.points for record in self._records.values())
        for key in list(self._records):
            if len(self._records) <= _MOST_KEPT and points <= _MOST_POINTS:
                return
            if key not in needed:
                points -= self._records.pop(key).points

    def _ended(self) -> None:
        if not self._work.cancelled:
            unread = [_key(run) for run in self._reading if _key(run) not in self._records]
            self._failed.update(unread[:1])  # reading ended there
            self.refresh()

    def _tell_given_up(self) -> None:
        text = self.tr("Reading was given up. The runs are read once a tick is changed.")
        self.desk.toast.say(text)

    def _show(self, shown: list[RunSummary], all_ticked: int) -> None:
        records = {run.id: self._records[_key(run)] for run in shown}
        self._lay_over(shown, records)
        if len(shown) >= 2:
            comparison = self.desk.session.table.compare(list(records))
            self.page.show_comparison(comparison, self._drawn(shown), records, all_ticked)

    def _lay_over(self, shown: list[RunSummary], records: dict[str, RunRecord]) -> None:
        """Lay the ticked runs over the curves of Train and NTK."""
        beside = [(run.id, run.name, records[run.id]) for run in shown]
        for panel in self.desk.curves():
            panel.show_beside(beside)

    def _beside(self, run: RunSummary) -> Sequence[tuple[str, str, RunRecord]]:
        """Return the runs that lie over the curves of the run shown; over another lie none."""
        shown = self.desk.shown_run()
        return self.desk.page.board.accuracy.beside.runs if shown and shown.id == run.id else ()

    def _drawn(self, shown: list[RunSummary]) -> list[Drawn]:
        from workbench.face.compare_lines import Drawn

        names = {run.id: run.name for run in shown}
        group = str(self.page.groups.currentData() or "")
        if not group:
            return [Drawn(run.id, run.name, (run.id,)) for run in shown]
        groups = self.desk.session.table.group_ids(list(names), group)
        return [Drawn(each[0], self._group_name(names, each), tuple(each)) for each in groups]

    def _group_name(self, names: dict[str, str], ids: list[str]) -> str:
        first = names[ids[0]]
        if len(ids) == 1:
            return first
        return self.tr("{run} and {more} more").format(run=first, more=len(ids) - 1)


def _key(run: RunSummary) -> tuple[str, str, str | None, int]:
    """Return what changes when a run has said more."""
    return run.id, run.state, run.ended, run.tasks_done
