from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from workbench.config import Preset, RunConfig, settings_of, with_values
from workbench.face.draft import Draft
from workbench.face.form import Form
from workbench.face.settings import SettingsPanel
from workbench.report import BackboneChoice, Choices
from workbench.session.backbones import Backbones

CHOICES = Choices(
    (
        BackboneChoice("sample", "Sample backbone", 15.0, 70, "Apache-2.0", True),
        BackboneChoice("vit_tiny_patch16_224.augreg", "ViT-Ti/16", 5.7, 224, "Apache-2.0", False),
    ),
    (Preset("quick", "Quick look", "Three epochs.", {"train": {"epochs": 3, "batch_size": 8}}),),
)


@pytest.fixture
def form(qtbot: QtBot) -> Form:
    made = Form(RunConfig())
    qtbot.addWidget(made)
    return made


def test_every_setting_has_an_editor_with_its_help_read_aloud(form: Form) -> None:
    for key, item, _ in settings_of(RunConfig()):
        control = form.row(key).editor.control
        assert control.accessibleName() == item.metadata["label"]
        assert control.accessibleDescription() == item.metadata["help"]
        assert control.toolTip() == item.metadata["help"]


def test_editors_fit_the_kind_of_value(form: Form) -> None:
    assert isinstance(form.row("model.use_pretrained_section").editor.control, QCheckBox)
    assert isinstance(form.row("method.profile").editor.control, QComboBox)
    assert isinstance(form.row("train.learning_rate").editor.control, QLineEdit)


def test_advanced_settings_are_folded_by_section(form: Form, qtbot: QtBot) -> None:
    form.show()
    momentum = form.row("train.momentum").editor.control
    assert not momentum.isVisible()
    assert form.row("train.epochs").editor.control.isVisible()
    form.sections["train"].fold.click()
    assert momentum.isVisible()
    names = {item.name for item in fields(RunConfig())}
    assert set(form.sections) <= names


def test_typing_a_number_that_fits_emits_it_in_its_own_type(form: Form, qtbot: QtBot) -> None:
    line = form.row("train.learning_rate").editor.control
    line.clear()
    with qtbot.waitSignal(form.edited) as heard:
        qtbot.keyClicks(line, "1")
    assert heard.args == ["train.learning_rate", 1.0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("4000", "Batch: a whole number from 1 to 1024, not 4000."),
        ("many", "Batch: a whole number from 1 to 1024, not 'many'."),
        ("", "Batch: a whole number from 1 to 1024, not ''."),
    ],
)
def test_a_value_that_does_not_fit_is_named_at_the_field_and_not_emitted(
    form: Form, qtbot: QtBot, text: str, sentence: str
) -> None:
    line = form.row("train.batch_size").editor.control
    heard: list[object] = []
    form.edited.connect(lambda key, value: heard.append(value))
    line.setText(text)
    line.textEdited.emit(text)
    assert form.problems() == [sentence]
    assert form.row("train.batch_size").problem.text() == sentence
    assert heard == []
    line.textEdited.emit("32")
    assert form.problems() == []
    assert heard == [32]


def test_showing_a_configuration_fills_every_editor_and_clears_problems(form: Form) -> None:
    form.row("train.batch_size").editor.control.textEdited.emit("0")
    config = with_values(
        RunConfig(),
        {"train.batch_size": 4, "method.profile": "paper", "model.use_pretrained_section": False},
    )
    form.show_config(config)
    assert form.problems() == []
    assert form.row("train.batch_size").editor.control.text() == "4"
    assert form.row("method.profile").editor.control.currentText() == "paper"
    assert not form.row("model.use_pretrained_section").editor.control.isChecked()


def test_a_wrong_text_is_replaced_when_the_value_behind_it_comes_back(form: Form) -> None:
    line = form.row("train.epochs").editor.control
    line.setText("x")
    line.textEdited.emit("x")
    form.show_config(RunConfig())
    assert line.text() == "20"


@pytest.fixture
def panel(qtbot: QtBot, tmp_path: Path) -> SettingsPanel:
    draft = Draft()
    made = SettingsPanel(draft, CHOICES, Backbones(tmp_path, CHOICES.backbones))
    draft.setParent(made)
    qtbot.addWidget(made)
    return made


def draft_of(panel: SettingsPanel) -> Draft:
    draft = panel.findChild(Draft)
    assert isinstance(draft, Draft)
    return draft


def test_a_preset_fills_the_form_and_leaves_when_a_value_is_changed(panel: SettingsPanel) -> None:
    panel.preset_box.setCurrentIndex(1)
    panel.preset_box.activated.emit(1)
    assert draft_of(panel).state.settings.train.epochs == 3
    assert panel.preset_box.currentText() == "Quick look"
    assert panel.preset_note.text() == "Three epochs."
    draft_of(panel).set_values({"train.epochs": 4}, "Change")
    assert panel.preset_box.currentText() == "Own settings"
    draft_of(panel).stack.undo()
    assert panel.preset_box.currentText() == "Quick look"


def test_the_backbone_says_its_size_and_whether_it_is_here(panel: SettingsPanel) -> None:
    note = panel.backbone.note
    assert "15 M · 70 px · on this computer ✓" in note.text()
    panel.backbone.box.textActivated.emit("vit_tiny_patch16_224.augreg")
    assert draft_of(panel).state.settings.model.backbone == "vit_tiny_patch16_224.augreg"
    assert "are not on this computer." in note.text()


def test_any_other_backbone_can_be_typed(panel: SettingsPanel, qtbot: QtBot) -> None:
    line = panel.backbone.box.lineEdit()
    assert line is not None
    line.setText("vit_small_patch14_dinov2.lvd142m")
    line.editingFinished.emit()
    assert draft_of(panel).state.settings.model.backbone == "vit_small_patch14_dinov2.lvd142m"


def test_train_is_greyed_with_its_reason_in_sight(panel: SettingsPanel) -> None:
    panel.show_ready("Add a task first.")
    assert not panel.train_button.isEnabled()
    assert panel.train_button.toolTip() == panel.reason.text() == "Add a task first."
    panel.show_ready("")
    assert panel.train_button.isEnabled()
