"""A run into one file, and a file from another computer into the log; both in a thread."""

from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from workbench.face.actions import NO_RUN, Command
from workbench.face.background import Background
from workbench.face.desk import Desk
from workbench.face.exports import new_folder
from workbench.face.feature import Feature


class Bundles(Feature):
    """File ▸ Export ▸ Bundle… and File ▸ Open bundle…; a bundle may be dropped on the window too."""

    commands = (
        Command("bundle_run", "File/Export", "Bundle…", (), lambda m: m.run, after="export_everything",
                help="The run as one file that opens on another computer", lacking=NO_RUN),
        Command("open_bundle", "File", "Open bundle…", (), after="paste", help="Take a run from another computer into this log"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._work = Background(self)
        self._work.item.connect(self._done)
        self._work.failed.connect(self._tell_failure)
        desk.bundle_given.connect(self.open_file)

    def shut_down(self) -> None:
        """Wait for the file being written or read."""
        self._work.shut_down()

    def bundle_run(self) -> None:
        """Ask where to write the run shown."""
        run = self.desk.shown_run()
        if run is None:
            return
        start = Path(str(self.desk.memory.value("export_folder", str(Path.home()))))
        proposed = str(new_folder(start, f"{run.name}.zip"))
        title = self.tr("Bundle {run}").format(run=run.name)
        chosen, _ = QFileDialog.getSaveFileName(
            self.desk.window, title, proposed, self.tr("Bundles (*.zip)")
        )
        if chosen:
            self.write_to(run.id, chosen)

    def write_to(self, run_id: str, file: str) -> None:
        """Write a run as one file."""
        session = self.desk.session

        def written() -> Iterator[str]:
            yield self.tr("Bundled into {file}.").format(file=session.bundle(run_id, file))

        self._start(written)

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

        def read() -> Iterator[str]:
            run = session.details(session.open_bundle(file)).summary
            yield self.tr("{run} was taken into the log.").format(run=run.name)

        self._start(read)

    def _start(self, make: Callable[[], Iterator[str]]) -> None:
        if self._work.busy:
            self.desk.toast.say(self.tr("A bundle is being written or read already."))
            return
        self.desk.strips.clear_strip("bundle")
        self._work.start(make)

    def _done(self, sentence: str) -> None:
        self.desk.toast.say(sentence)
        self.desk.reread_log()

    def _tell_failure(self, sentence: str) -> None:
        self.desk.strips.show_strip("bundle", sentence, "error")
