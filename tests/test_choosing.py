"""Choosing a backbone in the window: searched, fetched from a real server, cancelled, refused, deleted."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from tests.test_hub import Plan, served
from workbench.face.backbone_browser import BackboneBrowser
from workbench.face.backbone_table import INPUT, PARAMETERS, WORK
from workbench.face.choosing import Choosing
from workbench.face.window import Window
from workbench.session import Session

DINO = "vit_small_patch16_224.dino"


@pytest.fixture
def choosing(tmp_path: Path, qtbot: QtBot) -> Iterator[Choosing]:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        window = Window(session)
        qtbot.addWidget(window)
        window.show()
        feature = next(each for each in window.features if isinstance(each, Choosing))
        yield feature
        for each in window.features:
            each.shut_down()
        assert window.desk.shut_down()


def opened(choosing: Choosing, name: str = DINO) -> BackboneBrowser:
    choosing.browse_backbones()
    assert choosing.browser is not None
    choosing.browser.choose(name)
    return choosing.browser


def names(browser: BackboneBrowser) -> list[str]:
    return [str(browser.filter.index(row, 0).data()) for row in range(browser.filter.rowCount())]


def test_every_word_is_searched_and_filters_narrow(choosing: Choosing) -> None:
    browser = opened(choosing)
    assert len(names(browser)) > 300
    browser.search.setText("small DINO _224.")
    assert names(browser) == [DINO, "vit_small_patch8_224.dino"]
    browser.search.clear()
    browser.limit.setCurrentIndex(1)
    assert all(
        int(browser.table.facts(browser.table.row_of(n)).parameters) <= 1e7 for n in names(browser)
    )
    browser.limit.setCurrentIndex(0)
    browser.side.setCurrentIndex(browser.side.findData(384))
    assert {browser.table.facts(browser.table.row_of(n)).image_size for n in names(browser)} == {
        384
    }
    browser.side.setCurrentIndex(0)
    browser.only_here.setChecked(True)
    assert names(browser) == ["sample"]


def test_numbers_are_sorted_as_numbers(choosing: Choosing) -> None:
    browser = opened(choosing)
    browser.view.sortByColumn(PARAMETERS, Qt.SortOrder.DescendingOrder)
    found = [browser.table.facts(browser.table.row_of(name)).parameters for name in names(browser)]
    assert found == sorted(found, reverse=True)


def test_the_work_of_a_picture_is_shown_against_a_known_backbone_and_sorted(
    choosing: Choosing,
) -> None:
    browser = opened(choosing, "vit_base_patch16_224.dino")
    row = browser.table.row_of("vit_base_patch16_224.dino")
    assert browser.table.index(row, WORK).data() == "1 ×"
    assert "1 times the work of ViT-B/16" in browser.detail.text.toPlainText()
    browser.view.sortByColumn(WORK, Qt.SortOrder.AscendingOrder)
    assert names(browser)[0] == "sample"
    found = [browser.table.facts(browser.table.row_of(name)).operations for name in names(browser)]
    assert found == sorted(found)
    assert browser.filter.index(len(found) - 1, WORK).data() == "168 ×"


def test_names_keep_their_room_and_other_columns_give_way(choosing: Choosing) -> None:
    browser = opened(choosing)
    for width, hidden in ((1160, False), (860, True), (1160, False)):
        browser.resize(width, 500)
        assert browser.view.isColumnHidden(INPUT) is hidden
        assert not browser.view.isColumnHidden(WORK)


def test_used_backbone_is_one_step_that_can_be_undone(choosing: Choosing) -> None:
    browser, draft = opened(choosing), choosing.desk.draft
    browser.use_button.click()
    assert draft.state.settings.model.backbone == DINO
    assert not browser.isVisible()
    field = choosing.desk.settings.backbone
    assert field.note.text() == f"The weights of {DINO} (87 MB) are not on this computer."
    draft.stack.undo()
    assert draft.state.settings.model.backbone == "sample"


def test_a_download_from_the_field_ends_on_this_computer_and_can_be_deleted(
    choosing: Choosing, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, field = Plan(), choosing.desk.settings.backbone
    with served(plan) as base:
        monkeypatch.setenv("HF_ENDPOINT", base)
        choosing.use(DINO)
        assert plan.paths == []  # nothing is fetched without a click
        with qtbot.waitSignal(choosing.work.ended, timeout=20_000):
            field.download_button.click()
    assert "on this computer ✓" in field.note.text()
    browser = opened(choosing)
    assert hashlib.sha256(plan.content).hexdigest() in browser.detail.text.toPlainText()
    browser.delete_button.click()
    choosing.question.answers["Delete"].click()
    assert not choosing.backbones.place(DINO).exists()
    assert "are not on this computer" in field.note.text()


@pytest.mark.parametrize("place", ["field", "browser"])
def test_a_download_that_is_cancelled_keeps_what_is_there_and_goes_on_later(
    choosing: Choosing, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    plan = Plan(pause=0.05)
    with served(plan) as base:
        monkeypatch.setenv("HF_ENDPOINT", base)
        choosing.use(DINO)
        buttons = choosing.desk.settings.backbone if place == "field" else opened(choosing)
        buttons.download_button.click()
        qtbot.waitUntil(buttons.cancel_button.isVisible, timeout=20_000)
        part = choosing.backbones.place(DINO).with_suffix(".safetensors.part")
        qtbot.waitUntil(lambda: part.is_file() and part.stat().st_size > 0, timeout=20_000)
        with qtbot.waitSignal(choosing.work.stopped, timeout=20_000):
            buttons.cancel_button.click()
        assert choosing.desk.toast.label.text() == (
            f"The download of {DINO} was stopped. What is there is kept; Download goes on."
        )
        kept = part.stat().st_size
        assert 0 < kept < len(plan.content)
        assert not buttons.cancel_button.isVisible()
        assert buttons.download_button.text() == "Download"
        plan.pause = 0
        with qtbot.waitSignal(choosing.work.ended, timeout=20_000):
            buttons.download_button.click()
    assert plan.ranges == [None, f"bytes={kept}-"]
    assert choosing.backbones.place(DINO).read_bytes() == plan.content
    assert "on this computer ✓" in choosing.desk.settings.backbone.note.text()


def test_without_the_hub_the_field_says_where_to_put_the_file(
    choosing: Choosing, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    choosing.use(DINO)
    field = choosing.desk.settings.backbone
    with qtbot.waitSignal(choosing.work.failed, timeout=20_000):
        field.download_button.click()
    assert f"The weights of {DINO} are not on this computer and the hub cannot" in field.note.text()
    assert f"Put the file into {choosing.backbones.folder} as" in field.note.text()
    field.path_button.click()
    assert QGuiApplication.clipboard().text() == str(choosing.backbones.place(DINO))


def test_a_file_that_is_no_weights_changes_nothing(
    choosing: Choosing, qtbot: QtBot, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no weights")
    before = choosing.desk.draft.state
    choosing.use(DINO)
    with qtbot.waitSignal(choosing.work.failed, timeout=60_000):
        choosing.check_file(DINO, str(bad))
    assert (
        "'bad.safetensors' is not a readable weights file"
        in choosing.desk.settings.backbone.note.text()
    )
    assert choosing.desk.draft.state.settings.model.weights == before.settings.model.weights


def test_a_mistyped_name_is_answered_at_the_field_and_greys_train(choosing: Choosing) -> None:
    field = choosing.desk.settings.backbone
    line = field.box.lineEdit()
    assert line is not None
    line.setText("vit_bse_patch16")
    line.editingFinished.emit()
    sentence = "'vit_bse_patch16' is not known. Did you mean vit_base_patch16_224?"
    assert choosing.desk.settings.problem() == sentence
    assert choosing.desk.draft.state.settings.model.backbone == "sample"


def test_changed_values_are_counted_found_and_put_back(choosing: Choosing) -> None:
    panel, draft = choosing.desk.settings, choosing.desk.draft
    draft.set_values({"train.momentum": 0.5}, "Change")
    assert panel.form.sections["train"].fold.text() == "Train · 1 changed"
    row = panel.form.row("train.momentum")
    row.back.click()
    assert draft.state.settings.train.momentum == 0.9
    assert panel.form.sections["train"].fold.text() == "Train"
    panel.search.setText("momentum sgd")
    assert row.editor.isVisible()
    assert not panel.form.row("train.epochs").editor.isVisible()
    panel.search.setText("nothing like it")
    assert panel.none_found.isVisible()
