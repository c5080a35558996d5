"""Plug-ins in the window: asked about, listed, switched, closed when they fail, and seen where they belong."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from tests.logged import begin
from tests.recorded import recorded_run
from tests.test_plug_ins import EXAMPLES, EXPORTERS, HEAD, MEASURES
from tests.trained import folders, quick_config
from workbench import measures
from workbench.events import Measured
from workbench.face import views
from workbench.face.messages import DetailBox
from workbench.face.plug_ins import PlugInFeature
from workbench.face.window import Window
from workbench.log.store import Log
from workbench.log.writer import Writer
from workbench.paths import LOG_NAME
from workbench.session import Session

Open = Callable[..., tuple[Window, PlugInFeature]]

PANEL = """
from PySide6.QtWidgets import QLabel
from workbench.events import Evaluated
from workbench.plugins import PanelChoice

class Frail(QLabel):
    def show_news(self, events):
        for event in events:
            if isinstance(event, Evaluated):
                raise ValueError("cannot draw this")

    def clear(self):
        self.setText("")

class Painting(Frail):
    def show_news(self, events):
        pass

    def paintEvent(self, event):
        raise OSError("no paint")

def unmade():
    raise RuntimeError("no widget today")

@hookimpl
def register_panels(registry):
    registry.add("WHICH", PanelChoice("WHICH", "Confusion", WHICH))
"""


@pytest.fixture(autouse=True)
def _measures_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(measures.MEASURES) - measures._OWN:
        monkeypatch.delitem(measures.MEASURES, name)
    for name in [key for key in views.VIEWS if key.startswith("measure.")]:
        monkeypatch.delitem(views.VIEWS, name)


@pytest.fixture
def opened(tmp_path: Path, qtbot: QtBot) -> Open:
    kept: list[Window] = []  # qtbot knows them weakly

    def open_window(*, trust: bool = True, **texts: str) -> tuple[Window, PlugInFeature]:
        own = tmp_path / "home" / "plugins"
        own.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (own / f"{name}.py").write_text(text, encoding="utf-8")
        session = Session(tmp_path / "home", entry_points=False, trust_plugins=trust)
        window = Window(session)
        kept.append(window)
        qtbot.addWidget(window, before_close_func=shut)
        window.show()
        (feature,) = (f for f in window.features if isinstance(f, PlugInFeature))
        return window, feature

    return open_window


def shut(window: Window) -> None:
    for feature in window.features:
        feature.shut_down()
    assert window.desk.shut_down()
    window.desk.session.close()


def tab_names(window: Window) -> list[str]:
    return [window.desk.tabs.tabText(i) for i in range(window.desk.tabs.count())]


def test_a_new_plug_in_is_asked_about_and_not_now_leaves_it_out(
    opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "home" / "plugins")
    for name in ("task_confusion.py", "feature_memory.py"):
        (tmp_path / "home" / "plugins" / name).unlink()
    window, feature = opened(trust=False)
    qtbot.waitUntil(lambda: feature.question is not None, timeout=10_000)
    question = feature.question
    assert question is not None
    assert question.text() == (
        "Plug-ins are programs and can do anything you can. Load 'logit_scale.py'?"
    )
    assert question.button(QMessageBox.StandardButton.Cancel).text() == "Not now"
    assert question.defaultButton().text() == "Not now"
    question.reject()
    assert [entry.name for entry in feature.plug_ins.waiting()] == ["logit_scale.py"]
    assert window.desk.settings.method.box.findData("logit-scale") < 0


def test_load_runs_it_now_and_at_every_later_start(
    opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    own = tmp_path / "home" / "plugins"
    shutil.copytree(EXAMPLES, own)
    window, feature = opened(trust=False)
    for name in (
        "feature_memory.py",
        "logit_scale.py",
        "task_confusion.py",
    ):  # one question after the other
        qtbot.waitUntil(
            lambda name=name: feature.question is not None and name in feature.question.text(),
            timeout=10_000,
        )
        assert feature.question is not None
        feature.question.answers["Load"].click()
    assert window.desk.settings.method.box.findData("logit-scale") >= 0
    assert "Confusion" in tab_names(window)
    again, _ = opened(trust=False)
    assert "Confusion" in tab_names(again)


def test_the_example_panel_shows_a_replayed_run_and_forgets_it(
    opened: Open, tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "home" / "plugins")
    window, feature = opened()
    events = recorded_run()
    window.desk.page.replay("x", "run-0001", events)
    panel = feature.panels.panel("task-confusion")
    row = [event for event in events if type(event).__name__ == "Evaluated"][-1]
    assert [bar.value() for bar in panel.bars] == [  # type: ignore[attr-defined]
        round(100 * (1 - share)) for share in row.task_id
    ]
    assert "taken for another task" in panel.bars[0].accessibleName()  # type: ignore[attr-defined]
    window.desk.page.back_to_live()
    assert panel.bars == []  # type: ignore[attr-defined]


def test_a_panel_loaded_later_gets_what_the_run_said_before(
    opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "home" / "plugins")
    window, feature = opened(trust=False)
    window.desk.page.replay("x", "run-0001", recorded_run())
    feature.load("task_confusion.py")
    assert feature.panels.panel("task-confusion").bars  # type: ignore[attr-defined]


@pytest.mark.parametrize("which", ["Frail", "unmade"])
def test_a_panel_that_raises_is_closed_with_a_sentence_and_the_window_goes_on(
    opened: Open, qtbot: QtBot, which: str
) -> None:
    window, feature = opened(frail=HEAD + PANEL.replace("WHICH", which))
    if which == "Frail":
        assert "Confusion" in tab_names(window)
    window.desk.page.replay("x", "run-0001", recorded_run())
    strips = window.desk.strips
    qtbot.waitUntil(lambda: f"panel {which}" in strips.texts(), timeout=10_000)
    told = "The panel 'Confusion' failed and was closed; training goes on."
    assert strips.texts()[f"panel {which}"] == told
    assert "Confusion" not in tab_names(window)
    assert window.desk.page.board.record.rows  # our own panels have drawn
    buttons = strips.strip(f"panel {which}").buttons
    buttons["Details"].click()
    box = window.findChild(DetailBox)
    assert box is not None
    assert "frail.py" in box.details.toPlainText()
    box.close()
    buttons["Switch off"].click()
    assert feature.plug_ins.is_off("frail.py")
    assert f"panel {which}" not in strips.texts()


@pytest.mark.slow
def test_training_goes_on_when_a_panel_fails(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window, _ = opened(frail=HEAD + PANEL.replace("WHICH", "Frail"))
    desk = window.desk
    run = desk.session.start(quick_config(folders(tmp_path / "pictures")))
    with qtbot.waitSignal(desk.training.ended, timeout=120_000) as ended:
        desk.begin(run)
    assert ended.args == ["finished"]
    qtbot.waitUntil(lambda: "panel Frail" in desk.strips.texts(), timeout=10_000)
    assert len(desk.page.board.record.rows) == 2
    assert "Confusion" not in tab_names(window)


def test_a_panel_that_raises_while_qt_paints_it_is_closed_too(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, feature = opened(frail=HEAD + PANEL.replace("WHICH", "Painting"))
    with qtbot.captureExceptions() as caught:
        window.desk.tabs.setCurrentWidget(feature.panels.panel("Painting"))
        qtbot.waitUntil(lambda: bool(caught), timeout=10_000)
    error = caught[0][1]
    assert any(feature.takes(error) for feature in window.features)
    qtbot.waitUntil(lambda: "Confusion" not in tab_names(window), timeout=10_000)
    assert "panel Painting" in window.desk.strips.texts()
    assert not feature.takes(ValueError("ours"))


def test_the_list_says_what_failed_where_and_copies_it(
    opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window, feature = opened(confusion="\n\nimport foo_that_is_nowhere\n")
    sentence = "confusion.py: No module named 'foo_that_is_nowhere' (line 3)."
    strips = window.desk.strips
    assert strips.texts()["plug-in confusion.py"] == sentence
    strips.strip("plug-in confusion.py").buttons["Plug-ins…"].click()  # noqa: B005  (no string)
    assert feature.list is not None
    names = [feature.list.tree.topLevelItem(i).text(0) for i in range(2)]
    assert names == ["example_backbone.py", "confusion.py"]
    feature.list.choose("confusion.py")
    assert feature.list.about.toPlainText().startswith(sentence)
    feature.list.copy()
    assert "Traceback" in QGuiApplication.clipboard().text()
    feature.list.close()


def test_switching_off_is_kept_and_switching_on_loads_at_once(opened: Open, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "home" / "plugins")
    window, feature = opened()
    feature.show_plug_ins()
    assert feature.list is not None
    feature.list.choose("task_confusion.py")
    feature.list.switch_button.click()
    assert "Confusion" not in tab_names(window)
    item = feature.list.tree.currentItem()
    assert item.text(3) == "off from the next start"
    assert feature.list.switch_button.text() == "Switch on"
    feature.list.close()

    later, other = opened()
    assert "Confusion" not in tab_names(later)
    other.switch("task_confusion.py", True)
    assert "Confusion" in tab_names(later)


def test_a_switch_that_cannot_be_kept_changes_nothing(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "home" / "plugins")
    window, feature = opened()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("workbench.plugins.memory.os.replace", full)
        feature.switch("task_confusion.py", False)
    told = window.desk.strips.texts()["plug-ins"]
    assert told.endswith("cannot be written: No space left on device. Nothing was changed.")
    assert "Confusion" in tab_names(window)
    assert not feature.plug_ins.is_off("task_confusion.py")
    feature.switch("task_confusion.py", False)
    assert "Confusion" not in tab_names(window)


def test_a_start_without_plug_ins_can_be_tried_again(
    opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "home" / "plugins")
    first, _ = opened()
    assert "Confusion" in tab_names(first)
    (tmp_path / "home" / "plugins.loading").write_text("999999999 x.py", encoding="utf-8")
    window, _ = opened(trust=False)
    assert "Confusion" not in tab_names(window)
    strip = window.desk.strips.strip("plug-ins")
    assert strip.accessibleName() == (
        "Started without plug-ins because the last start failed in 'x.py'."
    )
    strip.buttons["Try again with plug-ins"].click()
    assert "Confusion" in tab_names(window)
    assert "plug-ins" not in window.desk.strips.texts()


def test_a_measure_of_a_plug_in_is_a_curve(opened: Open) -> None:
    window, _ = opened(numbers=HEAD + MEASURES)
    gap = window.desk.page.board.gap
    gap.show_view("measure.worst_task")
    said = [Measured("worst_task", task, 0, 10 * task, 0.5 + task / 10) for task in range(2)]
    window.desk.page.board.show_news([*recorded_run(), *said])
    assert gap.title() == "Worst_Task"
    assert "min R" in gap.toolTip()
    assert len(gap.table()[1]) >= 2


def test_a_data_set_is_added_from_the_menu(opened: Open, qtbot: QtBot) -> None:
    window, feature = opened(export=HEAD + EXPORTERS)
    assert window.actions_by_id["data_sets"].menu() is feature.data_menu
    feature.data_menu.aboutToShow.emit()
    by_title = {action.text(): action for action in feature.data_menu.actions()}
    assert list(by_title) == ["Sample pictures", "Fashion-MNIST", "Bad"]
    by_title["Bad"].trigger()
    strips = window.desk.strips
    qtbot.waitUntil(lambda: "plug-ins" in strips.texts(), timeout=20_000)
    assert strips.texts()["plug-ins"].startswith("The data set 'Bad' failed. export.py: no data ")
    qtbot.waitUntil(lambda: not feature.busy, timeout=20_000)
    by_title["Sample pictures"].trigger()
    qtbot.waitUntil(
        lambda: window.desk.adder.sheet is not None or bool(window.desk.draft.state.tasks),
        timeout=60_000,
    )


def test_an_exporter_of_a_plug_in_writes_from_the_menu(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    with Log(tmp_path / "home" / LOG_NAME) as log:
        begin(log, "a" * 32)
    with Writer(tmp_path / "home" / LOG_NAME, "a" * 32) as writer:
        for event in recorded_run():
            writer.add(event)
    window, feature = opened(export=HEAD + EXPORTERS)
    window.desk.replay("a" * 32)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "out"))
    feature.export_menu.aboutToShow.emit()
    good, bad = feature.export_menu.actions()
    assert (good.text(), bad.text()) == ("Good…", "Bad…")
    good.trigger()
    qtbot.waitUntil(lambda: bool(list((tmp_path / "out").rglob("count.txt"))), timeout=20_000)
    qtbot.waitUntil(lambda: not feature.busy, timeout=20_000)
    bad.trigger()
    qtbot.waitUntil(lambda: "plug-ins" in window.desk.strips.texts(), timeout=20_000)
    sentence = window.desk.strips.texts()["plug-ins"]
    assert sentence.startswith("The exporter 'Bad' failed. export.py: 'column' (line ")
    qtbot.waitUntil(lambda: not feature.busy, timeout=20_000)


def test_the_setting_of_the_method_says_what_it_is(opened: Open, qapp: QApplication) -> None:
    window, _ = opened()
    box = window.desk.settings.method.box
    assert [box.itemData(i) for i in range(2)] == ["ntk-cl", "fine-tuning"]
    box.activated.emit(1)
    assert window.desk.draft.state.settings.method.name == "fine-tuning"
    assert "fine-tuning" in window.desk.title()
    window.desk.draft.set_values({"method.name": "gone"}, "x")
    assert box.currentText() == "gone"
