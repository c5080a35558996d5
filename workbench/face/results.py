"""The feature behind the tab "Results": it follows the run shown and hands pictures to Try it."""

from workbench.face.actions import Command
from workbench.face.desk import Desk
from workbench.face.drop import Given
from workbench.face.feature import Feature
from workbench.face.results_page import ResultsPage


class ResultsFeature(Feature):
    """Adds the tab, and the command that shows it."""

    commands = (Command("show_results", "View", "Results tab", ("Alt+2",), after="show_train"),)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.page = ResultsPage(desk.session)
        desk.add_page(self.page, self.tr("Results"), before=desk.ntk)
        desk.page.drawn.connect(self.page.follow)
        desk.page.cleared.connect(self.page.clear)
        self.page.said.connect(desk.toast.say)
        self.page.try_requested.connect(self.try_picture)

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
        self.page.shut_down()
