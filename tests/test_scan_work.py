import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.pictures import make_class_folders, make_split_folders, make_task_folders
from workbench.face.draft import Draft
from workbench.face.drop import Given
from workbench.face.report_sheet import ReportSheet
from workbench.face.scan_work import FolderAdder
from workbench.face.thumbnails import Thumbnails
from workbench.session import Session


@pytest.fixture
def adder(tmp_path: Path, qtbot: QtBot) -> Iterator[FolderAdder]:
    window = QWidget()
    window.resize(1280, 800)
    qtbot.addWidget(window)
    session = Session(tmp_path / "home")
    draft = Draft(window)
    made = FolderAdder(session, draft, window)
    yield made
    made.shut_down()
    if made.sheet is not None:
        made.sheet.close()
    session.close()


def draft_of(adder: FolderAdder) -> Draft:
    draft = adder.parent().findChild(Draft)
    assert isinstance(draft, Draft)
    return draft


def give(adder: FolderAdder, *paths: Path) -> None:
    adder.take(Given(folders=tuple(str(path) for path in paths)))


def sheet_of(adder: FolderAdder, qtbot: QtBot) -> ReportSheet:
    qtbot.waitUntil(lambda: adder.sheet is not None, timeout=20_000)
    assert adder.sheet is not None
    return adder.sheet


def accept(adder: FolderAdder, qtbot: QtBot) -> None:
    sheet = sheet_of(adder, qtbot)
    sheet.add_button.click()
    qtbot.waitUntil(lambda: adder.sheet is None)


def answer(sheet: ReportSheet, kind: str, button: str, qtbot: QtBot) -> None:
    row = sheet.notices.row(kind)
    row.buttons[button].click()
    qtbot.waitUntil(lambda: row not in sheet.notices.rows)


def test_folders_are_added_once_the_report_is_accepted_and_can_be_undone(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    paths = make_task_folders(
        tmp_path / "p", {"finches": {"a": 5, "b": 5}, "Ö 空格": {"c": 4, "d": 6}}
    )
    give(adder, *paths)
    sheet = sheet_of(adder, qtbot)
    draft = draft_of(adder)
    assert draft.state.names() == []
    assert sheet.heading.text() == "2 tasks · 4 classes · 20 pictures"
    assert sheet.notices.texts() == []
    with qtbot.waitSignal(adder.added) as heard:
        sheet.add_button.click()
    assert heard.args == ["Tasks 'finches', 'Ö 空格' added: 4 classes, 20 pictures."]
    assert draft.state.names() == ["finches", "Ö 空格"]
    draft.stack.undo()
    assert draft.state.names() == []


def test_damaged_pictures_are_counted_shown_and_revealed(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_class_folders(tmp_path / "owls", {"barn": 5, "tawny": 5})
    (folder / "barn" / "broken.png").write_bytes(b"\x89PNG and no more")
    (folder / "tawny" / "text.png").write_text("not a picture")
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    give(adder, folder)
    sheet = sheet_of(adder, qtbot)
    assert sheet.notices.texts() == ["2 of 12 pictures cannot be read and will be left out."]
    row = sheet.notices.row("damaged")
    row.buttons["show"].click()
    assert not row.detail.isHidden()
    assert "broken.png" in row.detail.toPlainText()
    row.buttons["reveal"].click()
    assert [Path(url.toLocalFile()) for url in opened] == [folder / "barn"]
    accept(adder, qtbot)
    (task,) = draft_of(adder).state.tasks
    assert task.folder.left_out == ("barn/broken.png", "tawny/text.png")


def test_a_sheet_can_be_turned_down(adder: FolderAdder, qtbot: QtBot, tmp_path: Path) -> None:
    give(adder, make_class_folders(tmp_path / "owls", {"barn": 5, "tawny": 5}))
    sheet_of(adder, qtbot).cancel_button.click()
    qtbot.waitUntil(lambda: adder.sheet is None)
    assert draft_of(adder).state.tasks == ()


def test_pictures_without_sub_folders_raise_a_question(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    make_class_folders(tmp_path, {"finches": 6})
    give(adder, tmp_path / "finches")
    sheet = sheet_of(adder, qtbot)
    assert sheet.notices.texts() == [
        "'finches' holds 6 pictures but no sub-folders. Use it as one class, or choose the folder above?"
    ]
    assert not sheet.add_button.isEnabled()
    answer(sheet, "no_classes", "one_class", qtbot)
    assert sheet.add_button.isEnabled()
    accept(adder, qtbot)
    (task,) = draft_of(adder).state.tasks
    assert task.folder.one_class
    assert task.usable


def test_another_folder_can_be_chosen_instead(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    make_class_folders(tmp_path, {"finches": 6})
    give(adder, tmp_path / "finches")
    sheet = sheet_of(adder, qtbot)
    with qtbot.waitSignal(adder.choose_requested):
        sheet.notices.row("no_classes").buttons["choose"].click()
    qtbot.waitUntil(lambda: adder.sheet is None)
    assert draft_of(adder).state.tasks == ()


def test_a_class_with_one_picture_is_left_out(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    give(adder, make_class_folders(tmp_path / "owls", {"barn": 5, "tawny": 1, "eagle": 4}))
    sheet = sheet_of(adder, qtbot)
    assert sheet.notices.texts() == [
        "'owls/tawny' has 1 picture. At least 2 are needed (1 to learn, 1 to test)."
    ]
    answer(sheet, "too_few", "leave_class", qtbot)
    accept(adder, qtbot)
    (task,) = draft_of(adder).state.tasks
    assert task.folder.classes == ("barn", "eagle")
    assert task.problems == ()


@pytest.mark.parametrize(
    ("button", "same", "other"), [("same", ("sparrow",), ()), ("different", (), ("sparrow",))]
)
def test_a_class_name_in_two_tasks_is_asked_about(
    adder: FolderAdder,
    qtbot: QtBot,
    tmp_path: Path,
    button: str,
    same: tuple[str],
    other: tuple[str],
) -> None:
    one, two = make_task_folders(
        tmp_path, {"town": {"sparrow": 5, "crow": 5}, "farm": {"sparrow": 4, "hen": 5}}
    )
    give(adder, one)
    accept(adder, qtbot)
    give(adder, two)
    sheet = sheet_of(adder, qtbot)
    assert sheet.notices.texts() == [
        "'sparrow' also appears in task 1. Same class (it will be learnt further) or a different one?"
    ]
    answer(sheet, "same_name", button, qtbot)
    accept(adder, qtbot)
    first, second = draft_of(adder).state.tasks
    assert second.folder.same_classes == first.folder.same_classes == same
    assert second.folder.other_classes == other
    draft_of(adder).stack.undo()
    assert draft_of(adder).state.tasks[0].folder.same_classes == ()


def test_one_answer_holds_for_all_class_names_if_ticked(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    tasks = {"town": {"sparrow": 4, "crow": 4}, "farm": {"sparrow": 4, "crow": 4}}
    give(adder, *make_task_folders(tmp_path, tasks))
    sheet = sheet_of(adder, qtbot)
    row = sheet.notices.row("same_name")
    assert not row.for_all.isHidden()
    row.for_all.setChecked(True)
    row.buttons["same"].click()
    qtbot.waitUntil(lambda: sheet.notices.rows == [])
    accept(adder, qtbot)
    assert draft_of(adder).state.tasks[1].folder.same_classes == ("crow", "sparrow")


@pytest.mark.parametrize(("button", "out"), [("leave_out", ("c/copy.png",)), ("keep", ())])
def test_pictures_of_another_task_are_left_out_or_kept(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path, button: str, out: tuple[str]
) -> None:
    one = make_class_folders(tmp_path / "one", {"a": 5, "b": 5})
    two = make_class_folders(tmp_path / "two", {"c": 5, "d": 5})
    (two / "c" / "copy.png").write_bytes((one / "a" / "0000.png").read_bytes())
    give(adder, one)
    accept(adder, qtbot)
    give(adder, two)
    sheet = sheet_of(adder, qtbot)
    assert sheet.notices.texts() == [
        "1 picture of 'two' is also in task 'one'. Scores would look too good: 'c/copy.png'."
    ]
    answer(sheet, "duplicate_task", button, qtbot)
    accept(adder, qtbot)
    task = draft_of(adder).state.tasks[1]
    assert task.folder.left_out == out
    assert task.problems == ()


def test_a_picture_in_train_and_test_is_left_out_of_the_test(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = make_split_folders(tmp_path / "owls", {"a": (4, 3), "b": (4, 3)})
    shutil.copy(folder / "train/a/0000.png", folder / "test/a/copy.png")
    give(adder, folder)
    sheet = sheet_of(adder, qtbot)
    (said,) = sheet.notices.texts()
    assert said.startswith("1 test picture of 'owls' is in the training part as well.")
    answer(sheet, "duplicate_test", "leave_out", qtbot)
    accept(adder, qtbot)
    assert draft_of(adder).state.tasks[0].folder.left_out == ("test/a/copy.png",)


def test_several_folders_become_one_task_each_in_the_order_dragged_or_all_one(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    tasks = {"a": {"x": 3, "y": 3}, "b": {"z": 3, "w": 3}, "c": {"u": 3, "v": 3}}
    give(adder, *make_task_folders(tmp_path, tasks))
    sheet = sheet_of(adder, qtbot)
    plan = sheet.plan
    assert [b.text() for b in (plan.each, plan.one)] == ["One task each", "All as one task"]
    rows = [plan.list.item(row).text() for row in range(plan.list.count())]
    assert rows[0] == "1   a   ·   2 classes   ·   4 + 2"
    plan.moved.emit(2, 0)
    qtbot.waitUntil(lambda: plan.list.item(0).text().startswith("1   c "))
    plan.one.setChecked(True)
    assert [plan.list.item(r).text() for r in range(plan.list.count())] == [
        "1   c + a + b   ·   6 classes   ·   12 + 6"
    ]
    plan.each.setChecked(True)
    accept(adder, qtbot)
    assert draft_of(adder).state.names() == ["c", "a", "b"]


def test_one_folder_can_be_split_by_classes_with_a_preview(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    give(adder, make_class_folders(tmp_path / "birds", dict.fromkeys("abcdef", 4)))
    sheet = sheet_of(adder, qtbot)
    plan = sheet.plan
    assert not plan.first.isEnabled()
    plan.split.setChecked(True)
    plan.first.setValue(4)
    plan.increment.setValue(1)
    assert plan.list.count() == 3
    before = [plan.list.item(row).toolTip() for row in range(3)]
    plan.seed.setValue(5)
    assert [plan.list.item(row).toolTip() for row in range(3)] != before
    accept(adder, qtbot)
    tasks = draft_of(adder).state.tasks
    assert [len(task.classes) for task in tasks] == [4, 1, 1]


def test_pictures_are_looked_at_page_by_page_and_left_out(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    give(adder, make_class_folders(tmp_path / "owls", {"barn": 130, "tawny": 5}, size=8))
    sheet = sheet_of(adder, qtbot)
    gallery = sheet.gallery
    assert gallery.title.text() == "owls / barn"
    assert gallery.where.text() == "Page 1 of 3"
    first = gallery.model.place(gallery.model.paths[0])
    qtbot.waitUntil(lambda: gallery.thumbnails.get(first) is not None, timeout=15_000)
    gallery.turn_forth()
    gallery.turn_forth()
    assert len(gallery.model.paths) == 10
    gallery.view.setCurrentIndex(gallery.model.index(3))
    path = gallery.model.paths[3]
    gallery.out_button.click()
    qtbot.waitUntil(lambda: gallery.model.out == {path})
    assert gallery.page == 2
    assert gallery.out_button.text() == "Take back"
    gallery.out_button.click()
    qtbot.waitUntil(lambda: gallery.model.out == set())
    gallery.out_button.click()
    qtbot.waitUntil(lambda: gallery.model.out == {path})
    accept(adder, qtbot)
    assert draft_of(adder).state.tasks[0].folder.left_out == (path,)
    counts = {c.name: c.train + c.test for c in draft_of(adder).state.tasks[0].classes}
    assert counts == {"barn": 129, "tawny": 5}


def test_an_unticked_class_is_left_out_and_ticked_again_taken(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    from PySide6.QtCore import Qt

    give(adder, make_class_folders(tmp_path / "owls", {"barn": 4, "tawny": 5}))
    sheet = sheet_of(adder, qtbot)
    sheet.tree.leaves()[0].setCheckState(0, Qt.CheckState.Unchecked)
    qtbot.waitUntil(lambda: sheet.heading.text() == "1 task · 1 class · 5 pictures")
    assert [leaf.text(0) for leaf in sheet.tree.leaves()] == ["barn", "tawny"]
    sheet.tree.leaves()[0].setCheckState(0, Qt.CheckState.Checked)
    qtbot.waitUntil(lambda: sheet.heading.text() == "1 task · 2 classes · 9 pictures")


def test_how_pictures_are_divided_is_said(adder: FolderAdder, qtbot: QtBot, tmp_path: Path) -> None:
    from PySide6.QtWidgets import QLabel

    draft_of(adder).set_values({"data.test_share": 0.5, "seeds.split": 7}, "share")
    give(adder, make_class_folders(tmp_path / "owls", {"barn": 4, "tawny": 6}))
    sheet = sheet_of(adder, qtbot)
    words = [label.text() for label in sheet.findChildren(QLabel)]
    assert "50 % of each class are kept for testing, chosen by seed 7." in words
    assert [(c.train, c.test) for c in sheet.review.tasks[0].classes] == [(2, 2), (3, 3)]


def test_the_same_folder_twice_is_said_with_its_place(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = make_class_folders(tmp_path / "finches", {"a": 5, "b": 5})
    give(adder, folder)
    accept(adder, qtbot)
    with qtbot.waitSignal(adder.known, timeout=20_000) as heard:
        give(adder, folder)
    assert heard.args == ["'finches' is already task 1.", str(folder)]


def test_a_folder_without_pictures_says_what_was_looked_for(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    with qtbot.waitSignal(adder.said, timeout=20_000) as heard:
        give(adder, tmp_path / "docs")
    assert heard.args == ["No pictures in 'docs'. Looked for PNG, JPEG, WebP, BMP, TIFF, GIF."]


def test_folders_that_cannot_be_opened_are_counted(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_class_folders(tmp_path / "owls", dict.fromkeys(("a", "b", "c", "d", "e"), 3))
    scandir = os.scandir

    def guarded(path: object) -> object:
        if Path(str(path)).name in "abc":
            raise PermissionError(13, "Permission denied")
        return scandir(str(path))

    monkeypatch.setattr(os, "scandir", guarded)
    give(adder, folder)
    sheet = sheet_of(adder, qtbot)
    said = sheet.notices.texts()
    assert "3 folders could not be opened (no permission). They were skipped." in said
    row = sheet.notices.row("closed")
    row.buttons["show"].click()
    assert "'owls/a'" in row.detail.toPlainText()


@pytest.mark.skipif(os.name == "nt", reason="Windows has its own limit")
def test_paths_of_three_hundred_letters_are_taken(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    deep = tmp_path / ("Ö 空格 " * 8) / ("tief " * 20).strip() / ("weiter " * 15).strip()
    folder = make_class_folders(deep, {"a": 3, "b": 3})
    assert len(str(folder / "a" / "0000.png")) >= 300
    give(adder, folder)
    sheet = sheet_of(adder, qtbot)
    assert sheet.notices.texts() == []
    place = sheet.gallery.model.place(sheet.gallery.model.paths[0])
    qtbot.waitUntil(lambda: sheet.gallery.thumbnails.get(place) is not None, timeout=15_000)
    assert not sheet.gallery.thumbnails.get(place).isNull()
    accept(adder, qtbot)
    assert draft_of(adder).state.tasks[0].folder.path == str(deep)


def test_pictures_still_in_the_cloud_are_asked_about_before_they_are_fetched(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.core import cloud

    folder = make_class_folders(tmp_path / "owls", {"barn": 3, "tawny": 4})
    flag = cloud.RECALL_ON_DATA_ACCESS
    monkeypatch.setattr(cloud, "attributes", lambda path: flag if "tawny" in str(path) else 0)
    give(adder, folder)
    qtbot.waitUntil(lambda: adder.question is not None, timeout=20_000)
    assert adder.question is not None
    assert adder.question.text() == (
        "4 pictures are not on this computer yet (OneDrive). They will be fetched while reading."
    )
    assert adder.sheet is None
    adder.question.answers["Go on"].click()
    accept(adder, qtbot)
    assert draft_of(adder).state.names() == ["owls"]


def test_a_cancelled_scan_adds_nothing(adder: FolderAdder, qtbot: QtBot, tmp_path: Path) -> None:
    folder = make_class_folders(tmp_path / "many", {"a": 40, "b": 40})
    with qtbot.waitSignal(adder.ended, timeout=20_000):
        give(adder, folder)
        adder.cancel()
    qtbot.wait(50)
    assert draft_of(adder).state.tasks == ()
    assert adder.sheet is None


def test_thumbnails_stay_within_their_memory(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.face import thumbnails

    monkeypatch.setattr(thumbnails, "_KEPT_BYTES", 20_000)
    folder = tmp_path / "big"
    folder.mkdir()
    paths = [str(folder / f"{number}.png") for number in range(30)]
    for path in paths:
        Image.new("RGB", (200, 100), "red").save(path)
    (folder / "broken.png").write_bytes(b"no picture")
    shelf = Thumbnails()
    heard: list[str] = []
    shelf.arrived.connect(heard.append)
    shelf.want([*paths, str(folder / "broken.png")])
    qtbot.waitUntil(lambda: len(heard) == 31, timeout=15_000)
    assert shelf.kept_bytes <= 20_000
    assert shelf.get(paths[0]) is None
    small = shelf.get(paths[-1])
    assert small is not None
    assert (small.width(), small.height()) == (96, 48)
    assert shelf.get(str(folder / "broken.png")).isNull()
    shelf.shut_down()
