"""File ▸ Export ▸ Report…: the run shown as one page for whoever has no workbench."""

from functools import partial
from pathlib import Path

from workbench.face.actions import NO_RUN, Command
from workbench.face.comparing import Comparing
from workbench.face.desk import Desk
from workbench.face.exports import plain_name
from workbench.face.feature import Feature
from workbench.face.page_writer import PageWriter, Report
from workbench.face.question import Answer
from workbench.report import RunSummary

_SUBJECT = "export_report"  # of the strip that tells of a failure


class Reports(Feature):
    """Reports of a run and of a comparison, and where they go."""

    commands = (
        Command("export_report", "File/Export", "Report…", (), lambda m: m.run, after="export_numbers",
                help="Results, plots, settings and versions as one page", lacking=NO_RUN),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.writer = PageWriter(desk.window, desk.activities)
        self.writer.said.connect(desk.toast.say)
        self.writer.refused.connect(self._tell_failure)
        self.writer.done.connect(self._tell_done)
        self._comparing = desk.findChildren(Comparing)[0]
        self._comparing.report_requested.connect(self.report_comparison)

    def shut_down(self) -> None:
        """Wait for the report being made."""
        self.writer.shut_down()

    def export_report(self) -> None:
        """Ask where to write the report of the run shown."""
        run = self.desk.shown_run()
        if run is not None:
            self._ask(self.report_of(run), plain_name(run.name))

    def report_comparison(self) -> None:
        """Ask where to write the report of what the tab Compare shows now."""
        self._ask(self.report_of_comparison(), self.tr("comparison"))

    def report_of(self, run: RunSummary) -> Report:
        """Return what a run's report is made of."""
        from workbench.face.run_report import facts_of, run_figures, run_page

        session = self.desk.session
        beside = self.desk.exporter.runs_beside(run)
        read = partial(facts_of, session, run.id, beside)
        return Report(run.name, read, partial(run_figures, session), run_page)

    def report_of_comparison(self) -> Report:
        """Return what the report of the tab Compare is made of, as it is now."""
        from workbench.face.comparison_report import comparison_figures, comparison_page

        facts = self._comparing.page.facts()
        return Report(self.tr("the comparison"), lambda: facts, comparison_figures, comparison_page)

    def _ask(self, report: Report, name: str) -> None:
        folder = Path(str(self.desk.memory.value("export_folder", str(Path.home()))))
        self.writer.ask(report, folder / f"{name}.html")

    def _tell_failure(self, sentence: str, answers: list[Answer]) -> None:
        self.desk.strips.show_strip(_SUBJECT, sentence, "error", answers)

    def _tell_done(self, sentence: str) -> None:
        self.desk.strips.clear_strip(_SUBJECT)
        self.desk.toast.say(sentence, self.tr("Open"), self.writer.open_page)
