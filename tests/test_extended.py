"""A finished run that takes another task, or more epochs, is the run that had them from the start."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import make_task_folders
from tests.test_resume_session import adapter_of, stopped_at, told, unmonitored
from workbench import paths
from workbench.config import RunConfig, TaskFolder, with_values
from workbench.errors import UsageError
from workbench.events import Note, RunStarted, Step, TaskEnded
from workbench.session import Session
from workbench.session.extend import before_extending, to_come


def open_sequence(root: Path) -> RunConfig:
    return with_values(unmonitored(root), {"method.sequence": "open"})


def with_task(config: RunConfig, root: Path) -> tuple[RunConfig, TaskFolder]:
    (path,) = make_task_folders(root, {"owls": {"tawny": 8, "snowy": 8}})
    folder = TaskFolder("owls", str(path))
    tasks = (*config.data.tasks, folder)
    return replace(config, data=replace(config.data, tasks=tasks)), folder


def test_a_task_more_gives_the_run_with_all_tasks_at_once(tmp_path: Path) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        config = open_sequence(tmp_path / "pictures")
        whole, owls = with_task(config, tmp_path / "more")
        first = session.start(config)
        assert first.work() == "finished"
        before, adapter = session.events(first.id), adapter_of(session, first.id)
        child = session.resuming.extend(first.id, [owls])
        assert (child.name, child.steps) == ("run-0001 + owls", 12)
        assert child.work() == "finished", child.news()[-1]
        at_once = session.start(whole)
        assert at_once.work() == "finished"
        assert told(session, child.id) == told(session, at_once.id)
        assert adapter_of(session, child.id) == adapter_of(session, at_once.id)
        assert (session.events(first.id), adapter_of(session, first.id)) == (before, adapter)
        summary = session.details(child.id).summary
        assert (summary.parent, summary.tasks_done, summary.tasks_total) == (first.id, 3, 3)
        assert (
            session.details(child.id).accuracy_matrix == session.details(at_once.id).accuracy_matrix
        )


@pytest.mark.parametrize("sequence", ["open", "closed"])
def test_a_run_stopped_after_a_task_goes_on_with_other_tasks_than_it_had_before_it(
    tmp_path: Path, sequence: str
) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        config = with_values(unmonitored(tmp_path / "pictures"), {"method.sequence": sequence})
        _, owls = with_task(config, tmp_path / "more")
        first = session.start(config)
        first.stop("task")
        assert first.work() == "stopped"
        assert to_come(session.details(first.id)) == config.data.tasks[1:]
        child = session.resuming.extend(first.id, [owls])
        assert child.work() == "finished", child.news()[-1]
        other = replace(config, data=replace(config.data, tasks=(config.data.tasks[0], owls)))
        at_once = session.start(other)
        assert at_once.work() == "finished"
        assert told(session, child.id) == told(session, at_once.id)
        assert adapter_of(session, child.id) == adapter_of(session, at_once.id)
        assert session.details(child.id).summary.parent == first.id


def test_a_run_stopped_within_a_task_is_resumed_before_it_takes_other_tasks(tmp_path: Path) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        config = unmonitored(tmp_path / "pictures")
        _, owls = with_task(config, tmp_path / "more")
        run = stopped_at(session, config, 9)
        with pytest.raises(UsageError, match=r"stopped within a task.*stop it after the task"):
            session.resuming.extend(run.id, [owls])
        with pytest.raises(UsageError, match="only a finished run can be extended"):
            session.resuming.extend(run.id, epochs=1)


@pytest.mark.parametrize("fallback", [False, True])
def test_a_closed_sequence_that_is_extended_makes_up_for_the_averaging_it_left_out(
    tmp_path: Path, fallback: bool
) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        config = with_values(unmonitored(tmp_path / "pictures"), {"method.profile": "paper"})
        assert config.method.sequence == "closed"
        whole, owls = with_task(config, tmp_path / "more")
        first = session.start(config)
        assert first.work() == "finished"
        if fallback:  # the checkpoint behind the last epoch is gone
            places = sorted(
                (paths.run_folder(session.home, first.id) / "checkpoint").glob("*.json")
            )
            places[-2].unlink()
        before = before_extending(session.details(first.id))
        assert "the end of 'Ö 空格' is done again" in before
        child = session.resuming.extend(first.id, [owls])
        assert child.work() == "finished", child.news()[-1]
        events = told(session, child.id)
        notes = [e.text for e in events if isinstance(e, Note) and "averaging" in e.text]
        (said,) = notes
        assert "'Ö 空格'" in said
        at_once = session.start(whole)
        assert at_once.work() == "finished"
        made_up = [event for event in events if event != Note(said)]
        assert (made_up == told(session, at_once.id)) is not fallback
        same = adapter_of(session, child.id) == adapter_of(session, at_once.id)
        assert same is not fallback
        assert ("stays left out" in said) is fallback
        ends = [e.task for e in events if isinstance(e, TaskEnded)]
        assert ends == [0, 1, 2]
        rows = session.details(child.id).accuracy_matrix
        assert (rows == session.details(at_once.id).accuracy_matrix) or fallback


def test_an_open_sequence_has_nothing_to_say_before_it_is_extended(tmp_path: Path) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        config = with_values(open_sequence(tmp_path / "pictures"), {"train.epochs": 1})
        first = session.start(config)
        assert before_extending(session.details(first.id)) == ""


def test_more_epochs_are_trained_behind_the_last_one(tmp_path: Path) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        first = session.start(open_sequence(tmp_path / "pictures"))
        assert first.work() == "finished"
        child = session.resuming.extend(first.id, epochs=1)
        assert child.work() == "finished", child.news()[-1]
        steps = [event for event in session.events(child.id) if isinstance(event, Step)]
        assert [event.step for event in steps] == list(range(len(steps)))
        assert {event.epoch for event in steps if event.task == 1} == {0, 1, 2}
        assert {event.epoch for event in steps if event.task == 0} == {0, 1}
        assert sum(isinstance(event, RunStarted) for event in session.events(child.id)) == 1


@pytest.mark.parametrize("step", [3, 7, 10])
def test_a_stopped_run_goes_on_from_its_last_step(tmp_path: Path, step: int) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        run = stopped_at(session, unmonitored(tmp_path / "pictures"), step)
        assert session.resuming.resume(run.id).steps == step + 1
