"""Plug-ins in the window: their list, the question before a new one is run, and what they bring put in its place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox

from workbench.errors import WorkbenchError
from workbench.face.actions import NO_RUN, Command, Moment
from workbench.face.background import Background
from workbench.face.desk import Desk
from workbench.face.drop import Given
from workbench.face.exports import new_folder
from workbench.face.feature import Feature
from workbench.face.messages import DetailBox
from workbench.face.plug_in_list import PlugInList
from workbench.face.plug_in_panels import PlugInPanels
from workbench.face.question import Question
from workbench.face.views import add_view_of
from workbench.plugins import DatasetChoice, ExporterChoice
from workbench.session.plug_ins import FAILED, NEW, WARNING

if TYPE_CHECKING:
    from workbench.face.curves import PlotBoard


class PlugInFeature(Feature):
    """Joins plug-ins to the window; errors in them are told in a strip, and the window goes on."""

    commands = (
        Command("show_plug_ins", "Tools", "Plug-ins…", after="reset_layout", help="What plug-ins bring, why one failed, and switches"),
        Command("data_sets", "File", "Data sets", (), lambda m: m.tasks_free, after="try_sample", help="Add the folders of a data set as tasks"),
        Command("export_with", "File/Export", "With a plug-in", (), lambda m: m.run, help="Write the run with an exporter that a plug-in brings", lacking=NO_RUN),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.plug_ins = desk.session.plug_ins
        self.list: PlugInList | None = None
        self.question: Question | None = None
        self._asked: set[str] = set()
        self._views: set[str] = set()
        self._work = Background(self, desk.activities)
        self._work.item.connect(self._take)
        self._work.failed.connect(self._failed)
        self.panels = PlugInPanels(desk)
        self.panels.failed.connect(self._panel_failed)
        self.data_menu = QMenu(self.tr("Data sets"), desk.window)
        self.export_menu = QMenu(self.tr("With a plug-in"), desk.window)
        self.data_menu.aboutToShow.connect(self._fill_data_menu)
        self.export_menu.aboutToShow.connect(self._fill_export_menu)
        self._tell_about_start()
        self._bring_in()
        self._first_ask = QTimer(self)  # once the window is there to ask in
        self._first_ask.setSingleShot(True)
        self._first_ask.timeout.connect(self._ask_next)
        self._first_ask.start(0)

    @property
    def busy(self) -> bool:
        """Whether a data set is being prepared or a run written."""
        return self._work.busy

    def refine(self, moment: Moment) -> Moment:
        """Give the two commands with sub-menus their menus, as soon as there are actions."""
        actions = getattr(self.desk.window, "actions_by_id", {})
        for name, menu in (("data_sets", self.data_menu), ("export_with", self.export_menu)):
            if name in actions and actions[name].menu() is not menu:
                actions[name].setMenu(menu)
        if "export_with" in actions:
            actions["export_with"].setVisible(bool(self._exporters()))
        return moment

    def takes(self, error: BaseException) -> bool:
        """Take what a plug-in's panel raised while Qt called it."""
        return self.panels.take(error)

    def shut_down(self) -> None:
        """End the thread that prepares a data set, and ask no more."""
        self._first_ask.stop()
        self.panels.shut_down()
        self._work.shut_down()

    def show_plug_ins(self) -> None:
        """Open the list."""
        if self.list is None:
            self.list = PlugInList(self.desk.session, self.desk.window)
            self.list.load_requested.connect(self.ask)
            self.list.switched.connect(self.switch)
        self.list.refresh()
        self.list.open()

    def data_sets(self) -> None:
        """Open the menu of data sets where the mouse is."""
        self.data_menu.popup(QCursor.pos())

    def export_with(self) -> None:
        """Open the menu of plug-ins' exporters where the mouse is."""
        self.export_menu.popup(QCursor.pos())

    def ask(self, name: str) -> None:
        """Ask whether a plug-in that was not seen before may run."""
        self._asked.add(name)
        text = self.tr("{warning} Load '{name}'?").format(warning=self.tr(WARNING), name=name)
        place = self.plug_ins.loaded.entry(name).source.place
        parent = self.list if self.list is not None and self.list.isVisible() else self.desk.window
        load = self.tr("Load"), partial(self.load, name)
        self.question = Question(text, (load,), parent, more=place)
        later = self.question.button(QMessageBox.StandardButton.Cancel)
        if later is not None:
            later.setText(self.tr("Not now"))
        self.question.setDefaultButton(QMessageBox.StandardButton.Cancel)
        self.question.finished.connect(self._answered)
        self.question.open()

    def load(self, name: str) -> None:
        """Trust a plug-in and load it now."""
        try:
            entry = self.plug_ins.trust(name)
        except WorkbenchError as error:
            self.desk.strips.show_strip("plug-ins", str(error), "error")
            return
        if entry.state == FAILED:
            self._tell_failures()
        else:
            self.desk.toast.say(self.tr("'{name}' is loaded.").format(name=name))
        self._bring_in()

    def switch(self, name: str, on: bool) -> None:
        """Switch a plug-in off, from the next start on, or on; its panels go at once."""
        try:
            self.plug_ins.switch(name, on=on)
        except WorkbenchError as error:
            self.desk.strips.show_strip("plug-ins", str(error), "error")
            return
        if not on:
            self.panels.close_of(name)
        elif self.plug_ins.loaded.entry(name).state == NEW:
            self.ask(name)
        self._bring_in()

    def try_again(self) -> None:
        """Load what this start left out."""
        self.desk.strips.clear_strip("plug-ins")
        self.plug_ins.load_left_out()
        self._tell_failures()
        self._bring_in()
        self._ask_next()

    def _tell_about_start(self) -> None:
        again = self.tr("Try again with plug-ins"), self.try_again
        if self.plug_ins.died_in:
            text = self.tr("Started without plug-ins because the last start failed in '{name}'.")
            text = text.format(name=self.plug_ins.died_in)
            self.desk.strips.show_strip("plug-ins", text, "warning", (again,))
        elif self.plug_ins.safe_mode:
            text = self.tr("Started in safe mode, without plug-ins.")
            self.desk.strips.show_strip("plug-ins", text, "info")
        self._tell_failures()

    def _tell_failures(self) -> None:
        failed = [entry for entry in self.plug_ins.entries if entry.state == FAILED]
        for entry in failed:
            show = self.tr("Plug-ins…"), self.show_plug_ins
            self.desk.strips.show_strip(f"plug-in {entry.name}", entry.problem, "error", (show,))

    def _bring_in(self) -> None:
        """Put what plug-ins bring in its place: methods, curves, panels."""
        self.desk.settings.method.offer(self.plug_ins.methods())
        for extra in self.plug_ins.loaded.measures:
            if extra.measure.name not in self._views:
                self._views.add(extra.measure.name)
                key = add_view_of(extra.measure)
                self.desk.page.plots.then(partial(_offer_view, key, extra.measure.label))
        self.panels.make_missing()
        if self.list is not None:
            self.list.refresh()
        self.desk.changed.emit()

    def _ask_next(self) -> None:
        for entry in self.plug_ins.waiting():
            if entry.name not in self._asked and not self.plug_ins.safe_mode:
                self.ask(entry.name)
                return

    def _answered(self) -> None:
        self.question = None
        self._ask_next()

    def _panel_failed(self, name: str, owner: str, detail: str) -> None:
        title = self.plug_ins.loaded.panels.get(name).title
        text = self.tr("The panel '{title}' failed and was closed; training goes on.")
        text = text.format(title=title)
        answers = (
            (self.tr("Details"), partial(self._show_details, text, detail)),
            (self.tr("Switch off"), partial(self._switch_off, owner, f"panel {name}")),
        )
        self.desk.strips.show_strip(f"panel {name}", text, "error", answers)

    def _show_details(self, sentence: str, detail: str) -> None:
        DetailBox(sentence, detail, self.desk.session.home, self.desk.window).open()

    def _switch_off(self, owner: str, subject: str) -> None:
        self.desk.strips.clear_strip(subject)
        self.switch(owner, on=False)

    def _fill_data_menu(self) -> None:
        self.data_menu.clear()
        for choice in self.plug_ins.loaded.datasets:
            action = self.data_menu.addAction(choice.title, partial(self.take_data, choice))
            action.setToolTip(choice.note)

    def take_data(self, choice: DatasetChoice) -> None:
        """Add a data set's folders as tasks, made on a thread; a folder is asked for where it needs one."""
        if self.shows_busy(self._work):
            return
        given = ""
        if choice.asks:
            given = QFileDialog.getExistingDirectory(self.desk.window, choice.asks)
            if not given:
                return
        title = self.tr("Preparing '{title}'").format(title=choice.title)
        self._work.start(partial(self._folders, choice.name, Path(given) if given else None), title)

    def _folders(self, name: str, given: Path | None) -> Iterator[Given]:
        yield Given(folders=tuple(self.plug_ins.take_data(name, given)))

    def _exporters(self) -> list[ExporterChoice]:
        found = self.plug_ins.loaded
        return [choice for choice in found.exporters if found.owner("exporter", choice.name)]

    def _fill_export_menu(self) -> None:
        self.export_menu.clear()
        for choice in self._exporters():
            action = self.export_menu.addAction(f"{choice.title}…", partial(self.export, choice))
            action.setToolTip(choice.note)

    def export(self, choice: ExporterChoice) -> None:
        """Ask for a place and write the run shown there with a plug-in's exporter."""
        run = self.desk.shown_run()
        if run is None or self.shows_busy(self._work):
            return
        title = self.tr("Export {run}: choose a place").format(run=run.name)
        place = QFileDialog.getExistingDirectory(self.desk.window, title)
        if place:
            folder = new_folder(Path(place), run.name)
            title = self.tr("Exporting {run}").format(run=run.name)
            self._work.start(partial(self._written, choice.name, run.id, folder), title)

    def _written(self, name: str, run: str, folder: Path) -> Iterator[str]:
        session = self.desk.session
        files = self.plug_ins.export(name, session.details(run), session.events(run), folder)
        text = self.tr("{number} files of {run} exported to {folder}.")
        yield text.format(number=len(files), run=session.details(run).summary.name, folder=folder)

    def _take(self, item: object) -> None:
        if isinstance(item, Given):
            self.desk.toast.hide()
            self.desk.adder.take(item)
        else:
            self.desk.toast.say(str(item))

    def _failed(self, sentence: str) -> None:
        self.desk.toast.hide()
        self.desk.strips.show_strip("plug-ins", sentence, "error")


def _offer_view(key: str, label: str, board: PlotBoard) -> None:
    """Let the fourth plot show a plug-in's measure too."""
    board.gap.choice.addItem(label, key)
