"""Accuracy against cost as a drawing: axes, names that cover nothing, and what cannot be drawn."""

from dataclasses import fields

import pytest
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QFont
from pytestqt.qtbot import QtBot

from workbench.face.cost_panel import SECONDS, VALUES, CostPanel, plane_of
from workbench.face.cost_plane import CostPlane, CostPoint, even_ticks, log_ticks, number_text
from workbench.face.drawing import DrawingPanel, Place
from workbench.face.plot_file import laid_out
from workbench.face.theme import LIGHT
from workbench.session.spread import Spread
from workbench.session.study_results import DataTable, MethodRow, StudyResults


def row(
    method: str, seconds: float | None, mean: float | None, s: float | None = 0.02
) -> MethodRow:
    spread, nothing = Spread(3, mean, s), Spread(0, None, None)
    cost = Spread(3, seconds, 0.0) if seconds is not None else nothing
    lacking = dict.fromkeys((each.name for each in fields(MethodRow)), nothing)
    known = {"method": method, "n": 3, "failed": 0, "final": spread, "seconds": cost}
    return MethodRow(**(lacking | known))


def test_a_method_without_a_known_cost_is_not_drawn() -> None:
    rows = (row("a", 2.0, 0.5), row("b", None, 0.5), row("c", 0.0, 0.5), row("d", 3.0, None))
    plane = plane_of(DataTable("x", rows), SECONDS)
    assert [point.label for point in plane.points] == ["a"]
    assert plane_of(DataTable("x", rows), VALUES) is None


def test_names_beside_crowded_points_cover_neither_each_other_nor_a_point(qtbot: QtBot) -> None:
    points = tuple(
        CostPoint(f"Method {n} of a long name", 10 * 1.06**n, 0.5 + 0.004 * (n % 3), 0.01, n)
        for n in range(12)
    )
    plane = CostPlane("A_T", "seconds", points)
    place = Place(QRectF(0, 0, 700, 400), QFont(), LIGHT)
    names = plane.names(place)
    assert all(name is not None for name in names)
    for one, name in enumerate(names):
        assert plane.area(place).contains(name)
        assert not any(name.intersects(other) for other in names[one + 1 :])
        assert not any(name.contains(plane.at_point(point, place)) for point in points)


def test_one_point_and_two_of_the_same_place_are_drawn(qtbot: QtBot) -> None:
    same = CostPoint("a", 3.0, 0.0, None, 0), CostPoint("b", 3.0, 0.0, None, 1)
    for points in (same[:1], same):
        panel = DrawingPanel("x", theme=LIGHT)
        panel.show_drawing(CostPlane("A_T", "seconds", points), "", empty="")
        laid_out(panel, QSize(300, 200))
        assert not panel.grab().isNull()
        assert panel.table()[1][0] == ["a", "3", "0.00", ""]


def test_ticks_are_round_and_numbers_are_written_out() -> None:
    assert even_ticks(0.31, 0.52, 4) == pytest.approx([0.4, 0.5])
    assert even_ticks(0.31, 0.42, 6) == pytest.approx([0.32, 0.34, 0.36, 0.38, 0.4, 0.42])
    assert log_ticks(0.4, 30) == pytest.approx([0.5, 1, 2, 5, 10, 20])
    assert log_ticks(0.9, 1e5) == pytest.approx([1, 10, 100, 1e3, 1e4, 1e5])
    assert [number_text(v) for v in (0.9, 2.5, 1000.0, 123_456.0, 2.5e6)] == [
        "0.9",
        "2.5",
        "1,000",
        "123,456",
        "2.5 M",
    ]


def test_the_panel_shows_one_set_at_a_time_and_names_what_it_cannot_draw(qtbot: QtBot) -> None:
    panel = CostPanel()
    qtbot.addWidget(panel)
    one = DataTable("one", (row("a", 2.0, 0.5), row("b", None, 0.6)))
    two = DataTable("two", (row("a", 4.0, 0.7), row("b", 8.0, 0.9)))
    panel.show_results(StudyResults((one, two), (), ()))
    assert panel.table()[1] == [["a", "2", "50.00", "2.00"]]
    assert panel.missing.text() == "Not drawn, as this cost of it is 0 or not known: b."
    panel.data.setCurrentIndex(1)
    assert [line[0] for line in panel.table()[1]] == ["a", "b"]
    assert panel.missing.isHidden()
    panel.show_results(StudyResults((one, two), (), ()))
    assert panel.data.currentText() == "two"
    assert panel.accessibleDescription().startswith("a: A_T 70.0 ± 2.0 %, seconds of a run 4")
    assert [name for name, _ in panel.figures()] == [
        "accuracy_by_seconds-1",
        "accuracy_by_seconds-2",
    ]
    panel.show_results(StudyResults((), (), ()))
    assert panel.drawing is None
