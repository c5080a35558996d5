import re
from dataclasses import replace

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QTabWidget

from tests.looking import shown
from tests.recorded import recorded_run
from workbench.events import Measured, Note, Step, TaskStarted
from workbench.face import plot_file
from workbench.face.curve_lines import Level
from workbench.face.curves import AccuracyPanel, ForgettingPanel, GapPanel, LossPanel, PlotBoard
from workbench.face.theme import LIGHT, apply_theme

PANELS = pytest.mark.parametrize("kind", [AccuracyPanel, ForgettingPanel, GapPanel, LossPanel])


@pytest.fixture
def board(qtbot):
    return shown(qtbot, PlotBoard(), 900, 600)


def drawn(panel):
    """Return every line's label and points, as a comparable value."""
    return {
        line.entry.label: (line.series.x.tolist(), str(line.series.y.tolist()))
        for line in panel.lines()
    }


@PANELS
def test_a_replay_draws_what_the_live_run_drew(kind, qtbot):
    live, replay = kind(), kind()
    qtbot.addWidget(live)
    qtbot.addWidget(replay)
    for event in recorded_run(live=True):
        live.show_news([event], "run-1")
    replay.show_news(recorded_run(), "run-1")
    assert drawn(live) == drawn(replay)
    assert drawn(live)


@PANELS
def test_clear_leaves_nothing(kind, qtbot):
    panel = kind()
    qtbot.addWidget(panel)
    panel.show_news(recorded_run())
    panel.clear()
    assert panel.lines() == []
    panel.show_news(recorded_run(tasks=2))
    assert panel.lines() != []


def test_accuracy_has_its_floor_its_tasks_and_its_boundaries(qtbot):
    panel = AccuracyPanel()
    qtbot.addWidget(panel)
    panel.show_news(recorded_run(tasks=3))
    looks = {line.key: line.entry for line in panel.lines()}
    assert looks["baseline_seen"].dash == "dash"
    assert looks["accuracy_seen"].width > looks["task.0.accuracy"].width
    assert {"task.0.accuracy", "task.1.accuracy", "task.2.accuracy"} <= looks.keys()
    assert [label for _, label in panel._boundaries] == ["1 finches", "2 gulls", "3 owls"]
    assert "Σ" in panel.toolTip()


def test_the_gap_panel_switches_between_three_views(qtbot):
    panel = GapPanel()
    qtbot.addWidget(panel)
    panel.show_news(recorded_run(tasks=3))
    dashes = {line.key: line.entry.dash for line in panel.lines()}
    assert dashes == {
        "ntk.interplay_predicted": "solid",
        "ntk.interplay_measured": "dash",
        "ntk.interplay_replayed": "dot",
        "ntk.interplay_full": "dot",
    }
    panel.show_view("generalisation_gap")
    assert {line.key for line in panel.lines()} == {"ntk.gap_predicted", "ntk.gap_held_out"}
    panel.show_view("kernel")
    assert {line.key for line in panel.lines()} == {"ntk.kernel_drift", "ntk.kernel_cka"}
    assert panel.accessibleName() == "Kernel drift"


def test_losses_show_every_term_and_the_log_scale(qtbot):
    panel = LossPanel()
    qtbot.addWidget(panel)
    panel.show_news(recorded_run(tasks=2))
    assert {line.entry.label for line in panel.lines()} >= {"Total", "Orthogonality"}
    panel.set_log(True)
    assert panel.log
    assert panel.log_action.isChecked()


def test_ticked_runs_lie_beside_with_their_names(board):
    board.show_news(recorded_run(), "run-3")
    past = [
        ("id1", "first", recorded_run(seed=1)),
        ("id2", "second", recorded_run(tasks=8, seed=2)),
    ]
    board.set_overlay(past)
    for panel in (board.accuracy, board.forgetting, board.gap, board.losses):
        looks = {line.entry.label: line.entry for line in panel.lines()}
        assert looks["first"].colors != looks["second"].colors
        assert looks["first"].colors[0] not in LIGHT.lines
    board.set_overlay([])
    assert "first" not in {line.entry.label for line in board.accuracy.lines()}


def test_runs_can_be_laid_over_each_other_without_a_current_run(board):
    board.set_overlay([("id1", "first", recorded_run()), ("id2", "second", recorded_run(seed=4))])
    assert [line.entry.label for line in board.accuracy.lines()] == ["first", "second"]


def test_over_tasks_runs_of_any_length_meet(board):
    board.show_news(recorded_run(tasks=4, epochs=2))
    board.set_overlay([("id1", "long", recorded_run(tasks=4, epochs=6))])
    board.set_x_axis("task")
    ends = {
        line.entry.label: line.series.x.tolist()
        for line in board.accuracy.lines()
        if line.entry.label in ("long", "all classes seen")
    }
    assert ends["long"] == ends["all classes seen"] == [1, 2, 3, 4]
    assert board.accuracy.table()[0][0] == "tasks learnt"
    assert board.bar.axis.currentText() == "tasks"


def test_a_new_run_is_followed_though_the_one_before_was_zoomed(board):
    board.show_news(recorded_run(tasks=2))
    board.accuracy.zoom_in()
    board.show_news(recorded_run(tasks=3))
    board.accuracy.draw_now()
    assert board.accuracy._sheet.x_range()[1] >= 3


def test_steps_redraw_only_the_losses(board, qtbot):
    events = recorded_run(tasks=2, ending="running")
    board.show_news(events)
    for panel in (board.accuracy, board.gap, board.losses):
        panel.draw_now()
    board.show_news([Step(1, 3, 1000, 0.1, {"total": 1.0})])
    assert not board.accuracy._dirty
    assert not board.gap._dirty
    assert board.losses._dirty


def test_a_failed_or_half_run_shows_what_there_is(board):
    for ending in ("failed", "stopped", "running"):
        board.show_news(recorded_run(ending=ending))
        assert board.accuracy.lines() != []


def test_kernel_plots_are_shaded_where_the_kernel_is_not_to_be_believed(board):
    board.show_news(recorded_run(tasks=4))
    (span,) = board.record.doubtful("task")
    shades = board.gap._sheet._shades
    assert [shade.getRegion() for shade in shades] == [span]
    assert shades[0].brush.color().name() == LIGHT.warning
    assert board.accuracy._sheet._shades == []
    board.gap.show_view("kernel")
    assert board.gap._sheet._shades == []
    board.gap.show_view("generalisation_gap")
    assert len(board.gap._sheet._shades) == 1
    board.clear()
    assert board.gap._sheet._shades == []


def test_a_plot_of_the_kernel_says_that_the_monitor_is_off_instead_of_promising_anything(
    board, qtbot
):
    note = Note("The NTK monitor is off: nothing is trained, so there is no kernel of training.")
    quiet = [e for e in recorded_run(tasks=2) if not isinstance(e, Measured)]
    board.show_news([quiet[0], *quiet[1:]])
    assert board.gap._empty.text() == "Appears with the second task"
    board.show_news([quiet[0], note, *quiet[1:]])
    board.gap.draw_now()
    assert board.gap._empty.isVisible()
    assert board.gap._empty.text() == note.text
    board.gap.show_view("complexity")
    assert board.gap._empty.text() == note.text
    label, sheet = board.gap._empty, board.gap._sheet
    assert label.fontMetrics().horizontalAdvance(note.text) > sheet.width()  # one line would be cut
    assert sheet.rect().contains(label.geometry())


def test_losses_of_a_run_that_trains_nothing_are_not_promised(board, qtbot):
    quiet = [e for e in recorded_run(tasks=2) if not isinstance(e, (Step, Measured))]
    assert board.losses._empty.text() == "Appears with the first step"
    untrained = [replace(e, epochs=0) if isinstance(e, TaskStarted) else e for e in quiet]
    board.show_news(untrained)
    assert board.losses._empty.text() == "There are no losses: this method trains nothing."
    board.clear()
    assert board.losses._empty.text() == "Appears with the first step"


def test_a_single_task_leaves_forgetting_empty_with_a_sentence(board, qtbot):
    board.show_news(recorded_run(tasks=1))
    board.forgetting.draw_now()
    assert board.forgetting._empty.isVisible()
    assert "second task" in board.forgetting.accessibleDescription()


def test_the_summary_says_the_last_value(board):
    board.show_news(recorded_run(tasks=2))
    assert "all classes seen" in board.accuracy.accessibleDescription()
    assert "%" in board.accuracy.accessibleDescription()


def test_the_board_fits_a_small_window_and_shares_it_evenly(board, qtbot):
    board.resize(560, 380)
    qtbot.wait(30)
    assert (board.width(), board.height()) == (560, 380)
    cards = [board.layout().itemAt(index).widget() for index in range(4)]
    assert max(c.width() for c in cards) - min(c.width() for c in cards) <= 1
    assert max(c.height() for c in cards) - min(c.height() for c in cards) <= 1


def test_the_fourth_card_switches_to_the_losses(board):
    board.show_news(recorded_run(tasks=2))
    assert isinstance(board.corner, QTabWidget)
    board.corner.setCurrentWidget(board.losses)
    assert board.losses.isVisible()
    board.corner.setCurrentWidget(board.matrix)
    assert not board.losses.isVisible()


def test_a_change_of_scheme_recolours_lines(board):
    board.show_news(recorded_run(tasks=2))
    before = {line.key: line.entry.colors for line in board.accuracy.lines()}
    apply_theme(QApplication.instance(), "dark")
    after = {line.key: line.entry.colors for line in board.accuracy.lines()}
    apply_theme(QApplication.instance(), "light")
    assert before.keys() == after.keys()
    assert before["accuracy_seen"] != after["accuracy_seen"]


def test_a_picture_saved_from_a_dark_window_is_light(board, tmp_path):
    apply_theme(QApplication.instance(), "dark")
    board.show_news(recorded_run(tasks=2), "run-1")
    board.accuracy.save_picture(tmp_path / "a.png")
    apply_theme(QApplication.instance(), "light")
    assert QImage(str(tmp_path / "a.png")).pixelColor(3, 3).name() == "#ffffff"


@pytest.fixture
def figures(monkeypatch):
    """Every plot that is laid out for a file from now on."""
    made, plain = [], plot_file.plot_of
    monkeypatch.setattr(plot_file, "plot_of", lambda *a: made.append(plain(*a)) or made[-1])
    return made


def test_a_saved_picture_is_over_the_axis_and_as_logarithmic_and_smooth_as_what_is_seen(
    board, figures, tmp_path
):
    board.show_news(recorded_run(tasks=2), "run-1")
    board.bar.choose_axis("epoch")
    board.bar.log.click()
    board.bar.smoothing.setValue(10)
    board.losses.save_picture(tmp_path / "a.png")
    (figure,) = figures
    seen = board.losses.lines()[-1].series
    assert figure.lines()[-1].series is seen
    assert figure.log
    assert figure.numbers().headings[0] == "epochs"
    assert len(figure._sheet._traces["loss.total"].raw.getData()[0]) == len(seen)


def test_a_saved_picture_has_what_lies_over_the_curves_and_no_more_than_is_seen(
    board, figures, tmp_path
):
    board.show_news(recorded_run(tasks=3), "run-1")
    board.set_overlay([("id1", "first", recorded_run(tasks=3, seed=4))])
    board.accuracy.show_levels({"accuracy": [Level("bound.joint", "all at once", "dashdot", 0.9)]})
    board.accuracy.toggle("each task")
    board.accuracy.show_span((2.0, 9.0))
    board.accuracy.save_picture(tmp_path / "a.png")
    (figure,) = figures
    seen = {line.key: line for line in board.accuracy.lines()}
    kept = {line.key: line for line in figure.lines()}
    assert list(kept) == list(seen)
    assert list(kept)[-2:] == ["bound.joint", "accuracy_seen"]
    assert list(kept["bound.joint"].series.y) == [0.9, 0.9]
    assert kept["accuracy_seen@id1"].entry.label == "first"
    assert [key for key, line in kept.items() if not line.shown] == [
        f"task.{i}.accuracy" for i in range(3)
    ]
    assert figure._sheet.x_range() == pytest.approx((2.0, 9.0))
    board.accuracy.save_picture(tmp_path / "a.svg")
    assert {"all at once", "first"} <= set(
        re.findall(">([^<>]+)</text>", (tmp_path / "a.svg").read_text())
    )
