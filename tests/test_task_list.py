import dataclasses

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from tests.recorded import recorded_run
from workbench.config import TaskFolder
from workbench.events import RunStarted
from workbench.face.draft import Draft
from workbench.face.task_card import CARD_ROLE
from workbench.face.task_list import TaskPanel
from workbench.report import ClassReport, Problem, ScanProgress, TaskReport


def report(name: str, problems: int = 0) -> TaskReport:
    counted = tuple(ClassReport(f"{name} {i}", 10 * (i + 1), 2) for i in range(3))
    found = tuple(Problem(f"/p/{i}", "unreadable", f"{i}.png ends early.") for i in range(problems))
    return TaskReport(TaskFolder(name, f"/pictures/{name}"), counted, False, found)


@pytest.fixture
def draft(qapp: object) -> Draft:
    made = Draft()
    made.add([report("finches"), report("gulls", problems=2), report("owls")])
    return made


@pytest.fixture
def panel(draft: Draft, qtbot: QtBot) -> TaskPanel:
    made = TaskPanel(draft)
    draft.setParent(made)
    qtbot.addWidget(made)
    made.resize(230, 500)
    made.show()
    return made


def choose(panel: TaskPanel, row: int) -> None:
    panel.view.setCurrentIndex(panel.model.index(row))


def test_the_model_keeps_qt_rules(panel: TaskPanel, qtmodeltester: ModelTester) -> None:
    assert panel.model.rowCount() == 3
    qtmodeltester.check(panel.model)  # fails on a broken rule


def test_a_card_says_its_place_size_and_problems(panel: TaskPanel) -> None:
    card = panel.model.index(1).data(CARD_ROLE)
    assert card.size_text() == "3 classes · 60 + 6"
    assert card.status_text() == "⚠ 2"
    spoken = panel.model.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Task 2, gulls, 3 classes, 60 pictures to learn from, 6 to test, 2 problems"


def test_the_chosen_task_moves_and_stays_chosen(panel: TaskPanel, draft: Draft) -> None:
    choose(panel, 2)
    panel.move_chosen(-1)
    assert draft.state.names() == ["finches", "owls", "gulls"]
    assert panel.chosen() == 1
    panel.move_chosen(1)
    panel.move_chosen(1)
    assert draft.state.names() == ["finches", "gulls", "owls"]


@pytest.mark.parametrize(
    ("source", "gap", "names"),
    [
        (0, 3, ["gulls", "owls", "finches"]),
        (0, -1, ["gulls", "owls", "finches"]),
        (2, 0, ["owls", "finches", "gulls"]),
        (1, 2, ["finches", "gulls", "owls"]),
    ],
)
def test_dragging_a_card_between_others_reorders(
    panel: TaskPanel, draft: Draft, source: int, gap: int, names: list[str]
) -> None:
    mime = panel.model.mimeData([panel.model.index(source)])
    parent = panel.model.index(-1)
    panel.model.dropMimeData(mime, Qt.DropAction.MoveAction, gap, 0, parent)
    assert draft.state.names() == names


def test_renaming_a_card_refuses_a_taken_name_with_a_sentence(
    panel: TaskPanel, draft: Draft, qtbot: QtBot
) -> None:
    assert panel.model.setData(panel.model.index(0), "sparrows")
    assert draft.state.names()[0] == "sparrows"
    with qtbot.waitSignal(panel.model.refused) as heard:
        assert not panel.model.setData(panel.model.index(0), "owls")
    assert heard.args == ["Another task is already called 'owls'."]


def test_removing_says_so_and_can_be_undone(panel: TaskPanel, draft: Draft, qtbot: QtBot) -> None:
    choose(panel, 1)
    with qtbot.waitSignal(panel.removed) as heard:
        panel.remove_chosen()
    assert heard.args == ["Task 'gulls' removed."]
    assert panel.model.rowCount() == 2
    draft.stack.undo()
    assert panel.model.rowCount() == 3


def test_several_chosen_tasks_are_removed_as_one_step(
    panel: TaskPanel, draft: Draft, qtbot: QtBot
) -> None:
    panel.view.selectAll()
    assert panel.all_chosen() == [0, 1, 2]
    choose(panel, 0)
    both = panel.view.selectionModel().SelectionFlag.Select
    panel.view.selectionModel().select(panel.model.index(2), both)
    with qtbot.waitSignal(panel.removed) as heard:
        panel.remove_chosen()
    assert heard.args == ["Tasks 'finches', 'owls' removed."]
    assert draft.state.names() == ["gulls"]
    draft.stack.undo()
    assert draft.state.names() == ["finches", "gulls", "owls"]


def test_a_task_whose_folder_is_gone_says_so_and_a_click_asks_to_find_it(
    panel: TaskPanel, qtbot: QtBot
) -> None:
    panel.model.set_gone({"/pictures/gulls"})
    card = panel.model.index(1).data(CARD_ROLE)
    assert card.size_text() == "The folder is not there. Find it…"
    place = panel.view.visualRect(panel.model.index(1)).center()
    with qtbot.waitSignal(panel.view.find_requested) as heard:
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert heard.args == [1]
    panel.model.set_gone(())
    assert panel.model.index(1).data(CARD_ROLE).size_text() == "3 classes · 60 + 6"


def test_a_click_on_the_warning_asks_for_the_problems(panel: TaskPanel, qtbot: QtBot) -> None:
    card = panel.view.visualRect(panel.model.index(1))
    corner = card.topRight() + QPoint(-16, 16)
    with qtbot.waitSignal(panel.problems_requested) as heard:
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=corner)
    assert heard.args == [1]


def test_news_mark_what_is_learnt_and_how_well(panel: TaskPanel) -> None:
    panel.model.set_fixed("run-0001")
    panel.model.show_news(recorded_run(3, ending="running"))
    cards = [panel.model.index(row).data(CARD_ROLE) for row in range(3)]
    assert [card.learnt for card in cards] == [True, True, False]
    assert [card.running for card in cards] == [False, False, True]
    assert cards[0].status_text().startswith("✓ ")
    assert cards[2].status_text().startswith("●")
    panel.model.set_fixed("")
    assert not panel.model.index(2).data(CARD_ROLE).running


def test_the_order_is_fixed_while_a_run_trains(
    panel: TaskPanel, draft: Draft, qtbot: QtBot
) -> None:
    panel.model.set_fixed("run-0042")
    choose(panel, 1)
    with qtbot.waitSignal(panel.model.locked) as heard:
        panel.move_chosen(1)
    assert heard.args == ["The order is fixed while run-0042 trains. Duplicate to change it."]
    panel.remove_chosen()
    panel.rename_chosen()
    assert draft.state.names() == ["finches", "gulls", "owls"]
    assert not panel.model.flags(panel.model.index(0)) & Qt.ItemFlag.ItemIsDragEnabled


def test_tasks_never_scanned_here_learn_their_counts_from_the_run(
    panel: TaskPanel, draft: Draft
) -> None:
    started = next(event for event in recorded_run(3) if isinstance(event, RunStarted))
    bare = [dataclasses.replace(task, classes=()) for task in draft.state.tasks]
    draft.learn_counts(bare)
    assert panel.model.index(0).data(CARD_ROLE).size_text() == "not counted yet"
    panel.model.show_news([started])
    classes = panel.model.index(0).data(CARD_ROLE).report.classes
    assert tuple(item.name for item in classes) == started.tasks[0].class_names


def test_the_scan_under_way_is_shown_and_can_be_cancelled(panel: TaskPanel, qtbot: QtBot) -> None:
    panel.scan_began("'ducks'")
    panel.scan_progressed(ScanProgress("Reading pictures", 30, 120))
    assert panel.pending.isVisible()
    from PySide6.QtWidgets import QPushButton

    with qtbot.waitSignal(panel.cancel_requested):
        panel.pending.findChildren(QPushButton)[0].click()
    panel.scan_ended()
    assert not panel.pending.isVisible()
