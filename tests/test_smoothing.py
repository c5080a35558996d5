import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from workbench.face.series import Series
from workbench.face.smoothing import Smoother


def plain(y, points):
    """Return the average by its definition: a sum over the stretch for every point."""
    beta, found, begin = 1 - 1 / points, [], 0
    for index, value in enumerate(y):
        if not np.isfinite(value):
            found.append(value)
            begin = index + 1
            continue
        ages = np.arange(index - begin, -1, -1)
        weights = beta**ages
        found.append(float((weights * y[begin : index + 1]).sum() / weights.sum()))
    return np.array(found)


@given(st.integers(0, 2**32 - 1), st.integers(1, 700), st.floats(1.01, 1000))
@settings(max_examples=60, deadline=None)
def test_the_average_equals_its_definition_however_it_arrives(seed, count, points):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(count) * 10.0 ** rng.integers(-3, 4)
    y[rng.random(count) < 0.01] = np.nan
    y[rng.random(count) < 0.005] = np.inf
    whole = Smoother(points).follow(Series.of(np.arange(count * 1.0), y))
    pieces, smoother, end = None, Smoother(points), 0
    while end < count:
        end = min(end + int(rng.integers(1, 200)), count)
        pieces = smoother.follow(Series.of(np.arange(end * 1.0), y[:end]))
    np.testing.assert_allclose(whole.y, plain(y, points), rtol=1e-9, atol=1e-9 * np.nanmax(
        np.abs(np.where(np.isfinite(y), y, 0)), initial=1e-12))  # fmt: skip
    np.testing.assert_allclose(pieces.y, whole.y, rtol=1e-9, atol=1e-9)


def test_a_constant_stays_itself_from_the_first_point_on():
    found = Smoother(50).follow(Series.of(np.arange(500.0), np.full(500, 3.25)))
    np.testing.assert_allclose(found.y, 3.25, rtol=1e-12)


def test_an_average_over_one_point_is_the_point():
    y = np.random.default_rng(0).random(300)
    np.testing.assert_array_equal(Smoother(1).follow(Series.of(np.arange(300.0), y)).y, y)


def test_nothing_of_one_task_leaks_into_the_next():
    y = np.r_[np.full(100, 9.0), np.nan, np.full(100, 1.0)]
    found = Smoother(30).follow(Series.of(np.arange(201.0), y)).y
    assert np.isnan(found[100])
    np.testing.assert_allclose(found[101:], 1.0, rtol=1e-12)


@pytest.mark.parametrize("points", [1.05, 3, 30, 1000])
def test_a_hundred_thousand_points_end_where_a_plain_loop_ends(points):
    y = np.random.default_rng(1).random(100_000)
    total = weight = 0.0
    for value in y:
        total, weight = (1 - 1 / points) * total + value, (1 - 1 / points) * weight + 1
    found = Smoother(points).follow(Series.of(np.arange(1e5), y))
    assert found.y[-1] == pytest.approx(total / weight, rel=1e-10)
