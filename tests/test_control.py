"""Holding a run from the window: really trained tiny runs, paused, stopped and closed upon."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.opened import feature, fill, opened, train, until
from tests.pictures import make_task_folders
from workbench.events import Pace, Paused, TaskEnded
from workbench.face.choosing import Choosing
from workbench.face.control import Control
from workbench.face.extending import Extending
from workbench.face.trying import TryItFeature
from workbench.face.window import Window
from workbench.session import Session

pytestmark = pytest.mark.slow


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    with opened(tmp_path / "home", qtbot) as made:
        yield made


def in_table(window: Window) -> str:
    window.desk.reread_log()
    return window.desk.history.model.runs()[0].state


def test_a_run_is_paused_looked_at_and_goes_on(window, qtbot, tmp_path) -> None:
    train(window, qtbot, tmp_path / "pictures")
    hold = window.desk.page.run_panel.hold
    actions = window.actions_by_id
    assert actions["pause"].isEnabled()
    assert not actions["go_on"].isEnabled()
    hold.pause.click()
    assert window.desk.training.state == "pausing"
    until(window, qtbot, "paused")
    assert hold.pause.text() == "Go on"
    assert window.desk.page.run_panel.stage.text().startswith("Paused · task 1 of 2 · epoch ")
    assert in_table(window) == "paused"
    assert window.windowTitle() == "Paused · run-0001 — NTK-CL workbench"
    steps = window.desk.page.board.record.curve("loss.total").y.size
    actions["go_on"].trigger()
    until(window, qtbot, "running")
    record = window.desk.page.board.record
    qtbot.waitUntil(lambda: record.curve("loss.total").y.size > steps + 3, timeout=30_000)
    assert in_table(window) == "running"


def test_stop_after_this_epoch_is_said_and_can_become_now(window, qtbot, tmp_path) -> None:
    train(window, qtbot, tmp_path / "pictures")
    hold = window.desk.page.run_panel.hold
    window.actions_by_id["stop_after_task"].trigger()
    assert hold.stop.text() == "Stopping after this task…"
    assert not window.actions_by_id["stop_after_task"].isEnabled()
    assert window.actions_by_id["stop_after_epoch"].isEnabled()
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000) as ended:
        window.actions_by_id["stop"].trigger()
        assert hold.stop.text() == "Stopping…"
        assert not window.actions_by_id["stop"].isEnabled()
    assert ended.args == ["stopped"]
    assert hold.isHidden()


def test_a_run_waits_between_tasks_if_the_tick_is_set(window, qtbot, tmp_path) -> None:
    fill(window, qtbot, tmp_path / "pictures")
    window.actions_by_id["pause_between"].trigger()
    assert window.actions_by_id["pause_between"].isChecked()
    window.commands.train()
    until(window, qtbot, "paused")
    strip = window.desk.strips.strip("pause")
    assert strip.accessibleName() == (
        "Task 1 is learnt. Look around, then go on, or change what follows: "
        "this run stops here then, and a new one goes on from it."
    )
    desk = window.desk
    desk.tasks.choose(1)
    assert not window.actions_by_id["remove_task"].isEnabled()
    window.actions_by_id["duplicate_tasks"].trigger()
    desk.tasks.choose(1)
    window.actions_by_id["remove_task"].trigger()
    assert [len(desk.draft.state.tasks), desk.training.state] == [1, "paused"]
    with qtbot.waitSignal(window.desk.training.ended, timeout=60_000) as ended:
        strip.buttons["Go on"].click()
        assert "pause" not in window.desk.strips.texts()
    assert ended.args == ["finished"]
    events = window.desk.session.events("run-0001")
    assert [event.task for event in events if isinstance(event, Paused)] == [0]
    assert [event.task for event in events if isinstance(event, TaskEnded)] == [0, 1]
    assert len(window.desk.draft.state.tasks) == 1


def test_between_two_tasks_others_may_be_chosen_to_follow(window, qtbot, tmp_path) -> None:
    fill(window, qtbot, tmp_path / "pictures")
    window.actions_by_id["pause_between"].trigger()
    window.commands.train()
    until(window, qtbot, "paused")
    extending = feature(window, Extending)
    window.desk.strips.strip("pause").buttons["Change what follows…"].click()
    qtbot.waitUntil(lambda: extending.following is not None, timeout=30_000)
    sheet = extending.following
    assert sheet is not None
    assert [task.name for task in sheet.tasks.ticked()] == ["Ö 空格"]
    sheet.tasks.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert not sheet.go_button.isEnabled()
    assert sheet.go_button.toolTip() == "Tick a task, or add a folder."
    (more,) = make_task_folders(tmp_path / "more", {"owls": {"tawny": 8, "snowy": 8}})
    extending.scan([str(more)])
    qtbot.waitUntil(lambda: extending.sheet is not None, timeout=30_000)
    extending.sheet.add_button.click()
    assert [task.name for task in sheet.tasks.ticked()] == ["owls"]
    sheet.tasks.item(0).setCheckState(Qt.CheckState.Checked)
    sheet.tasks.setCurrentRow(1)
    qtbot.keyClick(sheet.tasks, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert [task.name for task in sheet.tasks.ticked()] == ["owls", "Ö 空格"]
    window.actions_by_id["pause_between"].trigger()
    with qtbot.waitSignal(window.desk.training.ended, timeout=120_000) as ended:
        sheet.go_button.click()
    assert ended.args == ["finished"]
    child, parent = window.desk.session.runs()
    assert (child.parent, child.state, child.tasks_done) == (parent.id, "finished", 3)
    assert (parent.state, parent.tasks_done) == ("stopped", 1)
    ends = [e.task for e in window.desk.session.events(child.id) if isinstance(e, TaskEnded)]
    assert ends == [0, 1, 2]


def test_once_the_draft_is_a_copy_it_may_name_another_backbone(window, qtbot, tmp_path) -> None:
    train(window, qtbot, tmp_path / "pictures")
    draft, choosing = window.desk.draft, feature(window, Choosing)
    own, other = draft.state.settings.model.backbone, "vit_small_patch16_224.dino"
    choosing.use(other)
    assert draft.state.settings.model.backbone == own
    assert window.desk.toast.label.text() == "The settings are fixed while a run trains."
    feature(window, TryItFeature).switch_backbone(other)
    assert draft.state.settings.model.backbone == own
    window.actions_by_id["duplicate_tasks"].trigger()
    choosing.use(other)
    assert draft.state.settings.model.backbone == other
    feature(window, TryItFeature).switch_backbone(own)
    assert draft.state.settings.model.backbone == own
    assert window.desk.training.run.config.model.backbone == own


def test_stop_here_keeps_the_task_that_is_learnt(window, qtbot, tmp_path) -> None:
    fill(window, qtbot, tmp_path / "pictures")
    feature(window, Control).pause_between()
    window.commands.train()
    until(window, qtbot, "paused")
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000) as ended:
        window.desk.strips.strip("pause").buttons["Stop here"].click()
    assert ended.args == ["stopped"]
    summary = window.desk.session.runs()[0]
    assert (summary.state, summary.tasks_done) == ("stopped", 1)


def test_the_tick_is_remembered(tmp_path, qtbot) -> None:
    for wanted in (False, True):
        with opened(tmp_path / "home", qtbot) as window:
            assert window.desk.training.between_tasks == wanted
            assert window.actions_by_id["pause_between"].isChecked() == wanted
            if not wanted:
                window.actions_by_id["pause_between"].trigger()


def test_closing_while_paused_stops_and_saves(window, qtbot, tmp_path) -> None:
    train(window, qtbot, tmp_path / "pictures")
    window.desk.training.pause()
    until(window, qtbot, "paused")
    window.close()
    question = window.closing.question
    assert question.text() == "run-0001 is paused before its end."
    assert list(question.answers) == ["Stop, save and quit", "Finish task 1, then quit"]
    question.answers["Stop, save and quit"].click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=30_000)
    assert Session(window.desk.session.home).runs()[0].state == "stopped"


def test_closing_can_wait_for_the_task(window, qtbot, tmp_path) -> None:
    train(window, qtbot, tmp_path / "pictures", epochs=12)
    window.desk.training.pause()
    until(window, qtbot, "paused")
    window.close()
    window.closing.question.answers["Finish task 1, then quit"].click()
    if window.desk.training.state != "idle":
        told = window.desk.strips.texts()["closing"]
        assert told == "The window closes when task 1 is learnt."
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)
    events = window.desk.session.events("run-0001")
    assert sum(isinstance(event, TaskEnded) for event in events) == 1
    assert window.desk.session.runs()[0].state == "stopped"


def test_closing_later_can_be_taken_back(window, qtbot, tmp_path) -> None:
    train(window, qtbot, tmp_path / "pictures")
    window.closing.finish_task_and_close()
    window.desk.strips.strip("closing").buttons["Stay open"].click()
    assert "closing" not in window.desk.strips.texts()
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
        window.desk.training.stop()
    assert window.isVisible()


def test_a_question_about_closing_goes_with_the_run(window, qtbot, tmp_path) -> None:
    train(window, qtbot, tmp_path / "pictures")
    window.close()
    assert window.closing.question is not None
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
        window.desk.training.stop()
    qtbot.waitUntil(lambda: window.closing.question is None, timeout=10_000)
    assert window.isVisible()


def test_the_title_tells_how_far_the_run_is(window, qtbot, tmp_path) -> None:
    train(window, qtbot, tmp_path / "pictures")
    qtbot.waitUntil(lambda: "%" in window.windowTitle(), timeout=30_000)
    assert window.windowTitle() == "0 % · run-0001 — NTK-CL workbench"
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
        window.desk.training.stop()
    assert window.windowTitle() == "NTK-CL workbench"


def test_the_title_tells_the_share_of_all_work_as_the_bar_does(window, qtbot, tmp_path) -> None:
    train(window, qtbot, tmp_path / "pictures")
    desk = window.desk
    qtbot.waitUntil(lambda: desk.training.counted != "", timeout=30_000)
    desk.training._hand_on([Pace(5.0, None, 50, 60, work=0.23)])
    assert desk.training.counted == "23 %"
    assert window.windowTitle().startswith("23 %")
    assert desk.page.run_panel.bar.value() == 0.23 * desk.page.run_panel.bar.maximum()
    (activity,) = (each for each in desk.activities.under_way() if each.title == "run-0001")
    assert activity.counted == "23 %"
    with qtbot.waitSignal(desk.training.ended, timeout=30_000):
        desk.training.stop()
    assert desk.training.counted == ""
