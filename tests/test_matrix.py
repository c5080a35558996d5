import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from tests.looking import shown
from tests.recorded import recorded_run
from workbench.events import Evaluated
from workbench.face.matrix import MatrixPanel
from workbench.face.theme import viridis


@pytest.fixture
def panel(qtbot):
    return shown(qtbot, MatrixPanel(), 420, 320)


def rows_of(events):
    return [event.accuracy for event in events if isinstance(event, Evaluated)]


def test_cells_fill_as_tasks_end(panel):
    events = recorded_run(tasks=3)
    first = next(i for i, event in enumerate(events) if isinstance(event, Evaluated))
    panel.show_news(events[: first + 1])
    values = panel.drawing.values
    assert values[0] == (rows_of(events)[0][0], None, None)
    assert values[1] == values[2] == (None, None, None)
    panel.show_news(events[first + 1 :])
    assert panel.drawing.values[2] == rows_of(events)[2]


def test_the_last_row_is_the_frozen_backbone(panel):
    events = recorded_run(tasks=3)
    panel.show_news(events)
    last = [event for event in events if isinstance(event, Evaluated)][-1]
    assert panel.drawing.values[-1] == last.baseline
    assert panel.table()[1][-1][0] == "frozen backbone"


def test_cells_are_coloured_by_their_value(panel):
    events = recorded_run(tasks=2)
    panel.show_news(events)
    box = panel.drawing.box(1, 0, panel.view.place()).toRect()
    colour = panel.view.grab().toImage().pixelColor(box.left() + 3, box.top() + 3).name()
    assert colour == viridis(rows_of(events)[1][0])


def test_arrow_keys_walk_over_cells_and_each_tells_itself(panel, qtbot):
    panel.show_news(recorded_run(tasks=3))
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert panel.view.current == (1, 0)
    assert panel.view.accessibleDescription().startswith("After 2 gulls, on 1 finches: ")
    qtbot.keyClick(panel.view, Qt.Key.Key_Right)
    qtbot.keyClick(panel.view, Qt.Key.Key_Right)
    assert panel.view.accessibleDescription() == "After 2 gulls, on 3 owls: not measured."
    for _ in range(5):
        qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert panel.view.current == (3, 2)


def test_the_tooltip_tells_pictures_and_formula(panel):
    panel.show_news(recorded_run(tasks=2))
    place = panel.drawing.box(0, 0, panel.view.place()).center().toPoint()
    event = QHelpEvent(QEvent.Type.ToolTip, place, panel.view.mapToGlobal(QPoint(place)))
    QApplication.sendEvent(panel.view, event)
    assert "24 test pictures" in QToolTip.text()
    assert "R[i, j]" in QToolTip.text()
    QToolTip.hideText()


def test_a_click_chooses_a_cell(panel, qtbot):
    panel.show_news(recorded_run(tasks=2))
    place = panel.drawing.box(1, 1, panel.view.place()).center().toPoint()
    qtbot.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=place)
    assert panel.view.current == (1, 1)


@pytest.mark.parametrize("tasks", [0, 1, 30])
def test_any_number_of_tasks_can_be_drawn(panel, tasks, qtbot):
    if tasks:
        panel.show_news(recorded_run(tasks=tasks, epochs=1, steps=1))
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    panel.resize(180, 140)
    assert not panel.grab().isNull()
    assert len(panel.table()[1]) == (tasks + 1 if tasks else 0)


def test_clear_and_a_new_run_begin_anew(panel):
    panel.show_news(recorded_run(tasks=5), "run-1")
    assert panel.title() == "Accuracy matrix of run-1"
    panel.clear()
    assert panel.drawing is None
    assert panel.accessibleDescription() == "Accuracy matrix: appears after the first task."


def test_the_numbers_can_be_copied(panel):
    panel.show_news(recorded_run(tasks=2))
    panel.copy_data()
    lines = QApplication.clipboard().text().splitlines()
    assert len(lines) == 1 + 2 + 1
    assert "2 gulls" in lines[0]
