"""The feature behind the tab "Results": it follows the run shown and hands pictures to Try it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.face.actions import Command
from workbench.face.desk import Desk
from workbench.face.drop import Given
from workbench.face.feature import Feature

if TYPE_CHECKING:
    from workbench.face.results_page import ResultsPage


class ResultsFeature(Feature):
    """Adds the tab, and the command that shows it."""

    commands = (Command("show_results", "View", "Results tab", ("Alt+2",), after="show_train"),)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._page = desk.add_later(self._made_page, self.tr("Results"))

    @property
    def page(self) -> ResultsPage:
        """The tab's page."""
        return self._page.get()

    def show_results(self) -> None:
        """Show the tab Results."""
        self.desk.tabs.setCurrentWidget(self.page)

    def try_picture(self, run: str, path: str) -> None:
        """Let the tab Try it look at a picture with the adapter of a run."""
        self.desk.tabs.setCurrentWidget(self.desk.try_it)
        self.desk.try_it.choose_run(run)
        self.desk.try_it.take(Given(files=(path,)))

    def shut_down(self) -> None:
        """End the page's threads."""
        if self._page.part is not None:
            self.page.shut_down()

    def _made_page(self) -> ResultsPage:
        from workbench.face.results_page import ResultsPage

        desk, page = self.desk, ResultsPage(self.desk.session)
        page.follow(*desk.page.shown())
        desk.page.drawn.connect(page.follow)
        desk.page.cleared.connect(page.clear)
        page.said.connect(desk.toast.say)
        page.try_requested.connect(self.try_picture)
        return page
