from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.opened import feature, fill, opened
from tests.recorded import recorded_run
from workbench.events import Note
from workbench.face.activity_list import ActivityRow, StatusLists
from workbench.face.exports import ADAPTER
from workbench.face.said import LONGEST, Conversation
from workbench.face.window import Window


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    with opened(tmp_path / "home", qtbot) as made:
        yield made


def rows(lists: StatusLists) -> list[ActivityRow]:
    return [row for row in lists.activities.findChildren(ActivityRow) if not row.isHidden()]


def test_the_button_counts_what_goes_on_and_hides_when_nothing_does(window: Window) -> None:
    lists, activities = feature(window, StatusLists), window.desk.activities
    assert lists.activities_button.isHidden()
    first = activities.begin("Reading 'owls'")
    assert lists.activities_button.text() == "1 activity ▴"
    second = activities.begin("Exporting run-0001")
    assert lists.activities_button.text() == "2 activities ▴"
    first.end()
    second.end()
    assert lists.activities_button.isHidden()


def test_the_list_shows_progress_and_cancels_each(window: Window, qtbot: QtBot) -> None:
    lists, activities, asked = feature(window, StatusLists), window.desk.activities, []
    scan = activities.begin("Reading 'owls'", lambda: asked.append("scan"))
    activities.begin("Exporting run-0001")
    window.actions_by_id["show_activities"].trigger()
    assert lists.activities.isVisible()
    read, export = rows(lists)
    assert (read.cancel_button.isEnabled(), export.cancel_button.isEnabled()) == (True, False)
    assert read.cancel_button.accessibleName() == "Cancel Reading 'owls'"
    scan.progress(400, 7000, "barn owls", seconds_left=None)
    qtbot.waitUntil(lambda: read.detail.text() == "barn owls · 400 / 7,000", timeout=10_000)
    assert (read.bar.value(), read.bar.maximum()) == (400, 7000)
    read.cancel_button.click()
    assert asked == ["scan"]
    qtbot.waitUntil(lambda: read.cancel_button.text() == "Stopping…", timeout=10_000)
    scan.end()
    qtbot.waitUntil(
        lambda: [row.activity.title for row in rows(lists)] == ["Exporting run-0001"],
        timeout=10_000,
    )
    lists.activities.close()


def test_a_run_of_known_length_says_how_long_it_takes(window: Window) -> None:
    activity = window.desk.activities.begin("run-0001")
    activity.progress(1, 1000, seconds_left=None)
    assert activity.seconds_left is None
    activity.progress(100, 1000, seconds_left=850)
    row = ActivityRow(activity)
    assert row.detail.text() == "100 / 1,000 · about 15 min left"
    row.deleteLater()


@pytest.mark.slow
def test_what_the_window_does_in_the_background_is_in_the_list(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    activities, seen = window.desk.activities, []
    activities.changed.connect(lambda: seen.extend(a.title for a in activities.under_way()))
    fill(window, qtbot, tmp_path / "pictures")
    qtbot.waitUntil(lambda: activities.under_way() == [], timeout=30_000)  # the reader is gone
    window.actions_by_id["check_ntk"].trigger()
    (check,) = activities.under_way()
    assert check.can_cancel
    qtbot.waitUntil(lambda: activities.under_way() == [], timeout=120_000)
    window.commands.train()
    with qtbot.waitSignal(window.desk.training.ended, timeout=120_000):
        assert [a.title for a in activities.under_way()] == ["run-0001"]
    (run,) = window.desk.session.runs()
    with qtbot.waitSignal(window.desk.exporter.done, timeout=60_000):
        window.desk.exporter.export_to(run, tmp_path / "out", (ADAPTER,))
    qtbot.waitUntil(lambda: activities.under_way() == [], timeout=30_000)
    titles = list(dict.fromkeys(seen))
    assert titles == [
        "Reading 'finches', 'Ö 空格'", "Checking the NTK arithmetic", "run-0001", "Exporting run-0001",
    ]  # fmt: skip


def test_every_sentence_of_the_session_can_be_read_again(window: Window) -> None:
    lists, desk = feature(window, StatusLists), window.desk
    before = len(lists.conversation.sentences())
    desk.strips.show_strip("x", "The folder of task 3 is no longer there.", "error")
    desk.strips.clear_strip("x")
    desk.toast.say("Task 'gulls' removed.")
    desk.training.news.emit([*recorded_run(2), Note("1 picture was skipped.", "warning")])
    said = lists.conversation.sentences()[before:]
    texts = [one.text for one in said]
    assert texts[:2] == ["The folder of task 3 is no longer there.", "Task 'gulls' removed."]
    assert "1 picture was skipped." in texts
    assert said[0].level == "error"
    count = len(lists.conversation.sentences())
    assert lists.messages_button.text() == f"{count} messages ▴"
    lists.show_messages()
    assert lists.messages.isVisible()
    lists.messages.close()


def test_two_warnings_at_once_are_two_messages(window: Window) -> None:
    conversation = feature(window, StatusLists).conversation
    before = len(conversation.sentences())
    first, second = "1 picture was skipped.", "The loss is no number."
    notes = [Note(first, "warning"), Note(second, "warning"), Note("Learnt.", "info")]
    window.desk.training.news.emit(notes)
    said = conversation.sentences()[before:]
    assert sorted(one.text for one in said) == sorted([first, second, "Learnt."])
    assert {one.level for one in said if one.text != "Learnt."} == {"warning"}


def test_a_sentence_said_twice_running_counts_once_and_the_list_does_not_grow_for_ever() -> None:
    conversation = Conversation()
    conversation.add("One moment.")
    conversation.add("One moment.")
    conversation.add("")
    assert [said.text for said in conversation.sentences()] == ["One moment."]
    for number in range(2 * LONGEST):
        conversation.add(f"sentence {number}")
    kept = conversation.sentences()
    assert len(kept) == LONGEST
    assert kept[-1].text == f"sentence {2 * LONGEST - 1}"
