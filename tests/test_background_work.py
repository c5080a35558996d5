"""Long work of the window: in the list while it lasts, given up by Cancel, and nothing half-made stays."""

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QObject
from pytestqt.qtbot import QtBot

from tests.opened import feature, fill, opened
from tests.recorded import recorded_run
from tests.test_compare import log_run
from tests.test_resuming_window import cut_off
from tests.test_run_verbs import end
from tests.trained import trained_session
from workbench import paths
from workbench.core import manifest, scan
from workbench.errors import Cancelled, WorkbenchError
from workbench.events import Stage, Step
from workbench.face import background, replaying
from workbench.face.activities import Activities, Activity
from workbench.face.activity_list import StatusLists
from workbench.face.background import Background
from workbench.face.bin import Bin
from workbench.face.bundles import Bundles
from workbench.face.changes_check import ChangesCheck
from workbench.face.extending import Extending
from workbench.face.record import record_of
from workbench.face.resuming import Resuming
from workbench.face.task_work import TaskWork
from workbench.face.window import Window
from workbench.session import Session, packing
from workbench.tell import Tell, silent

LONG = 30_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = Session(tmp_path / "home", entry_points=False)
    with made.log() as log:
        for number in (1, 2, 3):
            log_run(log, number, recorded_run(3, seed=number))
            folder = paths.run_folder(made.home, f"id{number}") / "adapter"
            folder.mkdir()
            (folder / "adapter.safetensors").write_bytes(bytes(range(256)) * 900)
    yield made
    made.close()


@pytest.fixture
def window(session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Window:
    monkeypatch.setattr(background, "WORTH_SHOWING", 0)
    made = Window(session)
    qtbot.addWidget(made, before_close_func=end)
    made.show()
    return made


def only(activities: Activities, qtbot: QtBot) -> Activity:
    """Wait until one thing goes on, and return it."""
    qtbot.waitUntil(lambda: len(activities.under_way()) == 1, timeout=LONG)
    return activities.under_way()[0]


def none_left(activities: Activities, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not activities.under_way(), timeout=LONG)


class Gate:
    """Lets a call of real code wait until it is opened."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call, self.open = call, threading.Event()

    def __call__(self, *given: Any, **named: Any) -> Any:
        assert self.open.wait(60)
        return self._call(*given, **named)


def test_work_is_in_the_list_once_it_lasts_and_cancel_ends_it(qtbot: QtBot) -> None:
    root, go_on = QObject(), threading.Event()
    activities = Activities(root)
    work, told = Background(root, activities), []
    work.given_up.connect(lambda: told.append((work.busy, activities.under_way())))

    def call(tell: Tell) -> None:
        tell(Stage("Copying", 3, 8))
        go_on.wait(60)
        tell(Stage("Copying", 4, 8))
        told.append("not reached")

    assert work.do(call, "Moving")
    assert not work.do(call, "Moving")
    assert not activities.under_way()  # it may be over at once
    activity = only(activities, qtbot)
    assert (activity.title, activity.done, activity.total) == ("Moving", 3, 8)
    activity.cancel()
    assert activities.under_way() == [activity]  # until it has ended
    go_on.set()
    qtbot.waitUntil(lambda: bool(told), timeout=LONG)
    assert told == [(False, [])]


def test_short_work_is_never_in_the_list_and_work_without_a_title_neither(qtbot: QtBot) -> None:
    root = QObject()
    activities, seen = Activities(root), []
    activities.changed.connect(lambda: seen.append(activities.under_way()))
    work, given_up = Background(root, activities), []
    work.given_up.connect(lambda: given_up.append(True))
    for title in ("Counting", ""):
        with qtbot.waitSignal(work.ended, timeout=LONG):
            work.do(lambda tell: 7, title)
    with qtbot.waitSignal(work.ended, timeout=LONG):
        work.do(lambda tell: tell(1), "Counting")
        work.cancel()  # by the program, not by the user
    assert not seen
    assert not given_up


def test_a_closed_window_is_not_told_that_work_was_given_up(qtbot: QtBot) -> None:
    root, go_on = QObject(), threading.Event()
    activities, given_up = Activities(root), []
    work = Background(root, activities)
    work.given_up.connect(lambda: given_up.append(True))
    work.do(lambda tell: go_on.wait(60) and tell(1), "Moving")
    only(activities, qtbot).cancel()
    go_on.set()
    assert work.shut_down()
    qtbot.waitUntil(lambda: not work.busy, timeout=LONG)
    assert not given_up


def stopped_after(number: int) -> Tell:
    """Return what gives the work up at its n-th word."""
    told = iter(range(number))

    def tell(_: object) -> None:
        if next(told, None) is None:
            raise Cancelled

    return tell


@pytest.mark.parametrize("words", [0, 1, 2, 3, 5, 8])
def test_a_bundle_that_is_given_up_leaves_nothing(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: int
) -> None:
    monkeypatch.setattr(packing, "_PIECE", 50_000)
    file = tmp_path / "there" / "run.zip"
    file.parent.mkdir()
    file.write_text("before")
    with pytest.raises(Cancelled):
        session.bundle("run-0001", file, stopped_after(words))
    assert [path.name for path in file.parent.iterdir()] == ["run.zip"]
    assert file.read_text() == "before"
    session.bundle("run-0001", file, silent)
    with closing(Session(tmp_path / "other", entry_points=False)) as other:
        with pytest.raises(Cancelled):
            other.open_bundle(file, stopped_after(words))
        assert other.runs() == []
        assert list(other.home.glob("runs/*")) == []
        assert other.open_bundle(file) == "id1"


def test_bundling_is_followed_and_cancelled_and_a_second_press_is_answered(
    window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, bundles, file = window.desk, feature(window, Bundles), tmp_path / "run.zip"
    run = desk.history.model.known("id1")
    assert run is not None
    gate = Gate(packing.pack)
    monkeypatch.setattr(packing, "pack", gate)
    bundles.write_to(run, str(file))
    activity = only(desk.activities, qtbot)
    assert activity.title == "Bundling run-0001"
    bundles.write_to(run, str(file))
    assert desk.toast.label.text() == "Bundling run-0001: this is under way already."
    desk.toast.button.click()
    assert feature(window, StatusLists).activities.isVisible()
    activity.cancel()
    gate.open.set()
    none_left(desk.activities, qtbot)
    assert desk.toast.label.text() == "Bundling run-0001: given up. Nothing was kept."
    assert list(tmp_path.glob("run.zip*")) == []


def test_a_bundle_that_cannot_be_written_may_be_tried_again_or_elsewhere(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    desk, bundles, place = window.desk, feature(window, Bundles), tmp_path / "not yet"
    run = desk.history.model.known("id1")
    assert run is not None
    bundles.write_to(run, str(place / "run.zip"))
    qtbot.waitUntil(lambda: "bundle" in desk.strips.texts(), timeout=LONG)
    strip = desk.strips.strip("bundle")
    assert list(strip.buttons) == ["Choose another place", "Try again"]
    place.mkdir()
    qtbot.waitUntil(lambda: not bundles._work.busy, timeout=LONG)
    strip.buttons["Try again"].click()
    qtbot.waitUntil(lambda: (place / "run.zip").is_file(), timeout=LONG)


@pytest.mark.parametrize("error", [None, WorkbenchError("no")])
def test_what_is_on_its_way_as_the_window_closes_is_told_to_nobody(
    qtbot: QtBot, error: WorkbenchError | None
) -> None:
    place = QObject()
    work = Background(place)
    told: list[object] = []
    for signal in (work.item, work.failed, work.raised):
        signal.connect(told.append)
    work.ended.connect(lambda: told.append("ended"))

    def call(_: Tell) -> str:
        if error is not None:
            raise error
        return "done"

    for closes in (False, True):
        assert work.do(call)
        assert work._thread is not None
        assert work._thread.wait(LONG)  # its last words are sent, and nobody has read them yet
        if closes:
            assert work.shut_down()
        qtbot.waitUntil(lambda: not work.busy, timeout=LONG)
        assert told == (["done", "ended"] if error is None else ["no", error, "ended"])


def test_emptying_the_bin_can_be_given_up_between_two_runs(
    window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, binned = window.desk, feature(window, Bin)
    for number in (1, 2, 3):
        desk.session.table.bin(f"id{number}")
    gate = Gate(desk.session.table._remove_files)
    monkeypatch.setattr(desk.session.table, "_remove_files", gate)
    binned._empty()
    only(desk.activities, qtbot).cancel()
    gate.open.set()
    none_left(desk.activities, qtbot)
    assert desk.toast.label.text() == "Emptying the bin was given up. Still in it: 2 runs."
    left = []
    for number in (1, 2, 3):
        there = paths.run_folder(desk.session.home, f"id{number}").joinpath("adapter").is_dir()
        known = bool(desk.session.table.some([f"id{number}"]))
        assert there == known  # files and rows go together
        left += [number] if known else []
    assert len(left) == 2


def test_a_long_run_is_read_on_a_thread_and_drawn_as_a_short_one(
    window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = window.desk
    monkeypatch.setattr(replaying, "SHORT", 0)
    desk.replay("id1")
    assert desk.page.banner.isVisible()
    assert desk.page._text.text() == "Reading run-0001…"
    assert desk.page._headline.isHidden()
    qtbot.waitUntil(lambda: desk.page.replayed == "id1", timeout=LONG)
    assert desk.page._text.text() == "Replay of run-0001"
    wanted, made = record_of(desk.session.events("id1")), desk.page.record
    assert made.rows == wanted.rows
    assert made.names("") == wanted.names("")
    for name in wanted.names(""):
        assert made.curve(name).y.tolist() == pytest.approx(wanted.curve(name).y, nan_ok=True)
    assert desk.page.shown_events() == desk.session.events("id1")


def test_another_run_chosen_meanwhile_is_shown_and_a_cancelled_one_is_not(
    window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = window.desk
    desk.replay("id3")
    monkeypatch.setattr(replaying, "SHORT", 0)
    gate = Gate(desk.session.told)
    monkeypatch.setattr(desk.session, "told", gate)
    desk.replay("id1")
    desk.replay("id2")
    desk.replay("id1")
    gate.open.set()
    qtbot.waitUntil(lambda: desk.page.replayed == "id1", timeout=LONG)
    gate.open.clear()
    desk.replay("id2")
    only(desk.activities, qtbot).cancel()
    gate.open.set()
    none_left(desk.activities, qtbot)
    assert desk.page.replayed == "id1"
    assert desk.page._text.text() == "Replay of run-0001"
    assert desk.toast.label.text() == "run-0002 was not read to its end."
    gate.open.clear()
    desk.replay("id2")
    desk.page._back.click()  # Cancel in the banner
    gate.open.set()
    qtbot.waitUntil(lambda: not desk.replaying._work.busy, timeout=LONG)
    assert desk.page.replayed == "id1"


def test_landmarks_are_all_but_steps_and_the_last_of_each_stretch(window: Window) -> None:
    window.desk.replay("id1")
    events, landmarks = window.desk.page.shown_events(), window.desk.page.shown()[2]
    assert [e for e in landmarks if not isinstance(e, Step)] == [
        e for e in events if not isinstance(e, Step)
    ]
    ends = [
        e
        for e, after in zip(events, [*events[1:], None], strict=True)
        if isinstance(e, Step) and not isinstance(after, Step)
    ]
    assert [e for e in landmarks if isinstance(e, Step)] == ends


def test_lists_of_adapters_follow_the_log_when_they_are_seen(window: Window) -> None:
    desk = window.desk
    panel = desk.try_it
    assert panel.adapters.count() == 0  # nobody has looked
    desk.tabs.setCurrentWidget(panel)
    assert [panel.adapters.itemData(n) for n in range(panel.adapters.count())] == [
        "id3",
        "id2",
        "id1",
    ]
    assert panel.beside.count() == 4
    panel.adapters.setCurrentIndex(1)
    desk._rename_run("id2", "another")
    assert panel.adapters.currentText().startswith("another · ")
    desk.session.table.bin("id3")
    desk.reread_log()
    assert panel.adapters.chosen() == "id2"
    assert panel.adapters.count() == 2


@pytest.fixture
def trained(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Window, str]]:
    """A window in which a really trained run is chosen."""
    monkeypatch.setattr(background, "WORTH_SHOWING", 0)
    session, run_id = trained_session(tmp_path / "home", tmp_path / "pictures")
    session.close()
    with opened(tmp_path / "home", qtbot) as window:
        window.desk.history.table.selectRow(0)
        yield window, run_id


def test_comparing_pictures_with_the_disk_can_be_given_up(
    trained: tuple[Window, str], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, run_id = trained
    gate = Gate(manifest._content)
    monkeypatch.setattr(manifest, "_content", gate)
    check, told = feature(window, ChangesCheck), []
    check.told.connect(lambda *words: told.append(words))
    check.check_pictures()
    activity = only(window.desk.activities, qtbot)
    assert activity.title == "Comparing the pictures of run-0001"
    check.check_pictures()
    assert window.desk.toast.label.text().endswith("this is under way already.")
    activity.cancel()
    gate.open.set()
    none_left(window.desk.activities, qtbot)
    assert told == [(run_id, "The pictures of run-0001 were not compared to the end.")]


def test_finding_a_folder_can_be_given_up_and_the_task_stays(
    trained: tuple[Window, str], qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, _ = trained
    fill(window, qtbot, tmp_path / "more")
    before = window.desk.draft.state.tasks
    gate = Gate(scan.list_task)
    monkeypatch.setattr(scan, "list_task", gate)
    feature(window, TaskWork).find_at(0, str(tmp_path / "pictures"))
    only(window.desk.activities, qtbot).cancel()
    gate.open.set()
    none_left(window.desk.activities, qtbot)
    assert window.desk.draft.state.tasks == before
    assert window.desk.toast.label.text() == "The search was given up. The task stays as it was."


def test_extending_that_is_given_up_makes_no_run(
    trained: tuple[Window, str], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, run_id = trained
    session = window.desk.session
    gate, read = Gate(session.told), session.told
    monkeypatch.setattr(session, "told", lambda run: (read if run == run_id else gate)(run))
    extending = feature(window, Extending)
    extending._run_id = run_id
    extending._extend((), 1)
    qtbot.waitUntil(lambda: len(session.runs()) == 2, timeout=LONG)
    only(window.desk.activities, qtbot).cancel()
    gate.open.set()
    none_left(window.desk.activities, qtbot)
    assert [run.id for run in session.runs()] == [run_id]
    assert [path.name for path in (session.home / "runs").iterdir()] == [run_id]
    assert window.desk.toast.label.text() == "Extending was given up. No run was made."


def test_resuming_that_is_given_up_leaves_a_run_that_can_be_resumed(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "WORTH_SHOWING", 0)
    (run_id,) = cut_off(tmp_path / "home", tmp_path / "pictures")
    with opened(tmp_path / "home", qtbot) as window:
        session, desk, resuming = window.desk.session, window.desk, feature(window, Resuming)
        looking, entering = Gate(manifest._content), Gate(session.told)
        monkeypatch.setattr(manifest, "_content", looking)
        monkeypatch.setattr(session, "told", entering)
        resuming.resume(run_id)
        activity = only(desk.activities, qtbot)
        assert activity.title == "Looking whether run-0001 can go on"
        resuming.resume(run_id)
        assert desk.toast.label.text().endswith("this is under way already.")
        activity.cancel()
        looking.open.set()
        none_left(desk.activities, qtbot)
        assert desk.toast.label.text() == "run-0001 was not resumed. It can be resumed later."
        assert [run.state for run in session.runs()] == ["interrupted"]
        resuming.resume(run_id)
        qtbot.waitUntil(lambda: session.runs()[0].state == "starting", timeout=LONG)
        only(desk.activities, qtbot).cancel()
        entering.open.set()
        none_left(desk.activities, qtbot)
        assert desk.training.state == "idle"
        (run,) = session.runs()
        assert run.state == "stopped"
        assert not session.resuming.refusal(run)


class Owner(QObject):
    """Somebody who has two things done, each of which refers to it; whom nobody else holds once that is done."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.found: list[int] = []
        self.work = Background(self)
        self.work.item.connect(self.found.append)
        self.work.ended.connect(self.begin)
        self.way = way
        self.begin()

    def begin(self) -> None:
        """Begin with the first thing, or the second."""
        if len(self.found) < 2:
            (self.work.start(self._made) if self.way == "iterated" else self.work.do(self._called))

    def _made(self) -> Iterator[int]:
        yield len(self.found)

    def _called(self, tell: Tell) -> int:
        return len(self.found)


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("way", ["iterated", "called"])
def test_an_owner_whose_work_alone_holds_it_is_let_go_whole(
    qtbot: QtBot, way: str, closed: bool
) -> None:
    """Its thread was destroyed twice: while it was being destroyed the owner went, and with the owner the thread."""
    for _ in range(50):
        owner = Owner(way)
        while len(owner.found) < 2:
            QCoreApplication.processEvents()
        if closed:
            owner.work.shut_down()
        alive = weakref.ref(owner)
        del owner
        qtbot.waitUntil(lambda alive=alive: alive() is None, timeout=LONG)  # type: ignore[misc]
