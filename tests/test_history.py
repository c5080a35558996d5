"""The table of runs on a real log: what rows show, ticks, sorting and filtering by the log, groups, editing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from tests.logged import timed
from tests.test_table import add_run
from workbench.events import Finished, Measured
from workbench.face.history import HistoryPanel
from workbench.face.run_columns import COLUMNS, PLACES
from workbench.face.run_model import ID_ROLE, RunModel
from workbench.query import parse
from workbench.session import Session
from workbench.session.table import PAGE


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = Session(tmp_path / "home", entry_points=False)
    with made.log() as log:
        for number in (1, 2, 3):
            add_run(
                log, number, seed=number, average_accuracy=0.814 - number / 100, forgetting=0.042
            )
        log.write("id2", timed([Finished(10)]))
    yield made
    made.close()


@pytest.fixture
def panel(session: Session, tmp_path: Path, qtbot: QtBot) -> HistoryPanel:
    memory = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    made = HistoryPanel(session.table, memory)
    qtbot.addWidget(made)
    made.resize(960, 200)
    made.reload()
    made.show()
    return made


def shown(panel: HistoryPanel, order: str = "name") -> list[str]:
    model = panel.model
    return [model.index(row, PLACES[order]).data() for row in range(model.rowCount())]


def ids(panel: HistoryPanel) -> list[str]:
    return [panel.model.index(row, 0).data(ID_ROLE) for row in range(panel.model.rowCount())]


def tick(panel: HistoryPanel, row: int) -> None:
    role = Qt.ItemDataRole.CheckStateRole
    panel.model.setData(panel.model.index(row, 0), Qt.CheckState.Checked, role)


def test_the_model_keeps_qt_rules(
    session: Session, qtmodeltester: ModelTester, qapp: object
) -> None:
    model = RunModel(session.table)
    model.reload()
    qtmodeltester.check(model)
    model.group_by("seeds")
    model.toggle_group(0)
    qtmodeltester.check(model)  # fails on a broken rule: what it looked at
    kinds = [type(model.row_at(row)).__name__ for row in range(model.rowCount())]
    assert kinds == ["AlikeRuns", *["RunSummary"] * 3]


def test_a_row_shows_its_numbers_and_a_dash_where_there_is_none(panel: HistoryPanel) -> None:
    texts = [panel.model.index(0, c).data() for c in range(7)]
    assert texts == ["run-0003", "○ starting", "0/5", "78.4 %", "–", "4.2 %", "–"]


def test_columns_explain_their_formula(panel: HistoryPanel) -> None:
    tip = panel.model.headerData(3, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert "Ā = (1/T) Σ_t A_t" in tip


def test_a_reload_redraws_the_changed_row_alone(
    panel: HistoryPanel, session: Session, qtbot: QtBot
) -> None:
    resets: list[bool] = []
    panel.model.modelReset.connect(lambda: resets.append(True))
    with session.log() as log:
        log.write("id3", timed([Measured("average_accuracy", 0, 0, 2, 0.7)]))
    with qtbot.waitSignal(panel.model.dataChanged) as heard:
        panel.reload()
    assert (heard.args[0].row(), heard.args[1].row()) == (0, 0)
    assert resets == []
    assert shown(panel, "mean")[0] == "70.0 %"


def test_a_new_run_is_put_in_on_top_and_ticks_and_choice_stay(
    panel: HistoryPanel, session: Session
) -> None:
    tick(panel, 1)
    panel.table.selectRow(2)
    with session.log() as log:
        add_run(log, 4)
    panel.reload()
    assert ids(panel)[0] == "id4"
    assert [run.id for run in panel.model.ticked()] == ["id2"]
    panel.model.sort(PLACES["name"])
    assert panel.chosen() == "id1"


def test_space_ticks_the_chosen_run(panel: HistoryPanel, qtbot: QtBot) -> None:
    panel.table.setCurrentIndex(panel.model.index(2, 0))
    with qtbot.waitSignal(panel.model.ticked_changed):
        qtbot.keyClick(panel.table, Qt.Key.Key_Space)
    assert [run.id for run in panel.model.ticked()] == ["id1"]


def test_enter_and_double_click_ask_for_a_replay(panel: HistoryPanel, qtbot: QtBot) -> None:
    index = panel.model.index(1, 2)
    panel.table.setCurrentIndex(index)
    assert panel.chosen() == "id2"
    with qtbot.waitSignal(panel.replay_requested) as heard:
        qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert heard.args == ["id2"]
    place = panel.table.visualRect(index).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    with qtbot.waitSignal(panel.replay_requested):
        qtbot.mouseDClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)


@pytest.mark.parametrize(
    ("order", "signal"),
    [("name", "rename_requested"), ("tags", "tags_requested"), ("note", "note_requested")],
)
def test_editing_asks_the_log_and_ignores_what_stays(
    panel: HistoryPanel, qtbot: QtBot, order: str, signal: str
) -> None:
    index = panel.model.index(2, PLACES[order])
    with qtbot.waitSignal(getattr(panel.model, signal)) as heard:
        assert panel.model.setData(index, " best so far ", Qt.ItemDataRole.EditRole)
    assert heard.args == ["id1", "best so far"]
    same = panel.model.data(index, Qt.ItemDataRole.EditRole)
    assert not panel.model.setData(index, same, Qt.ItemDataRole.EditRole)


def test_the_header_sorts_in_the_log(panel: HistoryPanel, qtbot: QtBot) -> None:
    header = panel.table.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(PLACES["mean"]) + 5, 5)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    first = ids(panel)
    assert panel.model.order == "mean"
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert sorted([first, ids(panel)]) == [["id1", "id2", "id3"], ["id3", "id2", "id1"]]


def test_a_filter_shows_what_fits_and_says_how_many(panel: HistoryPanel, qtbot: QtBot) -> None:
    panel.bar.field.setText("seed>1")
    qtbot.keyClick(panel.bar.field, Qt.Key.Key_Return)
    assert ids(panel) == ["id3", "id2"]
    assert panel.bar.number.text() == "2 runs"
    panel.bar.field.setText("acc>>80")
    qtbot.keyClick(panel.bar.field, Qt.Key.Key_Return)
    assert panel.bar.problem.text() == "'acc>>80' is not understood. Try acc>80."
    assert panel.bar.problem.isVisible()
    assert ids(panel) == ["id3", "id2"]
    panel.bar.field.setText("tag:nobody")
    qtbot.waitUntil(lambda: panel.empty.isVisible())
    assert panel.empty.text() == "No run fits this filter."


def test_filter_and_columns_are_remembered(
    panel: HistoryPanel, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    panel.bar.field.setText("seed:2")
    panel.bar.apply()
    panel.bar.columns.menu().actions()[0].trigger()  # State
    assert panel.table.isColumnHidden(PLACES["state"])
    memory = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    again = HistoryPanel(session.table, memory)
    qtbot.addWidget(again)
    again.reload()
    assert ids(again) == ["id2"]
    assert again.table.isColumnHidden(PLACES["state"])


def test_the_field_completes_the_last_word(panel: HistoryPanel, qtbot: QtBot) -> None:
    qtbot.keyClicks(panel.bar.field, "acc>80 for")
    assert panel.bar.field.completer().model().stringList() == ["acc>80 forget<5"]
    panel.bar.field.completer().popup().hide()


def test_a_group_row_shows_mean_and_spread_and_ticks_its_members(
    panel: HistoryPanel, qtbot: QtBot
) -> None:
    panel.bar.groups.setCurrentIndex(panel.bar.groups.findData("method.profile"))
    assert shown(panel)[0] == "run-0003"  # seeds differ as well
    panel.bar.groups.setCurrentIndex(panel.bar.groups.findData("seeds"))
    assert shown(panel) == ["▸ 3 runs"]
    # 0.804, 0.794, 0.784: mean 0.794, sample standard deviation 0.01
    assert shown(panel, "mean") == ["79.4 ± 1.0 %"]
    tick(panel, 0)
    assert [run.id for run in panel.model.ticked()] == ["id3", "id2", "id1"]
    panel.table.setCurrentIndex(panel.model.index(0, 1))
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert shown(panel)[0] == "▾ 3 runs"
    assert ids(panel) == ["", "id3", "id2", "id1"]
    panel.table.selectRow(0)
    assert [run.id for run in panel.chosen_runs()] == ["id3", "id2", "id1"]


def test_more_runs_are_read_as_they_are_scrolled_to(tmp_path: Path, qtbot: QtBot) -> None:
    session = Session(tmp_path / "many", entry_points=False)
    with session.log() as log:
        for number in range(PAGE + 50):
            add_run(log, number)
    model = RunModel(session.table)
    model.reload()
    assert (model.rowCount(), model.matching) == (PAGE, PAGE + 50)
    assert model.canFetchMore()
    model.fetchMore()
    assert model.rowCount() == PAGE + 50
    assert not model.canFetchMore()
    assert len({run.id for run in model.runs()}) == PAGE + 50
    model.look_for(parse("run-0007"))
    assert [run.id for run in model.runs()] == ["id7"]
    session.close()


def test_without_runs_a_sentence_says_what_will_be_here(tmp_path: Path, qtbot: QtBot) -> None:
    session = Session(tmp_path / "none", entry_points=False)
    memory = QSettings(str(tmp_path / "none.ini"), QSettings.Format.IniFormat)
    panel = HistoryPanel(session.table, memory)
    qtbot.addWidget(panel)
    panel.reload()
    panel.show()
    assert panel.empty.text() == "Every run appears here and stays. There is none yet."
    assert panel.empty.isVisible()
    with session.log() as log:
        add_run(log, 1)
    panel.reload()
    assert panel.table.isVisible()
    session.close()


def test_each_column_has_its_own_key() -> None:
    assert len(PLACES) == len(COLUMNS)
