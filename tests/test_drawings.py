"""The painted drawings: where their cells lie, what they say, and that what is painted follows the numbers."""

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter

from tests.recorded import kernel_arrays
from workbench.face.axis import ticks
from workbench.face.bands import Bands, Part
from workbench.face.drawing import Place
from workbench.face.heat import HeatMap
from workbench.face.kernel_map import KernelMap
from workbench.face.legend import beside_each_other
from workbench.face.multiples import Little, Multiples, Stroke
from workbench.face.scatter import Point, Scatter
from workbench.face.scene import scene_of
from workbench.face.theme import LIGHT, viridis


def place(width=400, height=300):
    return Place(QRectF(0, 0, width, height), QFont(), LIGHT)


def painted(drawing, where):
    image = QImage(where.rect.size().toSize(), QImage.Format.Format_RGB32)
    image.fill(LIGHT.base)
    with QPainter(image) as painter:
        drawing.paint(painter, where)
    return image


def colour_at(image, x, y):
    return image.pixelColor(round(x), round(y)).name()


@pytest.mark.parametrize(
    ("low", "high", "most", "wanted"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-0.024, 0.124, 4, [0, 0.05, 0.1]),
        (0, 7, 3, [0, 5]),
        (3, 3, 4, []),
        (0, 1, 0, []),
    ],
)
def test_ticks_are_round(low, high, most, wanted):
    assert ticks(low, high, most) == pytest.approx(wanted)


@pytest.fixture
def bands(qapp):
    parts = (
        Part("up", "#ff0000", (0.1, 0.2)),
        Part("down", "#00ff00", (-0.05, None)),
        Part("more", "#0000ff", (0.1, -0.1)),
    )
    return Bands(("2 gulls", "3 owls"), parts, (0.15, 0.1), "lost", "formula")


def test_bands_reach_as_far_as_their_positive_and_negative_parts(bands):
    assert bands.reach() == pytest.approx((-0.1, 0.2))


def test_positive_parts_stack_above_zero_and_negative_ones_below(bands):
    where = place()
    image, axis = painted(bands, where), bands._axis(where)
    x = bands.box(0, 0, where).center().x() - 20  # beside the line of totals
    assert colour_at(image, x, axis.y(0.05)) == "#ff0000"
    assert colour_at(image, x, axis.y(0.17)) == "#0000ff"
    assert colour_at(image, x, axis.y(-0.02)) == "#00ff00"
    x = bands.box(0, 1, where).center().x() - 20
    assert colour_at(image, x, axis.y(-0.05)) == "#0000ff"


def test_a_band_tells_every_part_but_those_that_are_absent(bands):
    assert (
        bands.sentence(0, 0) == "After 2 gulls, lost: 15.0 % (up 10.0 %, down -5.0 %, more 10.0 %)."
    )
    assert "down" not in bands.sentence(0, 1)
    headings, rows = bands.table()
    assert headings == ["after", "up", "down", "more", "lost"]
    assert rows[1] == ["3 owls", "20.0 %", "", "-10.0 %", "10.0 %"]


def test_bands_where_nothing_was_lost_can_be_drawn(qapp):
    none = Bands(("2 gulls",), (Part("up", "#ff0000", (0.0,)),), (0.0,), "lost", "")
    assert not painted(none, place()).isNull()


@pytest.fixture
def kernel(qapp):
    scene = scene_of(kernel_arrays(2, classes=2, pictures=4))
    names = tuple(f"class {block.label}" for block in scene.blocks)
    return KernelMap(scene, names, {0: "1 finches", 1: "2 gulls"})


def test_each_entry_of_the_kernel_is_a_square_in_its_colour(kernel):
    where = place()
    image, square = painted(kernel, where), kernel.square(where)
    assert square.width() == square.height()
    each = square.width() / 16
    for row, column in ((1, 5), (9, 2), (13, 14)):
        x, y = square.left() + (column + 0.5) * each, square.top() + (row + 0.5) * each
        share = float(np.clip(kernel.scene.cosine[row, column], 0, 1))
        wanted = viridis(round(share * 255) / 255)
        assert colour_at(image, x, y) == wanted
        assert kernel.at(QPointF(x, y), where) == (row // 4, column // 4)
        value = kernel.scene.cosine[row, column]
        assert f"{value:.3f}" in kernel.hint(row // 4, column // 4, QPointF(x, y), where)


def test_a_block_tells_both_classes_and_their_mean(kernel):
    mean = kernel.scene.cosine[0:4, 8:12].mean()
    assert kernel.sentence(0, 2).startswith(
        f"class 0 (task 1) with class 2 (task 2): mean cosine {mean:.2f}, from "
    )
    headings, rows = kernel.table()
    assert headings == ["mean cosine", "class 0", "class 1", "class 2", "class 3"]
    assert rows[0][3] == f"{mean:.3f}"


def test_outside_the_square_there_is_no_cell(kernel):
    assert kernel.at(QPointF(1, 1), place()) is None


def little(name, *points):
    return Little(name, (Stroke("drift", "#ff0000", "solid", points),), f"{name}: told")


def test_little_plots_do_not_overlap_and_stay_inside(qapp):
    for count in (1, 2, 5, 11):
        plots = tuple(little(str(index), (0.0, 0.2), (5.0, 0.4)) for index in range(count))
        drawing, where = Multiples(plots, "step", ""), place(460, 260)
        boxes = [drawing.box(0, index, where) for index in range(count)]
        assert all(where.rect.contains(box) for box in boxes)
        assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
        painted(drawing, where)


def test_a_single_point_is_drawn_and_the_table_has_every_point(qapp):
    drawing = Multiples((little("1 finches", (3.0, 0.5)), little("2 gulls")), "step", "")
    image = painted(drawing, place())
    red = sum(
        image.pixelColor(x, y).name() == "#ff0000"
        for x in range(image.width())
        for y in range(0, image.height(), 2)
    )
    assert red > 0
    assert drawing.table() == (["task", "step", "drift"], [["1 finches", "3", "0.5"]])


def test_points_lie_where_their_numbers_say_and_the_line_of_equals_goes_from_corner_to_corner(qapp):
    points = (Point("a", "#ff0000", 0.2, 0.4), Point("b", "#0000ff", 0.4, 0.1))
    drawing, where = Scatter(points, "forecast", "measured", ""), place()
    image, inner = painted(drawing, where), drawing._inner(where)
    for index, point in enumerate(points):
        centre = drawing.box(0, index, where).center()
        assert colour_at(image, centre.x(), centre.y()) == point.colour
        assert (centre.x() - inner.left()) / inner.width() == pytest.approx(point.x / 0.424)
        assert (inner.bottom() - centre.y()) / inner.height() == pytest.approx(point.y / 0.424)
    assert drawing.at(drawing.box(0, 1, where).center(), where) == (0, 1)
    assert drawing.sentence(0, 0) == "a: forecast 0.2, measured 0.4."


def test_classes_that_did_not_move_at_all_can_be_drawn(qapp):
    assert not painted(Scatter((Point("a", "#ff0000", 0.0, 0.0),), "x", "y", ""), place()).isNull()


def test_names_that_do_not_fit_beside_each_other_become_numbers_of_which_some_are_left_out(qapp):
    metrics = QFontMetricsF(QFont())
    names = [f"{number} finches" for number in range(1, 21)]
    assert beside_each_other(names, 200, metrics) == names
    few = beside_each_other(names, metrics.horizontalAdvance("20") / 2, metrics)
    assert few[0] == "1"
    shown = [index for index, name in enumerate(few) if name]
    apart = {b - a for a, b in itertools.pairwise(shown)}
    assert len(apart) == 1
    assert 2 <= min(apart) <= 4


def test_numbers_that_do_not_fit_their_cells_are_left_out_of_the_picture_but_not_of_the_table(qapp):
    def heat(count):
        names = tuple(str(index + 1) for index in range(count))
        values = ((0.0,) * count,) * count  # darkest everywhere: a number would be white
        return HeatMap(
            names, names, values, lambda r, c: "", "", "", lambda v: "0.25", lambda v: "0.2500"
        )

    def whites(drawing):
        image, box = (
            painted(drawing, place()),
            drawing.box(0, 0, place()).adjusted(2, 2, -2, -2).toRect(),
        )
        inside = [
            (x, y) for x in range(box.left(), box.right()) for y in range(box.top(), box.bottom())
        ]
        return sum(image.pixelColor(x, y).lightness() > 150 for x, y in inside)

    assert whites(heat(3)) > 10
    assert whites(heat(40)) == 0
    assert heat(40).table()[1][0][1] == "0.2500"


@pytest.mark.parametrize("count", [1, 7, 20, 60])
def test_any_number_of_little_plots_leaves_each_some_height(qapp, count):
    plots = tuple(little(str(index), (0.0, 0.2), (5.0, 0.4)) for index in range(count))
    drawing, where = Multiples(plots, "step", ""), place(340, 210)
    assert all(
        drawing.box(0, index, where).height() > 3 * QFontMetricsF(QFont()).height()
        for index in range(count)
    )
    painted(drawing, where)
