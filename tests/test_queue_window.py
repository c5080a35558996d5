"""The queue and the studies in the window, on runs that really train."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QModelIndex, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.trained import folders, quick_config
from workbench.config import with_values
from workbench.face.group_sheets import BoundsSheet, GroupsSheet, OrdersSheet, SeedsSheet
from workbench.face.groups import GroupFeature
from workbench.face.messages import Strip
from workbench.face.queue import QueueFeature
from workbench.face.window import Window
from workbench.session import Session
from workbench.session.plans import seeds_plan

LONG = 120_000  # ms a tiny run may take on a busy machine


def end_training(window: Window) -> None:
    window.desk.training.shut_down()
    for feature in window.features:
        feature.shut_down()
    window.desk.shut_down()
    window.desk.session.close()


def open_window(home: Path, qtbot: QtBot) -> Window:
    window = Window(Session(home, entry_points=False))
    qtbot.addWidget(window, before_close_func=end_training)
    window.show()
    return window


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Window:
    return open_window(tmp_path / "home", qtbot)


@pytest.fixture
def config(tmp_path: Path):
    return quick_config(folders(tmp_path / "pictures"))


def feature(window: Window, kind):
    return next(each for each in window.features if isinstance(each, kind))


def strip_about(window: Window, subject: str) -> Strip:
    shown = window.desk.strips.findChildren(Strip)
    return next(strip for strip in shown if strip.property("subject") == subject)


def states(window: Window) -> list[str]:
    return [run.state for run in window.desk.session.runs()][::-1]


def test_what_waited_is_offered_at_the_start_and_not_started_unasked(tmp_path, config, qtbot):
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        for _ in range(3):
            session.queue.add(config)
    window = open_window(tmp_path / "home", qtbot)
    strip = strip_about(window, "queue")
    assert strip.accessibleName() == "3 runs wait in the queue."
    assert list(strip.buttons) == ["Go on", "Show"]
    QTest.qWait(50)
    assert window.desk.training.state == "idle"
    assert window.desk.session.runs() == []
    strip.buttons["Show"].click()
    sheet = feature(window, QueueFeature).sheet
    assert sheet.isVisible()
    assert sheet.state.text() == "3 runs wait in the queue. The queue is held."
    assert sheet.model.rowCount() == 3


def test_a_failure_leaves_the_rest_and_the_group_tells_how_far_it_is(window, config, qtbot):
    queue = feature(window, QueueFeature)
    plan = seeds_plan(config, [0, 1, 2])
    broken = with_values(plan.runs[1].config, {"model.weights": "nowhere.safetensors"})
    runs = (plan.runs[0], replace(plan.runs[1], config=broken), plan.runs[2])
    assert queue.enqueue(replace(plan, runs=runs))
    qtbot.waitUntil(lambda: not queue.going, timeout=LONG)
    assert states(window) == ["finished", "failed", "finished"]
    texts = window.desk.strips.texts()
    failed = next(run for run in window.desk.session.runs() if run.state == "failed")
    assert texts["queue failed"] == f"{failed.name} failed, and the queue went on. {failed.state_reason}"  # fmt: skip
    (group,) = window.desk.session.groups.all()
    assert texts["group"].startswith("3 seeds of 2 tasks: final accuracy ")
    assert texts["group"].endswith("(n = 2).")
    assert window.desk.toast.label.text() == "The queue is done: 2 of 3 runs finished."
    strip_about(window, "group").buttons["Show"].click()
    sheet = feature(window, GroupFeature).sheet
    assert isinstance(sheet, SeedsSheet)
    cells = [[sheet.grid.item(r, c).text() for c in range(6)] for r in range(sheet.grid.rowCount())]
    assert [row[1] for row in cells] == ["0", "1", "2", "", ""]
    assert cells[1][2:] == ["failed", "–", "–", "–"]
    assert cells[3][3] == f"{100 * group.spread('final_accuracy').mean:.1f} %"
    feature(window, GroupFeature).show_groups()
    groups = feature(window, GroupFeature).sheet
    assert isinstance(groups, GroupsSheet)
    assert groups.grid.item(0, 1).text() == "2 of 3"


def test_what_a_start_asks_is_asked_once_before_the_queue_goes_on(window, config, qtbot):
    queue, held = feature(window, QueueFeature), []

    def asks(about, go_on):
        held.append((about, go_on))
        return True

    window.desk.start_questions.append(asks)
    assert queue.enqueue(seeds_plan(config, [0, 1]))
    ((about, go_on),) = held
    assert about.seeds.initialisation == 0
    assert not queue.going
    assert window.desk.session.runs() == []
    assert window.desk.strips.texts()["queue"] == "2 runs wait in the queue."
    go_on()
    qtbot.waitUntil(lambda: states(window) == ["finished"] * 2, timeout=LONG)
    assert len(held) == 1  # the second began with nobody there to answer


def test_train_while_a_run_trains_asks_and_the_queue_goes_on_by_itself(window, config, qtbot):
    desk, queue = window.desk, feature(window, QueueFeature)
    desk.draft.load(config, "Load")
    window.actions_by_id["train"].trigger()
    assert desk.training.state != "idle"
    first = desk.training.run.name
    assert window.actions_by_id["train"].isEnabled()
    assert desk.settings.train_button.isEnabled()
    desk.settings.train_button.click()
    assert queue.question.text() == f"{first} is training. Add this one to the queue?"
    assert list(queue.question.answers) == ["Queue"]
    queue.question.answers["Queue"].click()
    assert desk.session.queue.waiting() == 1
    assert desk.toast.label.text() == "1 run waits in the queue."
    qtbot.waitUntil(lambda: states(window) == ["finished", "finished"], timeout=LONG)
    qtbot.waitUntil(lambda: not queue.going, timeout=LONG)


def test_a_stop_by_the_user_holds_the_queue(window, config, qtbot):
    desk, queue = window.desk, feature(window, QueueFeature)
    long = with_values(config, {"train.epochs": 5000})
    desk.session.queue.add(long)
    desk.session.queue.add(config)
    queue.go_on()
    qtbot.waitUntil(lambda: desk.training.state == "running", timeout=LONG)
    with qtbot.waitSignal(desk.training.ended, timeout=LONG):
        desk.training.stop()
    assert not queue.going
    assert desk.strips.texts()["queue"] == "1 run waits in the queue."
    QTest.qWait(50)
    assert states(window) == ["stopped"]
    strip_about(window, "queue").buttons["Go on"].click()
    qtbot.waitUntil(lambda: states(window) == ["stopped", "finished"], timeout=LONG)
    qtbot.waitUntil(lambda: not queue.going, timeout=LONG)


def test_the_sheet_reorders_by_keyboard_and_drag_renames_and_removes_with_undo(window, config):
    queue = feature(window, QueueFeature)
    for name in "abc":
        window.desk.session.queue.add(replace(config, name=name))
    queue.show_queue()
    sheet = queue.sheet

    def names():
        return [run.name for run in window.desk.session.queue.runs()]

    sheet.table.selectRow(2)
    sheet.table.setFocus()
    QTest.keyClick(sheet.table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert names() == ["a", "c", "b"]
    assert sheet.model.runs[1].id == sheet.chosen()
    assert not sheet.model.dropMimeData(
        sheet.model.mimeData([sheet.model.index(0, 0)]), Qt.DropAction.MoveAction, 3, 0, QModelIndex()
    )  # fmt: skip
    assert names() == ["c", "b", "a"]
    assert not sheet.model.dropMimeData(QMimeData(), Qt.DropAction.MoveAction, 0, 0, QModelIndex())
    assert sheet.model.setData(sheet.model.index(0, 0), " new ")
    assert names() == ["new", "b", "a"]
    sheet.table.selectRow(1)
    QTest.keyClick(sheet.table, Qt.Key.Key_Delete)
    assert names() == ["new", "a"]
    assert sheet.toast.label.text() == "b was taken out."
    sheet.toast.button.click()
    assert names() == ["new", "b", "a"]


def test_queue_this_draft_offers_to_go_on_when_nothing_trains(window, config):
    window.refresh()
    assert not window.actions_by_id["queue_draft"].isEnabled()
    window.desk.draft.load(config, "Load")
    assert window.actions_by_id["queue_draft"].isEnabled()
    window.actions_by_id["queue_draft"].trigger()
    assert window.desk.strips.texts()["queue"] == "1 run waits in the queue."
    assert window.desk.training.state == "idle"


def test_what_cannot_start_is_told_and_can_be_tried_again(window, config, tmp_path, qtbot):
    queue = feature(window, QueueFeature)
    window.desk.session.queue.add(replace(config, name="gone"))
    (tmp_path / "pictures").rename(tmp_path / "elsewhere")
    queue.go_on()
    qtbot.waitUntil(lambda: not queue.going)
    assert window.desk.strips.texts()["queue problem"].startswith("The folder of task 'finches' is not there")  # fmt: skip
    (tmp_path / "elsewhere").rename(tmp_path / "pictures")
    queue.show_queue()
    queue.sheet.table.selectRow(0)
    assert queue.sheet.model.index(0, 2).data().startswith("The folder of task")
    assert not queue.sheet.go_button.isEnabled()
    queue.sheet.retry_button.click()
    assert queue.sheet.go_button.isEnabled()
    queue.sheet.go_button.click()
    qtbot.waitUntil(lambda: states(window) == ["finished"], timeout=LONG)
    qtbot.waitUntil(lambda: not queue.going, timeout=LONG)


def test_the_draft_may_be_changed_for_the_queue_while_a_run_trains(window, config, qtbot):
    desk = window.desk
    desk.draft.load(with_values(config, {"train.epochs": 5000}), "Load")
    window.commands.train()
    assert not desk.tasks.model.allowed()
    assert window.actions_by_id["duplicate_tasks"].isEnabled()
    window.actions_by_id["duplicate_tasks"].trigger()
    assert desk.tasks.model.allowed()
    qtbot.waitUntil(lambda: desk.training.state == "running", timeout=LONG)
    assert desk.tasks.model.allowed()
    assert not window.actions_by_id["duplicate_tasks"].isEnabled()
    desk.draft.set_values({"train.epochs": 1}, "Short")
    window.actions_by_id["queue_draft"].trigger()
    assert [run.config.train.epochs for run in desk.session.queue.runs()] == [1]
    with qtbot.waitSignal(desk.training.ended, timeout=LONG):
        desk.training.stop()
    assert desk.tasks.model.allowed()


def test_the_seeds_dialog_says_what_is_wrong_and_trains_what_it_says(window, config, qtbot):
    studies = feature(window, GroupFeature)
    window.desk.draft.load(config, "Load")
    window.actions_by_id["several_seeds"].trigger()
    dialog = studies.dialog
    assert [name for name, box in dialog.boxes.items() if box.isChecked()] == [
        "initialisation", "data_order", "augmentation", "dropout",
    ]  # fmt: skip
    assert dialog.go_button.text() == "Train 3 runs"
    dialog.seeds.setText("1, one")
    assert dialog.problem.text() == "Seeds are whole numbers from 0 with commas between; 'one' is none."  # fmt: skip
    assert not dialog.go_button.isEnabled()
    dialog.seeds.setText("4, 4")
    assert dialog.problem.text().startswith("Seed 4 is listed twice.")
    dialog.count.setValue(2)
    assert dialog.seeds.text() == "0, 1"
    for box in dialog.boxes.values():
        box.setChecked(False)
    assert dialog.problem.text() == "Tick at least one thing that varies with the seed."
    dialog.boxes["dropout"].setChecked(True)
    dialog.go_button.click()
    qtbot.waitUntil(lambda: states(window) == ["finished"] * 2, timeout=LONG)
    seeds = [window.desk.session.details(r.id).config["seeds"] for r in window.desk.session.runs()]
    assert [s["dropout"] for s in seeds] == [1, 0]
    assert [s["initialisation"] for s in seeds] == [0, 0]
    qtbot.waitUntil(lambda: not feature(window, QueueFeature).going, timeout=LONG)


def test_an_order_study_shows_every_order_and_one_can_be_used(window, config, qtbot):
    studies, queue = feature(window, GroupFeature), feature(window, QueueFeature)
    window.desk.draft.load(config, "Load")
    window.actions_by_id["study_orders"].trigger()
    assert [studies.dialog.list.item(i).text() for i in range(2)] == [
        "1   finches → Ö 空格", "2   Ö 空格 → finches",
    ]  # fmt: skip
    studies.dialog.count.setValue(3)
    assert studies.dialog.problem.text() == "The number of orders must be from 2 to 2, not 3."
    studies.dialog.count.setValue(2)
    studies.dialog.go_button.click()
    qtbot.waitUntil(lambda: states(window) == ["finished"] * 2, timeout=LONG)
    qtbot.waitUntil(lambda: not queue.going, timeout=LONG)
    (group,) = window.desk.session.groups.all()
    studies.show_group(group.id)
    assert isinstance(studies.sheet, OrdersSheet)
    assert studies.sheet.grid.item(1, 0).text() == "Ö 空格 → finches"
    assert studies.sheet.grid.item(1, 4).text() == "–"
    studies.sheet.predict_button.click()
    qtbot.waitUntil(
        lambda: studies.sheet is not None and studies.sheet.grid.item(1, 4).text() != "–",
        timeout=LONG,
    )
    qtbot.waitUntil(lambda: not studies._work.busy)
    facts = window.desk.session.groups.group(group.id).facts["predicted"]
    (second,) = [each.run.id for each in group.members if each.label == "order 2"]
    assert studies.sheet.grid.item(1, 4).text() == f"{facts[second]:.3g}"
    before = window.desk.draft.state.names()
    studies.sheet.grid.selectRow(1)
    studies.sheet._use()
    assert window.desk.draft.state.names() == before[::-1]
    assert window.desk.toast.button.text() == "Undo"
    window.desk.toast.button.click()
    assert window.desk.draft.state.names() == before


def test_the_bounds_of_a_run_are_trained_and_drawn_beside_its_curve(window, config, qtbot):
    desk, studies = window.desk, feature(window, GroupFeature)
    desk.draft.load(config, "Load")
    window.commands.train()
    with qtbot.waitSignal(desk.training.ended, timeout=LONG):
        pass
    run = desk.session.runs()[0]
    assert desk.shown_run().id == run.id
    window.actions_by_id["train_bounds"].trigger()
    assert studies.dialog.windowTitle() == "Bounds of run-0001"
    studies.dialog.go_button.click()
    qtbot.waitUntil(lambda: states(window) == ["finished"] * 3, timeout=LONG)
    qtbot.waitUntil(lambda: not feature(window, QueueFeature).going, timeout=LONG)
    desk.replay(run.id)
    bounds = desk.session.groups.bounds(run.id)
    drawn = {line.key: line for line in desk.page.board.accuracy.lines()}
    for role, bound in bounds.items():
        line = drawn[f"bound.{role}"]
        assert list(line.series.y) == [bound.final_accuracy] * 2
        assert line.series.x[-1] == drawn["accuracy_seen"].series.x[-1]
    desk.page.board.set_x_axis("task")  # every way of drawing anew keeps them
    keys = [line.key for line in desk.page.board.accuracy.lines()]
    assert {"bound.joint", "bound.plain fine-tuning"} <= set(keys)
    desk.replay(bounds["joint"].id)
    assert not [x for x in desk.page.board.accuracy.lines() if x.key.startswith("bound")]
    (group,) = desk.session.groups.all()
    studies.show_group(group.id)
    assert isinstance(studies.sheet, BoundsSheet)
    grid = studies.sheet.grid
    assert [grid.item(row, 0).text() for row in range(3)] == ["All tasks at once", "run-0001", "Plain fine-tuning"]  # fmt: skip
    assert grid.item(0, 1).text() == f"{100 * bounds['joint'].final_accuracy:.1f} %"
    said = desk.session.details(bounds["joint"].id).metrics
    parts = [m["value"] for m in said if m["name"] == "joint_part_accuracy"]
    assert [grid.item(0, c).text() for c in (2, 3)] == [f"{100 * part:.1f} %" for part in parts]


def test_bounds_of_a_run_of_all_tasks_at_once_are_refused(window, config):
    joint = replace(config, data=replace(config.data, joint=True))
    run = window.desk.session.start(replace(joint, name="whole"))
    assert run.work() == "finished"
    summary = window.desk.session.runs()[0]
    from workbench.face.plan_dialogs import BoundsDialog

    dialog = BoundsDialog(joint, summary, window)
    assert dialog.problem.text() == "whole learnt all tasks at once: it is an upper bound itself."
    assert not dialog.go_button.isEnabled()


def test_the_window_closes_though_runs_wait_and_they_are_there_again(tmp_path, config, qtbot):
    window = open_window(tmp_path / "home", qtbot)
    queue = feature(window, QueueFeature)
    for epochs in (5000, 1):
        window.desk.session.queue.add(with_values(config, {"train.epochs": epochs}))
    queue.go_on()
    qtbot.waitUntil(lambda: window.desk.training.state == "running", timeout=LONG)
    window.stop_and_close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=LONG)
    again = open_window(tmp_path / "home", qtbot)
    assert strip_about(again, "queue").accessibleName() == "1 run waits in the queue."
    assert states(again) == ["stopped"]


def test_a_run_from_the_queue_leaves_the_tab_the_replay_and_the_draft_alone(window, config, qtbot):
    desk, queue = window.desk, feature(window, QueueFeature)
    past = desk.session.start(replace(config, name="past"))
    assert past.work() == "finished"
    desk.reread_log()
    desk.draft.load(replace(config, name="mine"), "Load")
    cards = [desk.tasks.model.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in (0, 1)]
    desk.replay(past.id)
    desk.tabs.setCurrentWidget(desk.try_it)
    desk.session.queue.add(replace(config, name="next"))
    queue.go_on()
    qtbot.waitUntil(lambda: desk.training.state == "running", timeout=LONG)
    assert desk.tabs.currentWidget() is desk.try_it
    assert desk.page.replayed == past.id
    assert desk.tasks.model.allowed()
    qtbot.waitUntil(lambda: states(window) == ["finished"] * 2, timeout=LONG)
    qtbot.waitUntil(lambda: not queue.going, timeout=LONG)
    assert desk.draft.state.settings.name == "mine"
    assert cards == [
        desk.tasks.model.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in (0, 1)
    ]


def test_a_group_that_is_gone_and_a_run_of_another_version_are_said(window: Window, config) -> None:
    studies, desk = feature(window, GroupFeature), window.desk
    studies.show_group("nothing")
    assert desk.toast.label.text() == "Group 'nothing' is not in this log."
    run = desk.session.start(config)
    run.stop()
    run.work()
    with desk.session.log() as log, log.change() as db:
        db.execute("UPDATE run SET config = json_set(config, '$.train.unheard_of', 1)")
    desk.training.run = run
    desk.reread_log()
    studies.train_bounds()
    assert "unheard_of" in desk.toast.label.text()
    assert studies.dialog is None
