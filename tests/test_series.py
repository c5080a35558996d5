import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from workbench.face.series import Series

values = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")), st.just(float("inf")))


def filled(xs, ys):
    series = Series()
    for x, y in zip(xs, ys, strict=True):
        series.append(x, y)
    return series


def assert_every_column_is_kept(series, low, high, columns, x, y):
    """Compare each column's extremes, gaps and marks with those of all points, one column after another."""
    edges = np.linspace(low, high, columns + 1)[1:-1]
    inside, drawn_inside = (series.x >= low) & (series.x <= high), (x >= low) & (x <= high)
    of_point = np.searchsorted(edges, series.x, "right")
    of_drawn = np.searchsorted(edges, x, "right")
    for column in range(columns):
        full = series.y[inside & (of_point == column)]
        drawn = y[drawn_inside & (of_drawn == column)]
        for kind in (np.isnan, np.isinf):
            assert kind(full).any() == kind(drawn).any()
        full, drawn = full[np.isfinite(full)], drawn[np.isfinite(drawn)]
        assert len(full) == 0 or (full.min() == drawn.min() and full.max() == drawn.max())


def test_points_come_back_after_growing():
    series = filled(range(1000), [i * i for i in range(1000)])
    assert len(series) == 1000
    np.testing.assert_array_equal(series.y, np.arange(1000.0) ** 2)


def test_none_is_a_gap():
    assert np.isnan(filled([0], [None]).y[0])


def test_x_must_not_fall():
    with pytest.raises(ValueError, match=r"x falls from 2\.0 to 1"):
        filled([2, 1], [0, 0])


@given(
    st.lists(st.tuples(st.floats(0, 10), values), min_size=1, max_size=200),
    st.integers(1, 20),
    st.floats(0, 10),
    st.floats(0.1, 10),
)
def test_smallest_and_largest_of_every_visible_range_survive(points, columns, x0, width):
    steps, ys = zip(*points, strict=True)
    series = filled(np.cumsum(steps), ys)
    low, high = x0, x0 + width * 20
    x, y = series.reduced(low, high, columns)
    assert_every_column_is_kept(series, low, high, columns, x, y)


@given(st.lists(values, min_size=1, max_size=300), st.integers(1, 10))
def test_a_gap_stays_a_gap(ys, columns):
    series = filled(range(len(ys)), ys)
    _, y = series.reduced(0, len(ys), columns)
    assert np.isfinite(y).all() == np.isfinite(ys).all()


@given(
    st.integers(0, 2**32 - 1),
    st.integers(100, 40_000),
    st.integers(1, 60),
    st.floats(0, 1),
    st.floats(1e-3, 1),
    st.sampled_from(["even", "bursts", "ties"]),
)
@settings(max_examples=60, deadline=None)
def test_any_zoom_into_many_points_keeps_each_columns_extremes(
    seed, count, columns, begin, share, spacing
):
    rng = np.random.default_rng(seed)
    y = rng.standard_cauchy(count)
    y[rng.random(count) < 0.001] = np.nan
    y[rng.random(count) < 0.001] = np.inf
    steps = {
        "even": np.ones(count),
        "bursts": rng.exponential(1, count) ** 4,
        "ties": rng.integers(0, 2, count) * 1.0,
    }[spacing]
    series = Series.of(np.cumsum(steps), y)
    low = series.x[0] + begin * (series.x[-1] - series.x[0])
    high = low + share * (series.x[-1] - series.x[0]) + 1e-3
    x, drawn = series.reduced(low, high, columns)
    assert_every_column_is_kept(series, low, high, columns, x, drawn)
    assert np.all(np.diff(x) >= 0)


def test_a_curve_that_grows_between_drawings_loses_nothing():
    rng = np.random.default_rng(5)
    series, whole = Series(), rng.standard_normal(30_000)
    whole[[777, 20_001]] = np.nan, np.inf
    for begin in range(0, len(whole), 1_237):
        for index in range(begin, min(begin + 1_237, len(whole))):
            series.append(index, None if np.isnan(whole[index]) else whole[index])
        x, y = series.reduced(0, len(series), 40)
        assert_every_column_is_kept(series, 0, len(series), 40, x, y)
    assert len(series) == len(whole)


def test_another_x_shares_what_is_known_of_y():
    series = Series.of(np.arange(50_000.0), np.random.default_rng(1).random(50_000))
    series.reduced(0, 50_000, 100)
    squared = series.over(series.x**2)
    x, y = squared.reduced(1e6, 9e8, 100)
    assert_every_column_is_kept(squared, 1e6, 9e8, 100, x, y)
    assert squared.pyramid is series.pyramid


def test_a_number_that_is_not_finite_is_a_marked_gap_and_an_absent_one_a_plain_gap():
    series = filled(range(4), [1.0, None, float("nan"), float("-inf")])
    assert np.isnan(series.y).tolist() == [False, True, False, False]
    assert np.isinf(series.y).tolist() == [False, False, True, True]


def test_a_million_points_become_at_most_four_a_column():
    rng = np.random.default_rng(0)
    series = Series()
    series._x, series._y, series._count = np.arange(1e6), rng.random(1_000_000), 1_000_000
    series._y[567_890] = 99.0
    x, y = series.reduced(0, 1e6, 2000)
    assert len(x) <= 4 * 2000
    assert y.max() == 99.0
    assert np.all(np.diff(x) > 0)


def test_the_line_enters_and_leaves_the_picture():
    x, _ = filled(range(10), range(10)).reduced(3.5, 5.5, 100)
    assert list(x) == [3, 4, 5, 6]
