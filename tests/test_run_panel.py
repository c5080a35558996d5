import pytest
from pytestqt.qtbot import QtBot

from tests.recorded import recorded_run
from workbench.events import (
    Failed,
    Finished,
    Pace,
    Paused,
    Resumed,
    RunStarted,
    Stage,
    Step,
    Stopped,
    TaskStarted,
)
from workbench.face.run_panel import RunPanel
from workbench.face.words import ago, counted, duration, listed, percent


@pytest.fixture
def panel(qtbot: QtBot) -> RunPanel:
    made = RunPanel()
    qtbot.addWidget(made)
    return made


def test_a_stage_is_shown_in_words_with_its_count(panel: RunPanel) -> None:
    panel.show_news([Stage("Reading pictures", 120, 480)])
    assert panel.stage.text() == "Reading pictures 120 / 480"
    assert (panel.bar.value(), panel.bar.maximum()) == (120, 480)


def test_a_stage_of_unknown_length_shows_a_busy_bar(panel: RunPanel) -> None:
    panel.show_news([Stage("Loading torch")])
    assert (panel.bar.minimum(), panel.bar.maximum()) == (0, 0)
    panel.show_state("idle")
    assert panel.bar.maximum() == 100


def test_a_step_says_where_the_run_is(panel: RunPanel) -> None:
    started = next(event for event in recorded_run(4) if isinstance(event, RunStarted))
    panel.show_news([started, TaskStarted(2, 1400, 20, 100), Step(2, 6, 1432, 0.01, {})])
    assert panel.stage.text() == "task 3 of 4 · epoch 7/20 · step 1,432 · on the processor"


def test_time_left_waits_until_it_is_worth_something(panel: RunPanel) -> None:
    panel.show_news([Pace(312.0, None, 1, 1000)])
    assert panel.rate.text() == "312 pictures/s"
    assert panel.left.text() == ""
    panel.show_news([Pace(312.0, None, 2, 1000, monitor=0.094)])
    assert panel.rate.text() == "312 pictures/s · NTK 9%"
    panel.show_news([Pace(312.0, 830.0, 40, 1000, work=0.06)])
    assert panel.left.text() == "about 14 min left"
    assert panel.bar.value() == 0.06 * panel.bar.maximum()  # of the work, of which steps are a part


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Finished(120), "Finished after 120 steps."),
        (Stopped(80), "Stopped after 80 steps. Whole tasks are kept."),
        (Failed("The folder 'owls' is gone."), "The folder 'owls' is gone."),
    ],
)
def test_the_end_is_told(panel: RunPanel, event: Finished, text: str) -> None:
    panel.show_news([event])
    assert panel.stage.text() == text


@pytest.mark.parametrize(
    ("state", "when", "shown", "enabled", "text"),
    [
        ("idle", "", False, True, "Stop"),
        ("starting", "", True, True, "Stop"),
        ("running", "", True, True, "Stop"),
        ("paused", "", True, True, "Stop"),
        ("stopping", "epoch", True, True, "Stopping after this epoch…"),
        ("stopping", "task", True, True, "Stopping after this task…"),
        ("stopping", "now", True, False, "Stopping…"),
    ],
)
def test_the_button_follows_the_state(
    panel: RunPanel, state: str, when: str, shown: bool, enabled: bool, text: str
) -> None:
    panel.show_state("running")
    panel.show_state(state, when)
    assert panel.hold.seconds.isActive() == (when == "now")
    assert panel.hold.isHidden() != shown
    assert panel.stop_button.isEnabled() == enabled
    assert panel.stop_button.text() == text
    panel.show_state("idle")
    assert not panel.hold.seconds.isActive()


def test_a_stop_that_takes_long_counts_its_seconds(panel: RunPanel, qtbot: QtBot) -> None:
    panel.show_state("stopping", "now")
    panel.hold.seconds.setInterval(50)
    with qtbot.waitSignal(panel.hold.seconds.timeout, timeout=10_000):
        pass
    assert panel.stop_button.text() == "Stopping…"
    qtbot.waitUntil(lambda: panel.stop_button.text() == "Stopping… (2 s)", timeout=20_000)
    panel.show_state("idle")


@pytest.mark.parametrize(
    ("state", "enabled", "text"),
    [
        ("starting", False, "Pause"),
        ("running", True, "Pause"),
        ("pausing", True, "Pausing…"),
        ("paused", True, "Go on"),
    ],
)
def test_the_pause_button_follows_the_state(
    panel: RunPanel, state: str, enabled: bool, text: str
) -> None:
    panel.show_state(state)
    assert panel.hold.pause.isEnabled() == enabled
    assert panel.hold.pause.text() == text


def test_the_buttons_ask_for_what_they_say(panel: RunPanel) -> None:
    asked: list[str] = []
    panel.hold.stop_requested.connect(asked.append)
    panel.hold.pause_requested.connect(lambda: asked.append("pause"))
    panel.hold.go_on_requested.connect(lambda: asked.append("go on"))
    panel.show_state("running")
    panel.hold.pause.click()
    panel.hold.moments["epoch"].trigger()
    panel.show_state("stopping", "epoch")
    assert panel.hold.moments["epoch"].isChecked()
    panel.hold.moments["task"].trigger()
    panel.hold.stop.click()
    panel.show_state("paused")
    panel.hold.pause.click()
    assert asked == ["pause", "epoch", "task", "now", "go on"]


def test_a_start_is_said_at_once(panel: RunPanel) -> None:
    panel.show_state("starting")
    assert panel.stage.text() == "Starting the engine"
    assert panel.bar.maximum() == 0


def test_a_pause_is_said_with_its_place_and_leaves_the_progress(panel: RunPanel) -> None:
    started = next(event for event in recorded_run(4) if isinstance(event, RunStarted))
    panel.show_news([started, TaskStarted(1, 60, 20, 100), Step(1, 6, 132, 0.01, {})])
    panel.show_news([Pace(312.0, 830.0, 132, 1000, work=0.132), Paused(133)])
    assert panel.stage.text() == "Paused · task 2 of 4 · epoch 7/20 · step 132 · on the processor"
    assert (panel.bar.value(), panel.bar.maximum()) == (132, 1000)
    assert panel.left.text() == "about 14 min left"
    assert panel.rate.text() == ""
    panel.show_news([Resumed(133)])
    assert panel.stage.text() == "task 2 of 4 · epoch 7/20 · step 132 · on the processor"
    panel.show_news([Paused(160, 1)])
    assert panel.stage.text() == "Paused · task 2 of 4 is learnt"


def test_the_time_left_does_not_jump(panel: RunPanel) -> None:
    panel.show_news([Pace(312.0, 1000.0, 40, 1000), Pace(312.0, 6000.0, 41, 1000)])
    assert panel.left.text() == "about 20 min left"


def test_a_new_run_forgets_the_one_before(panel: RunPanel) -> None:
    panel.show_news(recorded_run(2, live=True))
    panel.reset()
    assert panel.bar.value() == 0
    assert panel.left.text() == panel.rate.text() == ""


def test_numbers_are_said_as_a_person_would() -> None:
    assert counted(1, "class", "classes") == "1 class"
    assert counted(1240, "picture", "pictures") == "1,240 pictures"
    assert percent(None) == "–"
    assert percent(0.8144) == "81.4 %"
    assert [duration(s) for s in (0.2, 11, 61, 3600, 7500)] == [
        "5 s", "15 s", "2 min", "1 h", "2 h 5 min",
    ]  # fmt: skip
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed(["a", "b", "c", "d", "e"]) == "'a', 'b', 'c' and 2 more"


def test_ages_grow_from_minutes_to_dates() -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def age(**back: float) -> str:
        return ago((now - timedelta(**back)).isoformat(), now)

    assert age(seconds=20) == "just now"
    assert age(minutes=2) == "2 min ago"
    assert age(hours=3) == "3 h ago"
    assert age(days=1) == "yesterday"
    assert age(days=40) == "15 Oct 2026"
