"""What hands do on a plot: zoom, follow, jump to a task, point at a line, read numbers, smooth."""

import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from tests.looking import shown
from tests.recorded import recorded_run
from tests.test_plot import count
from workbench.face import x_view
from workbench.face.curves import GapPanel
from workbench.face.panel import TableWindow
from workbench.face.plot import LivePlot
from workbench.face.plot_line import nearest
from workbench.face.series import Series
from workbench.face.theme import DARK, LIGHT, apply_theme, mixed
from workbench.face.trace import _PALE
from workbench.face.x_view import XView

STARTS = [(0.0, "1 finches"), (100.0, "2 gulls"), (200.0, "3 owls")]


@pytest.fixture
def plot(qtbot):
    made = shown(qtbot, LivePlot("Losses", y="auto"), 520, 340)
    x = np.arange(300.0)
    made.set_line("a", "first", LIGHT.lines[0])
    made.set_line("b", "second", LIGHT.lines[1], "dash")
    made.set_points("a", Series.of(x, np.full(300, 1.0)), lambda index: f"run-1 · point {index}")
    made.set_points("b", Series.of(x, 2 + np.sin(x / 9)))
    made.set_boundaries(STARTS)
    made.lay_out(made.size())
    return made


def viewport_place(plot, x, y):
    """Return where on the viewport a place in data lies."""
    return plot._sheet.mapFromScene(plot._sheet._box.mapViewToScene(QPointF(x, y)))


def hover(plot, x, y):
    plot._pointer.hover(QPointF(x, y), QPointF(100, 60))


def pen_of(plot, key):
    return plot._sheet._traces[key].curve.opts["pen"]


# -- which part of x


def test_fitted_shows_all_as_it_grows_and_a_held_part_stays():
    view = XView()
    assert view.span((3, 4), (0, 10), 10) == (0, 10)
    view.hold()
    assert view.span((3, 4), (0, 99), 99) == (3, 4)
    view.fit()
    assert view.span((3, 4), (0, 99), 99) == (0, 99)


def test_following_keeps_the_width_and_the_newest_point_in_view(plot):
    plot.show_span((100, 150))
    plot.set_following(True)
    plot.draw_now()
    low, high = plot._sheet.x_range()
    assert low < 299 < high
    assert high - low == pytest.approx(50)
    for step in range(300, 340):
        plot.append("a", step, 1.0)
    plot.draw_now()
    low, high = plot._sheet.x_range()
    assert low < 339 < high
    assert high - low == pytest.approx(50)


def test_without_following_a_zoomed_part_stays_though_points_come(plot):
    plot.show_span((100, 150))
    for step in range(300, 340):
        plot.append("a", step, 1.0)
    plot.draw_now()
    assert plot._sheet.x_range() == pytest.approx((100, 150))


def test_keys_move_zoom_jump_and_fit(plot, qtbot):
    menu = plot.menu()
    keys = {action.shortcut().toString(): action for action in menu.actions() if action.shortcut()}
    assert {"Home", "+", "-", "Left", "Right", "PgUp", "PgDown", "L", "Ctrl+T", "Ctrl+Shift+C"} <= (
        keys.keys()
    )
    keys["PgDown"].trigger()
    plot.draw_now()
    assert plot._sheet.x_range() == pytest.approx(x_view.task_span([0, 100, 200], 0, 304))
    keys["PgDown"].trigger()
    assert plot._sheet.x_range() == pytest.approx((98, 202))
    keys["Right"].trigger()
    assert plot._sheet.x_range() == pytest.approx((124, 228))
    keys["PgUp"].trigger()
    keys["PgUp"].trigger()
    assert plot._sheet.x_range()[0] < 0
    keys["Home"].trigger()
    plot.draw_now()
    assert plot._sheet.x_range()[1] > 299


def test_keys_on_a_plot_with_the_focus_reach_it_and_those_of_a_list_beside_it_do_not(qtbot):
    panel = GapPanel()
    qtbot.addWidget(panel)
    panel.resize(520, 340)
    panel.show_news(recorded_run(tasks=3))
    with qtbot.waitExposed(panel):
        panel.show()
    panel.activateWindow()
    panel.draw_now()
    panel.setFocus()
    qtbot.waitUntil(panel._sheet.hasFocus, timeout=10_000)
    qtbot.keyClick(panel._sheet, Qt.Key.Key_PageDown)
    assert not panel.view.whole
    qtbot.keyClick(panel._sheet, Qt.Key.Key_Home)
    assert panel.view.whole
    panel.choice.setFocus()
    qtbot.keyClick(panel.choice, Qt.Key.Key_PageDown)
    assert panel.view.whole


def test_a_click_on_a_boundary_shows_that_task_and_a_double_click_everything(plot, qtbot):
    at_wall = viewport_place(plot, 100, 1.5)
    qtbot.mouseClick(plot._sheet.viewport(), Qt.MouseButton.LeftButton, pos=at_wall)
    plot.draw_now()
    assert plot._sheet.x_range() == pytest.approx((98, 202))
    middle = viewport_place(plot, 150, 1.5)
    qtbot.mouseDClick(plot._sheet.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseRelease(plot._sheet.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    plot.draw_now()
    low, high = plot._sheet.x_range()
    assert low < 0 < 299 < high


def test_a_click_on_a_tasks_name_shows_that_task_and_one_between_boundaries_does_nothing(
    plot, qtbot
):
    between = viewport_place(plot, 150, 1.5)
    qtbot.mouseClick(plot._sheet.viewport(), Qt.MouseButton.LeftButton, pos=between)
    plot.draw_now()
    assert plot._sheet.x_range()[0] < 0
    axis = plot._sheet._axes["top"].sceneBoundingRect().center().y()
    name = plot._sheet.mapFromScene(
        QPointF(plot._sheet._box.mapViewToScene(QPointF(250, 1)).x(), axis)
    )
    qtbot.mouseClick(plot._sheet.viewport(), Qt.MouseButton.LeftButton, pos=name)
    plot.draw_now()
    assert plot._sheet.x_range()[0] == pytest.approx(200, abs=4)


# -- what lies under the mouse


def test_the_nearest_point_is_told_from_all_points_not_from_the_drawn_ones(plot):
    rng = np.random.default_rng(2)
    y = rng.random(200_000)
    plot.set_points("b", Series.of(np.arange(200_000.0), y))
    plot.fit()
    plot.draw_now()
    per_pixel = plot._sheet.per_pixel()
    for x in rng.integers(0, 200_000, 20):
        place = float(x), float(rng.random())
        found = nearest(plot.lines(), place, per_pixel, log=False)
        distances = [
            np.hypot(
                (line.series.x - place[0]) / per_pixel[0], (line.series.y - place[1]) / per_pixel[1]
            )
            for line in plot.lines()
        ]
        assert found is not None
        exact = min(float(found_here.min()) for found_here in distances)
        line = plot.lines().index(found.line)
        assert distances[line][found.index] <= exact + 24


def test_hovering_a_line_lifts_it_and_pales_the_others_and_says_run_task_and_value(plot):
    hover(plot, 123.2, 1.01)
    assert pen_of(plot, "a").widthF() == 2
    assert pen_of(plot, "b").color().name() == mixed(LIGHT.lines[1], LIGHT.base, _PALE)
    text = plot._pointer.readout.text()
    assert text.startswith("run-1 · point 123 · step 123<br>")
    assert "first&nbsp; <b>1</b>" in text
    assert plot._sheet._cross.value() == 123
    assert plot._sheet._level.value() == 1.0
    plot._pointer.leave()
    assert pen_of(plot, "a").widthF() == 1
    assert pen_of(plot, "b").color().name() == LIGHT.lines[1]
    assert not plot._sheet._level.isVisible()


def test_the_readout_is_never_cut_off_by_a_small_plot(qtbot):
    apply_theme(QApplication.instance(), "light")
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(700, 420)
    plots = [LivePlot("Losses", parent=window, theme=LIGHT) for _ in range(2)]
    for index, small in enumerate(plots):
        small.setGeometry(20 + 340 * index, 260, 320, 150)
        for number in range(9):
            small.set_line(str(number), f"a term of the loss, {number}", LIGHT.lines[0])
            small.set_points(str(number), Series.of(np.arange(9.0), np.full(9, number + 1.0)))
    window.show()
    for small in plots:
        small.draw_now()
        for pixel in (QPointF(60, 40), QPointF(280, 90)):
            small._pointer.hover(QPointF(4, 2.0), pixel)
            readout = small._pointer.readout
            assert readout.isVisible()
            assert window.rect().contains(readout.geometry())
            mouse = small._sheet.mapTo(window, pixel.toPoint())
            assert not readout.geometry().contains(mouse)
        small.hide()  # as when another tab is chosen by a key
        assert not readout.isVisible()


def test_between_two_far_points_the_stroke_counts_as_the_line(plot):
    plot.keep_lines(["a"])
    plot.set_points("a", Series.of(np.array([0.0, 300.0]), np.array([0.0, 3.0])))
    plot.draw_now()
    near = nearest(plot.lines(), (140.0, 1.4), plot._sheet.per_pixel(), log=False)
    assert near is not None
    assert near.distance < 1
    assert near.x == 0.0
    assert nearest(plot.lines(), (140.0, 2.9), plot._sheet.per_pixel(), log=False) is None


def test_on_a_logarithmic_axis_the_nearest_point_is_nearest_to_the_eye(plot):
    plot.set_log(True)
    plot.set_points("a", Series.of(np.arange(300.0), np.full(300, 1e-3)))
    plot.draw_now()
    hover(plot, 50.0, -2.95)
    assert "0.001" in plot._pointer.readout.text().split("<br>")[1]
    assert plot._sheet._level.value() == pytest.approx(-3)


def test_pointing_at_a_name_in_the_legend_lifts_its_line(plot, qtbot):
    qtbot.wait(60)
    (second, _), _ = plot._legend.places()  # the last drawn comes first
    qtbot.mouseMove(plot._legend, second.center())
    assert pen_of(plot, "b").widthF() == 2
    assert pen_of(plot, "a").color().name() == mixed(LIGHT.lines[0], LIGHT.base, _PALE)
    qtbot.mouseMove(plot._legend, QPoint(plot._legend.width() - 1, 1))
    assert pen_of(plot, "a").color().name() == LIGHT.lines[0]


def test_a_number_that_was_not_finite_is_marked_and_said(plot):
    plot.set_points("a", Series.of(np.arange(4.0), np.array([1.0, np.inf, np.nan, 1.0])))
    plot.set_points("b", Series.of(np.arange(4.0), np.full(4, 2.0)))
    plot.set_boundaries([])
    plot.draw_now()
    assert plot._sheet._gaps.getData()[0].tolist() == [1.0]
    assert "first&nbsp; not finite" in plot.readout(1.0)
    assert plot.table()[1][1] == ["1", "not finite", "2"]
    assert plot.table()[1][2] == ["2", "", "2"]


def test_a_curve_of_which_nothing_was_finite_still_shows_where(plot):
    plot.keep_lines(["a"])
    plot.set_points("a", Series.of(np.arange(3.0), np.full(3, np.inf)))
    plot.draw_now()
    assert plot._sheet._gaps.getData()[0].tolist() == [0.0, 1.0, 2.0]
    assert not plot._empty.isVisible()


# -- smoothing


def test_smoothing_draws_the_average_and_leaves_the_measured_line_pale_behind(plot):
    noisy = np.random.default_rng(0).random(300)
    plot.set_points("a", Series.of(np.arange(300.0), noisy))
    plot.set_smoothing(30)
    plot.draw_now()
    trace = plot._sheet._traces["a"]
    np.testing.assert_array_equal(trace.raw.getData()[1], noisy)
    assert trace.curve.getData()[1][-200:].std() < 0.3 * noisy.std()
    assert trace.raw.opts["pen"].color().name() == mixed(LIGHT.lines[0], LIGHT.base, _PALE)
    assert trace.raw.zValue() < trace.curve.zValue()
    plot.set_smoothing(1)
    plot.draw_now()
    np.testing.assert_array_equal(trace.curve.getData()[1], noisy)
    assert trace.raw.getData()[0] is None or len(trace.raw.getData()[0]) == 0


def test_smoothing_changes_neither_table_nor_readout(plot):
    before = plot.table(), plot.readout(150.0)
    plot.set_smoothing(100)
    plot.draw_now()
    assert (plot.table(), plot.readout(150.0)) == before


def test_a_smoothed_curve_that_grows_is_averaged_on_and_a_new_one_anew(plot):
    plot.set_smoothing(10)
    series = Series()
    plot.set_points("a", series)
    for step in range(1000):
        plot.append("a", step, 5.0)
        if step % 100 == 0:
            plot.draw_now()
    plot.draw_now()
    np.testing.assert_allclose(plot._sheet._traces["a"].curve.getData()[1], 5.0)
    plot.set_points("a", Series.of(np.arange(300.0), np.full(300, 7.0)))
    plot.draw_now()
    np.testing.assert_allclose(plot._sheet._traces["a"].curve.getData()[1], 7.0)


# -- looks, table, menu


def test_no_two_dashes_share_a_marker(plot):
    symbols = {key: trace.marks.opts["symbol"] for key, trace in plot._sheet._traces.items()}
    assert symbols == {"a": "o", "b": "s"}


def test_new_parts_change_with_the_scheme_while_shown(plot):
    plot.set_points("a", Series.of(np.arange(3.0), np.array([1.0, np.inf, 1.0])))
    hover(plot, 0, 1.0)
    plot.draw_now()
    apply_theme(QApplication.instance(), "dark")
    assert plot._sheet._gaps.opts["brush"].color().name() == DARK.bad
    assert pen_of(plot, "b").color().name() == mixed(LIGHT.lines[1], DARK.base, _PALE)
    assert DARK.raised in plot._pointer.readout.styleSheet()
    apply_theme(QApplication.instance(), "light")
    assert plot._sheet._gaps.opts["brush"].color().name() == LIGHT.bad


def test_a_million_rows_open_as_a_table_at_full_resolution(plot):
    y = np.random.default_rng(3).random(1_000_000)
    plot.set_points("a", Series.of(np.arange(1e6), y))
    plot.show_table()
    model = plot.findChild(TableWindow).grid.model()
    assert model.rowCount() == 1_000_000
    assert float(model.index(654_321, 1).data()) == pytest.approx(y[654_321], rel=1e-9)
    plot.findChild(TableWindow).close()


def test_copied_data_are_the_numbers_themselves(plot):
    plot.set_y("share")
    plot.keep_lines(["a"])
    third = 1 / 3
    plot.set_points("a", Series.of(np.array([0.0, 1.0]), np.array([third, 1.0])))
    plot.copy_data()
    assert QGuiApplication.clipboard().text() == f"step\tfirst\n0\t{third!r}\n1\t1\n"


def test_a_copied_picture_is_twice_as_large(plot):
    plot.copy_picture()
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (2 * plot.width(), 2 * plot.height())


def test_the_menu_hides_lines_and_turns_the_logarithm_on(plot):
    menu = plot.menu()
    names = [action.text() for action in menu.actions()]
    assert {
        "Show as table",
        "Copy picture",
        "Save picture…",
        "Copy data",
        "Fit",
        "Logarithmic",
    } <= set(names)
    lines = next(action.menu() for action in menu.actions() if action.menu())
    assert [action.text() for action in lines.actions()] == ["second", "first"]
    lines.actions()[0].trigger()
    assert [line.shown for line in plot.lines()] == [True, False]
    plot.log_action.trigger()
    assert plot.log
    plot.set_y("share")
    assert not plot.log
    assert not plot.log_action.isEnabled()
    plot.set_y("auto")
    assert plot.log
    menu.close()


def test_thirty_runs_lie_over_each_other_and_each_can_be_lifted(plot):
    x = np.arange(2000.0)
    for index in range(30):
        color, dash = LIGHT.run_style(index)
        plot.set_line(f"r{index}", f"run {index}", color, dash)
        plot.set_points(f"r{index}", Series.of(x, index + 3 + np.sin(x / 50)))
    plot.keep_lines([f"r{index}" for index in range(30)])
    plot.set_boundaries([])
    plot.draw_now()
    for index in (0, 17, 29):
        hover(plot, 1000.0, index + 3 + np.sin(20.0))
        lifted = [key for key in plot._sheet._traces if pen_of(plot, key).widthF() == 2]
        assert lifted == [f"r{index}"]
    assert count(plot, LIGHT.base, 2) > 1000


def test_sixteen_runs_differ_in_colour_or_dash():
    for theme in (LIGHT, DARK):
        assert len({theme.run_style(index) for index in range(16)}) == 16


def test_a_plot_that_nobody_holds_is_gone_at_once_and_not_when_garbage_is_collected(qtbot):
    plot = LivePlot("Losses", theme=LIGHT)
    plot.set_line("a", "first", LIGHT.lines[0])
    plot.lay_out(plot.size())
    gone = weakref.ref(plot)
    gc.disable()
    try:
        del plot
        assert gone() is None
    finally:
        gc.enable()
