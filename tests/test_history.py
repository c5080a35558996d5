import dataclasses

import pytest
from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from workbench.face.history import COLUMNS, ID_ROLE, HistoryPanel, RunModel
from workbench.report import RunSummary


def summary(number: int, state: str = "finished", **values: object) -> RunSummary:
    made = RunSummary(
        f"id{number}", f"run-{number:04d}", state, "", f"2026-11-2{number}T08:00:00+00:00", None,
        "repaired", "sample", 0, 4, 5, 0.814, 0.772, 0.042, 0.369,
    )  # fmt: skip
    return dataclasses.replace(made, **values)  # type: ignore[arg-type]


RUNS = [summary(3, "running", final_accuracy=None), summary(2, "stopped"), summary(1)]


@pytest.fixture
def panel(qtbot: QtBot) -> HistoryPanel:
    made = HistoryPanel()
    qtbot.addWidget(made)
    made.resize(960, 200)
    made.show_runs(RUNS)
    made.show()
    return made


def row_of(panel: HistoryPanel, run: str) -> int:
    model = panel.table.model()
    return next(r for r in range(model.rowCount()) if model.index(r, 0).data(ID_ROLE) == run)


def test_the_model_keeps_qt_rules(qtmodeltester: ModelTester, qapp: object) -> None:
    model = RunModel()
    model.show_runs(RUNS)
    qtmodeltester.check(model)


def test_a_row_shows_its_numbers_and_a_dash_where_there_is_none(panel: HistoryPanel) -> None:
    texts = [panel.model.index(0, c).data() for c in range(len(COLUMNS))]
    assert texts[:7] == ["run-0003", "● running", "4/5", "81.4 %", "–", "4.2 %", "36.9 %"]


def test_columns_explain_their_formula(panel: HistoryPanel) -> None:
    tip = panel.model.headerData(3, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert "Ā = (1/T) Σ_t A_t" in tip


def test_a_refresh_redraws_the_changed_row_alone(panel: HistoryPanel, qtbot: QtBot) -> None:
    resets: list[bool] = []
    panel.model.modelReset.connect(lambda: resets.append(True))
    later = [dataclasses.replace(RUNS[0], average_accuracy=0.7), *RUNS[1:]]
    with qtbot.waitSignal(panel.model.dataChanged) as heard:
        panel.show_runs(later)
    assert (heard.args[0].row(), heard.args[1].row()) == (0, 0)
    assert resets == []


def test_a_new_run_is_put_in_on_top_and_ticks_stay(panel: HistoryPanel) -> None:
    checked = Qt.ItemDataRole.CheckStateRole
    panel.model.setData(panel.model.index(1, 0), Qt.CheckState.Checked, checked)
    panel.show_runs([summary(4), *RUNS])
    assert panel.model.index(0, 0).data() == "run-0004"
    assert [run.id for run in panel.model.ticked()] == ["id2"]


def test_space_ticks_the_chosen_run(panel: HistoryPanel, qtbot: QtBot) -> None:
    panel.table.setCurrentIndex(panel.table.model().index(row_of(panel, "id1"), 0))
    with qtbot.waitSignal(panel.model.ticked_changed):
        qtbot.keyClick(panel.table, Qt.Key.Key_Space)
    assert [run.id for run in panel.model.ticked()] == ["id1"]


def test_enter_and_double_click_ask_for_a_replay(panel: HistoryPanel, qtbot: QtBot) -> None:
    index = panel.table.model().index(row_of(panel, "id2"), 2)
    panel.table.setCurrentIndex(index)
    assert panel.chosen() == "id2"
    with qtbot.waitSignal(panel.replay_requested) as heard:
        qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert heard.args == ["id2"]
    place = panel.table.visualRect(index).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    with qtbot.waitSignal(panel.replay_requested):
        qtbot.mouseDClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_renaming_asks_the_log_and_ignores_an_empty_name(panel: HistoryPanel, qtbot: QtBot) -> None:
    index = panel.model.index(2, 0)
    with qtbot.waitSignal(panel.model.rename_requested) as heard:
        assert panel.model.setData(index, " best so far ", Qt.ItemDataRole.EditRole)
    assert heard.args == ["id1", "best so far"]
    assert not panel.model.setData(index, "  ", Qt.ItemDataRole.EditRole)


def test_runs_are_sorted_by_number_not_by_text(panel: HistoryPanel) -> None:
    panel.show_runs([summary(4, average_accuracy=0.09), summary(5, average_accuracy=None), *RUNS])
    panel.table.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    first = [panel.table.model().index(row, 3).data() for row in range(3)]
    assert first == ["–", "9.0 %", "81.4 %"]


def test_without_runs_a_sentence_says_what_will_be_here(qtbot: QtBot) -> None:
    panel = HistoryPanel()
    qtbot.addWidget(panel)
    panel.show_runs([])
    panel.show()
    assert panel.empty.isVisible()
    panel.show_runs(RUNS)
    assert panel.table.isVisible()
