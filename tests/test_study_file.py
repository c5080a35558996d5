"""Studies as files: read, written, and refused in sentences."""

import copy
from pathlib import Path

import pytest
import tomli_w

from tests.compared import CHOOSE, FROZEN, TRAINED, TRIED, study_tree_of
from tests.pictures import make_class_folders
from tests.trained import folders
from workbench.errors import UsageError
from workbench.session.study import study_tree
from workbench.session.study_file import read_study, study_from, study_text


@pytest.fixture
def tree(tmp_path):
    return study_tree_of(folders(tmp_path / "pictures"))


def refused(tree) -> str:
    with pytest.raises(UsageError) as caught:
        study_from(tree)
    return str(caught.value)


def test_a_study_written_out_is_the_same_study(tmp_path, tree):
    study = study_from(tree | {"method": [FROZEN, TRIED], "choose": CHOOSE, "orders": 2})
    file = tmp_path / "study.toml"
    file.write_text(study_text(study), encoding="utf-8")
    again = read_study(file)
    assert again == study
    assert again.digest == study.digest
    assert study_from(study_tree(study)) == study


def test_what_it_asks_decides_the_digest_and_not_how_it_is_written(tree):
    listed = tree | {"seeds": [0, 1]}
    assert study_from(listed).digest == study_from(tree).digest
    assert study_from(tree | {"seeds": [0, 2]}).digest != study_from(tree).digest


def test_settings_may_stand_in_nested_tables_or_behind_dots(tree):
    nested = TRAINED | {"set": {"train": {"epochs": 3}, "model": {"bottleneck": 4}}}
    flat = TRAINED | {"set": {"train.epochs": 3, "model.bottleneck": 4}}
    a, b = (study_from(tree | {"method": [FROZEN, each]}) for each in (nested, flat))
    assert a.methods == b.methods
    assert a.methods[1].set == {"train.epochs": 3, "model.bottleneck": 4}


def test_cells_are_every_seed_in_every_order_or_each_seed_in_one(tree):
    every = study_from(tree | {"seeds": [4, 7], "orders": 2})
    assert every.cells == ((1, 4), (2, 4), (1, 7), (2, 7))
    turns = study_from(tree | {"seeds": [4, 7, 9], "orders": 2, "crossed": False})
    assert turns.cells == ((1, 4), (2, 7), (1, 9))
    assert turns.runs == 6


def test_candidates_are_every_combination_in_the_order_listed(tree):
    tries = {"train.learning_rate": [0.1, 0.2], "train.epochs": [1, 2]}
    study = study_from(tree | {"method": [FROZEN, TRAINED | {"try": tries}], "choose": CHOOSE})
    found = [tuple(each.values()) for each in study.methods[1].candidates]
    assert found == [(0.1, 1), (0.1, 2), (0.2, 1), (0.2, 2)]
    assert (study.runs, study.trials) == (4, 8)
    assert study.methods[0].candidates == ({},)


def test_a_folder_beside_the_file_is_found_from_wherever_it_is_read(tmp_path, tree, monkeypatch):
    place = tmp_path / "studies"
    make_class_folders(place / "owls", {"tawny": 3, "barn": 3})
    (place / "run.toml").write_text('[[data.tasks]]\nname = "owls"\npath = "owls"\n')
    asked = tree | {"data": [{"name": "owls", "config": "run.toml", "set": {"train.epochs": 2}}]}
    (place / "study.toml").write_text(tomli_w.dumps(asked))
    monkeypatch.chdir(tmp_path)
    (data,) = read_study(place / "study.toml").data
    assert data.config.data.tasks[0].path == str(place / "owls")
    assert data.config.train.epochs == 2
    asked["data"] = [{"name": "owls", "folders": ["owls"]}]
    (place / "study.toml").write_text(tomli_w.dumps(asked))
    (data,) = read_study(place / "study.toml").data
    assert [(t.name, t.path) for t in data.config.data.tasks] == [("owls", str(place / "owls"))]


def test_the_sample_needs_no_path(tree):
    (data,) = study_from(tree | {"data": [{"name": "emoji", "sample": True}]}).data
    assert len(data.config.data.tasks) == 5
    assert data.config.data.train_per_class == 8


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seeds": 0}, "seeds = 0: a study needs 1 to 100 seeds. With none, nothing is trained."),
        ({"seeds": []}, "seeds = []: a study needs 1 to 100 seeds. With none, nothing is trained."),
        ({"seeds": [1, 1]}, "There are two of seed '1'. Each needs a name of its own."),
        ({"seeds": "3"}, "seeds = '3': how many (3), or the seeds themselves ([1, 5, 9]), are expected."),
        ({"seeds": True}, "seeds = True: how many (3), or the seeds themselves ([1, 5, 9]), are expected."),
        ({"orders": 0}, "orders = 0: a whole number from 1 to 100 is expected."),
        ({"crossed": 1}, "crossed = 1: true or false is expected."),
        ({"orders": 3, "crossed": False}, "orders = 3: with crossed = false each seed has one order, and there are 2 seeds. Take more seeds."),
        ({"name": " "}, "a study needs a name, a text; it has ' '."),
        ({"method": []}, "A study needs at least one [[method]]."),
        ({"method": [FROZEN, FROZEN]}, "There are two of method 'frozen'. Each needs a name of its own."),
        ({"data": 3}, "data = 3: tables [[data]] are expected."),
        ({"data": [{"name": "x"}]}, "Data 'x' needs exactly one of sample, folders, config and run, and has none."),
        ({"data": [{"name": "x", "folders": "owls"}]}, "Data 'x': folders = 'owls': a list of paths is expected."),
        ({"data": [{"name": "x", "folders": ["a\0b"]}]}, r"'a\x00b' is not the path of a file or folder."),
        ({"data": [{"name": "x", "config": 3}]}, "3 is not the path of a file or folder."),
        ({"baseline": "froze"}, "baseline = 'froze' is the label of no method. Did you mean 'frozen'?"),
        ({"sedes": 3}, "a study has no 'sedes'; it has name, seeds, orders, crossed, baseline, choose, data, method. Did you mean 'seeds'?"),
        ({"choose": {"folds": 1}}, "choose.folds = 1: a whole number from 2 to 100 is expected."),
        ({"choose": {"measure": "luck"}}, "choose.measure = 'luck' is not one of average_accuracy, final_accuracy."),
        ({"choose": 3}, "choose = 3: a table [choose] is expected."),
        ({"method": [FROZEN | {"set": {"train.epoch": 3}}]}, "method 'frozen': 'train.epoch' is not a setting. Did you mean 'train.epochs'?"),
        ({"method": [FROZEN | {"set": {"train.epochs": "x"}}]}, "method 'frozen': train.epochs: expected a whole number, not 'x'."),
        ({"method": [FROZEN | {"set": {"seeds.split": 3}}]}, "method 'frozen': 'seeds.split' is the study's own to set."),
        ({"method": [FROZEN | {"set": 3}]}, "method 'frozen': 3 is no table of settings."),
        ({"method": [FROZEN | {"try": {"train.epochs": [3]}}]}, "method 'frozen': train.epochs = [3] is nothing to choose among: 'try' needs a "
         "list of two values or more. One value belongs into 'set'."),
        ({"method": [FROZEN | {"try": {"train.epochs": [1, 0]}}]}, "method 'frozen': train.epochs: Epochs: a whole number from 1 to 100000, not 0."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_a_sentence(tree, change, sentence):
    assert refused(tree | change) == sentence


def test_a_setting_of_data_that_does_not_fit_names_the_data(tree):
    data = copy.deepcopy(tree["data"])
    data[0]["set"] = {"train.batch_size": 0}
    assert refused(tree | {"data": data}).startswith("data 'birds': train.batch_size: Batch:")


def test_too_many_runs_are_refused_before_any_begins(tree):
    assert "asks for 20,000 runs; at most 10,000" in refused(tree | {"seeds": 100, "orders": 100})


def test_a_file_that_is_no_toml_or_not_there_is_named(tmp_path):
    file = tmp_path / "study.toml"
    with pytest.raises(UsageError, match=r"study\.toml cannot be read"):
        read_study(file)
    file.write_text("name = ")
    with pytest.raises(UsageError, match=r"study\.toml is not a TOML file"):
        read_study(file)
    file.write_text("seeds = 3")
    with pytest.raises(UsageError, match=r"study\.toml: a study needs a name"):
        read_study(Path(file))
