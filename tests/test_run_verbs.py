"""What the window does with runs of the table, through its commands: the sentences, undo, and the log after."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from tests.logged import timed
from tests.test_table import add_run
from tests.test_window import end_training
from workbench import paths
from workbench.config import from_dict
from workbench.events import Finished, Measured
from workbench.face.question import Question
from workbench.face.run_columns import PLACES
from workbench.face.window import Window
from workbench.session import Session


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Window:
    session = Session(tmp_path / "home", entry_points=False)
    with session.log() as log:
        for number in (1, 2, 3):
            add_run(log, number, epochs=10 + number, seed=number, average_accuracy=0.5)
        for run_id in ("id1", "id2"):
            log.write(run_id, timed([Measured("forgetting", 0, 0, 1, 0.1), Finished(10)]))
    made = Window(session)
    qtbot.addWidget(made, before_close_func=end)
    made.show()
    return made


def end(window: Window) -> None:
    for feature in window.features:
        feature.shut_down()
    end_training(window)


def choose(window: Window, run_id: str) -> None:
    window.desk.history.table.selectRow(window.desk.history.model.row_of(run_id))


def run(window: Window, command: str) -> None:
    window.actions_by_id[command].trigger()


def shown(window: Window) -> list[str]:
    return [run.id for run in window.desk.history.model.runs()]


def test_delete_moves_to_the_bin_and_the_toast_takes_back(window: Window, qtbot: QtBot) -> None:
    window.desk.history.table.setFocus()
    choose(window, "id2")
    run(window, "bin_run")
    assert shown(window) == ["id3", "id1"]
    assert window.desk.toast.label.text() == "run-0002 was moved to the bin."
    qtbot.mouseClick(window.desk.toast.button, Qt.MouseButton.LeftButton)
    assert shown(window) == ["id3", "id2", "id1"]


def test_a_run_under_way_is_not_moved(window: Window) -> None:
    choose(window, "id3")
    run(window, "bin_run")
    assert window.desk.toast.label.text() == "Stop run-0003 first."
    assert "id3" in shown(window)


def test_the_bin_is_shown_restored_from_and_emptied_after_a_question(
    window: Window, qtbot: QtBot
) -> None:
    history, home = window.desk.history, window.desk.session.home
    folder = paths.run_folder(home, "id1")
    (folder / "adapter").mkdir()
    for run_id in ("id1", "id2"):
        choose(window, run_id)
        run(window, "bin_run")
    history.bar.bin.setChecked(True)
    assert shown(window) == ["id2", "id1"]
    choose(window, "id2")
    run(window, "restore_run")
    assert shown(window) == ["id1"]
    history.bar.empty.click()
    (question,) = window.findChildren(Question)
    assert (
        question.text() == "Remove 1 run for good? Their files and numbers cannot be brought back."
    )
    assert folder.exists()
    question.answers["Remove for good"].click()
    qtbot.waitUntil(lambda: not folder.exists() and shown(window) == [], timeout=20_000)
    assert history.empty.text() == "The bin is empty."
    history.bar.bin.setChecked(False)
    assert shown(window) == ["id3", "id2"]


def test_star_tags_note_and_name_are_edited_and_found(window: Window, qtbot: QtBot) -> None:
    model = window.desk.history.model
    choose(window, "id1")
    run(window, "star_run")
    model.setData(model.index(model.row_of("id1"), PLACES["tags"]), "paper, Ö 空格")
    model.setData(model.index(model.row_of("id1"), PLACES["note"]), "with warm-up")
    model.setData(model.index(model.row_of("id1"), 0), "best")
    window.desk.history.bar.field.setText('is:starred tag:"Ö 空格" note:warm name:best')
    window.desk.history.bar.apply()
    assert shown(window) == ["id1"]
    choose(window, "id1")
    run(window, "star_run")
    assert not window.desk.session.table.some(["id1"])[0].starred


def test_pinning_marks_the_baseline_and_again_takes_the_mark_off(window: Window) -> None:
    choose(window, "id1")
    run(window, "pin_baseline")
    row = window.desk.history.model.row_of("id1")
    assert window.desk.history.model.index(row, 0).data() == "run-0001 (baseline)"
    run(window, "pin_baseline")
    assert window.desk.session.table.baseline() is None


def test_its_settings_become_the_drafts_in_one_step(window: Window) -> None:
    choose(window, "id2")
    before = window.desk.draft.state
    run(window, "use_settings")
    assert window.desk.draft.state.settings.train.epochs == 12
    assert window.desk.draft.state.settings.seeds.initialisation == 2
    assert window.desk.toast.label.text() == "The settings are those of run-0002 now."
    window.desk.draft.stack.undo()
    assert window.desk.draft.state == before


def test_its_configuration_is_copied_as_toml(window: Window, tmp_path: Path) -> None:
    import tomllib

    choose(window, "id2")
    run(window, "copy_configuration")
    config = from_dict(tomllib.loads(QGuiApplication.clipboard().text()))
    assert (config.train.epochs, config.seeds.initialisation) == (12, 2)


def test_running_again_says_what_is_different_now(window: Window) -> None:
    choose(window, "id2")
    run(window, "run_again")
    (question,) = window.findChildren(Question)
    assert question.text() == "Run run-0002 again with its tasks, settings and seeds?"
    assert "torch was 2.6, now " in question.informativeText()
    question.answers["Into the draft only"].click()
    assert window.desk.draft.state.settings.train.epochs == 12


def test_the_tables_own_menu_offers_what_can_be_done_with_a_run(window: Window) -> None:
    history = window.desk.history
    history.table.customContextMenuRequested.emit(history.table.rect().center())
    texts = [action.text() for action in history.menu.actions()]
    history.menu.hide()
    assert texts == [
        "Star",
        "Tags…",
        "Note…",
        "Rename run",
        "Pin as baseline",
        "Details…",
        "Move to bin",
        "Take out of the bin",
    ]
