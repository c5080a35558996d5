"""The draft outlives the window: saved after a change, restored with its reports, a damaged file named."""

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.trained import folders, quick_config
from workbench.face.draft import DraftState
from workbench.face.window import Window
from workbench.report import ScanReport
from workbench.session import Session


def opened(home: Path, qtbot: QtBot) -> Window:
    window = Window(Session(home, entry_points=False))
    qtbot.addWidget(window)
    return window


def closed(window: Window) -> DraftState:
    for feature in window.features:
        feature.shut_down()
    assert window.desk.shut_down()
    window.desk.session.close()
    return window.desk.draft.state


def test_tasks_and_settings_are_there_again_after_a_start(tmp_path: Path, qtbot: QtBot) -> None:
    window = opened(tmp_path / "home", qtbot)
    *_, report = window.desk.session.scan([str(path) for path in folders(tmp_path)])
    assert isinstance(report, ScanReport)
    window.desk.draft.add(report.tasks)
    window.desk.draft.set_values({"train.epochs": 3}, "Change")
    kept = tmp_path / "home" / "draft.json"
    qtbot.waitUntil(kept.is_file, timeout=20_000)
    before = closed(window)
    assert before.tasks[0].classes[0].train
    again = opened(tmp_path / "home", qtbot)
    assert again.desk.draft.state == before
    assert not again.desk.draft.stack.canUndo()
    closed(again)


def test_a_draft_that_cannot_be_read_is_named_and_left_out(tmp_path: Path, qtbot: QtBot) -> None:
    damaged = '{"version": 1, "tasks": [{}]'
    (tmp_path / "draft.json").write_text(damaged, encoding="utf-8")
    window = opened(tmp_path, qtbot)
    told = window.desk.strips.texts()["draft"]
    assert "of last time could not be read" in told
    assert told.endswith(f"The file is kept as {tmp_path / 'draft.unread.json'}.")
    assert closed(window) == DraftState()
    assert not (tmp_path / "draft.json").exists()
    assert (tmp_path / "draft.unread.json").read_text("utf-8") == damaged


def test_a_draft_that_cannot_be_read_outlives_the_next_change(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for damaged in ("{", "[", "no"):
        (tmp_path / "draft.json").write_text(damaged, encoding="utf-8")
        window = opened(tmp_path, qtbot)
        window.desk.draft.set_values({"train.epochs": 3}, "Change")
        closed(window)
        assert json.loads((tmp_path / "draft.json").read_text("utf-8"))["version"] == 1
    kept = [path.read_text("utf-8") for path in tmp_path.glob("*draft.unread.json")]
    assert sorted(kept) == ["[", "no", "{"]

    def held(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "draft.json").write_text("held", encoding="utf-8")
    monkeypatch.setattr(Path, "rename", held)
    window = opened(tmp_path, qtbot)
    window.desk.draft.set_values({"train.epochs": 3}, "Change")
    closed(window)
    assert (tmp_path / "draft.json").read_text("utf-8") == "held"


def test_undo_in_a_toast_takes_back_the_step_it_names_and_no_other(
    tmp_path: Path, qtbot: QtBot
) -> None:
    window = opened(tmp_path / "home", qtbot)
    desk, toast = window.desk, window.desk.toast
    desk.draft.load(quick_config(folders(tmp_path / "pictures")), "Open")
    desk.tasks.choose(0)
    desk.tasks.remove_chosen()
    assert toast.label.text() == "Task 'finches' removed."
    desk.draft.set_values({"train.epochs": 7}, "Epochs")
    assert toast.isHidden()  # its Undo would take back another step by now
    desk.draft.stack.undo()
    desk.offer_undo("Task 'finches' removed.")
    toast.button.click()
    assert desk.draft.state.names() == ["finches", "Ö 空格"]
    closed(window)
