"""The settings' field for the backbone: the short list, any other name typed, and what its weights need."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QWidget

from workbench.face.editors import CalmComboBox, Editor
from workbench.face.words import size_text
from workbench.report import BackboneFacts
from workbench.session.backbones import Backbones


class BackboneEditor(Editor):
    """Says size, licence and whether the weights are here; offers to fetch them or to choose a file."""

    wide = True
    browse_wanted = Signal()
    download_wanted = Signal(str)
    file_wanted = Signal(str)
    cancel_wanted = Signal()

    def __init__(self, backbones: Backbones) -> None:
        self.box = CalmComboBox()
        super().__init__(self.box, "", None)
        self.setProperty("page", "backbones")
        self._backbones = backbones
        self._weights_file = ""
        self._value = ""
        self._failures: dict[str, str] = {}
        self.box.setEditable(True)
        self.box.setInsertPolicy(CalmComboBox.InsertPolicy.NoInsert)
        for row, facts in enumerate(backbones.short_list()):
            self.box.addItem(facts.name)
            self.box.setItemData(row, facts.title, Qt.ItemDataRole.ToolTipRole)
        self.box.textActivated.connect(self._choose)
        line = self.box.lineEdit()
        if line is not None:
            line.editingFinished.connect(self._finish_typing)
        self.browse_button = QPushButton(self.tr("Browse…"), self)
        self.browse_button.setToolTip(self.tr("Every backbone there is, with size and licence"))
        self.browse_button.setAccessibleName(self.tr("Browse backbones"))
        self.browse_button.clicked.connect(self.browse_wanted)
        self.beside = self.browse_button
        self._add_answers()

    def show_value(self, value: Any) -> None:
        """Show the name and what is known of it."""
        if value != self._value:
            self._show_working("", 0, 0)
        self._value = value
        if self.box.currentText() != value:
            self.box.setCurrentText(value)
        line = self.box.lineEdit()
        if line is not None:
            line.setCursorPosition(0)
        self.problem_changed.emit(self._backbones.problem(value, self._weights_file))
        self.refresh()

    def set_weights_file(self, path: str) -> None:
        """Take note of the file that the weights come from instead of the hub; "" is none."""
        self._weights_file = path

    def refresh(self) -> None:
        """Look again whether the weights are here."""
        facts = self._backbones.find(self._value)
        missing = facts is not None and not facts.present and not self._own_weights()
        failure = self._failures.get(self._value, "") if missing else ""
        self.note.setText(failure or self._described(facts))
        self.note.setProperty("level", "warning" if missing else "none")
        self.note.style().polish(self.note)
        for button in (self.download_button, self.file_button):
            button.setVisible(missing)
        self.download_button.setText(self.tr("Try again") if failure else self.tr("Download"))
        self.download_button.setEnabled(facts is not None and bool(facts.hub))
        self.path_button.setVisible(bool(failure))

    def show_progress(self, name: str, text: str, done: int, total: int) -> None:
        """Show how far the weights' download or check is, if this backbone is meant."""
        if name == self._value:
            self._failures.pop(name, None)
            self._show_working(text, done, total)

    def show_end(self, name: str, failure: str = "") -> None:
        """Show that the work for a backbone has ended, and why if it failed."""
        self._failures.pop(name, None)
        if failure:
            self._failures[name] = failure
        if name == self._value:
            self._show_working("", 0, 0)
            self.refresh()

    def _show_working(self, text: str, done: int, total: int) -> None:
        self.bar.setVisible(bool(text))
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.cancel_button.setVisible(bool(text))
        if text:
            self.note.setText(text)
            for button in (self.download_button, self.file_button, self.path_button):
                button.hide()

    def _own_weights(self) -> bool:
        return bool(self._weights_file) or self._value.startswith("random:")

    def _described(self, facts: BackboneFacts | None) -> str:
        if facts is None:
            return ""
        licence = self.tr("Licence: {name}").format(name=facts.licence or self.tr("see its page"))
        self.box.setToolTip("\n".join(line for line in (facts.title, facts.note, licence) if line))
        if self._weights_file:
            return self.tr("Weights from {file}").format(file=self._weights_file)
        if not facts.present and not self._own_weights():
            text = self.tr("The weights of {name} ({size}) are not on this computer.")
            return text.format(name=facts.name, size=size_text(facts.megabytes))
        text = self.tr("{millions:.3g} M · {side} px · on this computer ✓")
        return text.format(millions=facts.parameters / 1e6, side=facts.image_size)

    def _add_answers(self) -> None:
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setProperty("muted", "true")
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the weights"))
        self.column.addWidget(self.note)
        self.column.addWidget(self.bar)
        answers = QWidget(self)
        grid = QGridLayout(answers)
        grid.setContentsMargins(0, 0, 0, 0)
        self.download_button = self._button(self.tr("Download"), self._download)
        self.file_button = self._button(self.tr("Choose file…"), self._ask_for_file)
        self.path_button = self._button(self.tr("Copy path"), self._copy_path)
        self.path_button.setToolTip(self.tr("Copy where the file is looked for"))
        self.cancel_button = self._button(self.tr("Cancel"), self.cancel_wanted.emit)
        places = ((0, 0), (0, 1), (1, 0), (1, 1))
        buttons = (self.download_button, self.file_button, self.path_button, self.cancel_button)
        for button, place in zip(buttons, places, strict=True):
            grid.addWidget(button, *place)
            button.hide()
        self.bar.hide()
        self.column.addWidget(answers)

    def _button(self, text: str, call: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.clicked.connect(call)
        return button

    def _download(self) -> None:
        self.download_wanted.emit(self._value)

    def _ask_for_file(self) -> None:
        self.file_wanted.emit(self._value)

    def _copy_path(self) -> None:
        QGuiApplication.clipboard().setText(str(self._backbones.place(self._value)))

    def _choose(self, name: str) -> None:
        changed = name != self._value
        problem = self._backbones.problem(name, "" if changed else self._weights_file)
        self.problem_changed.emit(problem)
        if changed and not problem:
            self.edited.emit(name)

    def _finish_typing(self) -> None:
        self._choose(self.box.currentText().strip())
