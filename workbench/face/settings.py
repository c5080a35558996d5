"""The right side: preset, backbone, every setting, and the button that starts."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from workbench.config import Preset, with_values
from workbench.face.draft import Draft
from workbench.face.editors import CalmComboBox, Editor
from workbench.face.form import Form
from workbench.face.method_editor import MethodEditor
from workbench.report import BackboneChoice, Choices


class BackboneEditor(Editor):
    """The list of backbones; any other timm name may be typed. Says size, licence, whether it is here."""

    wide = True

    def __init__(self, choices: tuple[BackboneChoice, ...]) -> None:
        self.box = CalmComboBox()
        super().__init__(self.box, "", None)
        self._known = {choice.name: choice for choice in choices}
        self.box.setEditable(True)
        self.box.setInsertPolicy(CalmComboBox.InsertPolicy.NoInsert)
        self.box.addItems([choice.name for choice in choices])
        for row, choice in enumerate(choices):
            self.box.setItemData(row, choice.title, Qt.ItemDataRole.ToolTipRole)
        self.box.textActivated.connect(self._choose)
        line = self.box.lineEdit()
        if line is not None:
            line.editingFinished.connect(self._finish_typing)

    def show_value(self, value: Any) -> None:
        """Show the name and what is known of it."""
        if self.box.currentText() != value:
            self.box.setCurrentText(value)
        line = self.box.lineEdit()
        if line is not None:
            line.setCursorPosition(0)
        choice = self._known.get(value)
        self.note_changed.emit(self._described(choice) if choice else self.tr("A timm name."))

    def _described(self, choice: BackboneChoice) -> str:
        here = self.tr("on disk ✓") if choice.present else self.tr("not on disk yet")
        size = f"{choice.parameters_millions:.3g} M · {choice.image_size} px"
        more = [choice.title, choice.note, self.tr("Licence: {name}").format(name=choice.licence)]
        self.box.setToolTip("\n".join(line for line in more if line))
        return f"{size} · {here}"

    def _choose(self, name: str) -> None:
        self.show_value(name)
        self.edited.emit(name)

    def _finish_typing(self) -> None:
        self._choose(self.box.currentText().strip())


class SettingsPanel(QWidget):
    """Edits the draft's settings. Read-only while a run trains on them."""

    train_requested = Signal()
    problems_changed = Signal()

    def __init__(self, draft: Draft, choices: Choices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self._presets = choices.presets
        self.backbone = BackboneEditor(choices.backbones)
        self.method = MethodEditor(choices.methods)
        own = {"model.backbone": self.backbone, "method.name": self.method}
        self.form = Form(draft.state.settings, own, self)
        self.form.edited.connect(self._edit)
        self.form.problems_changed.connect(self.problems_changed)
        self.preset_box = CalmComboBox(self)
        self.preset_note = QLabel(self)
        heading = QLabel(self.tr("SETTINGS"), self)
        heading.setProperty("heading", "true")
        heading.setMinimumHeight(self.fontMetrics().height() + 12)
        self.train_button = QPushButton(self.tr("Train"), self)
        self.train_button.setObjectName("primary")
        self.train_button.clicked.connect(self.train_requested)
        self.reason = QLabel(self)
        self.help = QLabel(self.tr("Point at a setting to read what it does."), self)
        self.form.help_wanted.connect(self.help.setText)
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.help.setFixedHeight(3 * self.fontMetrics().height() + 4)
        for label in (self.preset_note, self.help, self.reason):
            label.setProperty("muted", "true")
            label.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 8, 8, 8)
        column.addWidget(heading)
        column.addWidget(self._scrolled(), 1)
        column.addWidget(self.help)
        column.addWidget(self.train_button)
        column.addWidget(self.reason)
        self.setMinimumWidth(230)
        draft.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the draft's settings and which preset they are, if any."""
        settings = self._draft.state.settings
        self.form.show_config(settings)
        matching = (p for p in self._presets if with_values(settings, p.values) == settings)
        chosen = next(matching, None)
        self.preset_box.setCurrentIndex(self._presets.index(chosen) + 1 if chosen else 0)
        self.preset_note.setText(chosen.note.partition(". ")[0].rstrip(".") + "." if chosen else "")
        self.preset_note.setToolTip(chosen.note if chosen else "")
        self.preset_note.setVisible(bool(chosen and chosen.note))

    def show_ready(self, reason: str) -> None:
        """Let Train be pressed, or grey it with the reason in its tooltip and below it."""
        self.train_button.setEnabled(not reason)
        self.train_button.setToolTip(reason or self.tr("Train on the tasks at the left (Ctrl+R)"))
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))

    def set_read_only(self, read_only: bool) -> None:
        """Grey every setting, or free them."""
        self._content.setEnabled(not read_only)

    def problem(self) -> str:
        """Return the first sentence about a value that does not fit, or an empty string."""
        return next(iter(self.form.problems()), "")

    def _scrolled(self) -> QScrollArea:
        self._content = QWidget(self)
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 6, 0)
        self.preset_box.addItem(self.tr("Own settings"))
        for preset in self._presets:
            self.preset_box.addItem(preset.title)
            at = self.preset_box.count() - 1
            self.preset_box.setItemData(at, preset.note, Qt.ItemDataRole.ToolTipRole)
        self.preset_box.activated.connect(self._apply_preset)
        self.preset_box.setAccessibleName(self.tr("Preset"))
        label = QLabel(self.tr("Preset"), self)
        label.setBuddy(self.preset_box)
        top = QVBoxLayout()
        top.setContentsMargins(2, 2, 2, 0)
        top.setSpacing(4)
        for widget in (label, self.preset_box, self.preset_note):
            top.addWidget(widget)
        column.addLayout(top)
        column.addWidget(self.form)
        column.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self._content)
        return area

    def _apply_preset(self, row: int) -> None:
        if row > 0:
            preset: Preset = self._presets[row - 1]
            text = self.tr("Preset {title}").format(title=preset.title)
            self._draft.set_values(preset.values, text)
        self.refresh()

    def _edit(self, key: str, value: object) -> None:
        self._draft.set_values({key: value}, self.tr("Change setting"), merge_key=key)
