"""Plug-ins in use: learnt by, measured, exported, recorded, and what happens where one raises."""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.trained import folders, quick_config
from workbench import measures
from workbench.cli import main
from workbench.config import RunConfig, with_values
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Checkpointed, Evaluated, Event, Failed, Measured, Note, Resumed, Step
from workbench.paths import LOG_NAME, ROOT
from workbench.session import Session

EXAMPLES = ROOT / "plugins" / "examples"
HEAD = """
from workbench.events import Evaluated
from workbench.measures import Measure
from workbench.plugins import (
    DatasetChoice, ExporterChoice, ExtraMeasure, MethodChoice, hookimpl)
"""
BROKEN_METHOD = """
def make(*parts):
    from workbench.core.method import Method
    class Broken(Method):
        def terms(self, batch):
            return 1 / 0
    return Broken(*parts)

@hookimpl
def register_methods(registry):
    registry.add("broken", MethodChoice("broken", "Broken", make))
"""
MEASURES = """
def worst(events):
    return min([e for e in events if isinstance(e, Evaluated)][-1].accuracy)

def odd(events):
    return {}["nothing"]

@hookimpl
def register_measures(registry):
    for name, make in (("worst_task", worst), ("odd_one", odd), ("none", lambda events: "not now")):
        registry.add(name, ExtraMeasure(Measure(name, name.title(), "fraction", "min R", "x"), make))
"""
EXPORTERS = """
def good(details, events, folder):
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "count.txt"
    file.write_text(f"{details.summary.name} {len(events)}")
    return [file]

def bad(details, events, folder):
    raise KeyError("column")

@hookimpl
def register_exporters(registry):
    registry.add("good", ExporterChoice("good", "Good", good))
    registry.add("bad", ExporterChoice("bad", "Bad", bad))

@hookimpl
def register_datasets(registry):
    registry.add("bad", DatasetChoice("bad", "Bad", bad_data))

def bad_data(place, given):
    raise ValueError("no data")
"""


@pytest.fixture(autouse=True)
def _measures_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(measures.MEASURES) - measures._OWN:
        monkeypatch.delitem(measures.MEASURES, name)


def home_with(tmp_path: Path, **texts: str) -> Path:
    own = tmp_path / "home" / "plugins"
    own.mkdir(parents=True)
    for name, text in texts.items():
        (own / f"{name}.py").write_text(HEAD + text, encoding="utf-8")
    return tmp_path / "home"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    home = home_with(tmp_path, broken=BROKEN_METHOD, numbers=MEASURES, export=EXPORTERS)
    shutil.copy(EXAMPLES / "logit_scale.py", home / "plugins")
    with closing(Session(home, entry_points=False, trust_plugins=True)) as session:
        assert session.plug_ins.loaded.problems == ()
        yield session


def quick(tmp_path: Path, method: str) -> RunConfig:
    return with_values(quick_config(folders(tmp_path / "pictures")), {"method.name": method})


def decided(events: list[Event]) -> list[Event]:
    """Leave out what clock and user say."""
    return [event for event in events if not isinstance(event, (Checkpointed, Resumed))]


def trained(session: Session, config: RunConfig) -> tuple[str, list[Event]]:
    run = session.start(config)
    run.work()
    return run.id, run.news()


@pytest.mark.slow
def test_the_example_method_is_trained_logged_exported_and_replayed_like_ours(
    session: Session, tmp_path: Path
) -> None:
    run, news = trained(session, quick(tmp_path, "logit-scale"))
    details = session.details(run)
    assert details.summary.state == "finished", news[-1]
    assert details.config["method"]["name"] == "logit-scale"
    assert details.config["switches"]["fusion_refit"] == "none"  # what the method fixes is recorded
    assert details.versions["plug-in logit_scale.py"].startswith("1.0 (sha256 ")
    steps = [event for event in session.events(run) if isinstance(event, Step)]
    assert steps == [event for event in news if isinstance(event, Step)]
    assert set(steps[0].terms) == {
        "cross_entropy_s1", "cross_entropy_s2", "cross_entropy_hybrid", "total",
    }  # fmt: skip
    entropies = sum(value for name, value in steps[0].terms.items() if name != "total")
    assert steps[0].terms["total"] == pytest.approx(entropies, rel=1e-5)
    files = session.export(run, tmp_path / "out")
    assert {"adapter.safetensors", "curves.csv"} <= {file.name for file in files}
    picture = next((tmp_path / "pictures").rglob("*.png"))
    with closing(Session(tmp_path / "another", entry_points=False)) as without:  # no plug-in there
        guesses = list(without.predict(str(tmp_path / "out" / "adapter"), [str(picture)]))
    assert len(guesses[-1].classes) == 4  # type: ignore[union-attr]


@pytest.mark.slow
def test_fine_tuning_answers_from_the_current_section_alone(
    session: Session, tmp_path: Path
) -> None:
    run, news = trained(session, quick(tmp_path, "fine-tuning"))
    assert session.details(run).summary.state == "finished", news[-1]
    model = session.details(run).config["model"]
    assert (model["alpha"], model["beta"], model["gamma"]) == (1.0, 0.0, 0.0)


@pytest.mark.slow
def test_measures_are_numbers_of_the_run_and_absent_with_a_reason_where_they_fail(
    session: Session, tmp_path: Path
) -> None:
    run, _ = trained(session, quick(tmp_path, "ntk-cl"))
    events = session.events(run)
    rows = [event for event in events if isinstance(event, Evaluated)]
    said = {
        (event.name, event.task): event for event in events if isinstance(event, Measured)
    }  # fmt: skip
    for row in rows:
        assert said["worst_task", row.after_task].value == np.min(row.accuracy)
        assert said["odd_one", row.after_task].value is None
        assert said["odd_one", row.after_task].reason == "numbers.py: 'nothing' (line 11)."
        assert said["none", row.after_task].reason == "not now"
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any(text.startswith("The measure 'Odd_One' failed and is left out.") for text in notes)
    session.export(run, tmp_path / "out", adapter=False)
    curves = (tmp_path / "out" / "curves.csv").read_text(encoding="utf-8")
    assert "measure,worst_task,fraction,0," in curves
    with closing(sqlite3.connect(session.home / LOG_NAME)) as log:
        found = log.execute("SELECT label, unit, formula FROM metric_key WHERE name = 'worst_task'")
        assert found.fetchall() == [("Worst_Task", "fraction", "min R")]


@pytest.mark.slow
def test_a_run_stopped_at_a_measure_of_a_plug_in_goes_on_with_every_word_said_once(
    session: Session, tmp_path: Path
) -> None:
    """The engine stands at the task's end by then, but the run has not said that yet."""
    config = with_values(quick(tmp_path, "ntk-cl"), {"monitor.probe_per_task": 0})
    whole, _ = trained(session, config)
    run = session.start(config)
    take = run._take

    def listen(event: Event) -> None:
        take(event)
        if isinstance(event, Measured) and event.name == "worst_task":
            run.stop()

    run._take = listen  # type: ignore[method-assign]  # to stop at exactly this word
    assert run.work() == "stopped"
    assert session.resuming.resume(run.id).work() == "finished"
    assert decided(session.events(run.id)) == decided(session.events(whole))


@pytest.mark.slow
def test_an_error_in_a_method_ends_its_run_with_a_sentence_that_names_the_plug_in(
    session: Session, tmp_path: Path
) -> None:
    _, news = trained(session, quick(tmp_path, "broken"))
    assert isinstance(news[-1], Failed)
    assert news[-1].sentence.startswith(
        "The method 'broken' of the plug-in broken.py failed: division by zero (line "
    )
    assert "ZeroDivisionError" in news[-1].detail


def test_an_unknown_method_is_refused_with_the_nearest_name_and_what_is_not_loaded(
    tmp_path: Path,
) -> None:
    home = home_with(tmp_path, new="x = 1")
    with closing(Session(home, entry_points=False)) as session:
        with pytest.raises(UsageError) as refused:
            session.start(quick(tmp_path, "ntkcl"))
        assert "Did you mean 'ntk-cl'?" in str(refused.value)
        assert "Not loaded: new.py." in str(refused.value)
        assert session.runs() == []


@pytest.mark.slow
def test_exporters_write_from_the_log_and_a_failing_one_is_a_sentence(
    session: Session, tmp_path: Path
) -> None:
    run, _ = trained(session, quick(tmp_path, "ntk-cl"))
    details, events = session.details(run), session.events(run)
    (file,) = session.plug_ins.export("good", details, events, tmp_path / "out")
    assert file.read_text() == f"{details.summary.name} {len(events)}"
    with pytest.raises(WorkbenchError, match=r"The exporter 'Bad' failed. export.py: 'column' "):
        session.plug_ins.export("bad", details, events, tmp_path / "out")
    with pytest.raises(WorkbenchError, match=r"The data set 'Bad' failed. export.py: no data "):
        session.plug_ins.take_data("bad", None)
    home = str(session.home)
    assert (
        main(["export", "--home", home, run, "--to", str(tmp_path / "cli"), "--with", "good"]) == 0
    )
    assert (tmp_path / "cli" / "count.txt").exists()


def test_the_measure_of_the_manual_works(tmp_path: Path) -> None:
    (text,) = re.findall(r"```python\n(.*?)```", (ROOT / "plugins" / "README.md").read_text(), re.S)
    home = home_with(tmp_path, worst=text)
    with closing(Session(home, entry_points=False, trust_plugins=True)) as session:
        (measure,) = session.plug_ins.loaded.measures
    row = Evaluated(1, 9, (0.5, 0.25), (1.0, 1.0), (1.0, 1.0), (0.0, 0.0), (4, 4))
    assert measure.make([row]) == 0.25  # type: ignore[operator]
    assert measure.make([]) == "nothing was tested"  # type: ignore[operator]


def test_our_data_sets_come_through_the_hook(tmp_path: Path) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        assert len(session.plug_ins.take_data("sample", None)) == 5
        with pytest.raises(UsageError, match="Fashion-MNIST could not be unpacked from"):
            session.plug_ins.take_data("fashion-mnist", tmp_path)


def test_the_command_line_leaves_new_files_out_until_they_are_trusted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_with(tmp_path, mine="x = 1")
    told = "'mine.py' is new and was not run. Plug-ins are programs and can do anything you can."
    assert main(["runs", "--home", str(home)]) == 0
    assert told in capsys.readouterr().err
    assert main(["doctor", "--json", "--home", str(home)]) == 0
    facts = json.loads(capsys.readouterr().out)["plug-ins"]
    assert facts["mine.py"].endswith(": new, not run")
    assert facts["example_backbone.py"].endswith(
        "brings backbone 'vit_base_patch8_224.augreg_in21k'"
    )
    assert main(["--trust-plugins", "runs", "--home", str(home)]) == 0
    assert main(["runs", "--home", str(home)]) == 0
    assert told not in capsys.readouterr().err


def test_safe_mode_starts_with_the_built_ins_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_with(tmp_path, mine="1 / 0")
    assert main(["--safe-mode", "doctor", "--json", "--home", str(home), "--trust-plugins"]) == 0
    facts = json.loads(capsys.readouterr().out)["plug-ins"]
    assert {fact.partition(": ")[2] for fact in facts.values()} == {"left out of this start"}


def test_after_a_start_that_died_in_a_plug_in_the_next_is_without_and_can_be_made_whole(
    tmp_path: Path,
) -> None:
    home = home_with(tmp_path, mine="x = 1")
    (home / "plugins.loading").write_text("999999999 mine.py", encoding="utf-8")
    with closing(Session(home, entry_points=False)) as session:
        plug_ins = session.plug_ins
        assert plug_ins.loaded.names == ()
        assert plug_ins.notes() == (
            "Started without plug-ins because the last start failed in 'mine.py'.",
        )
        plug_ins.load_left_out()
        assert plug_ins.loaded.names == ("example_backbone.py",)
        assert [entry.name for entry in plug_ins.waiting()] == ["mine.py"]
