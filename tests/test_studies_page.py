"""The tab Studies: methods compared from the window, with real runs over tiny pictures."""

import csv
import hashlib
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from pytestqt.qtbot import QtBot

from tests.compared import CHOOSE, FROZEN, TRAINED, TRIED, study_tree_of, tiny_study
from tests.opened import feature, fill, opened
from tests.trained import folders
from workbench.errors import UsageError
from workbench.face.comparing import Comparing
from workbench.face.cost_panel import SECONDS, VALUES
from workbench.face.drop import given_by
from workbench.face.groups import GroupFeature
from workbench.face.method_choices import values_of
from workbench.face.methods_dialog import MethodsDialog, free_name, seeds_of
from workbench.face.study_begin import StudyFileBox
from workbench.face.study_list import StudyList
from workbench.face.study_tables import MethodsTable, WholeTable
from workbench.face.studying import Studying
from workbench.face.window import Window
from workbench.session import Session
from workbench.session.ledger import Entry, cells_of, ledger, said_of_test_part
from workbench.session.spread import Spread
from workbench.session.study_file import read_study, study_from, study_text
from workbench.session.study_results import DataTable, MethodRow, Paired

LONG = 120_000


def finish(home: Path, study, *, most: int = 100) -> str:
    """Begin a study and train its runs, at most so many; return its id."""
    session = Session(home, entry_points=False)
    key = session.studies.begin(study)
    for _ in range(most):
        run, _ = session.queue.start_next(key)
        if run is None:
            break
        run.work()
    session.close()
    return key


def shown(window: Window, qtbot: QtBot, key: str = "") -> Studying:
    """Show the tab and wait until it shows what was found."""
    studying = feature(window, Studying)
    if key:
        studying.show_study(key)
    else:
        studying.show_studies()
    qtbot.waitUntil(lambda: studying.reader.seen.found is not None, timeout=20_000)
    return studying


def ended(studying: Studying, qtbot: QtBot) -> None:
    """Wait until the study shown is done and shown as it is."""
    view = studying.page.view
    qtbot.waitUntil(lambda: view.stage.text().startswith("done"), timeout=LONG)
    qtbot.waitUntil(lambda: not studying.reader.busy, timeout=20_000)


def cells(table) -> list[list[str]]:
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Path, str]:
    """A home with a study that has run to its end: three trials' values, one method that always fails."""
    place = tmp_path_factory.mktemp("done")
    diverges = {"train.weight_decay": 10.0, "train.batch_size": 1, "train.epochs": 4}
    broken = TRAINED | {"label": "broken", "set": diverges | {"train.learning_rate": 1000.0}}
    study = tiny_study(place, method=[FROZEN, TRIED, broken], choose=CHOOSE)
    return place / "home", finish(place / "home", study)


def test_a_study_begun_in_the_window_runs_to_its_end_and_shows_what_the_session_found(
    tmp_path: Path, qtbot: QtBot
) -> None:
    with opened(tmp_path / "home", qtbot) as window:
        fill(window, qtbot, tmp_path)
        window.actions_by_id["compare_methods"].trigger()
        studying = feature(window, Studying)
        box = studying.box
        assert isinstance(box, MethodsDialog)
        for choice in box.methods.choices:
            choice.box.setChecked(choice.offer.name in ("ntk-cl", "simple-cil"))
        box.seeds.setText("7,")
        box.choose.setChecked(True)
        box.tasks.setValue(1)
        box.folds.setValue(2)
        box.methods.choices[0].line.setText("train.learning_rate = 0.02, 0.05")
        qtbot.waitUntil(lambda: "not known" in box.length.text(), timeout=20_000)
        assert (
            box.runs.text()
            == "4 trials on validation parts choose the settings, then 2 runs are tested."
        )
        assert box.baseline.currentText() == "Frozen class means (SimpleCIL)"
        box.go_button.click()
        qtbot.waitUntil(lambda: studying.box is None, timeout=20_000)
        ended(studying, qtbot)
        assert (
            "The study 'Comparison' is done: 2 of 2 runs tested."
            in window.desk.strips.texts()["study"]
        )
        (state,) = window.desk.session.studies.all()
        view = studying.page.view
        assert view.test_part.text() == said_of_test_part(state)
        assert "none read a test picture" in view.test_part.text()
        assert "read by 2 runs" in view.test_part.text()
        found = window.desk.session.studies.results(state.id)
        baseline = state.study.baseline
        wanted = [list(cells_of(row, baseline)[1:]) for row in found.tables[0].rows]
        got = [[text.lstrip("▲▼ ") for text in row] for row in cells(view.methods.tables[0])]
        assert got == wanted


def test_what_was_found_failed_and_chosen_is_shown(done: tuple[Path, str], qtbot: QtBot) -> None:
    with opened(done[0], qtbot) as window:
        studying = shown(window, qtbot)
        view, session = studying.page.view, window.desk.session
        state, found = session.studies.get(done[1]), session.studies.results(done[1])
        assert view.stage.text() == "done · 4 of 6 runs tested, 2 failed"
        assert view.asked.text().startswith(
            "3 methods on 1 set of pictures (birds), in 1 order and"
        )
        found_cells = cells(view.methods.tables[0])
        assert found_cells[2][0] == "0 (2 failed)"
        for shown_cells, row in zip(found_cells, found.tables[0].rows, strict=True):
            assert [t.lstrip("▲▼ ") for t in shown_cells] == list(cells_of(row, "frozen")[1:])
        assert view.tabs.tabText(3) == "Failed and odd (2)"
        assert not view.again.isHidden()
        said = [
            label.text()
            for label in view.failed.findChildren(type(view.name))
            if not label.isHidden()
        ]
        for each in state.failed:
            assert f"{each.label}: {each.run.state_reason}" in said
            assert each.run.state_reason.endswith(".")
        (choice,) = state.chosen
        (table,) = view.choice.findChildren(WholeTable)
        assert [line[2] for line in cells(table)].index("✓ chosen") == choice.place
        assert not found.ranking
        assert not view.methods.unranked.isHidden()


def test_the_runs_of_a_chosen_row_are_compared_and_no_others(
    done: tuple[Path, str], qtbot: QtBot
) -> None:
    with opened(done[0], qtbot) as window:
        studying = shown(window, qtbot)
        methods, model = studying.page.view.methods, window.desk.history.model
        assert not methods.show_runs.isEnabled()
        model.tick([model.runs()[0].id], chosen=True)
        methods.tables[0].selectRow(1)
        methods.show_runs.click()
        (state,) = studying.reader.seen.states
        wanted = {e.run.id for e in state.tested if e.facts["method"] == "NTK-CL"}
        assert {run.id for run in model.ticked()} == wanted
        compared = feature(window, Comparing).page
        qtbot.waitUntil(lambda: len(compared.comparison.runs) == 2, timeout=20_000)
        assert window.desk.tabs.tabText(window.desk.tabs.currentIndex()) == "Compare"


def test_a_study_is_saved_as_file_ledger_numbers_and_figures(
    done: tuple[Path, str], tmp_path: Path, qtbot: QtBot
) -> None:
    with opened(done[0], qtbot) as window:
        studying = shown(window, qtbot)
        (state,), found, saving = (
            studying.reader.seen.states,
            studying.reader.seen.found,
            studying.saving,
        )
        saving.save_study(state, tmp_path / "again.toml")
        qtbot.waitUntil(lambda: (tmp_path / "again.toml").is_file() and not saving._work.busy)
        assert read_study(tmp_path / "again.toml").digest == state.study.digest
        saving.save_ledger(state, tmp_path / "ledger.md")
        qtbot.waitUntil(lambda: (tmp_path / "ledger.md").is_file() and not saving._work.busy)
        sha256 = hashlib.sha256((tmp_path / "again.toml").read_bytes()).hexdigest()
        entry = Entry(
            "tiny.toml", sha256, state, found, window.desk.session.studies.commits(state.id)
        )
        assert (tmp_path / "ledger.md").read_text(encoding="utf-8") == ledger([entry])
        saving.export_to(tmp_path, state, found, studying.page.view.cost)
        qtbot.waitUntil(lambda: not saving.exporter.busy, timeout=20_000)
        files = sorted(path.name for path in (tmp_path / "comparison").iterdir())
        drawn = [
            f"accuracy_by_{cost}-1.{form}"
            for cost in (SECONDS, VALUES)
            for form in ("pdf", "png", "svg")
        ]
        assert files == sorted([*drawn, "methods.csv", "ranking.csv"])
        assert "frozen" in (tmp_path / "comparison" / drawn[2]).read_text(encoding="utf-8")
        text = (tmp_path / "comparison" / "methods.csv").read_text(encoding="utf-8")
        rows = list(csv.reader(text.splitlines()))
        assert rows[1][:2] == ["birds", "frozen"]


def test_a_halted_study_goes_on_and_a_stopped_one_is_halted(tmp_path: Path, qtbot: QtBot) -> None:
    lda = {"name": "streaming-lda", "label": "LDA"}
    key = finish(tmp_path / "home", tiny_study(tmp_path, method=[FROZEN, lda], seeds=1), most=1)
    with opened(tmp_path / "home", qtbot) as window:
        studying = shown(window, qtbot)
        view, studies = studying.page.view, window.desk.session.studies
        assert view.stage.text() == "testing, the queue is held · 1 of 2 runs tested"
        assert not view.go_on.isHidden()
        view.stop.click()
        assert studying.question is not None
        assert "Take the 1 waiting runs of 'tiny' out" in studying.question.text()
        studying.question.answers["Stop"].click()
        qtbot.waitUntil(lambda: view.stage.text().startswith("halted"), timeout=20_000)
        assert window.desk.session.queue.waiting() == 0
        view.go_on.click()
        ended(studying, qtbot)
        assert len(studies.get(key).tested) == 2
        assert view.go_on.isHidden()
        assert view.stop.isHidden()


def test_a_dropped_study_file_is_asked_about_and_one_that_was_changed_is_refused(
    done: tuple[Path, str], tmp_path: Path, qtbot: QtBot
) -> None:
    with opened(done[0], qtbot) as window:
        studies = window.desk.session.studies
        before = studies.get(done[1])
        file = tmp_path / "study.toml"
        file.write_text(study_text(before.study), encoding="utf-8")
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(file))])
        window.commands.take(given_by(mime))
        studying = feature(window, Studying)
        box = studying.box
        assert isinstance(box, StudyFileBox)
        qtbot.waitUntil(lambda: box.go_button.text() == "Go on", timeout=20_000)
        assert (
            box.so_far.text()
            == "It has begun: 4 of 6 runs tested, 2 failed. Going on trains what it lacks."
        )
        box.reject()
        file.write_text(
            study_text(before.study).replace('learning_rate" = [', 'learning_rate" = [0.5,'),
            encoding="utf-8",
        )
        window.commands.take(given_by(mime))
        box = studying.box
        qtbot.waitUntil(lambda: bool(box.problem.text()), timeout=20_000)
        assert box.problem.text().startswith(
            "The study 'tiny' began with other contents: method was"
        )
        assert not box.go_button.isEnabled()
        box.reject()
        assert studies.get(done[1]) == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"method": [FROZEN, {"name": "magic"}]}, "magic"),
        ({"method": [FROZEN, TRIED], "choose": CHOOSE | {"folds": 50}}, "50"),
        ({"seeds": 0}, "seeds = 0: a study needs 1 to 100 seeds."),
        ({"data": [{"name": "gone", "run": {"data": {"tasks": [{"name": "gone", "path": "/no/such"}]}}}]}, "is not there (/no/such)"),
    ],
)  # fmt: skip
def test_what_a_file_asks_that_cannot_be_is_said_in_its_box(
    tmp_path: Path, qtbot: QtBot, change, sentence: str
) -> None:
    import tomli_w

    file = tmp_path / "study.toml"
    file.write_text(tomli_w.dumps(study_tree_of(folders(tmp_path / "pictures"), **change)))
    with opened(tmp_path / "home", qtbot) as window:
        studying = feature(window, Studying)
        studying.take_file(str(file))
        box = studying.box
        qtbot.waitUntil(lambda: bool(box.problem.text()), timeout=20_000)
        assert sentence in box.problem.text()
        assert not box.go_button.isEnabled()
        box.reject()
        assert window.desk.session.studies.all() == []


def test_a_study_in_the_list_of_groups_leads_to_the_tab(
    done: tuple[Path, str], qtbot: QtBot
) -> None:
    with opened(done[0], qtbot) as window:
        groups = feature(window, GroupFeature)
        groups.show_groups()
        assert groups.sheet.grid.item(0, 2).text() == "–"
        groups.sheet.open_button.click()
        assert window.desk.tabs.tabText(window.desk.tabs.currentIndex()) == "Studies"
        assert groups.sheet is None


def test_without_a_study_the_tab_says_what_to_do_next(tmp_path: Path, qtbot: QtBot) -> None:
    with opened(tmp_path / "home", qtbot) as window:
        studying = feature(window, Studying)
        studying.show_studies()
        assert studying.page.empty.isVisible()
        studying.page.begin.click()
        assert studying.box is None
        fill(window, qtbot, tmp_path)
        studying.page.begin.click()
        assert isinstance(studying.box, MethodsDialog)
        box = studying.box
        box.methods.choices[0].box.setChecked(True)
        box.choose.setChecked(True)
        assert box.problem.text().startswith("No method has values to choose among.")
        box.methods.choices[0].line.setText("train.epochs = 1, 0")
        assert "Epochs: a whole number from 1 to 100000, not 0." in box.problem.text()
        for choice in box.methods.choices[1:]:
            choice.box.setChecked(False)
        assert box.problem.text() == "A comparison needs two methods or more. Tick another one."
        assert not box.go_button.isEnabled()
        box.reject()


def test_a_line_of_values_is_read_as_toml_and_refused_in_a_sentence() -> None:
    line = "train.epochs = 1, 3; method.profile = repaired, paper; model.use = true, false;"
    assert values_of(line, "x") == {
        "train.epochs": [1, 3], "method.profile": ["repaired", "paper"], "model.use": [True, False],
    }  # fmt: skip
    for wrong in ("train.epochs", "= 3, 4", "train.epochs = 3,", "train.epochs = 1, 2 3 = 4;;;a"):
        with pytest.raises(UsageError, match=r"x: '.*' is not understood|twice"):
            values_of(wrong + " ; y", "x")
    with pytest.raises(UsageError, match="twice"):
        values_of("a = 1, 2; a = 3, 4", "x")


def test_seeds_are_a_number_of_them_or_a_list() -> None:
    assert (seeds_of("3"), seeds_of(" 0, 4 ,7"), seeds_of("7,")) == (3, [0, 4, 7], [7])
    assert (seeds_of(""), seeds_of("a, 2"), seeds_of("-1")) == ("", "a, 2", "-1")
    assert free_name("A", ["A", "A 2"]) == "A 3"


def test_a_clear_difference_carries_a_mark_and_a_sentence_besides_its_colour(qtbot: QtBot) -> None:
    unknown = dict.fromkeys((each.name for each in fields(MethodRow)), Spread(0, None, None))
    unknown |= {"n": 5, "failed": 0, "average_difference": Paired(1, 0.1, None)}
    gaps = {"base": Paired(5, 0.0, 0.0), "up": Paired(5, 0.1, 0.02), "down": Paired(5, -0.1, 0.02), "same": Paired(5, 0.01, 0.02)}  # fmt: skip
    rows = [MethodRow(**(unknown | {"method": name, "final_difference": gap})) for name, gap in gaps.items()]  # fmt: skip
    table = MethodsTable("birds", "base")
    qtbot.addWidget(table)
    table.show_rows(DataTable("birds", tuple(rows)))
    texts = [line[4] for line in cells(table)]
    assert texts == [
        "baseline",
        "▲ +10.0 [+8.0, +12.0]",
        "▼ -10.0 [-12.0, -8.0]",
        "+1.0 [-1.0, +3.0]",
    ]
    role = Qt.ItemDataRole.AccessibleTextRole
    said = [table.item(place, 4).data(role) for place in range(1, 4)]
    assert (
        said[0] == "up, ΔA_T: +10.0 [+8.0, +12.0]. Better than base: the interval leaves zero out."
    )
    assert said[1].endswith("Worse than base: the interval leaves zero out.")
    assert said[2].endswith("No clear difference to base: zero lies within the interval.")
    assert table.item(1, 5).toolTip() == "One cell alone has no interval."
    table.show_rows(DataTable("birds", tuple(reversed(rows))))
    assert cells(table)[3][4] == "baseline"
    assert table.item(3, 4).toolTip() == ""


def test_the_chosen_study_stays_in_sight_where_the_list_has_room_for_one(
    tmp_path: Path, qtbot: QtBot
) -> None:
    paths = folders(tmp_path / "pictures")
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        for number in range(4):
            session.studies.begin(study_from(study_tree_of(paths, name=f"study {number}")))
        states = session.studies.all()
    cards = StudyList()
    qtbot.addWidget(cards)
    cards.resize(300, 600)
    cards.show()
    cards.show_states(states, states[-1].id)
    assert cards.visualItemRect(cards.item(3)).bottom() > 90
    cards.resize(300, 90)
    assert cards.viewport().rect().contains(cards.visualItemRect(cards.currentItem()).center())
