"""What a person does with the window while runs train: each visit ends where it began."""

import faulthandler
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QWidget

from workbench.face.drop import Given
from workbench.face.panel import Panel
from workbench.face.plot_base import PlotBase
from workbench.face.window import Window

PATIENCE = 300.0  # seconds that anything may take on a busy machine
COLOURS_EVERY = 4  # rounds


def live(so: Callable[[], object], what: str) -> None:
    """Let the window live until it is so. Raises TimeoutError."""
    began, loop, clock = time.monotonic(), QEventLoop(), QTimer()

    def look() -> None:
        if so() or time.monotonic() - began > PATIENCE:
            loop.quit()

    clock.timeout.connect(look)
    clock.start(20)
    loop.exec()
    clock.stop()
    if not so():
        faulthandler.dump_traceback()  # of every thread: which one is stuck, and where
        raise TimeoutError(f"{what} did not happen within {PATIENCE:.0f} s")


def rest(seconds: float) -> None:
    """Let the window live for a while."""
    until = time.monotonic() + seconds
    live(lambda: time.monotonic() >= until, "rest")


class Visitor:
    """Goes round the window, and looks at its last two finished runs.

    `pictures` is a folder of some, `another` one that is not a task yet.
    """

    def __init__(self, window: Window, pictures: Path, another: Path) -> None:
        self._window, self._desk = window, window.desk
        self._pictures, self._another = pictures, another

    def go_round(self, number: int) -> None:
        """Do everything once; the colours, which take seconds, change in some rounds only."""
        self.look_around()
        for visit in (
            self.look_at_the_curves, self.open_results, self.try_pictures, self.edit_the_draft, self.export,
            self.bin_a_run,
        ):  # fmt: skip
            visit()
            self._tidy()
        if number % COLOURS_EVERY == 0:
            self.change_the_colours()

    def look_around(self) -> None:
        """Do what takes no time: look at runs, open and close what can be opened."""
        for visit in (
            self.replay_a_run, self.look_at_the_kernel, self.compare, self.open_what_opens, self.open_menus,
            self.open_tables, self.add_a_folder, self.filter_the_table,
        ):  # fmt: skip
            visit()
            self._tidy()

    def look_at_the_curves(self) -> None:
        """Move about in the plots of the run that trains."""
        bar = self._desk.page.board.bar
        self._desk.page.board.corner.setCurrentIndex(1)
        for place in range(bar.axis.count()):
            bar.axis.setCurrentIndex(place)
            rest(0.1)
        bar.axis.setCurrentIndex(0)
        bar.smoothing.setValue(10)
        bar.log.setChecked(True)
        for plot in self._window.findChildren(PlotBase):
            if plot.isVisible():
                plot.zoom_in()
        rest(0.1)
        bar.fit.click()
        bar.log.setChecked(False)
        bar.smoothing.setValue(0)
        self._desk.page.board.corner.setCurrentIndex(0)

    def replay_a_run(self) -> None:
        """Draw the two newest finished runs again, and go back to what trains."""
        for run in self._finished():
            self._desk.replay(run)
            rest(0.1)
        self._desk.page.back_to_live()

    def open_results(self) -> None:
        """Read a run's answers, in every view."""
        self._trigger("show_results")
        self._desk.replay(self._finished()[0])
        self._trigger("show_results")
        page = self._desk.tabs.currentWidget()
        live(lambda: page.book.run or page.book.trouble, "the answers")
        for place in range(page.views.count()):
            page.views.setCurrentIndex(place)
            rest(0.05)
        page.views.setCurrentIndex(0)
        self._desk.page.back_to_live()

    def look_at_the_kernel(self) -> None:
        """Scrub through what the kernel said of a run."""
        self._desk.replay(self._finished()[0])
        self._trigger("show_ntk")
        slider = self._desk.ntk.scrubber.slider
        for place in range(slider.minimum(), slider.maximum() + 1):
            slider.setValue(place)
            rest(0.1)
        self._desk.page.back_to_live()

    def compare(self) -> None:
        """Tick two runs, look at them side by side, take the ticks off."""
        model, runs = self._desk.history.model, self._finished()
        self._trigger("show_compare")
        model.tick(runs, True)
        rest(0.3)
        self._desk.tabs.currentWidget().axis.setCurrentIndex(1)
        self._desk.tabs.currentWidget().axis.setCurrentIndex(0)
        model.tick(runs, False)

    def try_pictures(self) -> None:
        """Let two adapters see some pictures."""
        panel, (first, second) = self._desk.try_it, self._finished()
        self._trigger("show_try_it")
        panel.choose_run(first)
        panel.beside.setCurrentIndex(panel.beside.findData(second))
        files = sorted(path for path in self._pictures.rglob("*.png"))[:3]
        panel.take(Given(files=tuple(map(str, files))))
        live(lambda: not panel.cancel_button.isVisible(), "answers on pictures")
        panel.clear()
        panel.beside.setCurrentIndex(0)

    def open_what_opens(self) -> None:
        """Open every sheet and list that a command opens without asking for a file, and close it."""
        for command in (
            "show_queue", "show_activities", "show_messages", "browse_backbones", "several_seeds", "study_orders",
            "show_groups", "palette", "keys", "about", "help_start", "show_plug_ins", "show_task",
        ):  # fmt: skip
            self._trigger(command)
            rest(0.05)
            self._tidy()

    def open_menus(self) -> None:
        """Open the menus of drawings, tasks and runs."""
        panels = [each for each in self._window.findChildren(Panel) if each.isVisible()]
        for panel in panels:
            panel.show_menu(panel.mapToGlobal(panel.rect().center()))
            rest(0.02)
            self._tidy()
        self._desk.history.table.customContextMenuRequested.emit(self._desk.history.table.pos())
        rest(0.02)

    def open_tables(self) -> None:
        """Open the numbers behind a drawing as a table, and take its picture."""
        for panel in self._window.findChildren(Panel):
            if panel.isVisible():
                panel.show_table()
                panel.copy_picture()
                rest(0.02)
                self._tidy()

    def edit_the_draft(self) -> None:
        """Change a setting and a task's place, and undo both."""
        draft = self._desk.draft
        draft.set_values({"train.epochs": draft.state.settings.train.epochs + 1}, "Epochs")
        self._desk.tasks.view.setCurrentIndex(self._desk.tasks.model.index(0, 0))
        self._trigger("move_down")
        while draft.stack.canUndo():
            draft.stack.undo()

    def add_a_folder(self) -> None:
        """Drop a folder, look at what is found in it, and think better of it."""
        adder = self._desk.adder
        adder.take(Given(folders=(str(self._another),)))
        live(lambda: adder.sheet is not None, "the sheet")
        assert adder.sheet is not None
        adder.sheet.reject()
        rest(0.05)

    def export(self) -> None:
        """Take a run away with everything."""
        run = self._desk.history.model.known(self._finished()[0])
        assert run is not None
        with tempfile.TemporaryDirectory(prefix="soak-export-") as place:
            self._desk.exporter.export_to(run, Path(place), ("adapter", "plots", "numbers"))
            live(lambda: not self._desk.exporter.busy, "the export")

    def change_the_colours(self) -> None:
        """Dark and light again."""
        for _ in range(2):
            self._trigger("toggle_theme")
            rest(0.1)

    def filter_the_table(self) -> None:
        """Filter, sort and group the runs."""
        bar, table = self._desk.history.bar, self._desk.history.table
        bar.field.setText("state:finished acc>1")
        rest(0.3)
        for column in (2, 1):
            table.sortByColumn(column, table.horizontalHeader().sortIndicatorOrder())
        bar.groups.setCurrentIndex(1)
        rest(0.1)
        bar.groups.setCurrentIndex(0)
        bar.field.clear()
        rest(0.3)

    def bin_a_run(self) -> None:
        """Move a run to the bin, and take it back by the toast."""
        history = self._desk.history
        history.table.selectRow(history.model.row_of(self._finished()[1]))
        self._trigger("bin_run")
        rest(0.05)
        self._desk.toast.button.click()
        history.table.clearSelection()

    def _finished(self) -> list[str]:
        runs = [run.id for run in self._desk.session.runs() if run.state == "finished"]
        return runs[:2]

    def _trigger(self, command: str) -> None:
        action = self._window.actions_by_id[command]
        if action.isEnabled():
            action.trigger()

    def _tidy(self) -> None:
        """Close what is open over the window, and show the first tab."""
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, (QDialog, QMenu)) and widget.isVisible():
                widget.close()
        popup: QWidget | None
        while (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        self._trigger("show_train")
        rest(0.02)
