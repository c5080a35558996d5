"""What a desktop program owes its user: palette, keys, help, one window, last words, a log that can be chosen."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import shiboken6
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLabel, QMessageBox
from pytestqt.qtbot import QtBot

from tests.opened import feature
from tests.test_window import open_window
from workbench import paths
from workbench.cli import main
from workbench.face import app, help_pages
from workbench.face.about import About, KeysBox
from workbench.face.activity_list import StatusLists
from workbench.face.help_pages import FIRST, Help, HelpBox, pages, subject_of
from workbench.face.icons import app_icon
from workbench.face.messages import DetailBox
from workbench.face.palette import CommandPalette, PaletteBox, actions_of
from workbench.face.question import Question
from workbench.face.single import OnlyWindow
from workbench.face.window import Window


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Window:
    return open_window(tmp_path / "home", qtbot)


def palette_of(window: Window) -> PaletteBox:
    palette = feature(window, CommandPalette)
    palette.palette()
    assert palette.box is not None
    return palette.box


def test_the_palette_finds_a_command_by_words_in_any_order_and_runs_it(window: Window) -> None:
    box = palette_of(window)
    known = {action.text() for _, action in actions_of(window.menuBar())}
    assert box.filter.rowCount() >= len(known) > 60
    QTest.keyClicks(box.line, "tab ntk")
    assert box.filter.rowCount() == 1
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert window.desk.tabs.currentWidget() is window.desk.ntk


def test_the_palette_does_not_run_what_cannot_be_done_now(window: Window) -> None:
    box = palette_of(window)
    QTest.keyClicks(box.line, "remove task")
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert box.isVisible()
    assert window.desk.draft.state.tasks == ()
    box.close()


def test_the_palette_says_when_nothing_matches(window: Window) -> None:
    box = palette_of(window)
    QTest.keyClicks(box.line, "qqq")
    assert box.nothing.isVisible()
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    box.close()


def keys_of(window: Window) -> KeysBox:
    about = feature(window, About)
    about.keys()
    assert isinstance(about.box, KeysBox)
    return about.box


def test_every_shortcut_stands_in_the_list_of_keys(window: Window, qtbot: QtBot) -> None:
    box = keys_of(window)
    shown = {box.model.item(row, 1).text() for row in range(box.model.rowCount())}
    assert {row.text.rstrip("…") for row in window.rows if row.keys} <= shown
    QTest.keyClicks(box.search, "ctrl+r train")
    assert box.filter.rowCount() == 1
    box.close()


def test_every_key_of_a_plot_stands_in_the_list_of_keys(window: Window) -> None:
    box = keys_of(window)
    rows = [
        [box.model.item(row, c).text() for c in range(3)] for row in range(box.model.rowCount())
    ]
    listed = {
        key for keys, _, where in rows if where in ("Plots", "Drawings") for key in keys.split(", ")
    }
    said = ", ".join(does for _, does, where in rows if where in ("Plots", "Drawings")).lower()
    plot = window.desk.page.board.accuracy
    known = {action for view in (plot, plot._sheet) for action in view.actions()}
    named = {action.shortcut().toString(): action.text() for action in known}
    named.pop("")
    assert len(named) >= 10
    assert listed == set(named)
    assert all(text.lower() in said for text in named.values())
    box.close()


def test_about_says_that_all_is_local_and_lists_places_and_versions(window: Window) -> None:
    about = feature(window, About)
    about.about()
    box = about.box
    assert isinstance(box, DetailBox)
    text = box.details.toPlainText()
    for said in ("stays on this computer", str(window.desk.session.home), "PySide6", "torch"):
        assert said in text
    box.close()


def test_f1_opens_the_page_of_what_has_the_keyboard(window: Window) -> None:
    feature = next(each for each in window.features if isinstance(each, Help))
    for widget, name in (
        (window.desk.settings.train_button, "settings"),
        (window.desk.history.table, "runs"),
        (window.desk.try_it.file_button, "try-it"),
        (window.toolbar, FIRST),
    ):
        assert subject_of(widget) == name
    strips = window.desk.strips
    for subject, name in (
        ("cut off 1", "going-on"),
        ("silence", "engine"),
        ("log disk", "trouble"),
    ):
        strips.show_strip(subject, "A sentence.", "info", [("Do", lambda: None)])
        assert subject_of(strips.strip(subject).buttons["Do"]) == name
        strips.clear_strip(subject)
    feature.help_start()
    assert isinstance(feature.box, HelpBox)
    assert "First steps" in feature.box.text.toPlainText()
    feature.box.close()


def test_f1_in_a_box_opens_the_page_over_it(window: Window, qtbot: QtBot) -> None:
    question = Question("Go on?", [("Yes", lambda: None)], window)
    question.setProperty("page", "going-on")
    question.open()
    qtbot.waitUntil(question.isActiveWindow, timeout=10_000)
    QTest.keyClick(question.answers["Yes"], Qt.Key.Key_F1)
    (box,) = question.findChildren(HelpBox)
    assert box.isVisible()
    assert box.shown == "going-on"
    box.close()
    question.reject()


def test_every_subject_has_its_page_and_every_link_between_pages_leads_somewhere(
    window: Window,
) -> None:
    names = {page.name for page in pages()}
    subjects = {w.property("page") for w in window.findChildren(object) if w.property("page")}
    assert subjects | set(help_pages._OF_STRIPS.values()) <= names
    assert FIRST in names
    for page in pages():
        for target in _links(page.file.read_text(encoding="utf-8")):
            assert (page.file.parent / target).is_file(), f"{page.name} links to {target}"


def _links(text: str) -> list[str]:
    import re

    return [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]


def test_a_search_keeps_the_help_pages_that_speak_of_it(window: Window) -> None:
    feature = next(each for each in window.features if isinstance(each, Help))
    feature.help_start()
    box = feature.box
    assert box is not None
    box.search.setText("spectrum rank")
    assert [box._filter.index(r, 0).data() for r in range(box._filter.rowCount())] == [
        "The NTK laboratory"
    ]
    box.close()


SECOND = """
import sys
from PySide6.QtCore import QCoreApplication
from pathlib import Path
from workbench.face.single import OnlyWindow
qt = QCoreApplication([])
only = OnlyWindow(Path(sys.argv[1]))
assert not only.take(), "two windows on one log"
sys.exit(0 if only.hand_over(sys.argv[2:]) else 5)
"""


def test_a_second_start_hands_its_folders_to_the_first_window(tmp_path: Path, qtbot: QtBot) -> None:
    only = OnlyWindow(tmp_path)
    assert only.take()
    command = [sys.executable, "-c", SECOND, str(tmp_path), "/pictures/Ö 空格", "/b"]
    with qtbot.waitSignal(only.asked_for, timeout=30_000) as asked:
        second = subprocess.Popen(command)
    assert asked.args == [["/pictures/Ö 空格", "/b"]]
    qtbot.waitUntil(lambda: second.poll() is not None, timeout=30_000)
    assert second.returncode == 0
    only.release()
    again = OnlyWindow(tmp_path)
    assert again.take()
    again.release()


def test_two_logs_may_have_a_window_each(tmp_path: Path, qapp: object) -> None:
    logs = [OnlyWindow(tmp_path / name) for name in ("a", "b")]
    for log, name in zip(logs, ("a", "b"), strict=True):
        (tmp_path / name).mkdir()
        assert log.take()
    for log in logs:
        log.release()


def test_what_a_second_start_sends_is_only_taken_if_it_is_a_list_of_paths() -> None:
    from workbench.face.single import _folders_in

    assert _folders_in(json.dumps(["/a", 3, None]).encode()) == ["/a"]
    assert _folders_in(b'{"a": 1}') == _folders_in(b"\xff\xfe") == []


DYING = """
import ctypes, sys
from PySide6.QtCore import QTimer
from workbench.face import app
from workbench.session import Session
qt = app.application()
QTimer.singleShot(400, lambda: ctypes.string_at(0))
app.run(Session(sys.argv[1]))
"""
LIVING = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from workbench.face import app
from workbench.face.messages import DetailBox
from workbench.session import Session
def look():
    window = next(w for w in QApplication.topLevelWidgets() if w.inherits("QMainWindow"))
    boxes = [w for w in window.findChildren(DetailBox)]
    print("\\n".join(box.details.toPlainText() for box in boxes))
    for box in boxes:
        box.close()
    window.close()
qt = app.application()
QTimer.singleShot(400, look)
sys.exit(app.run(Session(sys.argv[1])))
"""


def start(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(home)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_crash_is_told_at_the_next_start_and_only_then(tmp_path: Path) -> None:
    assert start(DYING, tmp_path).returncode
    told = start(LIVING, tmp_path)
    assert told.returncode == 0, told.stderr
    assert "The program ended unexpectedly last time" in told.stdout
    assert "Segmentation fault" in told.stdout
    assert "string_at" in told.stdout
    quiet = start(LIVING, tmp_path)
    assert quiet.returncode == 0, quiet.stderr
    assert quiet.stdout.strip() == ""
    assert not (tmp_path / "window.open").exists()


def test_a_log_that_cannot_be_opened_is_asked_about_and_the_new_place_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("WORKBENCH_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "data").write_text("a file where the folder should be")
    better, asked, windows = tmp_path / "better", list[str](), list[Window]()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(better))

    def press_and_close() -> None:
        """The user: presses the button of the box, and closes the window that opens."""
        box, window = qapp.activeModalWidget(), main_window()
        if isinstance(box, QMessageBox):
            asked.append(box.text())
            (choose,) = (b for b in box.buttons() if b.text() == "Choose another place…")
            choose.click()
        elif window is not None:
            windows.append(window)
            window.close()
            user.stop()

    user = QTimer(qapp)
    user.timeout.connect(press_and_close)
    user.start(20)
    assert main(["--in-process"]) == 0
    (sentence,) = asked
    assert sentence.startswith("The log cannot be kept in ")
    assert "--home" not in sentence  # the button beside it does it
    assert [window.desk.session.home for window in windows] == [better]
    assert paths.home_folder() == better
    shiboken6.delete(windows.pop())  # whole and now, as the program's end would


def main_window() -> Window | None:
    """The window that the program has opened."""
    shown = (each for each in QApplication.topLevelWidgets() if isinstance(each, Window))
    return next((each for each in shown if each.isVisible()), None)


def test_the_box_for_another_place_says_why_and_quit_gives_up(
    monkeypatch: pytest.MonkeyPatch, qapp: object
) -> None:
    shown: list[str] = []

    def press_quit(box: QMessageBox) -> int:
        shown.append(box.text())
        return 0

    monkeypatch.setattr(QMessageBox, "exec", press_quit)
    assert app.ask_for_home("The log cannot be kept in D:: it is read-only.") is None
    assert shown == ["The log cannot be kept in D:: it is read-only."]


def test_the_icon_is_there_at_every_size(qapp: object) -> None:
    for size in (16, 64, 256):
        picture = app_icon().pixmap(size, size).toImage()
        assert picture.width() == size
        assert len({picture.pixel(x, x) for x in range(size)}) > 3
    with Image.open(paths.resource("icons/app.ico")) as icon:
        assert (256, 256) in icon.info["sizes"]
    with Image.open(paths.resource("icons/app.icns")) as icon:
        assert icon.size[0] >= 512


def test_a_box_that_is_made_anew_each_time_is_gone_once_closed(window: Window) -> None:
    def boxes() -> int:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return len(window.findChildren(QDialog))

    commands = ("keys", "about", "palette", "several_seeds", "show_groups")
    before = boxes()
    for command in commands:
        window.actions_by_id[command].trigger()
        for box in window.findChildren(QDialog):
            box.close()
        assert boxes() == before, command


def test_the_list_of_messages_holds_no_rows_while_it_is_closed(window: Window) -> None:
    def labels() -> int:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return len(window.findChildren(QLabel))

    lists = next(each for each in window.features if isinstance(each, StatusLists))
    before = labels()
    for number in range(3):
        lists.conversation.add(f"sentence {number}")
        lists.show_messages()
        assert len(lists.messages.rows.findChildren(QLabel)) > number
        lists.messages.close()
        assert labels() == before


def test_what_is_greyed_in_the_export_menu_says_what_it_lacks(window: Window) -> None:
    menu = window.menus["File/Export"]
    assert menu.toolTipsVisible()
    entries = [action for action in menu.actions() if action.isVisible()]
    assert len(entries) == 6
    for action in entries:
        assert not action.isEnabled()
        assert action.toolTip().startswith("No data yet")
        assert action.statusTip() == action.toolTip()
