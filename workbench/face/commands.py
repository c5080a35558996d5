"""What each command of the window does; `actions.COMMANDS` names these methods."""

from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from workbench.errors import WorkbenchError
from workbench.face.desk import Desk
from workbench.face.drop import Given, given_by
from workbench.face.exports import ADAPTER, EVERYTHING, NUMBERS, PLOTS
from workbench.face.place import first_place
from workbench.face.report_sheet import ReportSheet
from workbench.face.starting import start
from workbench.face.theme import apply_theme, current_theme
from workbench.report import RunSummary, ScanReport
from workbench.session.study_file import is_study


class Commands(QObject):
    """The verbs. They act on the desk's panels and hold no state of their own."""

    def __init__(self, desk: Desk, window: QWidget) -> None:
        super().__init__(window)
        self._desk = desk
        self._window = window
        self._sheet: ReportSheet | None = None

    def add_folder(self) -> None:
        """Ask for a folder and take it as if it had been dropped."""
        start = str(self._desk.memory.value("last_folder", str(Path.home())))
        folder = QFileDialog.getExistingDirectory(self._window, self.tr("Add a folder"), start)
        if folder:
            self.take(Given(folders=(folder,)))

    def take(self, given: Given) -> None:
        """Take folders, however they were given; a bundled run goes into the log, a study file is asked about."""
        if given.files and given.files[0].lower().endswith(".zip"):
            self._desk.bundle_given.emit(given.files[0])
            return
        if given.configuration() and is_study(Path(given.configuration())):
            self._desk.study_given.emit(given.configuration())
            return
        if not self._desk.tasks.model.allowed():
            return
        if given.configuration():
            self._desk.configuration_given.emit(given.configuration())
            return
        if given.folders:
            self._desk.memory.setValue("last_folder", str(Path(given.folders[0]).parent))
        self._desk.adder.take(given)

    def paste(self) -> None:
        """Take the folders on the clipboard."""
        given = given_by(QGuiApplication.clipboard().mimeData())
        if given == Given():
            self._desk.toast.say(self.tr("The clipboard holds no path of a folder."))
        else:
            self.take(given)

    def try_sample(self) -> None:
        """Take the sample's tasks and settings and train at once."""
        if self._desk.training.state != "idle":
            return
        try:
            config = self._desk.session.sample_config()
        except WorkbenchError as error:
            self._desk.strips.show_strip("start", str(error), "error")
            return
        self._desk.draft.load(config, self.tr("Try the sample"))
        self._start_draft()

    def train(self) -> None:
        """Start a run on the draft; while another trains, ask what to do with it."""
        if self._desk.training.state != "idle":
            self._desk.another_wanted.emit()
        elif not self._desk.reason():
            self._start_draft()

    def stop(self) -> None:
        """Stop after this step."""
        self._desk.training.stop()

    def forecast(self) -> None:
        """Forecast what learning another task next would do to the run shown."""
        run: RunSummary | None = self._desk.shown_run()
        if run is not None:
            self._desk.foresight.ask_next(run)

    def suggest_order(self) -> None:
        """Suggest an order of the tasks in the list; nothing is changed unasked."""
        self._desk.foresight.study_order()

    def replay(self) -> None:
        """Draw the chosen run."""
        self._desk.replay(self._desk.history.chosen())

    def export_adapter(self) -> None:
        """Write the run's adapter."""
        self._export((ADAPTER,))

    def export_plots(self) -> None:
        """Write the run's plots."""
        self._export((PLOTS,))

    def export_numbers(self) -> None:
        """Write the run's numbers."""
        self._export((NUMBERS,))

    def export_everything(self) -> None:
        """Write adapter, plots and numbers."""
        self._export(EVERYTHING)

    def open_home(self) -> None:
        """Show the log's folder in the file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._desk.session.home)))

    def quit(self) -> None:
        """Close the window; it asks if a run trains."""
        self._window.close()

    def undo(self) -> None:
        """Take the last change to tasks or settings back."""
        self._desk.draft.stack.undo()

    def redo(self) -> None:
        """Make it again."""
        self._desk.draft.stack.redo()

    def rename_task(self) -> None:
        """Edit the chosen task's name."""
        self._desk.tasks.rename_chosen()

    def remove_task(self) -> None:
        """Take the chosen task out; the toast takes it back."""
        self._desk.tasks.remove_chosen()

    def move_up(self) -> None:
        """Learn the chosen task earlier."""
        self._desk.tasks.move_chosen(-1)

    def move_down(self) -> None:
        """Learn the chosen task later."""
        self._desk.tasks.move_chosen(1)

    def show_task(self) -> None:
        """Show the chosen task's classes, problems and choices."""
        self.show_task_at(self._desk.tasks.chosen())

    def show_task_at(self, row: int) -> None:
        """Show one task's report again; what is answered replaces it."""
        if row >= 0 and self._desk.tasks.model.allowed() and self._sheet is None:
            tasks = self._desk.draft.state.tasks
            self._sheet = ReportSheet(
                ScanReport((tasks[row],)), self._desk.session, self._desk.draft.state.settings,
                self._window, tasks[:row], tasks[row + 1 :], self.tr("Apply"),
            )  # fmt: skip
            self._sheet.choose_requested.connect(self.add_folder)
            self._sheet.finished.connect(self._task_answered)
            self._sheet.open()

    def next_area(self) -> None:
        """Move the keyboard to the next area."""
        self._move_area(1)

    def previous_area(self) -> None:
        """Move the keyboard to the area before."""
        self._move_area(-1)

    def show_train(self) -> None:
        """Show the tab Train."""
        self._desk.tabs.setCurrentWidget(self._desk.page)

    def show_ntk(self) -> None:
        """Show the tab NTK."""
        self._desk.tabs.setCurrentWidget(self._desk.ntk)

    def show_try_it(self) -> None:
        """Show the tab Try it."""
        self._desk.tabs.setCurrentWidget(self._desk.try_it)

    def toggle_theme(self) -> None:
        """Change between light and dark."""
        self._set_scheme("light" if current_theme().name == "dark" else "dark")

    def system_theme(self) -> None:
        """Follow the desktop."""
        self._set_scheme("system")

    def reset_layout(self) -> None:
        """Put the window, every area and the columns of the table of runs back to what they were at first."""
        first_place(self._window)
        self._desk.reset_sizes()
        self._desk.history.reset_columns()

    def check_ntk(self) -> None:
        """Run the linear-head self-test."""
        self._desk.self_check.start()

    def _start_draft(self) -> None:
        """Start a run of the draft as it is once everything is answered."""
        start(self._desk, lambda: self._desk.draft.state.run_config())

    def _export(self, parts: tuple[str, ...]) -> None:
        run: RunSummary | None = self._desk.shown_run()
        if run is None:
            return
        start = str(self._desk.memory.value("export_folder", str(Path.home())))
        title = self.tr("Export {run}: choose a place").format(run=run.name)
        place = QFileDialog.getExistingDirectory(self._window, title, start)
        if place:
            self._desk.memory.setValue("export_folder", place)
            self._desk.exporter.ask(run, Path(place), parts)

    def _task_answered(self, result: int) -> None:
        sheet, self._sheet = self._sheet, None
        if sheet is not None:
            if result == ReportSheet.DialogCode.Accepted:
                self._desk.draft.arrange(self.tr("Change task"), sheet.whole())
            sheet.deleteLater()

    def _set_scheme(self, scheme: str) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, scheme)
            self._desk.memory.setValue("scheme", scheme)

    def _move_area(self, by: int) -> None:
        areas = self._desk.areas()
        focused = QApplication.focusWidget()
        here = [i for i, area in enumerate(areas) if focused and area.isAncestorOf(focused)]
        for step in range(1, len(areas) + 1):
            area = areas[((here[0] if here else -1) + by * step) % len(areas)]
            if _focus_first(area):
                return


def _focus_first(area: QWidget) -> bool:
    """Give the focus to the first child that takes it from the keyboard; return whether one did."""
    for child in area.findChildren(QWidget):
        takes = child.focusPolicy().value & 1  # Qt.FocusPolicy.TabFocus
        if takes and child.isVisible() and child.isEnabled():
            child.setFocus()
            return True
    return False
