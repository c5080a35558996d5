"""Parts of the window that are made after it is shown, or when they are first asked for."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QTabWidget
from pytestqt.qtbot import QtBot

from tests.opened import opened
from tests.recorded import recorded_run
from workbench.face.later import Later, LaterPage, Rest


def test_a_part_is_made_once_and_handed_to_who_waits_for_it() -> None:
    made: list[list[int]] = []

    def make() -> list[int]:
        made.append([])
        return made[-1]

    later, heard = Later(make), list[list[int]]()
    later.then(heard.append)
    assert (later.part, heard) == (None, [])
    part = later.get()
    assert later.get() is part is later.part is made[0]
    later.then(heard.append)
    assert heard == [part, part]
    assert len(made) == 1


@pytest.fixture
def tabs(qtbot: QtBot) -> QTabWidget:
    """Three tabs; the page of the middle one is yet to be made."""
    made = QTabWidget()
    qtbot.addWidget(made)
    made.addTab(QLabel("first"), "first")
    made.addTab(LaterPage(made, lambda: QLabel("made")), "middle")
    made.addTab(QLabel("last"), "last")
    return made


def test_a_page_takes_the_place_of_its_tab(tabs: QTabWidget) -> None:
    page = tabs.widget(1)
    assert isinstance(page, LaterPage)
    tabs.setCurrentIndex(2)
    turned: list[int] = []
    tabs.currentChanged.connect(turned.append)
    assert page.present is page
    label = page.later.get()
    assert (tabs.widget(1), tabs.tabText(1), tabs.count()) == (label, "middle", 3)
    assert page.present is label
    assert (tabs.currentIndex(), turned) == (2, [])


def test_a_page_made_while_its_tab_is_seen_is_seen(tabs: QTabWidget) -> None:
    page = tabs.widget(1)
    assert isinstance(page, LaterPage)
    tabs.show()
    tabs.setCurrentIndex(1)
    label = page.later.get()
    assert tabs.currentWidget() is label
    assert label.isVisible()


def test_the_rest_is_made_one_after_another_and_no_more_once_stopped(qtbot: QtBot) -> None:
    made: list[str] = []

    def part(name: str) -> Later[str]:
        return Later(lambda: made.append(name) or name)

    parts = [part(name) for name in "abc"]
    parts[1].get()
    tabs = QTabWidget()
    qtbot.addWidget(tabs)
    rest = Rest(tabs)
    rest.begin(parts)
    qtbot.waitUntil(lambda: "a" in made)
    rest.stop()
    qtbot.wait(120)
    assert made == ["b", "a"]
    rest.begin(parts)
    qtbot.waitUntil(lambda: "c" in made)
    assert made == ["b", "a", "c"]


def test_the_first_look_at_the_window_needs_no_plots(qtbot: QtBot, tmp_path: Path) -> None:
    with opened(tmp_path, qtbot) as window:
        desk = window.desk
        assert desk.page.plots.part is None
        assert desk.ntk_later.part is None
        qtbot.waitUntil(lambda: desk.ntk_later.part is not None, timeout=20_000)
        assert desk.page.plots.part is not None
        names = [desk.tabs.tabText(place) for place in range(desk.tabs.count())]
        assert names == ["Train", "Results", "Compare", "Studies", "NTK", "Try it"]


def test_a_page_made_after_a_run_was_drawn_shows_that_run(qtbot: QtBot, tmp_path: Path) -> None:
    with opened(tmp_path, qtbot) as window:
        desk = window.desk
        desk.page.replay("1", "first", recorded_run())
        assert desk.ntk_later.part is None
        desk.tabs.setCurrentIndex(4)
        qtbot.waitUntil(lambda: desk.ntk_later.part is not None)
        assert desk.tabs.currentWidget() is desk.ntk
        assert desk.ntk.scrubber.run.text() == "first"
        assert len(desk.page.board.record.rows) == 5
