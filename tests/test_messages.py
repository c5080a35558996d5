from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QUndoCommand, QUndoStack
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from workbench.face.messages import BugReporter, DetailBox, Strips, Toast
from workbench.face.question import Question


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.resize(800, 500)
    qtbot.addWidget(made)
    made.show()
    return made


def test_strips_leave_the_window_its_room_and_the_gravest_stays(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    strips = Strips(window)
    QVBoxLayout(window).addWidget(strips)
    window.resize(900, 600)
    window.show()
    strips.show_strip("a", "The disk is full.", "error")
    for number in range(4):
        strips.show_strip(f"run {number}", f"run-000{number} was cut off.", "warning")
    strips.show_strip("b", "There is no GPU.", "info")

    def shown() -> list[str]:
        return [
            text for subject, text in strips.texts().items() if strips.strip(subject).isVisible()
        ]

    assert shown() == ["The disk is full.", "run-0003 was cut off."]
    assert strips.more.text() == "4 more messages"
    strips.more.click()
    assert len(shown()) == 6
    assert strips.more.text() == "Fewer messages"
    strips.more.click()
    strips.clear_strip("a")
    assert shown() == ["run-0002 was cut off.", "run-0003 was cut off."]
    for subject in ("b", "run 0", "run 1"):
        strips.clear_strip(subject)
    assert not strips.more.isVisible()
    assert len(shown()) == 2


def test_a_toast_goes_when_what_it_offers_is_no_longer_so(qtbot: QtBot) -> None:
    window, stack = QWidget(), QUndoStack()
    qtbot.addWidget(window)
    window.show()
    toast = Toast(window)
    stack.push(QUndoCommand("one"))
    toast.say("One is done.", "Undo", stack.undo, until=stack.indexChanged)
    assert toast.isVisible()
    stack.push(QUndoCommand("two"))
    assert not toast.isVisible()
    toast.say("Two is done.", "Undo", stack.undo, until=stack.indexChanged)
    toast.say("Something else.")
    stack.push(QUndoCommand("three"))
    assert toast.isVisible()  # it no longer offers anything


def test_a_strip_stays_until_it_is_closed(window: QWidget, qtbot: QtBot) -> None:
    strips = Strips(window)
    strips.show_strip("gpu", "No GPU was found.", "info")
    strips.show_strip("log", "The log is on a network drive.")
    assert list(strips.texts()) == ["gpu", "log"]
    strips.strip("gpu").findChildren(QToolButton)[0].click()
    assert strips.texts() == {"log": "The log is on a network drive."}
    strips.clear_strip("log")
    assert strips.isHidden()


def test_a_new_strip_replaces_the_one_about_the_same_subject(window: QWidget) -> None:
    strips = Strips(window)
    strips.show_strip("start", "first")
    strips.show_strip("start", "second")
    assert strips.texts() == {"start": "second"}


def test_a_toast_runs_its_button_once_and_goes(window: QWidget, qtbot: QtBot) -> None:
    toast, undone = Toast(window), []
    toast.say("Task 'gulls' removed.", "Undo", lambda: undone.append(True))
    assert toast.isVisible()
    assert toast.label.text() == toast.accessibleName() == "Task 'gulls' removed."
    toast.button.click()
    assert undone == [True]
    assert not toast.isVisible()


def test_a_toast_lies_inside_its_window_and_stays_there(window: QWidget) -> None:
    toast = Toast(window)
    toast.say("A sentence that is far too long for one line. " * 6)
    assert window.rect().contains(toast.geometry())
    window.resize(420, 300)
    assert window.rect().contains(toast.geometry())


def test_closing_the_window_stops_the_clock_of_its_toast(window: QWidget) -> None:
    toast = Toast(window)
    toast.say("Done.")
    timer = toast.findChild(QTimer)
    assert isinstance(timer, QTimer)
    assert timer.isActive()
    window.close()
    assert not timer.isActive()


def test_the_box_unfolds_and_copies_its_details(
    window: QWidget, qtbot: QtBot, tmp_path: Path
) -> None:
    box = DetailBox("It broke.", "Traceback: line 3", tmp_path, window)
    box.open()
    assert box.details.isHidden()
    box.details_button.click()
    assert not box.details.isHidden()
    box.copy()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("It broke.")
    assert "Traceback: line 3" in copied
    assert "torch " in copied
    box.close()


def test_an_exception_from_anywhere_ends_in_a_box(
    window: QWidget, qtbot: QtBot, tmp_path: Path
) -> None:
    reporter = BugReporter(tmp_path, window)
    reporter.raised.emit("ValueError: 3", "Traceback …")
    qtbot.waitUntil(lambda: reporter.box is not None)
    assert reporter.box is not None
    assert "ValueError: 3" in reporter.box.details.toPlainText()
    reporter.box.close()


def test_a_strip_offers_its_ways_out_as_buttons(qtbot: QtBot) -> None:
    done: list[str] = []
    strips = Strips()
    qtbot.addWidget(strips)
    strips.show_strip(
        "run", "It was cut off.", answers=[("Resume", lambda: done.append("resumed"))]
    )
    strips.strip("run").buttons["Resume"].click()
    assert done == ["resumed"]


def test_a_question_does_what_the_button_says_and_nothing_on_escape(qtbot: QtBot) -> None:
    done: list[str] = []
    parent = QWidget()
    qtbot.addWidget(parent)
    for press in ("Different", "Same"):
        answers = [(text, partial(done.append, text)) for text in ("Same", "Different")]
        question = Question("The same class?", answers, parent)
        question.open()
        question.answers[press].click()
    last = Question("The same class?", [("Same", partial(done.append, "Same"))], parent)
    last.open()
    QTest.keyClick(last, Qt.Key.Key_Escape)
    assert done == ["Different", "Same"]
