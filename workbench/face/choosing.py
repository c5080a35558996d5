"""Choosing a backbone: the browser, and downloads and checks of weights for it and for the settings' field."""

import os
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from workbench.errors import WorkbenchError
from workbench.face.actions import Command, Moment
from workbench.face.backbone_browser import BackboneBrowser
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.question import Question
from workbench.face.weights_work import WeightsWork
from workbench.face.words import size_text
from workbench.report import WeightsFile


def _free(moment: Moment) -> bool:
    return moment.tasks_free


class Choosing(Feature):
    """Opens the browser and does what field and browser ask for; nothing is fetched without a click."""

    commands = (
        Command("browse_backbones", "Edit", "Choose a backbone…", ("Ctrl+B",), _free, help="Every backbone there is, with size, licence and weights", apart=True),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.backbones = desk.session.backbones
        self.work = WeightsWork(self.backbones, self, desk.activities)
        self.browser: BackboneBrowser | None = None
        self._doomed = ""  # the backbone whose weights may be deleted
        self._file = ""  # that is being checked
        field = desk.settings.backbone
        field.browse_wanted.connect(self.browse_backbones)
        field.download_wanted.connect(self.download)
        field.file_wanted.connect(self.ask_for_file)
        field.cancel_wanted.connect(self.work.cancel)
        self.work.progressed.connect(self._show_progress)
        self.work.ended.connect(self._end)
        self.work.failed.connect(self._fail)
        self.work.stopped.connect(self._stop)

    def browse_backbones(self) -> None:
        """Show every backbone, the present one chosen."""
        if self.browser is None:
            self.browser = BackboneBrowser(self.backbones, self.desk.settings.window())
            self.browser.used.connect(self.use)
            self.browser.download_wanted.connect(self.download)
            self.browser.file_wanted.connect(self.ask_for_file)
            self.browser.delete_wanted.connect(self.ask_to_delete)
            self.browser.cancel_wanted.connect(self.work.cancel)
        self.browser.choose(self.desk.draft.state.settings.model.backbone)
        self.browser.show()
        self.browser.raise_()
        self.browser.search.setFocus()

    def use(self, name: str) -> None:
        """Make a backbone that of the next run."""
        self._set(name, "")
        if self.browser is not None:
            self.browser.close()

    def download(self, name: str) -> None:
        """Fetch a backbone's weights."""
        if not self.shows_busy(self.work.background):
            self._file = ""
            self.work.download(name)

    def ask_for_file(self, name: str) -> None:
        """Ask for a file to take a backbone's weights from, and check it."""
        start = str(self.desk.memory.value("weights_folder", str(Path.home())))
        kinds = self.tr("Weights (*.safetensors *.pt *.pth *.bin)")
        title = self.tr("Weights of {name}").format(name=name)
        path, _ = QFileDialog.getOpenFileName(self.desk.settings.window(), title, start, kinds)
        if path:
            self.desk.memory.setValue("weights_folder", os.path.dirname(path))
            self.check_file(name, path)

    def check_file(self, name: str, path: str) -> None:
        """Check a file as a backbone's weights; if it fits, the next run takes them."""
        if not self.shows_busy(self.work.background):
            self._file = path
            self.work.check(name, path)

    def ask_to_delete(self, name: str) -> None:
        """Ask whether weights are to be deleted from this computer."""
        facts = self.backbones.find(name)
        if facts is None or self.browser is None:
            return
        self._doomed = name
        text = self.tr("Delete the weights of {name} ({size}) from this computer?")
        sentence = text.format(name=name, size=size_text(facts.megabytes))
        more = self.tr(
            "Runs that used them can be looked at as before; to train on or to try them, fetch the weights again."
        )
        answers = [(self.tr("Delete"), self._delete)]
        self.question = Question(sentence, answers, self.browser, more=more)
        self.question.open()

    def shut_down(self) -> None:
        """End the work and close the browser."""
        self.work.shut_down()
        if self.browser is not None:
            self.browser.close()

    def _delete(self) -> None:
        try:
            self.backbones.delete(self._doomed)
        except WorkbenchError as error:
            self.desk.toast.say(str(error))
        self._show_end(self._doomed)

    def _show_progress(self, name: str, text: str, done: int, total: int) -> None:
        self.desk.settings.backbone.show_progress(name, text, done, total)
        if self.browser is not None:
            self.browser.show_progress(name, text, done, total)

    def _end(self, name: str, file: WeightsFile) -> None:
        self._show_end(name)
        if self._file:
            self._set(name, self._file)
            text = self.tr("The weights in {file} fit {name}. SHA-256 {start}…")
            start = file.sha256[:12]
            self.desk.toast.say(text.format(file=Path(file.path).name, name=name, start=start))
            if self.browser is not None:
                self.browser.close()
            return
        text = self.tr("The weights of {name} are on this computer. SHA-256 {start}…")
        self.desk.toast.say(text.format(name=name, start=file.sha256[:12]))

    def _fail(self, name: str, sentence: str) -> None:
        self._show_end(name, sentence)

    def _stop(self, name: str) -> None:
        self._show_end(name)
        text = self.tr(
            "The download of {name} was stopped. What is there is kept; Download goes on."
        )
        if self._file:
            text = self.tr("The check of the weights of {name} was stopped.")
        self.desk.toast.say(text.format(name=name))

    def _show_end(self, name: str, failure: str = "") -> None:
        self.desk.settings.backbone.show_end(name, failure)
        if self.browser is not None:
            self.browser.show_end(name, failure)

    def _set(self, name: str, weights_file: str) -> None:
        if self.desk.fixed:
            self.desk.toast.say(self.tr("The settings are fixed while a run trains."))
            return
        values = {"model.backbone": name, "model.weights": weights_file}
        self.desk.draft.set_values(values, self.tr("Choose a backbone"))
