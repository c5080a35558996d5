"""Every number that a run says is explained, and every explanation belongs to a number."""

import pytest

from tests.trained import folders, quick_config
from workbench.core.train import train
from workbench.events import Measured, Step
from workbench.measures import LOSS_TERMS, MEASURES


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    root = tmp_path_factory.mktemp("measures")
    return list(train(quick_config(folders(root / "pictures")), root))


def test_what_a_run_measures_is_what_is_explained(said):
    names = {event.name for event in said if isinstance(event, Measured)}
    assert names == MEASURES.keys() - {"joint_part_accuracy"}  # of a run of one task: test_joint


def test_the_loss_terms_of_a_run_are_those_that_have_a_label(said):
    terms = {name for event in said if isinstance(event, Step) for name in event.terms}
    assert terms == LOSS_TERMS.keys()


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_has_label_unit_formula_and_reading(name):
    measure = MEASURES[name]
    assert measure.name == name
    assert measure.label
    assert measure.unit
    assert measure.formula
    assert measure.reading
    assert measure.range
    assert measure.cost
    assert measure.cadence
    for fact in (measure.formula, measure.unit, measure.range, measure.cost, measure.cadence):
        assert fact in measure.told()
    assert measure.better in ("higher", "lower", "")


def test_labels_tell_measures_apart():
    labels = [measure.label for measure in MEASURES.values()]
    assert len(set(labels)) == len(labels)
