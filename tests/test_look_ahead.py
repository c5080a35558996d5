"""Looking ahead from the window: asked, cancelled, read, copied, and an order used only if it is wanted."""

import dataclasses
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from tests.pictures import make_class_folders
from tests.test_forecast import later_run
from tests.test_window import end_training
from tests.trained import quick_config, trained_session
from workbench import config as configs
from workbench.config import TaskFolder
from workbench.events import Stage
from workbench.face.foretold import ForecastSheet, OrderSheet, class_table, pair_table, task_table
from workbench.face.window import Window
from workbench.report import ClassForecast, Forecast, OrderStudy, TaskForecast

MADE = Forecast(
    "r", TaskFolder("gulls", "/g"), ("white", "black"),
    (
        TaskForecast(1, "finches", 0.02, 0.4, 0.5, 0.5, 0.25, 8),
        TaskForecast(0, "owls", reason="the folder is no longer there"),
    ),
    (ClassForecast(0, "red", "finches", 0.013, None, 0.5),),
    pictures=12, method="Computed by hand.", notes=("Few pictures.",),
)  # fmt: skip
STUDY = OrderStudy(("a", "b"), (1, 0), 0.5, 0.25, ((None, 0.2), (0.3, None)), "By hand.")


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Window:
    """A window over a home with a trained run of two tasks, a third one in the list beside them."""
    session, _ = trained_session(tmp_path / "home", tmp_path / "pictures")
    window = Window(session)
    qtbot.addWidget(window, before_close_func=end_training)
    window.show()
    third = make_class_folders(tmp_path / "gulls", {"white": 8, "black": 8})
    paths = [tmp_path / "pictures" / "finches", tmp_path / "pictures" / "Ö 空格", third]
    window.desk.draft.load(quick_config(paths), "Load")
    window.desk.history.table.selectRow(0)
    return window


def texts(sheet: ForecastSheet | OrderSheet) -> str:
    return "\n".join(label.text() for label in sheet.findChildren(QLabel))


def test_the_task_that_is_not_learnt_is_offered_and_its_forecast_is_read(
    window: Window, qtbot: QtBot
) -> None:
    ahead = window.desk.foresight
    assert window.actions_by_id["forecast"].isEnabled()
    window.actions_by_id["forecast"].trigger()
    assert ahead.question is not None
    assert [ahead.question.list.item(i).text() for i in range(ahead.question.list.count())] == ["gulls"]  # fmt: skip
    ahead.question.go_button.click()
    assert ahead.strip.isVisible()
    qtbot.waitUntil(lambda: ahead.sheet is not None, timeout=60_000)
    sheet = ahead.sheet
    assert isinstance(sheet, ForecastSheet)
    assert sheet.reading.text().startswith("Learning 'gulls' next will disturb '")
    assert "Trust the order more than the sizes" in texts(sheet)
    assert sheet.close_button.isDefault()
    qtbot.waitUntil(lambda: not ahead.busy)
    assert not ahead.strip.isVisible()
    sheet.close()


def test_without_a_task_to_offer_a_folder_is_asked_for(
    window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ahead = window.desk.foresight
    window.desk.draft.remove(2)
    chosen = make_class_folders(tmp_path / "owls", {"white": 8})
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(chosen))
    window.actions_by_id["forecast"].trigger()
    qtbot.waitUntil(lambda: ahead.sheet is not None, timeout=60_000)
    assert ahead.sheet is not None
    assert "with one class there is nothing" in ahead.sheet.reading.text()
    ahead.sheet.close()
    qtbot.waitUntil(lambda: not ahead.busy)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    window.actions_by_id["forecast"].trigger()
    assert not ahead.busy


def test_a_folder_that_cannot_be_read_is_a_strip_that_stays(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    ahead = window.desk.foresight
    window.actions_by_id["forecast"].trigger()
    assert ahead.question is not None
    ahead.question.reject()
    ahead.forecast(TaskFolder("gone", str(tmp_path / "gone")))
    qtbot.waitUntil(lambda: "foresight" in window.desk.strips.texts(), timeout=60_000)
    assert "no longer there" in window.desk.strips.texts()["foresight"]
    qtbot.waitUntil(lambda: not ahead.busy)


def test_looking_ahead_is_cancelled_from_its_strip(window: Window, qtbot: QtBot) -> None:
    ahead = window.desk.foresight
    window.actions_by_id["suggest_order"].trigger()
    assert ahead.busy
    ahead.study_order()
    assert "at already" in window.desk.toast.label.text()
    ahead.strip.cancel_button.click()
    assert ahead.strip.label.text() == "Stopping…"
    assert not ahead.strip.cancel_button.isEnabled()
    qtbot.waitUntil(lambda: not ahead.busy, timeout=60_000)
    assert ahead.sheet is None
    assert not ahead.strip.isVisible()


def test_an_order_is_studied_and_used_only_if_that_is_asked_for_and_undone_in_one_step(
    window: Window, qtbot: QtBot
) -> None:
    ahead, draft = window.desk.foresight, window.desk.draft
    before, steps = draft.state.names(), draft.stack.count()
    window.actions_by_id["suggest_order"].trigger()
    qtbot.waitUntil(lambda: ahead.sheet is not None and not ahead.busy, timeout=60_000)
    sheet = ahead.sheet
    assert isinstance(sheet, OrderSheet)
    assert draft.state.names() == before
    assert sheet.close_button.isDefault()
    assert "Present order: predicted interplay" in texts(sheet)
    assert "Suggested order: predicted interplay" in texts(sheet)
    sheet.close()
    assert (draft.state.names(), draft.stack.count()) == (before, steps)
    study = OrderStudy(tuple(before), (2, 0, 1), 0.5, 0.25, ((None,) * 3,) * 3, "By hand.")
    wanted = OrderSheet(study, window)
    wanted.use_wanted.connect(ahead._use)
    wanted.use_button.click()
    assert draft.state.names() == [before[2], before[0], before[1]]
    assert draft.stack.count() == steps + 1
    window.desk.toast.button.click()
    assert draft.state.names() == before
    draft.remove(0)
    ahead._use(study)
    assert draft.state.names() == before[1:]
    assert "has changed since" in window.desk.toast.label.text()


def test_when_a_run_has_learnt_what_was_forecast_the_score_is_told(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    ahead, session = window.desk.foresight, window.desk.session
    (run,) = session.runs()
    ahead.score()
    assert not ahead.busy  # nothing was forecast
    list(session.forecast(run.id, TaskFolder("gulls", str(tmp_path / "gulls"))))
    config = configs.from_dict(session.details(run.id).config)
    third = TaskFolder("gulls", str(tmp_path / "gulls"))
    longer = dataclasses.replace(config.data, tasks=(*config.data.tasks, third))
    later_run(session, run.id, dataclasses.replace(config, data=longer))
    ahead.score()
    qtbot.waitUntil(lambda: not ahead.busy, timeout=60_000)
    assert "against what later measured" in window.desk.toast.label.text()
    assert session.unscored() == []


def test_commands_make_sense_only_when_there_is_something_to_look_at(window: Window) -> None:
    window.desk.draft.remove(2)
    assert window.actions_by_id["suggest_order"].isEnabled()
    window.desk.draft.remove(1)
    assert not window.actions_by_id["suggest_order"].isEnabled()


def test_the_sheets_give_numbers_reasons_and_text_to_copy(window: Window) -> None:
    headings, rows = task_table(MADE)
    assert len(headings) == len(rows[0]) == len(rows[1])
    assert rows[0] == ["finches", "0.02", "0.4", "50.0 %", "50.0 %", "25.0 %"]
    assert rows[1][:2] == ["owls", "the folder is no longer there"]
    assert class_table(MADE)[1] == [["red", "finches", "0.013", "–", "50.0 %"]]
    assert pair_table(STUDY) == (["", "a", "b"], [["a", "–", "0.2"], ["b", "0.3", "–"]])
    sheet = ForecastSheet(MADE, "run-0001", window)
    sheet._copy()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("Learning 'gulls' next will disturb 'finches' most: by 0.02")
    assert "goes from 50 % to 25 %" in copied
    assert "finches\t0.02\t0.4" in copied
    assert copied.endswith("Few pictures.\n\nComputed by hand.")


def test_the_same_order_offers_nothing_to_use(window: Window) -> None:
    kept = dataclasses.replace(STUDY, suggested=(0, 1), suggested_total=0.5)
    sheet = OrderSheet(kept, window)
    assert sheet.reading.text().startswith("Keep the present order")
    assert sheet.use_button.isHidden()
    better = OrderSheet(STUDY, window)
    assert not better.use_button.isHidden()


def test_the_strip_shows_how_far_it_is(window: Window) -> None:
    strip = window.desk.foresight.strip
    strip.show_stage(Stage("Looking at 'gulls'", 3, 8))
    assert (strip.bar.value(), strip.bar.maximum()) == (3, 8)
    assert strip.label.text() == "Looking at 'gulls'…"
    assert strip.cancel_button.focusPolicy() & Qt.FocusPolicy.TabFocus
    strip.hide()
