"""How much a study asks, before it begins: counted, timed by runs like its own, and refused where a run could not start."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.compared import CHOOSE, FROZEN, TRAINED, TRIED, tiny_study
from workbench.errors import UsageError
from workbench.session import Session
from workbench.session.study_file import is_study, study_text
from workbench.session.study_length import StudyLength, length_of


@pytest.fixture
def session(tmp_path: Path):
    with closing(Session(tmp_path / "home", entry_points=False)) as opened:
        yield opened


def test_runs_like_those_of_the_log_have_a_length_and_others_none(session, tmp_path: Path) -> None:
    small = tiny_study(tmp_path / "p", seeds=1, method=[FROZEN])
    assert length_of(session, small) == StudyLength(0, 1, 0, 0)
    key = session.studies.begin(small)
    run, _ = session.queue.start_next(key)
    assert run.work() == "finished"
    (took,) = session.queue.seconds([run.config])
    whole = tiny_study(tmp_path / "p", name="whole", method=[FROZEN, TRIED], choose=CHOOSE, seeds=3)
    found = length_of(session, whole)
    assert (found.trials, found.tests, found.runs, found.known) == (4, 6, 10, 3)
    assert found.seconds == pytest.approx(3 * took)
    assert took > 0


def test_a_study_is_looked_up_by_name_and_refused_if_it_is_another(session, tmp_path: Path) -> None:
    study = tiny_study(tmp_path / "p")
    assert session.studies.begun(study) is None
    assert session.studies.names() == []
    key = session.studies.begin(study)
    assert session.studies.begun(study).id == key
    assert session.studies.names() == ["tiny"]
    with pytest.raises(UsageError, match="'tiny' began with other contents: seeds was"):
        session.studies.begun(tiny_study(tmp_path / "p", seeds=5))


def test_what_a_group_is_for_and_what_waits_first_are_known_without_reading_the_runs(
    session, tmp_path: Path
) -> None:
    assert session.queue.first() is None
    key = session.studies.begin(tiny_study(tmp_path / "p"))
    assert (session.groups.kind(key), session.groups.kind("other")) == ("study", "")
    assert session.queue.first() == session.queue.runs()[0].config


def test_what_could_not_start_has_no_length(session, tmp_path: Path) -> None:
    fixed = {"name": "simple-cil", "label": "set", "set": {"model.branches": "both"}}
    with pytest.raises(UsageError, match=r"simple-cil sets model\.branches"):
        length_of(session, tiny_study(tmp_path / "p", baseline="set", method=[fixed]))
    many = tiny_study(tmp_path / "p", method=[FROZEN, TRIED], choose=CHOOSE | {"folds": 60})
    with pytest.raises(UsageError, match="60"):
        length_of(session, many)


def test_a_file_with_methods_is_a_study_and_a_run_or_no_toml_is_none(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    assert not is_study(file)
    file.write_text(study_text(tiny_study(tmp_path / "p", method=[FROZEN, TRAINED])))
    assert is_study(file)
    for text in ('[method]\nname = "ntk-cl"\n', "method = ", ""):
        file.write_text(text)
        assert not is_study(file)
