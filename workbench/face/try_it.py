"""The tab "Try it": one adapter or two, pictures dropped on it, and what they are taken for."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workbench.events import Stage
from workbench.face.activities import Activities, Activity
from workbench.face.adapter_box import UNDER_WAY, AdapterBox
from workbench.face.adapter_opener import AdapterOpener
from workbench.face.background import Background
from workbench.face.drop import PICTURE_ENDINGS, DropTarget, Given
from workbench.face.guess_list import Answer, AnswerList, AnswerModel
from workbench.face.messages import Strips
from workbench.face.saving import CsvSaver
from workbench.face.try_work import Item, Refused, Request, Second, answers, rows
from workbench.report import LearntRun, RunSummary
from workbench.session import Session
from workbench.session.adapters import AdapterFacts

# .pt and the like are refused with the reason, which says more than "not a picture".
_ADAPTERS = frozenset({".safetensors", ".json", ".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt"})


class TryItPanel(QWidget):
    """Choose an adapter, drop pictures or a folder, read the bars. Everything slow is on a thread."""

    said = Signal(str)  # a sentence for a toast

    def __init__(
        self,
        session: Session,
        parent: QWidget | None = None,
        activities: Activities | None = None,
    ) -> None:
        super().__init__(parent)
        self._activities = activities or Activities(self)
        self._activity: Activity | None = None
        self._session = session
        self._work = Background(self)
        self._work.item.connect(self._take_item)
        self._work.failed.connect(self.said)
        self._work.ended.connect(self._over)
        self._request: Request | None = None  # the last one
        self._training = False
        self._behind = False  # the log has changed since its runs were offered
        self.adapters = AdapterBox(self.tr("Adapter to try"), parent=self)
        self.beside = AdapterBox(self.tr("Adapter beside it"), self.tr("nothing beside it"), self)
        self.beside.setToolTip(self.tr("A second adapter that sees the same pictures"))
        self.file_button = self._button(self.tr("From file…"), self._choose_file)
        self.file_button.setToolTip(self.tr("Open an exported adapter (.safetensors)"))
        self.pictures_button = self._button(self.tr("Add pictures…"), self._choose_pictures)
        self.save_button = self._button(self.tr("Save as CSV…"), self._save)
        self.clear_button = self._button(self.tr("Clear"), self.clear)
        self.cancel_button = self._button(self.tr("Cancel"), self.cancel)
        self.strips = Strips(self)
        self.opener = AdapterOpener(session, self.strips, self)
        self.opener.opened.connect(self._offer)
        self.opener.changed.connect(self._refresh)
        self.saver = CsvSaver(self.strips, self)
        self.saver.said.connect(self.said)
        self.model = AnswerModel()
        self.model.setParent(self)
        self.list = AnswerList(self.model, self.tr("Answers"), self)
        self.hint, self.place, self.status = QLabel(self), QLabel(self), QLabel(self)
        self.zone = QFrame(self)
        self._lay_out()
        self._target = DropTarget(self, self.zone)
        self._target.given.connect(self.take)
        for box in (self.adapters, self.beside):
            box.activated.connect(self._chosen_anew)
        self._refresh()

    def runs_changed(self) -> None:
        """Offer what the log has by now, as soon as that is seen."""
        self._behind = True
        if self.isVisible():
            self._catch_up()

    def showEvent(self, event: QShowEvent) -> None:
        """Offer what has been learnt while something else was seen."""
        self._catch_up()
        super().showEvent(event)

    def _catch_up(self) -> None:
        if self._behind:
            self._behind = False
            self.show_runs(self._session.table.learnt())

    def show_runs(self, runs: Sequence[RunSummary | LearntRun]) -> None:
        """Offer every run that has learnt at least one task; the choices stay."""
        self._training = any(run.state in UNDER_WAY for run in runs)
        self.adapters.show_runs(runs)
        self.beside.show_runs(runs)
        self._refresh()

    def choose_run(self, run: str) -> None:
        """Choose the adapter of a run, if it has one."""
        self._catch_up()
        place = self.adapters.findData(run)
        if place >= 0:
            self.adapters.setCurrentIndex(place)
            self._refresh()

    def add_adapter(self, path: str) -> None:
        """Look at an adapter file; offer and choose it if it can be used."""
        self.opener.open(path)

    def take(self, given: Given) -> None:
        """Predict the pictures given, and those in given folders; open an adapter that is given."""
        paths = (*given.files, *given.folders)
        files = [path for path in given.files if Path(path).suffix.lower() in _ADAPTERS]
        if files:
            self.add_adapter(files[0])
        elif not paths:
            self.said.emit(self.tr("Only pictures on this computer can be tried."))
        elif not self.adapters.chosen():
            self.said.emit(self.tr("Train a run first, or open an adapter file."))
        elif not self._busy():
            self._ask(paths)

    def cancel(self) -> None:
        """Stop at the next picture."""
        if self._work.busy:
            self._work.cancel()
            self.status.setText(self.tr("Stopping…"))

    def clear(self) -> None:
        """Take the answers away."""
        self.model.clear()
        self.strips.clear_strip("answers")
        self._refresh()

    def shut_down(self) -> None:
        """Cancel and wait for the threads."""
        self.opener.shut_down()
        self._work.shut_down()

    def _busy(self) -> bool:
        if self._work.busy:
            self.said.emit(self.tr("Pictures are being recognised already. Wait, or cancel."))
        return self._work.busy

    def _ask(self, paths: Sequence[str]) -> None:
        first, second = self.adapters.chosen(), self.beside.chosen()
        second = "" if second == first else second
        names = (self.adapters.short_name(), self.beside.short_name() if second else "")
        self._request = Request(tuple(paths), first, second, names, self._device())
        absent = next(
            (f for key in (first, second) if (f := self.opener.known.get(key)) and not f.present),
            None,
        )
        if absent is not None:
            text = self.tr("The weights of {backbone} are not on this computer.")
            text, download = text.format(backbone=absent.backbone), self.tr("Download")
            self.strips.show_strip("answers", text, "warning", [(download, self._download)])
        else:
            self._start(self._request)

    def _start(self, request: Request) -> None:
        self.strips.clear_strip("answers")
        self.model.begin(request.names)
        self._work.start(lambda: answers(self._session, request))
        self._activity = self._activities.begin(self.tr("Recognising pictures"), self.cancel)
        self.status.setText(self.tr("Loading the adapter…"))
        self._refresh()

    def _download(self) -> None:
        if self._request is not None and not self._busy():
            self._request = replace(self._request, device=self._device())
            self._start(self._request)

    def _use_anyway(self) -> None:
        """Ask the adapters that were refused, whatever is chosen now; the second alone may have been."""
        if self._request is not None and not self._busy():
            self.model.take_back()
            self._request = replace(self._request, device=self._device(), any_weights=True)
            self._start(self._request)

    def _device(self) -> str:
        return "cpu" if self._training else "auto"

    def _chosen_anew(self) -> None:
        """Let what is chosen now see the pictures that are there."""
        self._refresh()
        paths = [answer.guess.path for answer in self.model.answers]
        if paths and not self._busy():
            self.model.clear()
            self._ask(paths)

    def _take_item(self, item: Item) -> None:
        if isinstance(item, Stage):
            counted = f" {item.done:,} / {item.total:,}" if item.total else ""
            self.status.setText(f"{item.text}{counted}")
            if self._activity is not None:
                self._activity.progress(item.done, item.total, item.text)
        elif isinstance(item, Refused):
            go_on = [(self.tr("Use anyway"), self._use_anyway)] if item.may_go_on else []
            level = "warning" if item.may_go_on else "error"
            self.strips.show_strip("answers", item.sentence, level, go_on)
        elif isinstance(item, Second):
            self.model.complete(item.guess)
        elif isinstance(item, Answer):
            self.model.add(item)
            self._refresh()

    def _offer(self, known: AdapterFacts) -> None:
        name = Path(known.path)
        for box in (self.adapters, self.beside):
            box.add_file(f"{name.parent.name}/{name.name}", known.path)
        self.adapters.setCurrentIndex(self.adapters.findData(known.path))
        self._refresh()

    def _over(self) -> None:
        if self._activity is not None:
            self._activity.end()
        self.status.clear()
        self._refresh()

    def _refresh(self) -> None:
        found, adapters = bool(self.model.answers), self.adapters.count() > 0
        self.list.setVisible(found)
        self.zone.setVisible(not found)
        self.clear_button.setEnabled(found)
        self.save_button.setEnabled(found)
        self.cancel_button.setVisible(self._work.busy)
        self.file_button.setEnabled(not self.opener.busy)
        self.pictures_button.setEnabled(adapters)
        for box in (self.adapters, self.beside):
            box.setEnabled(adapters)
        self.place.setText(self._where())
        self.place.setVisible(bool(self.place.text()))
        self.hint.setText(
            self.tr("Drop pictures here, or a folder of them, to see what they are taken for.")
            if adapters
            else self.tr(
                "Once a run has learnt its first task, drop pictures here to see what they "
                "are taken for. An exported adapter can be opened from its file at once."
            )
        )

    def _where(self) -> str:
        """Return on what the answers rest while a run trains."""
        run = self.adapters.run()
        if not self._training or not self.adapters.chosen():
            return ""
        if run is not None and run.state in UNDER_WAY:
            text = self.tr("Uses the checkpoint of task {task}, on the processor.")
            return text.format(task=run.tasks_done)
        return self.tr("Answers on the processor while a run trains.")

    def _save(self) -> None:
        self.saver.ask(rows(self.model.answers, self.model.names), self.tr("answers.csv"))

    def _lay_out(self) -> None:
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.zone.setProperty("drop", "true")
        QVBoxLayout(self.zone).addWidget(self.hint)
        for label in (self.place, self.status):
            label.setProperty("muted", "true")
        self.place.setWordWrap(True)
        top, more, foot = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        top.addWidget(QLabel(self.tr("Adapter"), self))
        top.addWidget(self.adapters, 1)
        top.addWidget(self.beside, 1)
        top.addWidget(self.file_button)
        more.addStretch(1)
        for button in (self.pictures_button, self.save_button, self.clear_button):
            more.addWidget(button)
        foot.addWidget(self.status, 1)
        foot.addWidget(self.cancel_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        for layout in (top, more):
            column.addLayout(layout)
        column.addWidget(self.place)
        column.addWidget(self.strips)
        column.addWidget(self.zone, 1)
        column.addWidget(self.list, 3)
        column.addLayout(foot)

    def _button(self, text: str, slot: object) -> QPushButton:
        button = QPushButton(text, self)
        button.clicked.connect(slot)
        return button

    def _choose_file(self) -> None:
        kinds = self.tr("Adapters (*.safetensors)")
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Open an adapter"), "", kinds)
        if path:
            self.add_adapter(path)

    def _choose_pictures(self) -> None:
        endings = " ".join(f"*{ending}" for ending in sorted(PICTURE_ENDINGS))
        kinds = self.tr("Pictures ({endings})").format(endings=endings)
        paths, _ = QFileDialog.getOpenFileNames(self, self.tr("Add pictures"), "", kinds)
        if paths:
            self.take(Given(files=tuple(paths)))
