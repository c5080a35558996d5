"""The tab "Try it": a learnt adapter, pictures dropped on it, and what it takes them for."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workbench.events import Stage
from workbench.face.background import IterationThread
from workbench.face.drop import PICTURE_ENDINGS, DropTarget, Given
from workbench.face.editors import CalmComboBox
from workbench.face.guess_list import Answer, AnswerDelegate, AnswerModel, thumbnail_of
from workbench.face.words import percent
from workbench.report import Guess, RunSummary
from workbench.session import Session


class TryItPanel(QWidget):
    """Choose an adapter, drop pictures or a folder, read the bars. Predicts on a thread."""

    said = Signal(str)  # a sentence for a toast

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._thread: IterationThread | None = None
        self.adapters = CalmComboBox(self)
        self.adapters.setAccessibleName(self.tr("Adapter to try"))
        self.file_button = self._button(self.tr("From file…"), self._choose_file)
        self.file_button.setToolTip(self.tr("Open an exported adapter (.safetensors)"))
        self.pictures_button = self._button(self.tr("Add pictures…"), self._choose_pictures)
        self.clear_button = self._button(self.tr("Clear"), self.clear)
        self.cancel_button = self._button(self.tr("Cancel"), self.cancel)
        top = QHBoxLayout()
        label = QLabel(self.tr("Adapter"), self)
        label.setBuddy(self.adapters)
        top.addWidget(label)
        top.addWidget(self.adapters, 1)
        for button in (self.file_button, self.pictures_button, self.clear_button):
            top.addWidget(button)
        self.model = AnswerModel()
        self.model.setParent(self)
        self.list = self._answer_list()
        self.hint = QLabel(self)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.zone = QFrame(self)
        self.zone.setProperty("drop", "true")
        QVBoxLayout(self.zone).addWidget(self.hint)
        self.status = QLabel(self)
        self.status.setProperty("muted", "true")
        foot = QHBoxLayout()
        foot.addWidget(self.status, 1)
        foot.addWidget(self.cancel_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addLayout(top)
        column.addWidget(self.zone, 1)
        column.addWidget(self.list, 3)
        column.addLayout(foot)
        self._target = DropTarget(self, self.zone)
        self._target.given.connect(self.take)
        self._refresh()

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Offer every run that has learnt at least one task; the choice stays."""
        chosen = self.adapters.currentData()
        files = [
            (self.adapters.itemText(i), self.adapters.itemData(i))
            for i in range(self.adapters.count())
            if os.path.sep in str(self.adapters.itemData(i))
        ]
        self.adapters.clear()
        for run in runs:
            if run.tasks_done > 0:
                text = f"{run.name} · {run.backbone} · {percent(run.final_accuracy, 0)}"
                self.adapters.addItem(text, run.id)
        for text, path in files:
            self.adapters.addItem(text, path)
        self.adapters.setCurrentIndex(max(0, self.adapters.findData(chosen)))
        self._refresh()

    def choose_run(self, run: str) -> None:
        """Choose the adapter of a run, if it has one."""
        place = self.adapters.findData(run)
        if place >= 0:
            self.adapters.setCurrentIndex(place)

    def add_adapter(self, path: str) -> None:
        """Offer an exported adapter file and choose it."""
        name = Path(path)
        self.adapters.addItem(f"{name.parent.name}/{name.name}", path)
        self.adapters.setCurrentIndex(self.adapters.count() - 1)
        self._refresh()

    def take(self, given: Given) -> None:
        """Predict the pictures given, and those in given folders."""
        adapter = self.adapters.currentData()
        paths = (*given.files, *given.folders)
        if not paths:
            self.said.emit(self.tr("Only pictures on this computer can be tried."))
        elif adapter is None:
            self.said.emit(self.tr("Train a run first, or open an adapter file."))
        elif self._thread is not None:
            self.said.emit(self.tr("Pictures are being recognised already. Wait, or cancel."))
        else:
            self._start(adapter, paths)

    def cancel(self) -> None:
        """Stop at the next picture."""
        if self._thread is not None:
            self._thread.cancel()
            self.status.setText(self.tr("Stopping…"))

    def clear(self) -> None:
        """Take the answers away."""
        self.model.clear()
        self._refresh()

    def shut_down(self) -> None:
        """Cancel and wait for the thread."""
        if self._thread is not None:
            self._thread.end()

    def _start(self, adapter: str, paths: Sequence[str]) -> None:
        self._thread = IterationThread(lambda: _answers(self._session, adapter, paths), self)
        self._thread.item.connect(self._take_item)
        self._thread.failed.connect(self.said)
        self._thread.finished.connect(self._over)
        self.status.setText(self.tr("Loading the adapter…"))
        self._thread.start()
        self._refresh()

    def _take_item(self, item: Stage | Answer) -> None:
        if isinstance(item, Stage):
            counted = f" {item.done:,} / {item.total:,}" if item.total else ""
            self.status.setText(f"{item.text}{counted}")
            return
        self.model.add(item)
        self._refresh()

    def _over(self) -> None:
        if self._thread is not None:
            self._thread.deleteLater()
            self._thread = None
        self.status.clear()
        self._refresh()

    def _refresh(self) -> None:
        answers, adapters = bool(self.model.answers), self.adapters.count() > 0
        self.list.setVisible(answers)
        self.zone.setVisible(not answers)
        self.clear_button.setEnabled(answers)
        self.cancel_button.setVisible(self._thread is not None)
        self.pictures_button.setEnabled(adapters)
        self.adapters.setEnabled(adapters)
        self.hint.setText(
            self.tr("Drop pictures here, or a folder of them, to see what they are taken for.")
            if adapters
            else self.tr(
                "Once a run has learnt its first task, drop pictures here to see what they "
                "are taken for. An exported adapter can be opened from its file at once."
            )
        )

    def _answer_list(self) -> QListView:
        view = QListView(self)
        view.setModel(self.model)
        view.setItemDelegate(AnswerDelegate(view))
        view.setViewMode(QListView.ViewMode.ListMode)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.viewport().setAutoFillBackground(False)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setAccessibleName(self.tr("Answers"))
        return view

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


def _answers(session: Session, adapter: str, paths: Sequence[str]) -> Iterator[Stage | Answer]:
    """Yield stages and answers; thumbnails are decoded here, off the window's thread."""
    for item in session.predict(adapter, pictures_in(paths)):
        if isinstance(item, Guess):
            yield Answer(item, QImage() if item.problem else thumbnail_of(item.path))
        else:
            yield item


def pictures_in(paths: Sequence[str]) -> list[str]:
    """Return files as they are and the pictures inside folders, sorted; nothing else is guessed away."""
    found: list[str] = []
    for path in paths:
        if not Path(path).is_dir():
            found.append(path)
            continue
        for folder, _, names in os.walk(path):
            pictures = [n for n in names if Path(n).suffix.lower() in PICTURE_ENDINGS]
            found += [str(Path(folder) / name) for name in sorted(pictures)]
    return found
