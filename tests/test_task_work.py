import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel
from pytestqt.qtbot import QtBot

from tests.pictures import make_class_folders, make_task_folders
from tests.trained import QUICK, trained_session
from workbench.core.scan import scan
from workbench.face.changes_check import ChangesCheck
from workbench.face.draft import Draft
from workbench.face.drop import Given
from workbench.face.task_card import CARD_ROLE
from workbench.face.task_list import TaskPanel
from workbench.face.task_work import TaskWork
from workbench.face.welcome import DropZone
from workbench.face.window import Window
from workbench.report import ScanReport, TaskReport
from workbench.session import Session


def open_window(session: Session, qtbot: QtBot) -> Window:
    window = Window(session)
    qtbot.addWidget(window, before_close_func=end)
    window.show()
    return window


def end(window: Window) -> None:
    for feature in window.features:
        feature.shut_down()
    assert window.desk.shut_down()
    window.desk.session.close()


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Window:
    return open_window(Session(tmp_path / "home"), qtbot)


def scanned(*paths: Path) -> tuple[TaskReport, ...]:
    *_, report = scan([str(path) for path in paths], workers=2)
    assert isinstance(report, ScanReport)
    return report.tasks


def work(window: Window) -> TaskWork:
    return next(each for each in window.features if isinstance(each, TaskWork))


def choose(window: Window, *rows: int) -> None:
    view = window.desk.tasks.view
    view.clearSelection()
    for row in rows:
        index = view.model().index(row, 0)
        view.selectionModel().select(index, QItemSelectionModel.SelectionFlag.Select)


def test_chosen_tasks_merge_and_undo_takes_them_apart(window: Window, tmp_path: Path) -> None:
    tasks = {"a": {"x": 3, "y": 3}, "b": {"z": 3, "w": 3}, "c": {"u": 3, "v": 3}}
    draft = window.desk.draft
    draft.add(scanned(*make_task_folders(tmp_path, tasks)))
    choose(window, 0)
    window.refresh()
    assert not window.actions_by_id["merge_tasks"].isEnabled()
    choose(window, 0, 2)
    window.actions_by_id["merge_tasks"].trigger()
    assert draft.state.names() == ["a + c", "b"]
    assert window.desk.toast.label.text() == "2 tasks merged into 'a + c'."
    assert [c.name for c in draft.state.tasks[0].classes] == ["x", "y", "u", "v"]
    window.desk.toast.button.click()
    assert draft.state.names() == ["a", "b", "c"]
    draft.stack.redo()
    assert draft.state.names() == ["a + c", "b"]


@pytest.mark.parametrize(
    ("answer", "classes"),
    [
        ("Same", ["crow", "sparrow", "hen"]),
        ("Different", ["crow", "sparrow", "hen", "sparrow (farm)"]),
    ],
)
def test_merging_asks_about_a_class_name_that_both_have(
    window: Window, tmp_path: Path, answer: str, classes: list[str]
) -> None:
    tasks = {"town": {"sparrow": 3, "crow": 3}, "farm": {"sparrow": 3, "hen": 3}}
    window.desk.draft.add(scanned(*make_task_folders(tmp_path, tasks)))
    choose(window, 0, 1)
    window.actions_by_id["merge_tasks"].trigger()
    question = work(window).question
    assert question is not None
    assert question.text() == (
        "'sparrow' is in more than one of these tasks. As one task: the same class, or different ones?"
    )
    question.answers[answer].click()
    (task,) = window.desk.draft.state.tasks
    assert [each.name for each in task.classes] == classes


def test_a_folder_that_is_gone_is_told_and_found_again(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = make_class_folders(tmp_path / "owls", {"barn": 4, "tawny": 5})
    draft, desk = window.desk.draft, window.desk
    draft.add(scanned(folder))
    qtbot.waitUntil(
        lambda: work(window).watch._watcher.directories() == [str(folder), str(tmp_path)],
        timeout=20_000,
    )
    folder.rename(tmp_path / "Ö 空格")
    qtbot.waitUntil(lambda: "gone" in desk.strips.texts(), timeout=20_000)
    assert desk.strips.texts()["gone"] == f"The folder of task 'owls' is not there ({folder})."
    card = desk.tasks.model.index(0).data(CARD_ROLE)
    assert card.size_text() == "The folder is not there. Find it…"
    work(window).find_at(0, str(tmp_path / "Ö 空格"))
    qtbot.waitUntil(lambda: "gone" not in desk.strips.texts(), timeout=20_000)
    assert desk.toast.label.text() == "Task 'owls' found. Same pictures."
    assert draft.state.tasks[0].folder.path == str(tmp_path / "Ö 空格")
    assert draft.state.names() == ["owls"]
    draft.stack.undo()
    assert draft.state.tasks[0].folder.path == str(folder)


def test_a_folder_found_with_other_pictures_says_how_many_differ(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = make_class_folders(tmp_path / "owls", {"barn": 4, "tawny": 5})
    window.desk.draft.add(scanned(folder))
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "barn" / "0000.png").unlink()
    shutil.copy(other / "tawny/0001.png", other / "tawny/0000.png")
    work(window).find_at(0, str(other))
    said = "Task 'owls' found. 2 pictures differ."
    qtbot.waitUntil(lambda: window.desk.toast.label.text() == said, timeout=20_000)


def test_a_folder_of_other_classes_is_not_taken(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    one, two = make_task_folders(tmp_path, {"owls": {"barn": 3, "a": 3}, "gulls": {"b": 3, "c": 3}})
    window.desk.draft.add(scanned(one))
    work(window).find_at(0, str(two))
    qtbot.waitUntil(lambda: "find" in window.desk.strips.texts(), timeout=20_000)
    assert window.desk.strips.texts()["find"] == (
        f"{two} is not the folder of task 'owls': there is no class 'a' in it. Choose another folder."
    )


def test_a_folder_dropped_twice_is_shown(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    one, two = make_task_folders(tmp_path, {"a": {"x": 3, "y": 3}, "b": {"z": 3, "w": 3}})
    window.desk.draft.add(scanned(one, two))
    window.commands.take(Given(folders=(str(two),)))
    toast = window.desk.toast
    qtbot.waitUntil(lambda: toast.label.text() == "'b' is already task 2.", timeout=20_000)
    assert toast.button.text() == "Show it"
    toast.button.click()
    assert window.desk.tasks.chosen() == 1


def test_tasks_are_fixed_while_a_run_trains_and_a_copy_is_free(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = window.desk
    desk.draft.add(
        scanned(*make_task_folders(tmp_path, {"a": {"x": 8, "y": 8}, "b": {"z": 8, "w": 8}}))
    )
    desk.draft.set_values(QUICK | {"train.epochs": 400}, "Quick")
    window.commands.train()
    qtbot.waitUntil(lambda: desk.training.state == "running", timeout=120_000)
    desk.tasks.choose(0)
    desk.tasks.remove_chosen()
    name = desk.training.run.name if desk.training.run else ""
    assert (
        desk.toast.label.text()
        == f"The order is fixed while {name} trains. Duplicate to change it."
    )
    assert desk.toast.button.text() == "Duplicate"
    desk.toast.button.click()
    desk.tasks.choose(0)
    desk.tasks.remove_chosen()
    assert desk.draft.state.names() == ["b"]
    assert desk.training.run is not None
    assert [task.name for task in desk.training.run.config.data.tasks] == ["a", "b"]
    assert not desk.tasks.model.index(0).data(CARD_ROLE).running
    desk.draft.stack.undo()
    assert desk.draft.state.names() == ["a", "b"]
    desk.training.stop()
    qtbot.waitUntil(lambda: desk.training.state == "idle", timeout=60_000)
    assert not desk.fixed


def test_changed_pictures_are_told_when_a_run_is_looked_at_again(
    qtbot: QtBot, tmp_path: Path
) -> None:
    session, run = trained_session(tmp_path / "home", tmp_path / "pictures")
    window = open_window(session, qtbot)
    desk = window.desk
    check = next(each for each in window.features if isinstance(each, ChangesCheck))
    desk.replay(run)
    qtbot.waitUntil(lambda: not check._work.busy, timeout=20_000)
    assert "pictures" not in desk.strips.texts()
    window.actions_by_id["check_pictures"].trigger()
    said = "The pictures of run-0001 are as they were."
    qtbot.waitUntil(lambda: desk.toast.label.text() == said, timeout=20_000)
    qtbot.waitUntil(lambda: not check._work.busy, timeout=20_000)
    finches = tmp_path / "pictures" / "finches"
    (finches / "red" / "0000.png").unlink()
    shutil.copy(finches / "red/0001.png", finches / "green/0000.png")
    shutil.copy(finches / "red/0001.png", finches / "green/new.png")
    desk.replay(run)
    qtbot.waitUntil(lambda: "pictures" in desk.strips.texts(), timeout=20_000)
    sentence = "3 pictures of task 1 have changed since run-0001 began."
    assert desk.strips.texts()["pictures"] == sentence
    assert list(desk.strips.strip("pictures").buttons) == ["Show"]
    detail = check.detail(check._found)
    assert "Task 1 'finches': 1 missing\n    red/0000.png" in detail
    assert "Task 1 'finches': 1 changed\n    green/0000.png" in detail
    assert "Task 1 'finches': 1 new\n    green/new.png" in detail


def test_an_administrator_on_windows_is_told_that_drops_do_not_arrive(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.face import drop

    plain = DropZone()
    qtbot.addWidget(plain)
    assert plain.elevated.isHidden()
    before = TaskPanel(Draft())
    qtbot.addWidget(before)
    assert before.hint_words.text() == "drop folders here"
    monkeypatch.setattr(drop, "is_elevated", lambda: True)
    zone = DropZone()
    qtbot.addWidget(zone)
    assert not zone.elevated.isHidden()
    assert zone.elevated.text() == (
        "Windows does not allow dropping here while the program runs as administrator. Use Add folder…"
    )
    panel = TaskPanel(Draft())
    qtbot.addWidget(panel)
    assert panel.hint_words.text() == (
        "Windows allows no dropping while the program runs as administrator. Use + Add…"
    )


@pytest.mark.parametrize(("answer", "classes"), [("same", 3), ("different", 4)])
def test_the_answer_about_a_class_name_changes_what_is_learnt(
    qtbot: QtBot, tmp_path: Path, answer: str, classes: int
) -> None:
    tasks = {"town": {"sparrow": 8, "crow": 8}, "farm": {"sparrow": 8, "hen": 8}}
    session = Session(tmp_path / "home")
    reports = scanned(*make_task_folders(tmp_path / "pictures", tasks))
    names = (("sparrow",), ()) if answer == "same" else ((), ("sparrow",))
    draft = Draft()
    draft.arrange("tasks", session.pictures.marked(reports, 1, *names))
    draft.set_values(QUICK, "Quick")
    run = session.start(draft.state.run_config())
    assert run.work() == "finished", run.news()[-1]
    learnt = session.details(run.id)
    numbers = [set(task["class_ids"]) for task in learnt.tasks]
    assert len(numbers[0] | numbers[1]) == classes
    assert len(numbers[0] & numbers[1]) == 4 - classes
    assert learnt.accuracy_matrix[1][0] is not None
    picture = str(tmp_path / "pictures" / "farm" / "hen" / "0000.png")
    (guess,) = [item for item in session.predict(run.id, [picture]) if hasattr(item, "classes")]
    assert len(guess.classes) == classes
    session.close()
