from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QSlider, QToolTip
from safetensors.numpy import load_file

from tests.recorded import (
    kernel_arrays,
    lost_parts,
    moved_arrays,
    overlap,
    recorded_run,
    write_kernels,
)
from workbench.errors import WorkbenchError
from workbench.events import Measured, Note, Snapshot, Step
from workbench.face.ntk_page import NtkPage
from workbench.face.record import RunRecord
from workbench.face.scene import Scene
from workbench.face.shelf import Shelf
from workbench.face.theme import apply_theme


class Desk:
    """The page beside a record and a folder of files, as the window has them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.record, self.asked = folder, RunRecord(), []
        self.page = NtkPage(self.record, self.read)
        self.board = self.page.board

    def read(self, run, path):
        self.asked.append((run, path))
        try:
            return load_file(self.folder / path)
        except OSError as error:
            raise WorkbenchError(f"The file {path} cannot be read.") from error

    def show(self, events, run="id1", name="run-1"):
        self.record.take(events)
        self.page.follow(run, name, events)

    def readings(self):
        return [card.reading.text() for card in self.board.cards]


@pytest.fixture
def desk(qtbot, tmp_path):
    apply_theme(QApplication.instance(), "light")
    made = Desk(tmp_path)
    qtbot.addWidget(made.page, before_close_func=NtkPage.shut_down)
    made.page.resize(780, 520)
    made.page.show()
    return made


def whole_run(desk, qtbot, tasks=3, **kinds):
    events = recorded_run(tasks=tasks, epochs=2, steps=5, kernel=True, **kinds)
    write_kernels(desk.folder, events)
    desk.show(events)
    qtbot.waitUntil(lambda: desk.board.kernel.drawing is not None)
    return events


def shown(desk):
    """Return everything the panels show, as comparable values."""
    return [panel.table() for panel in desk.board.panels], desk.readings()


def test_without_a_run_the_tab_says_what_will_be_there(desk):
    assert "Train, or replay a run" in desk.page._hint.text()
    assert desk.page._hint.isVisible()
    assert not desk.board.isVisible()


def test_a_whole_run_fills_every_panel_and_each_has_its_sentence(desk, qtbot):
    whole_run(desk, qtbot)
    for panel, text in zip(desk.board.panels, desk.readings(), strict=True):
        headings, rows = panel.table()
        assert rows, panel.title()
        assert len(headings) > 1
        assert text.endswith("."), panel.title()
        assert panel.accessibleDescription(), panel.title()
    said = f"Task 2 disturbs task 1 most: overlap {overlap(0, 1):.2f}, chance 0.02."
    assert desk.readings()[2] == said
    assert desk.board.cards[6].method.text().startswith("Measured after task 3 · step 30. Head and")


def test_live_and_replayed_runs_draw_the_same(desk, qtbot, tmp_path):
    events = whole_run(desk, qtbot)
    at_once = shown(desk)
    other = Desk(tmp_path)
    qtbot.addWidget(other.page, before_close_func=NtkPage.shut_down)
    other.page.show()
    for event in events:
        other.show([event])
    qtbot.waitUntil(lambda: shown(other) == at_once)


def test_the_scrubber_shows_what_was_known_then(desk, qtbot):
    whole_run(desk, qtbot)
    slider = desk.page.scrubber.slider
    assert desk.page.scrubber.label.text() == "Latest: after task 3 · step 30"
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert desk.page.scrubber.label.text() == "Before task 1 · step 0"
    assert desk.board.pairs.drawing is None
    assert "second task" in desk.board.pairs.view.empty
    while desk.page.scrubber.label.text() != "After task 2 · step 20":
        qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert desk.board.pairs.drawing.values == ((pytest.approx(overlap(0, 1)), None), (None, None))
    totals = desk.board.lost.drawing.totals
    assert totals == (pytest.approx(sum(lost_parts(0, 1).values())), None)
    qtbot.waitUntil(lambda: set(desk.board.spectrum.table()[0][1:]) != set())
    qtbot.waitUntil(lambda: len(desk.board.kernel.drawing.tasks) == 2)
    marker = desk.board.gap._sheet._marker
    assert marker.isVisible()
    assert marker.value() == 2  # tasks learnt
    desk.page.scrubber.latest.click()
    assert not marker.isVisible()
    assert None not in desk.board.lost.drawing.totals


def test_a_chosen_moment_stays_while_the_run_goes_on_and_latest_follows(desk, qtbot):
    events = recorded_run(tasks=3, epochs=2, steps=5, kernel=True)
    write_kernels(desk.folder, events)
    half = next(i for i, e in enumerate(events) if isinstance(e, Snapshot) and e.step == 20)
    desk.show(events[:half])
    desk.page.scrubber.slider.setValue(1)
    name = desk.page.scrubber.label.text()
    desk.show(events[half:])
    assert desk.page.scrubber.label.text() == name
    desk.page.scrubber.latest.click()
    assert desk.page.scrubber.label.text().startswith("Latest: after task 3")


def test_a_new_run_is_followed_from_its_start(desk, qtbot):
    whole_run(desk, qtbot)
    desk.page.scrubber.slider.setValue(0)
    desk.show(recorded_run(tasks=2, kernel=True), run="id2", name="run-2")
    assert desk.page.scrubber.moment() is None
    assert desk.page.scrubber.run.text() == "run-2"


def test_clear_forgets_the_run(desk, qtbot):
    whole_run(desk, qtbot)
    desk.record.clear()
    desk.page.clear()
    assert desk.page._hint.isVisible()
    assert all(not panel.table()[1] for panel in desk.board.panels)


def test_files_are_read_only_while_the_tab_is_seen_and_once_each(desk, qtbot):
    desk.page.hide()
    events = recorded_run(tasks=2, kernel=True)
    write_kernels(desk.folder, events)
    desk.show(events)
    assert desk.asked == []
    desk.page.show()
    qtbot.waitUntil(lambda: desk.board.kernel.drawing is not None)
    last = [event.path for event in events if isinstance(event, Snapshot)][-1]
    assert desk.asked == [("id1", last)]
    desk.page.hide()
    desk.page.show()
    desk.page.refresh()
    assert len(desk.asked) == 1


@pytest.mark.parametrize("content", [None, b"no safetensors at all"])
def test_a_missing_or_damaged_file_is_a_sentence_and_the_rest_is_drawn(desk, qtbot, content):
    events = recorded_run(tasks=2, kernel=True)
    for event in events:
        if content is not None and isinstance(event, Snapshot):
            (desk.folder / "kernel").mkdir(exist_ok=True)
            (desk.folder / event.path).write_bytes(content)
    read = desk.read

    def careful(run, path):
        try:
            return read(run, path)
        except Exception as error:
            raise WorkbenchError(f"The kernel's arrays in {path} cannot be read.") from error

    desk.page.shelf._read = careful
    desk.show(events)
    qtbot.waitUntil(lambda: "cannot be read" in desk.board.kernel.view.empty)
    assert "cannot be read" in desk.board.spectrum._empty.text()
    assert "cannot be read" in desk.board.movement.view.empty
    assert desk.board.kernel.drawing is None
    assert desk.board.pairs.drawing is not None
    assert desk.board.lost.drawing is not None


def test_arrays_that_do_not_fit_are_a_sentence(desk, qtbot):
    desk.page.shelf._read = lambda run, path: {"kernel": kernel_arrays(1)["kernel"]}
    desk.show(recorded_run(tasks=1, kernel=True))
    qtbot.waitUntil(lambda: "holds no array 'tasks'" in desk.board.kernel.view.empty)


def test_a_monitor_that_is_off_says_so(desk):
    events = recorded_run(tasks=1)
    note = Note("The NTK monitor is off, because its probe or its budget is 0.")
    quiet = [e for e in events if not isinstance(e, Measured)]
    desk.show([quiet[0], note, *quiet[1:]])
    assert desk.page._hint.isVisible()
    assert desk.page._hint.text() == note.text


def test_steps_draw_nothing_anew(desk, qtbot):
    whole_run(desk, qtbot)
    drawing = desk.board.pairs.drawing
    desk.show([Step(2, 1, 31, 0.1, {"total": 1.0})])
    assert desk.board.pairs.drawing is drawing


def test_one_old_task_can_be_chosen(desk, qtbot):
    whole_run(desk, qtbot)
    lost = desk.board.lost
    names = [lost.choice.itemText(index) for index in range(lost.choice.count())]
    assert names == ["all old tasks", "1 finches", "2 gulls"]
    lost.choice.setCurrentIndex(2)
    assert lost.drawing.names == ("3 owls",)
    assert lost.drawing.totals == (pytest.approx(sum(lost_parts(1, 2).values())),)
    assert "task 2 lost" in desk.board.cards[4].reading.text()


def test_other_measures_of_pairs_can_be_chosen_and_explain_themselves(desk, qtbot):
    whole_run(desk, qtbot)
    panel = desk.board.pairs
    for index in range(panel.choice.count()):
        panel.choice.setCurrentIndex(index)
        assert panel.drawing is not None, panel.choice.currentText()
        assert "unit: " in panel.toolTip()
    assert "cost: " in panel.toolTip()


def test_the_tooltip_of_a_pair_has_chance_angles_and_formula(desk, qtbot):
    whole_run(desk, qtbot)
    view = desk.board.pairs.view
    point = view.drawing.box(0, 0, view.place()).center().toPoint()
    event = QHelpEvent(QEvent.Type.ToolTip, point, view.mapToGlobal(QPoint(point)))
    QApplication.sendEvent(view, event)
    for part in (
        "chance 0.02",
        "principal angles, largest cosine 0.91, on average 0.41",
        "‖K_AB‖_F²",
    ):
        assert part in QToolTip.text()
    QToolTip.hideText()


def test_drift_is_shown_since_learnt_and_while_trained(desk, qtbot):
    whole_run(desk, qtbot)
    drift = desk.board.drift
    assert [plot.name for plot in drift.drawing.plots] == ["1 finches", "2 gulls", "3 owls"]
    drift.choose(True)
    assert [plot.name for plot in drift.drawing.plots] == ["1 finches", "2 gulls"]
    first = drift.drawing.plots[0].strokes
    assert [stroke.points[0] for stroke in first] == [(10.0, 0.0), (10.0, 1.0)]
    assert first[0].points[1] == (20.0, pytest.approx(0.16))


def test_every_control_is_reached_by_the_keyboard_and_has_a_name(desk, qtbot):
    whole_run(desk, qtbot)
    for kind in (QAbstractButton, QComboBox, QSlider):
        for control in desk.page.findChildren(kind):
            if not control.isVisibleTo(desk.page) or isinstance(control.parent(), QComboBox):
                continue
            named = control.accessibleName() or (
                isinstance(control, QAbstractButton) and control.text()
            )
            assert named, control
            assert control.focusPolicy() != Qt.FocusPolicy.NoFocus, control
    for panel in desk.board.panels:
        assert panel.focusProxy().focusPolicy() == Qt.FocusPolicy.StrongFocus


@pytest.mark.parametrize(("width", "columns"), [(764, 2), (484, 1)])
def test_cards_lie_beside_each_other_only_where_there_is_room(desk, qtbot, width, columns):
    desk.page.resize(width, 420)
    whole_run(desk, qtbot)
    qtbot.waitUntil(lambda: desk.board._columns == columns)
    tops = {card.y() for card in desk.board.cards[:2]}
    assert len(tops) == 3 - columns
    assert all(card.geometry().right() <= desk.board.width() for card in desk.board.cards)


def test_the_scheme_changes_every_drawing(desk, qtbot):
    whole_run(desk, qtbot)
    before = [part.colour for part in desk.board.lost.drawing.parts]
    apply_theme(QApplication.instance(), "dark")
    after = [part.colour for part in desk.board.lost.drawing.parts]
    apply_theme(QApplication.instance(), "light")
    assert before != after


def test_cards_keep_their_height_however_often_the_scheme_changes(desk, qtbot):
    whole_run(desk, qtbot)
    app, heights = QApplication.instance(), set()
    for scheme in ("dark", "light") * 3:
        apply_theme(app, scheme)
        qtbot.wait(20)
        heights.add(tuple(card.height() for card in desk.board.cards))
    assert len(heights) == 1


def test_of_many_files_asked_for_only_the_last_is_read_next(qtbot):
    asked = []

    def read(run, path):
        asked.append(path)
        return kernel_arrays(1)

    shelf = Shelf(read)
    for path in ("a", "b", "c"):
        assert shelf.get("run", path) is None
    qtbot.waitUntil(lambda: isinstance(shelf.get("run", "c"), Scene))
    assert asked == ["a", "c"]
    shelf.shut_down()


def test_old_classes_are_shown_as_forecast_and_as_they_moved(desk, qtbot):
    whole_run(desk, qtbot)
    qtbot.waitUntil(lambda: desk.board.movement.drawing is not None)
    arrays = moved_arrays(2)
    points = {point.name: (point.x, point.y) for point in desk.board.movement.drawing.points}
    assert len(points) == 8
    assert points["gulls 2"] == pytest.approx(
        (arrays["drift_forecast"][5], arrays["drift_measured"][5])
    )
    text = desk.board.cards[3].reading.text()
    assert "moved most: by 0." in text
    assert "ρ = 0.83" in text
    desk.page.scrubber.slider.setValue(1)
    assert desk.board.movement.drawing is None
    assert "second task" in desk.board.movement.view.empty


def test_between_two_ends_of_tasks_the_movement_of_the_last_one_stays(desk, qtbot):
    whole_run(desk, qtbot)
    while desk.page.scrubber.label.text() != "Task 3, after epoch 1 · step 25":
        desk.page.scrubber.slider.setValue(desk.page.scrubber.slider.value() - 1)
    qtbot.waitUntil(lambda: desk.board.movement.drawing is not None)
    assert len(desk.board.movement.drawing.points) == 4


def test_the_row_below_steers_the_curves_and_the_moment_moves_with_the_axis(desk, qtbot):
    whole_run(desk, qtbot)
    desk.page.bar.choose_axis("task")
    desk.page.scrubber.slider.setValue(desk.page.scrubber.slider.minimum())
    at = desk.board.gap._at
    assert at is not None
    for axis in ("task", "epoch", "step"):
        desk.page.bar.choose_axis(axis)
        assert desk.board.gap._sheet._marker.value() == desk.record.place(at.step, axis)
        assert desk.board.gap.starts() == [x for x, _ in desk.record.boundaries(axis)]
