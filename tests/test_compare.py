"""Comparing runs: differences, verdicts, spread against plain Python, and the tab with every sentence."""

import statistics
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.logged import timed
from tests.recorded import recorded_run
from tests.test_run_verbs import end
from workbench.config import RunConfig, to_dict, with_values
from workbench.events import Event, Measured, RunStarted, TaskInfo
from workbench.face.bars import Bar, Bars, number_text
from workbench.face.compare_lines import mean_and_deviation, style_of
from workbench.face.compare_page import ComparePage
from workbench.face.comparing import Comparing
from workbench.face.drawing import Place
from workbench.face.plot import LivePlot
from workbench.face.theme import DARK, LIGHT, Theme, apply_theme
from workbench.face.window import Window
from workbench.log.store import Log
from workbench.session import Session
from workbench.session.compare import FinalNumber


def log_run(log: Log, number: int, events: list[Event], **settings: object) -> None:
    values = {key.replace("__", "."): value for key, value in settings.items()}
    config = with_values(RunConfig(), values)
    log.begin(
        f"id{number}", f"run-{number:04d}", to_dict(config), {"s2_init": "kaiming"}, "repaired", "sample",
        config.seeds.initialisation, {"torch": "2.6"}, 3,
    )  # fmt: skip
    log.write(f"id{number}", timed(events))


def other_pictures(events: list[Event]) -> list[Event]:
    started = events[0]
    assert isinstance(started, RunStarted)
    first = started.tasks[0]
    other = TaskInfo(
        first.name,
        first.class_names,
        first.class_ids,
        first.train_counts,
        first.test_counts,
        "ff" * 32,
    )
    fields = {**started.__dict__, "tasks": (other, *started.tasks[1:])}
    return [RunStarted(**fields), *events[1:]]


def at_once(events: list[Event]) -> list[Event]:
    """Return the beginning of a run that learns the same pictures as one task."""
    started = events[0]
    assert isinstance(started, RunStarted)
    prints = "+".join(task.fingerprint for task in started.tasks)
    return [replace(started, tasks=(replace(started.tasks[0], fingerprint=prints),))]


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Window:
    session = Session(tmp_path / "home", entry_points=False)
    with session.log() as log:
        for number in (1, 2, 3):
            log_run(log, number, recorded_run(3, seed=number), seeds__initialisation=number)
        log_run(log, 4, other_pictures(recorded_run(3, seed=4)), train__epochs=7)
    made = Window(session)
    qtbot.addWidget(made, before_close_func=end)
    made.resize(1280, 800)
    made.show()
    return made


def comparing(window: Window) -> Comparing:
    return next(each for each in window.features if isinstance(each, Comparing))


def tick(window: Window, qtbot: QtBot, *ids: str) -> ComparePage:
    window.desk.history.model.tick(ids, True)
    page = comparing(window).page
    qtbot.waitUntil(lambda: {run.id for run in page.comparison.runs} >= set(ids), timeout=20_000)
    return page


def rows(page: ComparePage) -> dict[str, list[str]]:
    table = page.differences
    return {
        table.verticalHeaderItem(row).text(): [table.item(row, c).text() for c in range(table.columnCount())]
        for row in range(table.rowCount())
    }  # fmt: skip


def test_runs_that_were_trained_in_other_tiers_are_told_apart(tmp_path: Path) -> None:
    started = recorded_run(1)[0]
    assert isinstance(started, RunStarted)
    with closing(Session(tmp_path, entry_points=False)) as session:
        with session.log() as log:
            for number, tier in ((1, "strict"), (2, "bf16")):
                log_run(log, number, [replace(started, precision=tier)])
        found = session.table.compare(["id1", "id2"])
    assert [(each.label, each.values) for each in found.differences] == [
        ("precision in force", ("bf16", "strict"))
    ]


def test_with_fewer_than_two_ticked_the_page_says_what_to_do(window: Window, qtbot: QtBot) -> None:
    window.actions_by_id["show_compare"].trigger()
    page = comparing(window).page
    assert page.empty.isVisible()
    assert page.empty.text() == "Tick two or more runs below."
    tick(window, qtbot, "id1", "id2")
    assert page.plots[0].isVisible()
    window.desk.history.model.tick(["id1"], False)
    assert page.empty.isVisible()


def test_each_ticked_run_has_a_line_and_what_differs_stands_beside(
    window: Window, qtbot: QtBot
) -> None:
    page = tick(window, qtbot, "id1", "id2")
    assert [line.entry.label for line in page.plots[0].plot.lines()] == ["run-0002", "run-0001"]
    assert rows(page) == {"Initialisation": ["2", "1"]}
    assert page.strips.texts() == {}
    drawn = page.plots[0].plot.lines()[0].series.y
    assert np.allclose(drawn[np.isfinite(drawn)], _curve(window, "id2"))


def test_the_lines_of_compared_runs_change_colour_with_the_scheme(
    window: Window, qtbot: QtBot, qapp: QApplication
) -> None:
    apply_theme(qapp, "light")
    page = tick(window, qtbot, "id1", "id2")
    for scheme, theme in (("dark", DARK), ("light", LIGHT)):
        apply_theme(qapp, scheme)
        qapp.processEvents()
        for plot in page.plots:
            found = [line.entry.colors[0] for line in plot.plot.lines()]
            assert found == [style_of(theme, index)[0] for index in range(2)]


def _curve(window: Window, run_id: str) -> list[float]:
    events = window.desk.session.events(run_id)
    said = [e for e in events if isinstance(e, Measured) and e.name == "accuracy_seen"]
    return [e.value for e in said if e.value is not None]


def test_different_test_pictures_are_said_with_a_way_to_see_them(
    window: Window, qtbot: QtBot
) -> None:
    page = tick(window, qtbot, "id1", "id4")
    sentence = (
        "These runs used different test pictures; their accuracies cannot be compared directly."
    )
    assert page.strips.texts() == {"pictures": sentence}
    page.strips.strip("pictures").buttons["Show difference"].click()
    assert page.differences.selectedItems()[0].text().startswith("finches: ")
    assert next(iter(rows(page))) == "Task 1"


def test_a_run_of_all_tasks_at_once_is_compared_with_one_in_tasks(tmp_path: Path) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        with session.log() as log:
            log_run(log, 1, recorded_run(3, seed=1))
            log_run(log, 2, at_once(recorded_run(3, seed=1)), data__joint=True)
            log_run(log, 3, at_once(other_pictures(recorded_run(3, seed=1))), data__joint=True)
        assert session.table.compare(["id1", "id2"]).comparable
        assert not session.table.compare(["id1", "id3"]).comparable
        assert not session.table.compare(["id2", "id3"]).comparable


def test_a_group_is_one_line_with_the_mean_and_a_band(window: Window, qtbot: QtBot) -> None:
    page = tick(window, qtbot, "id1", "id2", "id3")
    page.groups.setCurrentIndex(page.groups.findData("seeds"))
    (line,) = page.plots[0].plot.lines()
    assert line.entry.label == "run-0003 and 2 more"
    curves = [_curve(window, run_id) for run_id in ("id1", "id2", "id3")]
    assert np.allclose(line.series.y, np.mean(curves, axis=0))
    texts = [page.numbers.table.item(row, 0).text() for row in range(page.numbers.table.rowCount())]
    last = [curve[-1] for curve in curves]
    expected = f"{100 * statistics.mean(last):.1f} ± {100 * statistics.stdev(last):.1f} % (n = 3)"
    assert expected in texts


def test_the_baseline_marks_what_is_better_and_worse(window: Window, qtbot: QtBot) -> None:
    window.desk.session.table.pin("id1")
    page = tick(window, qtbot, "id1", "id2")
    comparison = page.comparison
    assert comparison.runs[comparison.baseline].id == "id1"
    assert "run-0001" in page.told.text()
    signs = {
        page.numbers.table.item(row, 0).text()[0] for row in range(page.numbers.table.rowCount())
    }
    assert signs & {"▲", "▼"}


def test_what_a_run_did_not_record_is_named_in_the_legend(window: Window, qtbot: QtBot) -> None:
    with window.desk.session.log() as log:
        log_run(log, 5, [Measured("accuracy_seen", 0, 0, 1, 0.5)])
    page = tick(window, qtbot, "id1", "id5")
    page.plots[1].choice.setCurrentIndex(page.plots[1].choice.findData("losses"))
    labels = [line.entry.label for line in page.plots[1].plot.lines()]
    assert labels == ["run-0005: not recorded", "run-0001"]
    texts = [page.numbers.table.item(row, 0).text() for row in range(page.numbers.table.rowCount())]
    assert "not recorded" in texts


def test_ticked_runs_lie_over_the_curves_of_train(window: Window, qtbot: QtBot) -> None:
    window.desk.history.model.tick(["id1"], True)
    board = window.desk.page.board
    qtbot.waitUntil(lambda: "run-0001" in labels_of(board.accuracy), timeout=20_000)
    window.desk.history.model.tick(["id1"], False)
    assert "run-0001" not in labels_of(board.accuracy)


def labels_of(plot: LivePlot) -> list[str]:
    return [line.entry.label for line in plot.lines()]


def test_a_run_that_cannot_be_read_is_named_once_and_left_out(
    window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, asked, told = window.desk.session, [], []
    with session.log() as log:
        log._db.execute(
            "UPDATE event SET fields = '{' WHERE run = (SELECT number FROM run WHERE id = 'id2')"
        )
    read = session.events
    monkeypatch.setattr(session, "events", lambda run, tell: asked.append(run) or read(run, tell))
    window.desk.toast.said.connect(lambda *words: told.append(words[0]))
    page = tick(window, qtbot, "id1", "id3")
    window.desk.history.model.tick(["id2"], True)
    feature = comparing(window)
    qtbot.waitUntil(lambda: bool(told) and not feature._work.busy, timeout=20_000)
    assert asked.count("id2") == 1
    assert {run.id for run in page.comparison.runs} == {"id1", "id3"}
    window.desk.history.model.tick(["id2"], False)
    window.desk.history.model.tick(["id2"], True)  # once more, if the user wishes
    qtbot.waitUntil(lambda: asked.count("id2") == 2 and not feature._work.busy, timeout=20_000)


def test_runs_with_many_points_are_kept_only_while_they_are_ticked(
    window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.face.comparing._MOST_POINTS", 10)
    tick(window, qtbot, "id1", "id2", "id3")
    kept = comparing(window)._records
    assert {key[0] for key in kept} == {"id1", "id2", "id3"}
    window.desk.history.model.tick(["id1", "id3"], False)
    page = tick(window, qtbot, "id4")
    assert {key[0] for key in kept} == {"id2", "id4"}
    assert {run.id for run in page.comparison.runs} == {"id2", "id4"}


def test_more_than_thirty_are_cut_and_it_is_said(window: Window, qtbot: QtBot) -> None:
    with window.desk.session.log() as log:
        for number in range(10, 42):
            log_run(log, number, recorded_run(1, seed=number))
    window.desk.reread_log()
    ids = [f"id{number}" for number in range(10, 42)]
    window.desk.history.model.tick(ids, True)
    page = comparing(window).page
    qtbot.waitUntil(lambda: len(page.comparison.runs) == 30, timeout=20_000)
    assert page.strips.texts()["many"] == "Showing the 30 newest of 32 ticked."
    assert page.comparison.runs[0].id == "id41"


def test_the_comparison_is_exported_with_full_numbers(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    page = tick(window, qtbot, "id1", "id2")
    with qtbot.waitSignal(comparing(window).exporter.done, timeout=60_000):
        comparing(window).export_to(tmp_path)
    folder = tmp_path / "comparison"
    names = {path.name for path in folder.iterdir()}
    assert {
        "numbers.csv",
        "differences.csv",
        "accuracy.png",
        "forgetting.svg",
        "accuracy.pdf",
        "bars.png",
    } <= names
    text = (folder / "numbers.csv").read_text("utf-8")
    value = next(n for n in page.comparison.numbers if n.name == "accuracy_seen").values[0]
    assert repr(value) in text
    assert "seeds.initialisation,2,1" in (folder / "differences.csv").read_text("utf-8")


def test_mean_and_deviation_are_those_of_the_points_all_curves_share() -> None:
    curves = [
        (np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.7, np.nan])),
        (np.array([1.0, 2.0, 4.0]), np.array([0.9, 0.6, 0.1])),
    ]
    x, mean, deviation = mean_and_deviation(curves)
    assert x.tolist() == [1.0, 2.0]
    assert mean.tolist() == pytest.approx([0.7, 0.65])
    assert deviation.tolist() == pytest.approx(
        [statistics.stdev([0.5, 0.9]), statistics.stdev([0.7, 0.6])]
    )


def test_thirty_runs_look_thirty_ways() -> None:
    for theme in (LIGHT, DARK):
        assert len({style_of(theme, index) for index in range(30)}) == 30


def test_numbers_are_written_with_their_spread() -> None:
    assert number_text([0.5], share=True) == "50.0 %"
    assert number_text([0.5, 0.7], share=True) == "60.0 ± 14.1 % (n = 2)"
    assert number_text([2.0, 4.0], share=False) == "3 ± 1.4 (n = 2)"


@pytest.mark.parametrize(
    ("better", "values", "expected"),
    [
        ("higher", (0.6, 0.5), "better"), ("higher", (0.4, 0.5), "worse"), ("lower", (0.4, 0.5), "better"),
        ("lower", (0.6, 0.5), "worse"), ("lower", (0.5, 0.5), "equal"), ("", (0.6, 0.5), ""),
        ("higher", (None, 0.5), ""), ("higher", (0.5, None), ""),
    ],
)  # fmt: skip
def test_a_verdict_follows_the_measures_direction(
    better: str, values: tuple[float | None, ...], expected: str
) -> None:
    assert FinalNumber("x", "X", True, better, values).verdict(0, 1) == expected
    assert FinalNumber("x", "X", True, better, values).verdict(1, 1) == ""


def painted(bars: Bars, theme: Theme) -> QImage:
    image = QImage(400, 34 * len(bars.bars), QImage.Format.Format_RGB32)
    image.fill(QColor(theme.base))
    painter = QPainter(image)
    bars.paint(painter, place_of(image, theme))
    painter.end()
    return image


def place_of(image: QImage, theme: Theme) -> Place:
    return Place(QRectF(image.rect()), QFont(), theme)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_bar_is_as_long_as_its_number(theme: Theme, qtbot: QtBot) -> None:
    bars = Bars("Accuracy", (Bar("a", (0.8,)), Bar("b", (0.4,)), Bar("c", ())), True, "absent")
    image = painted(bars, theme)
    wide = []
    for row in range(3):
        middle = int(bars.box(row, 0, place_of(image, theme)).center().y())
        colour = QColor(style_of(theme, row)[0]).rgb()
        wide.append(sum(image.pixel(x, middle) == colour for x in range(image.width())))
    assert wide[0] == pytest.approx(2 * wide[1], abs=3)
    assert wide[0] > 100
    assert wide[2] == 0


def test_a_group_is_its_mean_with_a_whisker_as_long_as_its_deviation(qtbot: QtBot) -> None:
    values = (0.5, 0.6, 0.9)
    bars = Bars("Accuracy", (Bar("group", values), Bar("one", (0.3,))), True, "absent")
    mean, deviation = statistics.mean(values), statistics.stdev(values)
    assert bars.reach() == pytest.approx((0.0, mean + deviation))
    image = painted(bars, LIGHT)
    place = place_of(image, LIGHT)
    middle = int(bars.box(0, 0, place).center().y())
    right = bars.track(place).right()
    dark = [
        x for x in range(400) if image.pixelColor(x, middle).name() == LIGHT.text and x <= right + 2
    ]
    inside = [x for x in dark if x > bars.track(place).left() + 2]
    assert inside[0] == pytest.approx(bars.x(mean - deviation, place), abs=3)
    assert inside[-1] == pytest.approx(bars.x(mean + deviation, place), abs=3)


def test_bars_below_zero_grow_to_the_left_of_it(qtbot: QtBot) -> None:
    bars = Bars("Transfer", (Bar("a", (-0.2,)), Bar("b", (0.1,))), True, "absent", line=0.05)
    place = place_of(painted(bars, DARK), DARK)
    assert bars.reach() == (-0.2, 0.1)
    assert bars.x(-0.2, place) < bars.x(0.0, place) < bars.x(0.05, place) < bars.x(0.1, place)


def test_bars_show_the_number_chosen_and_what_is_better_than_the_baseline(
    window: Window, qtbot: QtBot
) -> None:
    window.desk.session.table.pin("id1")
    page = tick(window, qtbot, "id1", "id2", "id3")
    panel = page.numbers
    names = [number.name for number in page.comparison.numbers]
    panel.table.setCurrentCell(names.index("forgetting"), 0)
    bars = panel.chart.drawing
    assert isinstance(bars, Bars)
    number = page.comparison.numbers[names.index("forgetting")]
    assert bars.measure == number.label == panel.choice.currentText()
    assert [bar.label for bar in bars.bars] == ["run-0003", "run-0002", "run-0001"]
    assert [bar.values for bar in bars.bars] == [(value,) for value in number.values]
    verdicts = [bar.verdict for bar in bars.bars]
    expected = [number.verdict(0, 2), number.verdict(1, 2), "baseline"]
    assert verdicts == expected
    assert bars.line == number.values[2]
    table = [[cell[0] for cell in bars.table()[1]], bars.table()[0][1]]
    assert table == [["run-0003", "run-0002", "run-0001"], number.label]
    assert "run-0002" in panel.chart.view.accessibleDescription()
    page.groups.setCurrentIndex(page.groups.findData("seeds"))
    grouped = panel.chart.drawing
    assert isinstance(grouped, Bars)
    assert grouped.measure == number.label
    assert sorted(grouped.bars[0].values) == sorted(v for v in number.values if v is not None)
    assert grouped.bars[0].verdict == ""


def test_the_mean_of_a_group_is_compared_with_a_baseline_outside_it() -> None:
    number = FinalNumber("x", "X", True, "higher", (0.4, 0.8, None, 0.5))
    assert number.verdict_of_mean([0, 1, 2], 3) == "better"
    assert number.verdict_of_mean([0, 2], 3) == "worse"
    assert number.verdict_of_mean([0, 1], 1) == ""
    assert number.verdict_of_mean([0, 1], -1) == ""
    assert number.verdict_of_mean([2], 3) == ""


def test_compared_curves_are_smoothed_with_the_measured_line_behind(
    window: Window, qtbot: QtBot
) -> None:
    window.actions_by_id["show_compare"].trigger()
    page = tick(window, qtbot, "id1", "id2")
    page.plots[1].choice.setCurrentIndex(page.plots[1].choice.findData("losses"))
    plot = page.plots[1].plot
    before = [line.series.y.copy() for line in plot.lines()]
    page.smoothed.slider.setValue(10)
    assert page.smoothed.amount.text() == "over 10"
    plot.draw_now()
    beta = 1 - 1 / 10
    for line, raw in zip(plot.lines(), before, strict=True):
        assert np.array_equal(line.series.y, raw, equal_nan=True)
        known = raw[: int(np.argmin([*np.isfinite(raw), False]))]  # up to the first gap
        powers = beta ** np.arange(len(known))
        wanted = [powers[: n + 1] @ known[n::-1] / powers[: n + 1].sum() for n in range(len(known))]
        assert len(known) > 10
        trace = plot._sheet._traces[line.key]
        assert np.allclose(trace.curve.getData()[1][: len(known)], wanted)
        assert np.array_equal(trace.raw.getData()[1], raw, equal_nan=True)
    page.axis.setCurrentIndex(page.axis.findData("step"))
    assert plot._smoothing == 10  # drawn anew, still smoothed
    page.smoothed.slider.setValue(0)
    assert page.smoothed.amount.text() == "off"
    assert all(line.smoothed(plot._smoothing) is None for line in plot.lines())
