import numpy as np
import pytest

from tests.looking import shown
from workbench.face.plot import LivePlot
from workbench.face.series import Series
from workbench.face.shading import Band
from workbench.face.theme import LIGHT


@pytest.fixture
def plot(qtbot):
    made = shown(qtbot, LivePlot("Accuracy", y="auto"), 420, 300)
    x = np.arange(50.0)
    made.set_line("mean", "mean of 3", LIGHT.lines[0])
    made.set_points("mean", Series.of(x, 5 + np.sin(x)))
    made.set_band("mean", x, 4 + np.sin(x), 6 + np.sin(x), LIGHT.lines[0])
    made.draw_now()
    return made


def area(plot):
    return plot._sheet._bands["mean"].path().boundingRect()


def test_a_band_covers_from_its_lowest_to_its_highest_edge_and_the_axis_makes_room(plot):
    x = np.arange(50.0)
    box = area(plot)
    assert (box.left(), box.right()) == (0, 49)
    assert box.top() == pytest.approx((4 + np.sin(x)).min())
    assert box.bottom() == pytest.approx((6 + np.sin(x)).max())
    low, high = plot._sheet._box.viewRange()[1]
    assert low <= box.top() < box.bottom() <= high


def test_a_band_is_seen_behind_its_line(plot):
    with_band = plot.grab().toImage()
    plot.remove_band("mean")
    plot.draw_now()
    assert "mean" not in plot._sheet._bands
    assert plot.grab().toImage() != with_band
    plot.remove_band("mean")  # again is harmless


def test_no_peak_of_a_bands_edge_is_lost_among_a_million_points():
    x, high = np.arange(1e6), np.full(1_000_000, 1.0)
    high[654_321] = 77.0
    ((_, low, _, top),) = Band(x, -high, high, "#000000").seen(0, 1e6, 500)
    assert top.max() == 77.0
    assert low.min() == -77.0
    assert len(top) < 2500


def test_where_an_edge_is_not_finite_the_band_has_a_gap():
    x, edge = np.arange(9.0), np.ones(9)
    edge[[3, 4]] = np.nan, np.inf
    left, right = Band(x, -np.ones(9), edge, "#000000").seen(0, 9, 100)
    assert left[0].tolist() == [0, 1, 2]
    assert right[0].tolist() == [5, 6, 7, 8]
    assert Band(x, edge * np.nan, edge, "#000000").reach() is None


def test_on_a_logarithmic_axis_a_band_that_reaches_below_zero_is_drawn_down_to_the_edge(plot):
    x = np.arange(50.0)
    plot.set_band("mean", x, x - 100, x + 1, LIGHT.lines[0])
    plot.set_log(True)
    plot.draw_now()
    assert area(plot).bottom() == pytest.approx(np.log10(50))
    assert plot._sheet._box.viewRange()[1][0] > -5


def test_hiding_the_line_hides_its_band_and_clear_takes_both_away(plot):
    plot.toggle("mean")
    plot.draw_now()
    assert area(plot).isEmpty()
    plot.toggle("mean")
    plot.draw_now()
    assert not area(plot).isEmpty()
    plot.clear()
    assert plot._sheet._bands == {}
    assert plot.lines() == []


def test_a_band_of_unequal_lengths_is_refused():
    with pytest.raises(ValueError, match="as many x as edges: 2, 1 and 2"):
        Band(np.arange(2.0), np.arange(1.0), np.arange(2.0), "#000000")


def test_a_band_has_the_thin_colour_of_its_line(plot):
    assert plot._sheet._bands["mean"].brush().color().name() == LIGHT.lines[0]
    assert 0 < plot._sheet._bands["mean"].brush().color().alphaF() < 0.4


def test_a_band_stands_back_with_its_line_and_stays_so_while_the_plot_is_drawn_anew(plot):
    full = plot._sheet._bands["mean"].brush().color().alphaF()
    plot.set_line("other", "other", LIGHT.lines[1])
    plot.set_points("other", Series.of(np.arange(50.0), np.full(50, 9.0)))
    plot.draw_now()
    plot._pointer.lift_entry("other")
    plot.draw_now()
    assert plot._sheet._bands["mean"].brush().color().alphaF() < full
    plot._pointer.lift_entry("mean")
    assert plot._sheet._bands["mean"].brush().color().alphaF() == pytest.approx(full)
