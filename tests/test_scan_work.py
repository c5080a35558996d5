from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QTreeWidget, QWidget
from pytestqt.qtbot import QtBot

from tests.pictures import make_class_folders, make_task_folders
from workbench.face.draft import Draft
from workbench.face.drop import Given
from workbench.face.problem_list import ProblemList
from workbench.face.report_sheet import ReportSheet
from workbench.face.scan_work import FolderAdder
from workbench.session import Session


@pytest.fixture
def adder(tmp_path: Path, qtbot: QtBot) -> Iterator[FolderAdder]:
    window = QWidget()
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


def words_of(sheet: ReportSheet) -> list[str]:
    tops = [
        tree.topLevelItem(row)
        for tree in sheet.findChildren(QTreeWidget)
        for row in range(tree.topLevelItemCount())
    ]
    below = [item.child(i) for item in tops for i in range(item.childCount())]
    problems = [
        line for text in sheet.findChildren(ProblemList) for line in text.toPlainText().split("\n")
    ]
    return [
        *(item.text(0) for item in (*tops, *below)),
        *(line.lstrip("⚠\xa0 ") for line in problems),
    ]


def test_clean_folders_are_added_at_once_and_can_be_undone(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    paths = make_task_folders(
        tmp_path / "p", {"finches": {"a": 5, "b": 5}, "Ö 空格": {"c": 4, "d": 6}}
    )
    with qtbot.waitSignal(adder.added, timeout=20_000) as heard:
        give(adder, *paths)
    assert heard.args == ["Tasks 'finches', 'Ö 空格' added: 4 classes, 20 pictures."]
    draft = draft_of(adder)
    assert draft.state.names() == ["finches", "Ö 空格"]
    draft.stack.undo()
    assert draft.state.names() == []


def test_damaged_files_are_named_before_anything_is_added(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = make_class_folders(tmp_path / "owls", {"barn": 5, "tawny": 5})
    (folder / "barn" / "broken.png").write_bytes(b"\x89PNG and no more")
    (folder / "tawny" / "text.png").write_text("not a picture")
    give(adder, folder)
    sheet = sheet_of(adder, qtbot)
    assert draft_of(adder).state.tasks == ()
    words = " ".join(words_of(sheet))
    assert "2 pictures" in words or ("broken.png" in words and "text.png" in words), words
    sheet.add_button.click()
    qtbot.waitUntil(lambda: adder.sheet is None)
    assert draft_of(adder).state.names() == ["owls"]


def test_a_sheet_can_be_turned_down(adder: FolderAdder, qtbot: QtBot, tmp_path: Path) -> None:
    folder = make_class_folders(tmp_path / "owls", {"barn": 5, "tawny": 5})
    (folder / "barn" / "broken.png").write_bytes(b"no")
    give(adder, folder)
    sheet = sheet_of(adder, qtbot)
    sheet.cancel_button.click()
    qtbot.waitUntil(lambda: adder.sheet is None)
    assert draft_of(adder).state.tasks == ()


def test_pictures_without_sub_folders_raise_a_question(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    make_class_folders(tmp_path, {"finches": 6})
    give(adder, tmp_path / "finches")
    sheet = sheet_of(adder, qtbot)
    assert not sheet.one_class.isHidden()
    sheet.one_class.setChecked(False)
    assert not sheet.add_button.isEnabled()
    sheet.one_class.setChecked(True)
    sheet.accept()
    qtbot.waitUntil(lambda: adder.sheet is None)
    (task,) = draft_of(adder).state.tasks
    assert task.folder.one_class
    assert task.usable


def test_a_class_name_in_two_tasks_is_asked_about(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    one, two = make_task_folders(
        tmp_path, {"town": {"sparrow": 5, "crow": 5}, "farm": {"sparrow": 4, "hen": 5}}
    )
    with qtbot.waitSignal(adder.added, timeout=20_000):
        give(adder, one)
    qtbot.wait(20)
    give(adder, two)
    sheet = sheet_of(adder, qtbot)
    sheet.same.setChecked(True)
    sheet.accept()
    qtbot.waitUntil(lambda: adder.sheet is None)
    assert draft_of(adder).state.tasks[1].folder.same_classes == ("sparrow",)


def test_pictures_of_another_task_are_left_out_if_wished(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    one = make_class_folders(tmp_path / "one", {"a": 5, "b": 5})
    two = make_class_folders(tmp_path / "two", {"c": 5, "d": 5})
    (two / "c" / "copy.png").write_bytes((one / "a" / "0000.png").read_bytes())
    with qtbot.waitSignal(adder.added, timeout=20_000):
        give(adder, one)
    qtbot.wait(20)
    give(adder, two)
    sheet = sheet_of(adder, qtbot)
    assert sheet.leave_out.isChecked()
    sheet.accept()
    qtbot.waitUntil(lambda: adder.sheet is None)
    assert draft_of(adder).state.tasks[1].folder.left_out == ("c/copy.png",)


def test_one_folder_can_be_split_by_classes(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = make_class_folders(tmp_path / "birds", dict.fromkeys("abcdef", 4))
    (folder / "a" / "broken.png").write_bytes(b"no")
    give(adder, folder)
    sheet = sheet_of(adder, qtbot)
    assert not sheet.first.isEnabled()
    sheet.split.setChecked(True)
    sheet.first.setValue(4)
    sheet.increment.setValue(2)
    sheet.accept()
    qtbot.waitUntil(lambda: adder.sheet is None)
    tasks = draft_of(adder).state.tasks
    assert [len(task.classes) for task in tasks] == [4, 2]


def test_the_same_folder_twice_is_said_in_a_sentence(
    adder: FolderAdder, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = make_class_folders(tmp_path / "finches", {"a": 5, "b": 5})
    with qtbot.waitSignal(adder.added, timeout=20_000):
        give(adder, folder)
    qtbot.wait(20)
    with qtbot.waitSignal(adder.said, timeout=20_000) as heard:
        give(adder, folder)
    assert "'finches' is already task" in heard.args[0]


def test_a_cancelled_scan_adds_nothing(adder: FolderAdder, qtbot: QtBot, tmp_path: Path) -> None:
    folder = make_class_folders(tmp_path / "many", {"a": 40, "b": 40})
    with qtbot.waitSignal(adder.ended, timeout=20_000):
        give(adder, folder)
        adder.cancel()
    qtbot.wait(50)
    assert draft_of(adder).state.tasks == ()
    assert adder.sheet is None
