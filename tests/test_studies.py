"""Studies in the log: settings are chosen before the test part is read, each cell is tested once, and what fails stays alone."""

import shutil
import sqlite3
import statistics
from contextlib import closing
from dataclasses import replace

import pytest

from tests.compared import CHOOSE, FROZEN, TRAINED, TRIED, study_tree_of, tiny_study
from tests.pictures import make_split_folders
from tests.trained import folders
from workbench.errors import UsageError
from workbench.session import Session
from workbench.session.ledger import Entry, ledger
from workbench.session.study_file import study_from
from workbench.session.study_plan import CHOOSING, TESTING, finals, trials

# Each step multiplies every weight by −9,999: not finite after some twenty.
DIVERGES = {"train.weight_decay": 10.0, "train.batch_size": 1, "train.epochs": 4}
BROKEN = TRAINED | {"label": "too fast", "set": DIVERGES | {"train.learning_rate": 1000.0}}


@pytest.fixture
def session(tmp_path):
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        yield session


def train_all(session, group=""):
    states = []
    while True:
        run, problems = session.queue.start_next(group)
        assert problems == []
        if run is None:
            return states
        states.append(run.work())


def labels(members):
    return [each.label for each in members]


def test_a_plan_has_each_cell_once_and_no_trial_reads_the_test_part(tmp_path):
    study = tiny_study(tmp_path / "p", method=[FROZEN, TRIED], choose=CHOOSE, orders=2)
    tried = trials(study)
    assert len(tried) == study.trials == 4
    for each in tried:
        assert (each.config.data.folds, len(each.config.data.tasks)) == (2, 1)
        assert each.config.seeds.split == 0
    planned = finals(study, {("birds", "NTK-CL"): {"train.learning_rate": 0.05}})
    assert len(planned) == study.runs == 8
    assert len({each.label for each in planned}) == 8
    for each in planned:
        assert each.config.data.folds == 0
        seeds = each.config.seeds
        seed = each.member["seed"]
        assert (seeds.initialisation, seeds.split, seeds.class_order) == (seed, seed, 0)
        names = [task.name for task in each.config.data.tasks]
        assert (names[0] == "finches") == (each.member["order"] == 1)
    rates = {each.config.train.learning_rate for each in planned if each.member["method"] == "NTK-CL"}  # fmt: skip
    assert rates == {0.05}


def test_one_folder_split_by_class_gets_orders_of_its_classes(tmp_path):
    tree = study_tree_of(folders(tmp_path / "p")[:1], orders=3)
    tree["data"][0]["run"]["data"] |= {"first_classes": 1, "increment": 1}
    planned = finals(study_from(tree), {})
    assert [each.config.seeds.class_order for each in planned[::2]] == [0, 1, 2] * 2


def test_trials_end_and_settings_are_chosen_before_a_test_picture_is_read(session, tmp_path):
    owls = make_split_folders(tmp_path / "owls", {"tawny": (6, 2), "barn": (6, 2)})
    spoilt = tmp_path / "owls" / "test"
    shutil.move(spoilt, tmp_path / "kept")
    for path in (tmp_path / "kept").rglob("*.png"):
        copy = spoilt / path.relative_to(tmp_path / "kept")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(b"not to be read while choosing")
    tree = study_tree_of([tmp_path / "owls"], seeds=1, method=[FROZEN, TRIED], choose=CHOOSE)
    del owls
    key = session.studies.begin(study_from(tree))
    state = session.studies.get(key)
    assert (state.stage, state.chosen, len(state.waiting), state.left) == (CHOOSING, None, 4, 6)
    for left in (3, 2, 1, 0):
        run, _ = session.queue.start_next(key)
        assert run.work() == "finished"
        assert len(session.studies.get(key).waiting) == left
    shutil.rmtree(spoilt)
    shutil.move(tmp_path / "kept", spoilt)
    session.studies.advance()
    state = session.studies.get(key)
    assert (state.stage, len(state.waiting)) == (TESTING, 2)
    (choice,) = state.chosen
    assert choice.values in ({"train.learning_rate": 0.02}, {"train.learning_rate": 0.05})
    runs = {r.id: r for r in session.runs()}
    for place, trial in enumerate(choice.trials):
        mine = [e.run.id for e in state.of_stage(CHOOSING) if e.facts["candidate"] == place]
        assert sorted(trial.accuracies) == sorted(runs[i].average_accuracy for i in mine)
    assert train_all(session, key) == ["finished", "finished"]
    state = session.studies.get(key)
    assert (state.stage, state.left) == ("done", 0)
    (ntk,) = [e.run for e in state.tested if e.facts["method"] == "NTK-CL"]
    rate = session.details(ntk.id).config["train"]["learning_rate"]
    assert rate == choice.values["train.learning_rate"]


def test_a_picture_is_seen_through_the_frozen_backbone_once_for_all_methods(session, tmp_path):
    methods = [FROZEN, {"name": "streaming-lda"}]
    key = session.studies.begin(tiny_study(tmp_path / "p", seeds=1, method=methods))
    assert train_all(session, key) == ["finished", "finished"]
    (file,) = (session.home / "features").glob("*.db")
    with closing(sqlite3.connect(file)) as db:
        (count,) = db.execute("SELECT COUNT(*) FROM feature").fetchone()
    pictures = {path.read_bytes() for path in (tmp_path / "p").rglob("*.png")}
    assert count == len(pictures)


def test_a_study_that_is_done_is_not_tested_again(session, tmp_path):
    study = tiny_study(tmp_path / "p", method=[FROZEN])
    key = session.studies.begin(study)
    assert train_all(session) == ["finished", "finished"]
    assert session.studies.begin(study) == key
    assert session.studies.go_on(key, again=True) == 0
    assert session.queue.waiting() == 0
    assert len(session.runs()) == 2


def test_what_fails_stays_alone_and_is_tried_again_only_if_asked(session, tmp_path):
    study = tiny_study(tmp_path / "p", seeds=1, method=[BROKEN, FROZEN], baseline="frozen")
    key = session.studies.begin(study)
    assert train_all(session, key) == ["failed", "finished"]
    state = session.studies.get(key)
    assert (state.stage, labels(state.failed)) == ("done", ["birds, too fast, order 1, seed 0"])
    rows = session.studies.results(key).tables[0].rows
    assert [(row.n, row.failed) for row in rows] == [(0, 1), (1, 0)]
    assert rows[0].final.mean is None
    assert session.studies.go_on(key) == 0
    assert session.studies.go_on(key, again=True) == 1
    assert session.studies.get(key).stage == TESTING
    assert train_all(session, key) == ["failed"]
    assert len(session.studies.get(key).failed) == 1
    assert "Failed: birds, too fast" in page_of(session, key)


def test_a_candidate_that_fails_is_out_and_a_method_of_which_all_fail_is_left_out(session, tmp_path):  # fmt: skip
    tries = {"set": DIVERGES, "try": {"train.learning_rate": [1000.0, 1e-5]}}
    lost = {"set": DIVERGES, "try": {"train.learning_rate": [1000.0, 900.0]}}
    methods = [FROZEN, TRAINED | tries, TRAINED | {"label": "lost"} | lost]
    study = tiny_study(tmp_path / "p", seeds=1, method=methods, choose=CHOOSE)
    key = session.studies.begin(study)
    states = train_all(session, key)
    assert (states.count("failed"), states.count("finished")) == (6, 4)
    state = session.studies.get(key)
    ntk, none = state.chosen
    assert ntk.values == {"train.learning_rate": 1e-5}
    assert ntk.trials[0].failed == 2
    assert not none.found
    assert (state.stage, len(state.tested)) == ("done", 2)
    assert "Chosen for lost on birds: nothing, as every candidate failed." in page_of(session, key)


def test_a_run_stopped_half_way_is_trained_anew_when_the_study_goes_on(session, tmp_path):
    key = session.studies.begin(tiny_study(tmp_path / "p", seeds=1))
    run, _ = session.queue.start_next(key)
    run.stop()
    assert run.work() == "stopped"
    assert session.studies.stop(key) == 1
    state = session.studies.get(key)
    assert (state.stage, state.left, state.tested) == ("halted", 2, ())
    assert session.studies.go_on(key) == 2
    assert session.studies.go_on(key) == 0
    assert train_all(session, key) == ["finished", "finished"]
    assert session.studies.get(key).stage == "done"
    assert len(session.runs()) == 3


def test_a_run_stopped_behind_a_checkpoint_goes_on_from_there(session, tmp_path):
    longer = TRAINED | {"set": {"train.epochs": 4}}
    key = session.studies.begin(tiny_study(tmp_path / "p", seeds=1, method=[longer], baseline="NTK-CL"))  # fmt: skip
    run, _ = session.queue.start_next(key)
    run.stop("epoch")
    assert run.work() == "stopped"
    before = session.details(run.id).summary
    assert session.studies.go_on(key) == 1
    again, _ = session.queue.start_next(key)
    assert again.id == run.id
    assert again.steps > 0
    assert again.work() == "finished"
    state = session.studies.get(key)
    assert (state.stage, len(state.tested), len(session.runs())) == ("done", 1, 1)
    assert session.details(run.id).summary.created == before.created
    kinds = [type(event).__name__ for event in session.events(run.id)]
    assert kinds.count("RunStarted") == 1
    assert kinds.count("Resumed") == 1


def test_a_study_that_was_changed_is_refused_and_nothing_is_lost(session, tmp_path):
    study = tiny_study(tmp_path / "p", method=[FROZEN])
    key = session.studies.begin(study)
    run, _ = session.queue.start_next(key)
    run.work()
    with pytest.raises(UsageError) as caught:
        session.studies.begin(replace(study, seeds=(0, 1, 2)))
    assert str(caught.value) == (
        "The study 'tiny' began with other contents: seeds was [0, 1] and is [0, 1, 2]. What it has found is kept. "
        "Put the file back as it was, or give the changed study another name."
    )
    state = session.studies.get(key)
    assert (len(state.tested), len(state.waiting)) == (1, 1)


def test_what_cannot_be_trained_is_refused_before_anything_waits(session, tmp_path):
    paths = folders(tmp_path / "p")
    for change, sentence in (
        ({"method": [FROZEN | {"name": "simple-cli"}]}, "method.name: method 'simple-cli' is not known. Did you mean 'simple-cil'?"),
        ({"method": [FROZEN | {"set": {"switches.answers": "discriminant"}}]},
         "method 'frozen': simple-cil sets switches.answers = 'cosines' itself. Leave it out, or take another method."),
        ({"orders": 3}, "data 'birds': The number of orders must be from 2 to 2, not 3."),
        ({"method": [FROZEN, TRIED], "choose": {"tasks": 3}}, "choose.tasks = 3: data 'birds' has only 2. Choose on fewer tasks."),
        ({"method": [FROZEN, TRIED], "choose": {"folds": 9}},
         "'green' has 6 training pictures, too few for 9 validation parts. Choose fewer parts (data.folds), or leave the class out."),
    ):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            session.studies.begin(study_from(study_tree_of(paths) | change))
        assert str(caught.value) == sentence
    shutil.rmtree(paths[0])
    with pytest.raises(UsageError, match="The folder of task 'finches' is not there"):
        session.studies.begin(study_from(study_tree_of(paths)))
    assert session.studies.all() == []
    assert session.queue.waiting() == 0


def test_a_folder_that_goes_away_during_a_study_leaves_its_runs_waiting_with_the_reason(session, tmp_path):  # fmt: skip
    key = session.studies.begin(tiny_study(tmp_path / "p", seeds=1))
    (tmp_path / "p").rename(tmp_path / "q")
    run, problems = session.queue.start_next(key)
    assert run is None
    assert len(problems) == 2
    state = session.studies.get(key)
    assert state.stage == "halted"
    assert all("The folder of task" in each for each in state.refused)
    (tmp_path / "q").rename(tmp_path / "p")
    session.studies.go_on(key, again=True)
    assert train_all(session, key) == ["finished", "finished"]


def test_the_ledger_holds_the_numbers_of_the_runs(session, tmp_path):
    key = session.studies.begin(tiny_study(tmp_path / "p"))
    train_all(session, key)
    state = session.studies.get(key)
    of = {label: [] for label in ("frozen", "NTK-CL")}
    for each in state.tested:
        of[each.facts["method"]].append((each.facts["seed"], 100 * each.run.final_accuracy))
    page = page_of(session, key)
    for label, found in of.items():
        values = [value for _, value in sorted(found)]
        assert f"| {label} | 2 |" in page
        assert f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}" in page
    less = [a[1] - b[1] for a, b in zip(sorted(of["NTK-CL"]), sorted(of["frozen"]), strict=True)]
    half = 12.7062047362 * statistics.stdev(less) / 2**0.5
    mean = statistics.mean(less)
    assert f"{mean:+.1f} [{mean - half:+.1f}, {mean + half:+.1f}]" in page
    assert "The test part was read by 4 runs, each cell once." in page


def test_pictures_that_change_between_runs_are_said(session, tmp_path):
    key = session.studies.begin(tiny_study(tmp_path / "p", seeds=1))
    run, _ = session.queue.start_next(key)
    run.work()
    first = min((tmp_path / "p").rglob("*.png"))
    other = max((tmp_path / "p").rglob("*.png"))
    first.write_bytes(other.read_bytes())
    train_all(session, key)
    (sentence,) = session.studies.results(key).odd
    assert "methods were not shown the same pictures in one cell" in sentence


@pytest.mark.parametrize(
    "facts", [{}, {"study": 3}, {"chosen": 3}, {"chosen": [{"data": "birds"}]}]
)
def test_a_study_that_cannot_be_read_any_more_keeps_nothing_else_from_training(session, tmp_path, facts):  # fmt: skip
    key = session.studies.begin(tiny_study(tmp_path / "p", method=[FROZEN]))
    with session.log() as log:
        (row,) = log.queue.groups()
        log.queue.note_facts(key, {**row.facts, **facts} if facts else {})
    assert session.studies.all() == []
    with pytest.raises(UsageError, match="There is no study"):
        session.studies.get(key)
    run, problems = session.queue.start_next()
    assert (run.work(), problems) == ("finished", [])


def page_of(session, key):
    studies = session.studies
    return ledger(
        [Entry("x.toml", "0" * 64, studies.get(key), studies.results(key), studies.commits(key))]
    )
