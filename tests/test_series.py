import numpy as np
import pytest
from hypothesis import given, strategies as st

from workbench.face.series import Series

values = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))


def filled(xs, ys):
    series = Series()
    for x, y in zip(xs, ys, strict=True):
        series.append(x, y)
    return series


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
    inside = (series.x >= low) & (series.x <= high)
    edges = np.linspace(low, high, columns + 1)[1:-1]
    for column in range(columns):
        full = series.y[inside & (np.searchsorted(edges, series.x, "right") == column)]
        drawn = y[(x >= low) & (x <= high) & (np.searchsorted(edges, x, "right") == column)]
        full, drawn = full[~np.isnan(full)], drawn[~np.isnan(drawn)]
        assert len(full) == 0 or (full.min() == drawn.min() and full.max() == drawn.max())


@given(st.lists(values, min_size=1, max_size=300), st.integers(1, 10))
def test_a_gap_stays_a_gap(ys, columns):
    series = filled(range(len(ys)), ys)
    _, y = series.reduced(0, len(ys), columns)
    assert np.isnan(y).any() == np.isnan(ys).any()


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
