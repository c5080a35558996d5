"""The report of a run and of a comparison: whole, self-contained, every number the log's, hostile names shown as text."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.logged import timed
from tests.recorded import recorded_run
from tests.test_compare import comparing, log_run, other_pictures, tick
from tests.test_run_verbs import end
from workbench.cli import main
from workbench.config import RunConfig, to_dict, with_values
from workbench.events import Evaluated, Event, Failed, Measured, Note, RunStarted
from workbench.face.canvas import ensure_application
from workbench.face.reports import Reports
from workbench.face.run_report import facts_of, run_figures, run_page
from workbench.face.theme import DARK, LIGHT
from workbench.face.window import Window
from workbench.session import Session

HOSTILE = "<script>alert('x')</script> & \"</svg></title>"
REPORT, COMPARISON = "export_report", "export_comparison"  # subjects of strips
_VOID = {"meta", "br", "link", "img", "input", "hr"}
_REFERENCES = {"src", "href", "xlink:href", "srcset", "action", "data", "poster", "background"}


class Read(HTMLParser):
    """Reads a page as a browser would, and notes what must not be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.values: list[float] = []
        self.text = ""
        self.feed(text)
        self.close()
        self.wrong += [f"<{name}> is not closed" for name in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in _REFERENCES and not str(value).startswith(("#", "data:")):
                self.wrong.append(f"{tag} refers to {value}")
            if name.startswith("on") or "url(" in str(value).replace("url(#", ""):
                self.wrong.append(f"{tag} has {name}={value}")
            self.ids += [str(value)] if name == "id" else []
        if tag == "data":
            self.values.append(float(str(dict(attrs)["value"])))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.wrong += [word for word in ("url(", "@import") if word in data]
        elif "svg" not in self.open:
            self.text += f" {data}"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with closing(Session(tmp_path / "home", entry_points=False)) as made:
        yield made


def logged(session: Session, events: list[Event], name: str = "run-0001", **values: object) -> str:
    config = with_values(RunConfig(), {key.replace("__", "."): v for key, v in values.items()})
    with session.log() as log:
        log.begin(
            "id1", name, to_dict(config), {"s2_init": "kaiming"}, "repaired", "sample", 7, {"torch": "2.6"}, 3
        )  # fmt: skip
        log.write("id1", timed(events))
    return "id1"


def page_of(session: Session, run: str, *, drawn: bool = True) -> str:
    application = ensure_application()
    facts = facts_of(session, run)
    text = run_page(facts, list(run_figures(session, facts)) if drawn else [])
    assert application is not None
    return text


def test_the_report_tells_the_precision_or_that_it_was_not_recorded(session: Session) -> None:
    started = recorded_run(1)[0]
    assert isinstance(started, RunStarted)
    run = logged(session, [replace(started, precision="tf32")])
    assert "<dt>Precision</dt><dd>tf32</dd>" in page_of(session, run, drawn=False)


def test_the_report_of_a_run_is_whole_and_needs_nothing_else(session: Session) -> None:
    text = page_of(session, logged(session, recorded_run(3)))
    read = Read(text)
    assert read.wrong == []
    assert not {"script", "link", "img", "iframe", "object"} & set(read.tags)
    assert len(read.ids) == len(set(read.ids))
    assert read.tags.count("svg") > 5
    assert "default-src 'none'" in text
    assert "prefers-color-scheme:dark" in text
    assert LIGHT.base in text
    assert DARK.base in text
    assert "@media print" in text


def test_every_number_of_the_report_is_the_logs(session: Session) -> None:
    events = recorded_run(3)
    more = {"average_accuracy": 0.87125, "backward_transfer": -1 / 7, "baseline_average": 2 / 3}
    events[-1:-1] = [Measured(name, 2, 3, 72, value) for name, value in more.items()]
    run = logged(session, events)
    read = Read(page_of(session, run, drawn=False))
    details = session.details(run)
    summary = details.summary
    last = {m["name"]: m["value"] for m in details.metrics if m["other"] is None}
    known = [
        summary.average_accuracy, summary.baseline_accuracy, summary.final_accuracy,
        last["baseline_seen"], summary.forgetting, last["backward_transfer"],
    ]  # fmt: skip
    matrix = [value for row in details.accuracy_matrix for value in row if value is not None]
    floor = [value for value in details.baseline[-1] if value is not None]
    said = [value for value in last.values() if value is not None]
    assert None not in known
    assert read.values[: len(known)] == known
    assert read.values[len(known) : -len(said)] == matrix + floor
    assert sorted(read.values[-len(said) :]) == sorted(said)
    assert "Backward transfer" in read.text


def test_an_absent_number_has_its_reason_and_is_never_zero(session: Session) -> None:
    reason = "there is no earlier task yet"
    events = [
        e for e in recorded_run(1) if not (isinstance(e, Measured) and e.name == "forgetting")
    ]
    events.insert(-1, Measured("forgetting", 0, 3, 24, None, reason))
    read = Read(page_of(session, logged(session, events), drawn=False))
    assert reason in read.text
    assert 0.0 not in read.values[:3]
    assert "0.0 %" not in read.text


def test_hostile_names_and_notes_are_shown_as_they_are_written(session: Session) -> None:
    events = recorded_run(2)
    events.insert(5, Note(HOSTILE, "warning"))
    run = logged(session, events, name=HOSTILE)
    session.table.note(run, f"{HOSTILE}\n\x00\x1b second line")
    session.table.tag(run, [HOSTILE])
    read = Read(page_of(session, run))
    assert read.wrong == []
    assert "script" not in read.tags
    assert read.text.count(HOSTILE) >= 4
    assert "\x00" not in read.text
    assert "\x1b" not in read.text


@pytest.mark.parametrize("ending", ["stopped", "failed"])
def test_a_run_without_a_finished_task_has_a_report(session: Session, ending: str) -> None:
    kept = [e for e in recorded_run(1, ending=ending) if not isinstance(e, (Measured, Evaluated))]
    text = page_of(session, logged(session, kept))
    read = Read(text)
    assert read.wrong == []
    assert read.values == []
    assert "the run ended before its first task was learnt" in read.text
    if ending == "failed":
        assert "failed: The loss became NaN." in read.text
        assert "The loss is not finite." in read.text


def test_a_run_that_never_began_has_a_report(session: Session) -> None:
    read = Read(page_of(session, logged(session, [Failed("No picture can be read.")])))
    assert read.wrong == []
    assert "The run has not looked at its pictures." in read.text
    assert "has recorded nothing that can be drawn" in read.text


def test_settings_that_differ_from_the_default_are_marked(session: Session) -> None:
    run = logged(session, recorded_run(1), train__epochs=77)
    text = page_of(session, run, drawn=False)
    changed = list(text.split('<tr class="changed">')[1:])
    assert len(changed) == 1
    assert changed[0].startswith("<th")
    assert ">77</td>" in changed[0].partition("</tr>")[0]


def test_settings_of_another_version_are_shown_as_they_are_written(session: Session) -> None:
    config = {"data": {"tasks": [7]}, "train": {"momentum_of_tomorrow": 0.125}}
    with session.log() as log:
        log.begin("id1", "run-0001", config, {}, "repaired", "sample", 7, {"torch": "2.6"}, 1)
        log.write("id1", timed(recorded_run(1)))
    read = Read(page_of(session, "id1", drawn=False))
    assert read.wrong == []
    assert "Written by another version" in read.text
    assert '{"momentum_of_tomorrow": 0.125}' in read.text


def test_the_command_line_writes_the_report(session: Session, tmp_path: Path) -> None:
    run, home = logged(session, recorded_run(2)), str(session.home)
    target = tmp_path / "out"
    assert main(["--home", home, "export", run, "--to", str(target), "--report"]) == 0
    assert [path.name for path in target.iterdir()] == ["report.html"]
    assert Read((target / "report.html").read_text("utf-8")).wrong == []
    (tmp_path / "file").write_text("")
    assert main(["--home", home, "export", run, "--to", str(tmp_path / "file"), "--report"]) == 1


@pytest.fixture
def window(session: Session, qtbot: QtBot) -> Window:
    with session.log() as log:
        for number in (1, 2):
            log_run(log, number, recorded_run(2, seed=number), seeds__initialisation=number)
        log_run(log, 3, other_pictures(recorded_run(2, seed=3)))
    made = Window(session)
    qtbot.addWidget(made, before_close_func=end)
    made.show()
    return made


def reports(window: Window) -> Reports:
    return next(each for each in window.features if isinstance(each, Reports))


def test_the_window_writes_a_report_and_offers_to_open_it(
    window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        QFileDialog,
        "getSaveFileName",
        lambda *a: (asked.append(a[2]), (str(tmp_path / "mine"), ""))[1],
    )
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(
        window.desk.toast, "say", lambda text, button="", *_, **__: told.append((text, button))
    )
    monkeypatch.setattr(window.desk, "shown_run", lambda: window.desk.session.runs()[0])
    with qtbot.waitSignal(reports(window).writer.done, timeout=60_000):
        reports(window).export_report()
        (activity,) = window.desk.activities.under_way()
        assert activity.title == "Report of run-0003"
    assert asked[0].endswith("run-0003.html")
    assert told == [(f"The report of run-0003 is in {tmp_path / 'mine.html'}.", "Open")]
    assert Read((tmp_path / "mine.html").read_text("utf-8")).wrong == []
    assert window.desk.activities.under_way() == []


def test_a_place_that_cannot_be_written_is_a_sentence_with_ways_out(
    window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = reports(window).writer
    report = reports(window).report_of(window.desk.session.runs()[0])
    target = tmp_path / "taken.html"
    target.mkdir()  # a folder where the file is to be
    with qtbot.waitSignal(writer.refused, timeout=60_000) as refused:
        writer.write(report, target)
    qtbot.waitUntil(lambda: not writer.busy, timeout=20_000)
    assert refused.args is not None
    assert refused.args[0] == f"Could not write to {target}: Is a directory. Choose another place."
    strip = window.desk.strips.strip(REPORT)
    assert list(strip.buttons) == ["Choose another place", "Try again"]
    assert {path.name for path in tmp_path.iterdir()} == {"home", "taken.html"}
    target.rmdir()
    with qtbot.waitSignal(writer.done, timeout=60_000):
        strip.buttons["Try again"].click()
    assert target.is_file()
    assert REPORT not in window.desk.strips.texts()


def test_a_report_that_is_given_up_leaves_the_old_one(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    writer = reports(window).writer
    (tmp_path / "old.html").write_text("old")
    with qtbot.waitSignal(writer.said, timeout=60_000) as said:
        writer.write(
            reports(window).report_of(window.desk.session.runs()[0]), tmp_path / "old.html"
        )
        window.desk.activities.under_way()[0].cancel()
    assert said.args == ["The report of run-0003 was given up."]
    assert (tmp_path / "old.html").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"home", "old.html"}


def test_the_report_of_a_comparison_has_the_pages_numbers_and_its_doubt(
    window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.desk.session.table.pin("id1")
    page = tick(window, qtbot, "id1", "id2", "id3")
    writer = reports(window).writer
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "c.html"), ""))
    with qtbot.waitSignal(writer.done, timeout=60_000):
        page.export.menu().actions()[1].trigger()
    read = Read((tmp_path / "c.html").read_text("utf-8"))
    assert read.wrong == []
    expected = [v for number in page.comparison.numbers for v in number.values if v is not None]
    assert read.values == expected
    assert "These runs used different test pictures" in read.text
    assert "run-0001 (baseline)" in read.text
    assert "▲" in read.text or "▼" in read.text
    assert "Initialisation" in read.text
    assert read.tags.count("svg") >= 2


def test_groups_are_reported_with_their_spread(window: Window, qtbot: QtBot) -> None:
    from workbench.face.comparison_report import comparison_page

    page = tick(window, qtbot, "id1", "id2")
    page.groups.setCurrentIndex(page.groups.findData("seeds"))
    read = Read(comparison_page(page.facts(), []))
    assert read.wrong == []
    shown = page.numbers.table.item(0, 0).text()
    assert "±" in shown
    assert shown in read.text


def test_a_comparison_that_cannot_be_written_leaves_nothing_and_can_be_tried_again(
    window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick(window, qtbot, "id1", "id2")
    feature = comparing(window)
    place = tmp_path / "stick"
    place.write_text("")  # a file in the folder's stead
    with qtbot.waitSignal(feature.exporter.refused, timeout=60_000):
        feature.export_to(place)
    strip = window.desk.strips.strip(COMPARISON)
    sentence = f"Could not write to {place / 'comparison'}: Not a directory. Choose another place."
    assert strip.accessibleName() == sentence
    assert list(strip.buttons) == ["Choose another place", "Try again"]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "disk"))
    with qtbot.waitSignal(feature.exporter.done, timeout=60_000):
        strip.buttons["Choose another place"].click()
    assert len(list((tmp_path / "disk" / "comparison").iterdir())) == 11


def test_a_comparison_that_fails_half_way_is_taken_back(
    window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick(window, qtbot, "id1", "id2")
    feature, write = comparing(window), Path.write_bytes

    def full(path: Path, data: bytes) -> int:  # as a disk answers that has room for a part of it
        if path.name.startswith("forgetting.svg"):
            write(path, data[:100])
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with qtbot.waitSignal(feature.exporter.refused, timeout=60_000) as refused:
        feature.export_to(tmp_path / "there")
    qtbot.waitUntil(lambda: not feature.exporter.busy, timeout=20_000)
    assert refused.args is not None
    assert refused.args[0].endswith("forgetting.svg: the disk is full. Choose another place.")
    assert list((tmp_path / "there").iterdir()) == []


def test_figures_of_a_comparison_are_light_in_a_dark_window(
    window: Window, qtbot: QtBot, tmp_path: Path, qapp: object
) -> None:
    from workbench.face.plot_file import svg_of
    from workbench.face.theme import apply_theme

    tick(window, qtbot, "id1", "id2")
    apply_theme(qapp, "dark")  # type: ignore[arg-type]
    try:
        page = comparing(window).page
        assert page.plots[0].plot.theme is DARK
        drawn = dict(page.figures())
        assert set(drawn) == {"accuracy", "forgetting", "bars"}
        for panel in drawn.values():
            assert f'fill="{LIGHT.base}"' in svg_of(panel)
            assert DARK.base not in svg_of(panel)
    finally:
        apply_theme(qapp, "light")  # type: ignore[arg-type]
