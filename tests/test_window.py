import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLineEdit,
    QMessageBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.logged import begin
from tests.opened import train
from tests.recorded import recorded_run, write_kernels
from tests.trained import QUICK, folders, trained_session
from workbench.errors import UsageError
from workbench.face.actions import COMMANDS, Command, in_order
from workbench.face.app import missing_library_text, require_display
from workbench.face.comparing import Comparing
from workbench.face.exports import EVERYTHING, new_folder
from workbench.face.messages import DetailBox
from workbench.face.results_page import ResultsPage
from workbench.face.run_columns import COLUMNS
from workbench.face.self_check import sentence_of, table_of
from workbench.face.train_page import TrainPage
from workbench.face.window import Window
from workbench.log.store import Log
from workbench.log.writer import Writer
from workbench.paths import LOG_NAME, run_folder
from workbench.report import SelfTestRow
from workbench.session import Session


def open_window(home: Path, qtbot: QtBot) -> Window:
    window = Window(Session(home))
    qtbot.addWidget(window, before_close_func=end_training)
    window.show()
    return window


def end_training(window: Window) -> None:
    assert window.shut_down()
    window.desk.session.close()


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Window:
    return open_window(tmp_path / "home", qtbot)


def drop_on(widget: QWidget, paths: list[Path]) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    copy = Qt.DropAction.CopyAction
    QCoreApplication.sendEvent(widget, QDragEnterEvent(QPoint(9, 9), copy, mime, left, none))
    QCoreApplication.sendEvent(widget, QDropEvent(QPointF(9, 9), copy, mime, left, none))


def accept_report(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.desk.adder.sheet is not None, timeout=20_000)
    sheet = window.desk.adder.sheet
    assert sheet is not None
    sheet.add_button.click()


def drop_tasks(window: Window, qtbot: QtBot, root: Path) -> None:
    drop_on(window.desk.page.zone, folders(root))
    accept_report(window, qtbot)
    qtbot.waitUntil(lambda: len(window.desk.draft.state.tasks) == 2, timeout=20_000)
    window.desk.draft.set_values(QUICK, "Quick")


def tables_of(page: TrainPage) -> list[tuple[list[str], list[list[str]]]]:
    """Return what the plots show as text, headings and rows."""
    board = page.board
    return [panel.table() for panel in (board.accuracy, board.losses, board.matrix)]


@pytest.mark.slow
def test_drop_train_watch_restart_replay_export(
    tmp_path: Path, qtbot: QtBot, qapp: QApplication
) -> None:
    window = open_window(tmp_path / "home", qtbot)
    desk = window.desk
    assert desk.page.zone.isVisible()
    drop_tasks(window, qtbot, tmp_path / "pictures")
    assert not desk.page.zone.isVisible()
    window.actions_by_id["train"].trigger()
    assert desk.training.state == "starting"
    assert not desk.tasks.model.allowed()
    with qtbot.waitSignal(desk.training.ended, timeout=120_000) as ended:
        pass
    assert ended.args == ["finished"], desk.strips.texts()
    drawn = tables_of(desk.page)
    assert all(len(rows) > 2 for _, rows in drawn), drawn
    qtbot.waitUntil(lambda: desk.history.model.runs()[0].state == "finished")
    window.close()

    again = open_window(tmp_path / "home", qtbot)
    (run,) = again.desk.history.model.runs()
    assert run.state == "finished"
    again.desk.history.replay_requested.emit(run.id)
    assert again.desk.page.banner.isVisible()
    assert tables_of(again.desk.page) == drawn
    with qtbot.waitSignal(again.desk.exporter.done, timeout=60_000) as done:
        again.desk.exporter.export_to(run, tmp_path / "out", EVERYTHING)
    written = {path.suffix for path in Path(done.args[1]).rglob("*") if path.is_file()}
    assert {".safetensors", ".csv", ".json", ".png", ".svg", ".pdf"} <= written
    again.desk.page.back_to_live()
    assert not again.desk.page.banner.isVisible()
    assert len(again.desk.draft.state.tasks) == 2  # kept for the next run


@pytest.mark.slow
def test_stop_ends_the_run_and_the_log_says_so(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    train(window, qtbot, tmp_path / "pictures")
    assert not window.actions_by_id["undo"].isEnabled()
    with qtbot.waitSignal(window.desk.training.ended, timeout=5_000) as ended:
        window.desk.page.run_panel.stop_button.click()
        assert window.desk.page.run_panel.stop_button.text() == "Stopping…"
    assert ended.args == ["stopped"]
    assert window.desk.history.model.runs()[0].state == "stopped"
    assert window.actions_by_id["train"].isEnabled()


@pytest.mark.slow
def test_closing_while_training_asks_and_then_stops_cleanly(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    train(window, qtbot, tmp_path / "pictures")
    window.close()
    box = window.findChild(QMessageBox)
    assert box is not None
    assert box.text() == "run-0001 is still training."
    assert window.isVisible()
    box.button(QMessageBox.StandardButton.Cancel).click()
    assert window.desk.training.state == "running"
    window.close()
    box = next(b for b in window.findChildren(QMessageBox) if b.isVisible())
    stop = next(b for b in box.buttons() if "Stop, save and quit" in b.text())
    stop.click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=15_000)
    assert window.desk.training.state == "idle"
    assert Session(window.desk.session.home).runs()[0].state == "stopped"


@pytest.mark.slow
def test_the_sample_shows_its_tasks_and_trains_at_once(window: Window, qtbot: QtBot) -> None:
    window.desk.page.zone.sample_button.click()
    assert len(window.desk.draft.state.tasks) == 5
    assert window.desk.training.state == "starting"
    qtbot.waitUntil(lambda: bool(window.desk.draft.state.tasks[0].classes), timeout=120_000)
    assert len(window.desk.draft.state.tasks[0].classes) == 4
    with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
        window.desk.training.stop()


def test_train_waits_for_a_task_and_says_so(window: Window) -> None:
    assert not window.actions_by_id["train"].isEnabled()
    assert window.actions_by_id["train"].toolTip() == "Add a task first."
    assert window.desk.settings.reason.text() == "Add a task first."
    assert window.desk.settings.reason.isVisible()
    assert window._title.text() == "sample · NTK-CL repaired · 0 tasks · seed 0"


def test_a_value_that_does_not_fit_keeps_training_back(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    drop_tasks(window, qtbot, tmp_path)
    assert window.actions_by_id["train"].isEnabled()
    window.desk.settings.form.row("train.batch_size").editor.control.textEdited.emit("0")
    assert window.actions_by_id["train"].toolTip() == "Batch: a whole number from 1 to 1024, not 0."
    assert not window.actions_by_id["train"].isEnabled()


def test_a_configuration_the_engine_refuses_is_told_in_a_strip(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    drop_tasks(window, qtbot, tmp_path)
    window.desk.draft.set_values({"data.first_classes": 3, "data.increment": 2}, "Split two")
    window.commands.train()
    if window.desk.training.state == "idle":
        assert list(window.desk.strips.texts()) == ["start"]


def test_pasting_goes_the_way_of_a_drop(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    path = folders(tmp_path)[1]
    QGuiApplication.clipboard().setText(str(path))
    window.actions_by_id["paste"].trigger()
    accept_report(window, qtbot)
    qtbot.waitUntil(lambda: window.desk.draft.state.names() == [path.name], timeout=20_000)
    QGuiApplication.clipboard().setText("https://example.org")
    window.actions_by_id["paste"].trigger()
    assert "Only folders on this computer can be added." in window.desk.toast.label.text()
    QGuiApplication.clipboard().setText("")
    window.actions_by_id["paste"].trigger()
    assert window.desk.toast.label.text() == "The clipboard holds no path of a folder."


def test_a_removed_task_comes_back_with_the_toast(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    drop_tasks(window, qtbot, tmp_path)
    window.desk.tasks.view.setCurrentIndex(window.desk.tasks.model.index(0))
    window.actions_by_id["remove_task"].trigger()
    assert window.desk.toast.label.text() == "Task 'finches' removed."
    window.desk.toast.button.click()
    assert window.desk.draft.state.names() == ["finches", "Ö 空格"]


def test_a_task_is_split_from_its_details(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    drop_tasks(window, qtbot, tmp_path)
    window.commands.show_task_at(0)
    sheet = window.commands._sheet
    assert sheet is not None
    sheet.plan.split.setChecked(True)
    sheet.accept()
    assert len(window.desk.draft.state.tasks) == 3


def test_every_command_has_a_handler_and_keys_of_its_own(window: Window) -> None:
    rows = window.rows
    keys = [(command.where, key) for command in rows for key in command.keys]
    assert len(keys) == len(
        set(keys)
    )  # an area may have keys of another, never those of the window
    everywhere = {key for where, key in keys if not where}
    assert not [key for where, key in keys if where and key in everywhere]
    assert set(window.actions_by_id) == {command.id for command in rows} >= {c.id for c in COMMANDS}


def test_a_command_stands_behind_the_one_it_names_and_no_id_is_used_twice() -> None:
    rows = [Command("a", "Run", "A"), Command("b", "Run", "B"), Command("c", "Run", "C", after="a")]
    assert [row.id for row in in_order(rows)] == ["a", "c", "b"]
    with pytest.raises(ValueError, match="twice"):
        in_order([rows[0], rows[0]])


def log_a_run(home: Path) -> None:
    """Enter a finished run with its kernels' files into a log, as training would."""
    events = recorded_run(tasks=3, epochs=2, steps=5, kernel=True)
    write_kernels(run_folder(home, "run1"), events)
    with closing(Log(home / LOG_NAME)) as log:
        begin(log, tasks_total=3)
    with Writer(home / LOG_NAME, "run1") as writer:
        for event in events:
            writer.add(event)


def test_alt_and_a_number_shows_each_tab(window: Window) -> None:
    desk = window.desk
    compare = next(f.page for f in window.features if isinstance(f, Comparing))
    shown = {
        1: ("show_train", desk.page),
        3: ("show_compare", compare),
        4: ("show_ntk", desk.ntk),
        5: ("show_try_it", desk.try_it),
    }
    places = []
    for number, (command, page) in shown.items():
        assert window.actions_by_id[command].shortcut().toString() == f"Alt+{number}"
        window.actions_by_id[command].trigger()
        assert desk.tabs.currentWidget() is page
        places.append(desk.tabs.currentIndex())
    assert places == sorted(places)


def test_the_ntk_tab_draws_a_past_run_from_log_and_files(tmp_path: Path, qtbot: QtBot) -> None:
    home = tmp_path / "home"
    home.mkdir()
    log_a_run(home)
    window = open_window(home, qtbot)
    window.actions_by_id["show_ntk"].trigger()
    window.desk.replay("run1")
    assert window.desk.tabs.currentWidget() is window.desk.ntk
    board = window.desk.ntk.board
    qtbot.waitUntil(lambda: board.kernel.drawing is not None)
    assert window.desk.ntk.scrubber.run.text() == "first"
    assert board.spectrum.table()[1]
    window.desk.page.back_to_live()
    assert board.kernel.drawing is None


def test_a_damaged_kernel_file_leaves_the_rest_of_the_tab(tmp_path: Path, qtbot: QtBot) -> None:
    home = tmp_path / "home"
    home.mkdir()
    log_a_run(home)
    for path in (run_folder(home, "run1") / "kernel").iterdir():
        path.write_bytes(b"not an array")
    window = open_window(home, qtbot)
    window.actions_by_id["show_ntk"].trigger()
    window.desk.replay("run1")
    board = window.desk.ntk.board
    qtbot.waitUntil(lambda: "cannot be read" in board.kernel.view.empty)
    assert board.pairs.drawing is not None


def test_f6_visits_every_area_and_comes_round(window: Window, qtbot: QtBot) -> None:
    with qtbot.waitActive(window):
        window.activateWindow()
    seen = []
    for _ in window.desk.areas():
        window.commands.next_area()
        focused = QApplication.focusWidget()
        seen += [
            i for i, a in enumerate(window.desk.areas()) if focused and a.isAncestorOf(focused)
        ]
    assert set(seen) >= {1, 2, 3}
    window.commands.previous_area()


def test_every_control_has_a_name_for_screen_readers(window: Window) -> None:
    kinds = (QAbstractButton, QComboBox, QLineEdit, QAbstractItemView)
    own = (
        window.desk.tasks, window.desk.settings, window.desk.history, window.desk.ntk, window.desk.try_it,
    )  # fmt: skip
    for area in own:
        for control in (c for kind in kinds for c in area.findChildren(kind)):
            inner = control.parent()
            if isinstance(inner, (QComboBox, QAbstractItemView)) or control.objectName().startswith(
                "qt_"
            ):
                continue
            if control.metaObject().className() in (
                "QTableCornerButton",
                "QHeaderView",
                "QComboBoxListView",
            ):
                continue
            text = control.text() if isinstance(control, QAbstractButton) else ""
            assert control.accessibleName() or text, f"{control} in {area}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_at_the_smallest_size(
    window: Window, qtbot: QtBot, scheme: str, qapp: QApplication
) -> None:
    window.resize(960, 600)
    qtbot.wait(20)
    hint = window.minimumSizeHint()
    assert (hint.width(), hint.height()) <= (960, 600)
    assert hint.height() <= 600
    assert (window.width(), window.height()) == (960, 600)
    window.grab()


def test_layout_is_remembered(tmp_path: Path, qtbot: QtBot) -> None:
    window = open_window(tmp_path, qtbot)
    window.resize(960, 600)
    first = window.desk.across.sizes()
    window.desk.across.setSizes([first[0] + 9, first[1], first[2] - 9])
    before = window.desk.across.sizes()
    assert before != first
    window.close()
    again = open_window(tmp_path, qtbot)
    assert again.desk.across.sizes() == before
    again.commands.reset_layout()
    assert again.desk.across.sizes() == first


def test_reset_layout_brings_back_size_state_areas_and_columns(
    window: Window, qtbot: QtBot
) -> None:
    history = window.desk.history
    room = (
        window.screen().availableGeometry()
    )  # of the offscreen platform: narrower than the window
    window.resize(max(960, min(1280, room.width())), max(600, min(800, room.height())))
    window.desk.reset_sizes()
    first = [window.size(), window.desk.across.sizes(), window.desk.down.sizes()]
    widths = [history.table.columnWidth(place) for place in range(len(COLUMNS))]
    window.desk.across.setSizes([400, 400, 400])
    window.desk.down.setSizes([300, 400])
    history.table.setColumnWidth(3, 300)
    for action in history.bar.columns.menu().actions():
        action.setChecked(not action.isChecked())
    window.move(5000, 4000)
    window.showMaximized()
    qtbot.waitUntil(window.isMaximized)
    window.actions_by_id["reset_layout"].trigger()
    qtbot.waitUntil(lambda: not window.isMaximized() and window.size() == first[0])
    assert [window.size(), window.desk.across.sizes(), window.desk.down.sizes()] == first
    assert window.screen().availableGeometry().contains(window.pos())
    hidden = {
        column.order for place, column in enumerate(COLUMNS) if history.table.isColumnHidden(place)
    }
    assert hidden == {column.order for column in COLUMNS if not column.at_first} == {"device"}
    shown = [place for place, column in enumerate(COLUMNS) if column.at_first]
    assert [history.table.columnWidth(place) for place in shown[:-1]] == [
        widths[p] for p in shown[:-1]
    ]


@pytest.mark.parametrize("place", [(5000, 4000), (-3000, 100), (40, -2500)])
def test_a_window_of_a_monitor_that_is_gone_comes_back_on_the_screen(
    tmp_path: Path, qtbot: QtBot, place: tuple[int, int]
) -> None:
    window = open_window(tmp_path, qtbot)
    window.resize(960, 600)
    window.move(*place)
    screen = window.screen().availableGeometry()
    assert not screen.intersects(window.frameGeometry())
    window.close()
    again = open_window(tmp_path, qtbot)
    screen = again.screen().availableGeometry()
    assert screen.contains(again.geometry().topLeft())  # with its bar and its menus in reach
    assert screen.intersected(again.geometry()).width() >= 0.8 * screen.width()


@pytest.mark.slow
def test_the_ntk_arithmetic_can_be_checked_from_the_menu(window: Window, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.desk.self_check.ended, timeout=60_000) as ended:
        window.actions_by_id["check_ntk"].trigger()
        assert "a few seconds" in window.desk.toast.label.text()
    assert ended.args[0].startswith("Prediction equals measurement.")
    box = window.findChild(DetailBox)
    assert box is not None
    assert "Leave-one-out error" in box.details.toPlainText()
    assert box.details.isVisible()
    box.close()


def test_a_difference_is_told_as_what_it_is() -> None:
    rows = (SelfTestRow("Interplay gap", 1.0, 2.0), SelfTestRow("Kernel drift", 0.0, None))
    names = "Interplay gap, Kernel drift"
    assert sentence_of(rows).startswith(f"Prediction and measurement differ: {names}.")
    assert "not defined" in table_of(rows).splitlines()[2]


def test_an_export_never_writes_into_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "run-1").mkdir()
    assert new_folder(tmp_path, "run-1").name == "run-1-2"
    assert new_folder(tmp_path, 'a/b: "c"').name == "a-b- -c-"


def test_without_a_display_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(UsageError, match="no display was found"):
        require_display()
    monkeypatch.setenv("DISPLAY", ":0")
    require_display()


def test_a_missing_library_is_named_with_its_package() -> None:
    text = missing_library_text("libEGL.so.1: cannot open shared object file")
    assert "sudo apt-get install libegl1" in text
    assert "could not be loaded (odd)" in missing_library_text("odd")


SHOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from workbench.face import app
from workbench.session import Session
qt = QApplication([])
def look():
    assert any(w.isVisible() for w in qt.topLevelWidgets())
    assert "torch" not in sys.modules, "torch was imported before the window was shown"
    qt.closeAllWindows()
def first_look():
    assert "pyqtgraph" not in sys.modules, "plots were loaded before the window was shown"
QTimer.singleShot(0, first_look)
QTimer.singleShot(300, look)
sys.exit(app.run(Session(sys.argv[1]), scheme="dark"))
"""


def test_the_window_is_on_screen_before_torch_is_imported(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SHOW, str(tmp_path / "home")],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_a_forgotten_picture_is_opened_in_try_it_with_the_runs_adapter(
    tmp_path: Path, qtbot: QtBot
) -> None:
    session, run = trained_session(tmp_path / "home", tmp_path / "pictures")
    session.close()
    window = open_window(tmp_path / "home", qtbot)
    desk = window.desk
    desk.replay(run)
    window.actions_by_id["show_results"].trigger()
    page = window.findChild(ResultsPage)
    qtbot.waitUntil(lambda: page.after() == 1, timeout=20_000)
    drawing = page.confusion.drawing
    true, said = next((i, j) for i in range(4) for j in range(4) if drawing.counts[i, j])
    page.confusion.view.opened.emit(true, said)
    gallery = page.beside_matrix.gallery
    gallery.list.setCurrentIndex(gallery.model.index(0))
    gallery.try_button.click()
    assert desk.tabs.currentWidget() is desk.try_it
    qtbot.waitUntil(lambda: len(desk.try_it.model.answers) == 1, timeout=60_000)
    answers, index = page.book.history[1], gallery.model.pictures[0]
    (answer,) = desk.try_it.model.answers
    assert answer.guess.path == gallery.model.file(gallery.model.index(0))
    row = next(
        i for i in range(len(answers))
        if (int(answers.task[i]), page.book.pictures[int(answers.task[i])][int(answers.places[i])])
        == (index.task, index.path)
    )  # fmt: skip
    assert answer.guess.classes[0] == page.book.names[int(answers.predicted[row])]
    assert answer.guess.probabilities[0] == pytest.approx(float(answers.score[row]), abs=1e-3)


def test_the_backbone_is_switched_to_the_adapters_own(window: Window) -> None:
    assert window.desk.try_it.opener.chosen_backbone() == "sample"
    window.desk.try_it.opener.switch_requested.emit(QUICK["model.backbone"])
    assert window.desk.draft.state.run_config().model.backbone == QUICK["model.backbone"]
    window.desk.draft.stack.undo()
    assert window.desk.draft.state.run_config().model.backbone == "sample"
