"""The row of controls under the plots, and what it does to all of them."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from tests.recorded import recorded_run
from tests.test_record import timed
from workbench.face.curves import PlotBoard
from workbench.face.smoothing import FORMULA
from workbench.face.theme import apply_theme


@pytest.fixture
def board(qtbot):
    apply_theme(QApplication.instance(), "light")
    made = PlotBoard()
    for widget in (made, made.bar):
        qtbot.addWidget(widget)
        widget.show()
    made.resize(900, 600)
    made.show_news(timed(recorded_run(tasks=3)), "run-7")
    return made


def curves(board):
    return board.accuracy, board.forgetting, board.gap, board.losses


def test_every_control_has_a_name_a_tooltip_and_a_place_in_the_tab_order(board):
    bar = board.bar
    for control in (bar.smoothing, bar.axis, bar.log, bar.follow, bar.fit):
        assert isinstance(control, QWidget)
        assert control.accessibleName() or control.text()
        assert control.toolTip()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert FORMULA in bar.smoothing.toolTip()


def test_the_slider_says_over_how_many_points_and_smooths_every_plot(board, qtbot):
    assert board.bar.amount.text() == "off"
    qtbot.keyClick(board.bar.smoothing, Qt.Key.Key_PageUp)
    qtbot.keyClick(board.bar.smoothing, Qt.Key.Key_PageUp)
    assert board.bar.amount.text() == "over 10"
    assert board.bar.smoothing.accessibleDescription() == "over 10"
    board.losses.draw_now()
    trace = board.losses._sheet._traces["loss.total"]
    raw = board.record.curve("loss.total").y
    np.testing.assert_array_equal(trace.raw.getData()[1], raw)
    drawn = trace.curve.getData()[1]
    assert np.nanstd(drawn) < np.nanstd(raw)
    for panel in curves(board):
        assert panel._smoothing == 10


def test_over_time_the_plots_run_over_the_seconds_since_the_start(board):
    board.bar.choose_axis("time")
    for panel in curves(board):
        panel.draw_now()
        assert panel.table()[0][0] == "time since the start"
    losses = board.losses
    assert losses.lines()[-1].series is board.record.curve("loss.total", "time")
    assert losses.starts() == [x for x, _ in board.record.boundaries("time")]
    assert "time since the start 0:10" in losses.readout(10.0)
    axis = losses._sheet._axes["bottom"]
    assert axis.tickStrings([0, 30, 3661], 1, 30) == ["0:00", "0:30", "1:01:01"]
    ((step, _),) = axis.tickSpacing(0, 100, 400)
    assert step == 30


def test_over_epochs_a_task_takes_as_many_as_it_had(board):
    board.bar.choose_axis("epoch")
    assert board.accuracy.starts() == [0, 4, 8]
    assert board.accuracy.lines()[-1].series.x.tolist() == [4, 8, 12]


def test_runs_beside_each_other_meet_on_any_axis_and_say_whose_point_it_is(board):
    board.set_overlay([("id1", "first", timed(recorded_run(tasks=3, seed=4), every=2.0))])
    for axis in ("step", "time", "epoch", "task"):
        board.bar.choose_axis(axis)
        beside = next(line for line in board.accuracy.lines() if line.entry.label == "first")
        assert len(beside.series) == 3
        assert beside.said is not None
        assert beside.said(1) == "first · 2 gulls"
    own = board.accuracy.lines()[-1]
    assert own.said is not None
    assert own.said(2) == "run-7 · 3 owls"


def test_the_logarithm_reaches_plain_numbers_only_and_stays_when_the_view_changes(board):
    board.bar.log.click()
    assert board.losses.log
    assert board.gap.log
    assert not board.accuracy.log
    assert not board.forgetting.log
    board.gap.show_view("complexity")
    assert board.gap.log
    board.bar.log.click()
    assert not board.gap.log


def test_fit_shows_everything_in_every_plot(board):
    for panel in curves(board):
        panel.draw_now()
        panel.zoom_in()
    board.bar.fit.click()
    for panel in curves(board):
        panel.draw_now()
        assert panel.view.whole
        assert panel._sheet.x_range()[1] >= 3


def test_following_reaches_every_plot(board):
    board.bar.follow.click()
    assert all(panel.view.following for panel in curves(board))
    board.bar.follow.click()
    assert not any(panel.view.following for panel in curves(board))


def test_the_row_fits_the_smallest_window(board):
    assert board.bar.minimumSizeHint().width() <= 480
