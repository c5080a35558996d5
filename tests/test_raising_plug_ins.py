"""A plug-in that raises in any hook, at any moment: the program lives, names it, and goes on."""

from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.recorded import recorded_run
from tests.test_plug_in_window import shut
from tests.test_plug_ins import home_with
from tests.test_plugins import EVERY_KIND
from tests.test_resume_session import stopped_at
from tests.trained import folders, quick_config
from workbench import measures
from workbench.config import with_values
from workbench.errors import WorkbenchError
from workbench.events import Checkpointed, Failed, Measured, Note
from workbench.face import views
from workbench.face.window import Window
from workbench.plugins.hooks import KINDS
from workbench.session import Session

RAISED = {
    "ValueError": ("raise ValueError('no luck')", "no luck"),
    "SystemExit": ("import sys; sys.exit()", "SystemExit"),
    "KeyError": ("{}['key']", "'key'"),
    "RecursionError": ("f = lambda: f(); f()", "maximum recursion depth exceeded"),
    "another type": ("registry.add('odd', object())", "must be a"),
}
IN_USE = """
def break_now():
    HOW

def method(*parts):
    from workbench.core.method import Method
    if WHERE == "make":
        break_now()
    class Breaking(Method):
        def begin_task(self, *rest, **more):
            if WHERE == "begin_task":
                break_now()
            return super().begin_task(*rest, **more)
        def terms(self, batch):
            if WHERE == "terms":
                break_now()
            return {}
        def end_task(self, *rest, **more):
            if WHERE == "end_task":
                break_now()
            return super().end_task(*rest, **more)
        def state_dict(self):
            if WHERE == "state_dict":
                break_now()
            return {"own": 1}
        def load_state_dict(self, state):
            if WHERE == "load_state_dict":
                break_now()
    return None if WHERE == "nothing" else Breaking(*parts)

def other(*rest):
    if WHERE == "after":
        return [object()]
    break_now()

@hookimpl
def register_methods(registry):
    registry.add("m", MethodChoice("m", "M", "nowhere:Method" if WHERE == "import" else method))

@hookimpl
def register_datasets(registry):
    registry.add("d", DatasetChoice("d", "D", other))

@hookimpl
def register_measures(registry):
    registry.add("x", ExtraMeasure(Measure("x", "X", "1", "x", "x"), other))

@hookimpl
def register_exporters(registry):
    registry.add("e", ExporterChoice("e", "E", other))
"""
PANEL = """
from PySide6.QtWidgets import QWidget
from workbench.plugins import PanelChoice, hookimpl

def break_now():
    HOW

class Breaking(QWidget):
    def __init__(self):
        if WHERE == "make":
            break_now()
        super().__init__()
    def show_news(self, events):
        if WHERE == "show_news":
            break_now()
    def clear(self):
        if WHERE == "clear":
            break_now()

@hookimpl
def register_panels(registry):
    registry.add("p", PanelChoice("p", "P", (lambda: 5) if WHERE == "nothing" else Breaking))
"""
HOWS = {"ValueError": "raise ValueError('no luck')", "SystemExit": "raise SystemExit(3)"}


@pytest.fixture(autouse=True)
def _measures_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "MEASURES", dict(measures.MEASURES))
    monkeypatch.setattr(views, "VIEWS", dict(views.VIEWS))


@pytest.mark.parametrize("how", RAISED)
@pytest.mark.parametrize("kind", KINDS)
def test_a_plug_in_that_raises_while_it_registers_is_named_and_leaves_nothing(
    tmp_path: Path, kind: str, how: str
) -> None:
    statement, said = RAISED[how]
    head = f"def register_{kind}s(registry):\n"
    bad = EVERY_KIND.replace(head, f"{head}    {statement}\n")
    assert bad != EVERY_KIND
    good = EVERY_KIND.replace('add("', 'add("z').replace('Choice("', 'Choice("z').replace('Measure("x"', 'Measure("zx"')  # fmt: skip
    home = home_with(tmp_path, a_bad=bad, z_good=good)
    with closing(Session(home, entry_points=False, trust_plugins=True)) as session:
        states = {entry.name: entry.state for entry in session.plug_ins.entries}
        (problem,) = session.plug_ins.loaded.problems
        assert states["a_bad.py"] == "failed"
        assert states["z_good.py"] == "loaded"
        assert problem.startswith("a_bad.py: ")
        assert said in problem
        assert "(line " in problem
        names = [name for entry in session.plug_ins.entries for _, name in entry.brings]
        assert not {"b", "m", "d", "x", "e", "p", "odd"} & set(names)
        assert "zm" in session.plug_ins.loaded.methods.names()
        assert session.runs() == []


def in_use(tmp_path: Path, where: str, how: str) -> Session:
    text = IN_USE.replace("WHERE", repr(where)).replace("HOW", HOWS[how])
    home = home_with(tmp_path, breaking=text)
    session = Session(home, entry_points=False, trust_plugins=True)
    assert session.plug_ins.loaded.problems == ()
    return session


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "how"),
    [
        *[(w, h) for w in ("make", "begin_task", "terms", "end_task") for h in HOWS],
        ("nothing", "ValueError"),
        ("import", "ValueError"),
    ],
)
def test_a_method_that_raises_ends_its_run_alone_and_is_named(
    tmp_path: Path, where: str, how: str
) -> None:
    with closing(in_use(tmp_path, where, how)) as session:
        config = quick_config(folders(tmp_path / "pictures"))
        run = session.start(with_values(config, {"method.name": "m"}))
        assert run.work() == "failed"
        last = run.news()[-1]
        assert isinstance(last, Failed)
        assert "breaking.py" in last.sentence, last
        assert "The program made a mistake" not in last.sentence
        assert session.runs()[0].state == "failed"
        other = session.start(config)  # the same session trains on, with a measure that raises
        assert other.work() == "finished"
        made = [e for e in session.events(other.id) if isinstance(e, Measured) and e.name == "x"]
        assert len(made) == 2
        assert all(e.value is None and "breaking.py" in e.reason for e in made)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOWS)
def test_a_method_that_cannot_say_what_it_keeps_trains_on_without_checkpoints(
    tmp_path: Path, how: str
) -> None:
    with closing(in_use(tmp_path, "state_dict", how)) as session:
        config = quick_config(folders(tmp_path / "pictures"))
        run = session.start(with_values(config, {"method.name": "m"}))
        assert run.work() == "finished"
        events = session.events(run.id)
        (note,) = [e.text for e in events if isinstance(e, Note) and "has no checkpoints" in e.text]
        assert "The method 'm' keeps something that cannot be saved" in note
        assert "its state_dict failed, breaking.py: " in note
        assert not any(isinstance(event, Checkpointed) for event in events)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOWS)
def test_a_method_that_cannot_be_brought_back_is_named(tmp_path: Path, how: str) -> None:
    with closing(in_use(tmp_path, "load_state_dict", how)) as session:
        config = quick_config(folders(tmp_path / "pictures"))
        run = stopped_at(session, with_values(config, {"method.name": "m"}), 2)
        run = session.resuming.resume(run.id)
        assert run.work() == "failed"
        last = run.news()[-1]
        assert isinstance(last, Failed)
        assert last.sentence.startswith("The method 'm' of the plug-in breaking.py failed: ")


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("where", ["now", "after"])
def test_data_sets_and_exporters_that_raise_are_sentences_with_the_plug_ins_name(
    tmp_path: Path, where: str, how: str
) -> None:
    with closing(in_use(tmp_path, where, how)) as session:
        with pytest.raises(WorkbenchError, match=r"The data set 'D' failed\. breaking\.py: "):
            session.plug_ins.take_data("d", None)
        with pytest.raises(WorkbenchError, match=r"The exporter 'E' failed\. breaking\.py: "):
            session.plug_ins.export("e", None, [], tmp_path)  # type: ignore[arg-type]
        assert len(session.plug_ins.take_data("sample", None)) == 5


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("where", ["make", "show_news", "clear", "nothing"])
def test_a_panel_that_raises_is_closed_and_named_and_the_window_goes_on(
    tmp_path: Path, qtbot: QtBot, where: str, how: str
) -> None:
    home = home_with(tmp_path)
    text = PANEL.replace("WHERE", repr(where)).replace("HOW", HOWS[how])
    (home / "plugins" / "breaking.py").write_text(text, encoding="utf-8")
    window = Window(Session(home, entry_points=False, trust_plugins=True))
    qtbot.addWidget(window, before_close_func=shut)
    window.show()
    desk = window.desk
    desk.page.replay("x", "run-0001", recorded_run(2))
    desk.page.back_to_live()
    qtbot.waitUntil(lambda: "panel p" in desk.strips.texts(), timeout=20_000)
    assert desk.strips.texts()["panel p"].startswith("The panel 'P' failed and was closed")
    assert "P" not in [desk.tabs.tabText(i) for i in range(desk.tabs.count())]
    assert "Switch off" in desk.strips.strip("panel p").buttons  # noqa: B005  (no string)
    desk.page.replay("y", "run-0002", recorded_run(3))
    assert len(desk.page.board.record.rows) == 3  # our own panels draw on
