"""A run into one file, and a file from another computer into the log; both in a thread."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from workbench.errors import CannotWrite, WorkbenchError
from workbench.events import Stage
from workbench.face.actions import NO_RUN, Command
from workbench.face.background import Background
from workbench.face.desk import Desk
from workbench.face.exports import new_folder
from workbench.face.feature import Feature
from workbench.face.question import Answer
from workbench.report import RunSummary
from workbench.tell import Tell


class Bundles(Feature):
    """File ▸ Export ▸ Bundle… and File ▸ Open bundle…; a bundle may be dropped on the window too."""

    commands = (
        Command("bundle_run", "File/Export", "Bundle…", (), lambda m: m.run, after="export_everything",
                help="The run as one file that opens on another computer", lacking=NO_RUN),
        Command("open_bundle", "File", "Open bundle…", (), after="paste", help="Take a run from another computer into this log"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._work = Background(self, desk.activities)
        self._work.item.connect(self._take)
        self._work.raised.connect(self._tell_failure)
        self._work.given_up.connect(self._tell_given_up)
        self._again: Answer | None = None  # another try at what failed
        self._elsewhere: Answer | None = None
        desk.bundle_given.connect(self.open_file)

    def shut_down(self) -> None:
        """Give up the file being written or read, of which nothing stays."""
        self._work.shut_down()

    def bundle_run(self) -> None:
        """Ask where to write the run shown."""
        run = self.desk.shown_run()
        if run is not None:
            self._ask_place(run, Path(str(self.desk.memory.value("export_folder", Path.home()))))

    def write_to(self, run: RunSummary, file: str) -> None:
        """Write a run as one file."""
        session = self.desk.session

        def write(tell: Tell) -> str:
            written = session.bundle(run.id, file, tell)
            return self.tr("Bundled into {file}.").format(file=written)

        self._again = (self.tr("Try again"), partial(self.write_to, run, file))
        place = partial(self._ask_place, run, Path(file).parent)
        self._elsewhere = (self.tr("Choose another place"), place)
        self._do(write, self.tr("Bundling {run}").format(run=run.name))

    def open_bundle(self) -> None:
        """Ask which bundle to open."""
        start = str(self.desk.memory.value("export_folder", str(Path.home())))
        file, _ = QFileDialog.getOpenFileName(
            self.desk.window, self.tr("Open a bundle"), start, self.tr("Bundles (*.zip)")
        )
        if file:
            self.open_file(file)

    def open_file(self, file: str) -> None:
        """Take a bundled run into the log."""
        session = self.desk.session

        def read(tell: Tell) -> str:
            run = session.details(session.open_bundle(file, tell)).summary
            return self.tr("{run} was taken into the log.").format(run=run.name)

        self._again = (self.tr("Try again"), partial(self.open_file, file))
        self._elsewhere = None
        self._do(read, self.tr("Opening {file}").format(file=Path(file).name))

    def _ask_place(self, run: RunSummary, start: Path) -> None:
        if self.shows_busy(self._work):
            return
        title = self.tr("Bundle {run}").format(run=run.name)
        chosen, _ = QFileDialog.getSaveFileName(
            self.desk.window, title, str(new_folder(start, f"{run.name}.zip")),
            self.tr("Bundles (*.zip)"),
        )  # fmt: skip
        if chosen:
            self.write_to(run, chosen)

    def _do(self, call: Callable[[Tell], str], title: str) -> None:
        if not self.shows_busy(self._work):
            self.desk.strips.clear_strip("bundle")
            self._work.do(call, title)

    def _take(self, item: Stage | str) -> None:
        if isinstance(item, str):
            self.desk.toast.say(item)
            self.desk.reread_log()

    def _tell_failure(self, error: WorkbenchError) -> None:
        ways = (self._elsewhere, self._again) if isinstance(error, CannotWrite) else ()
        answers = [way for way in ways if way is not None]
        self.desk.strips.show_strip("bundle", str(error), "error", answers)

    def _tell_given_up(self) -> None:
        self.desk.toast.say(
            self.tr("{work}: given up. Nothing was kept.").format(work=self._work.title)
        )
