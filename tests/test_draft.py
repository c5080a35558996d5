import dataclasses

import pytest
from pytestqt.qtbot import QtBot

from workbench.config import RunConfig, TaskFolder, with_values
from workbench.errors import UsageError
from workbench.face.draft import Draft
from workbench.report import ClassReport, TaskReport


def report(name: str, classes: int = 2) -> TaskReport:
    counted = tuple(ClassReport(f"{name} {i}", 8, 2) for i in range(classes))
    return TaskReport(TaskFolder(name, f"/pictures/{name}"), counted, False, ())


@pytest.fixture
def draft(qapp: object) -> Draft:
    made = Draft()
    made.add([report("finches"), report("gulls"), report("owls")])
    return made


def test_tasks_are_kept_in_the_order_they_were_added(draft: Draft) -> None:
    assert draft.state.names() == ["finches", "gulls", "owls"]
    assert [task.name for task in draft.state.run_config().data.tasks] == ["finches", "gulls", "owls"]  # fmt: skip


def test_moving_a_task_can_be_undone_and_redone(draft: Draft) -> None:
    draft.move(0, 2)
    assert draft.state.names() == ["gulls", "owls", "finches"]
    draft.stack.undo()
    assert draft.state.names() == ["finches", "gulls", "owls"]
    draft.stack.redo()
    assert draft.state.names() == ["gulls", "owls", "finches"]


def test_moving_past_the_end_does_nothing(draft: Draft) -> None:
    steps = draft.stack.count()
    draft.move(2, 3)
    draft.move(1, 1)
    assert draft.stack.count() == steps


def test_a_name_is_refused_if_it_is_empty_or_taken(draft: Draft) -> None:
    assert draft.rename(0, "  ") == "A task needs a name."
    assert draft.rename(0, "owls") == "Another task is already called 'owls'."
    assert draft.rename(0, " sparrows ") == ""
    assert draft.state.names()[0] == "sparrows"


def test_an_added_task_with_a_taken_name_gets_a_number(draft: Draft) -> None:
    draft.add([report("owls"), report("owls")])
    assert draft.state.names()[3:] == ["owls 2", "owls 3"]


def test_removing_is_undone_in_place(draft: Draft) -> None:
    draft.remove(1)
    assert draft.state.names() == ["finches", "owls"]
    draft.stack.undo()
    assert draft.state.names() == ["finches", "gulls", "owls"]


def test_a_task_can_be_replaced_by_its_parts(draft: Draft) -> None:
    draft.replace(1, [report("gulls 1"), report("gulls 2")])
    assert draft.state.names() == ["finches", "gulls 1", "gulls 2", "owls"]


def test_typing_in_one_field_is_one_step_and_in_two_fields_two(draft: Draft) -> None:
    steps = draft.stack.count()
    for epochs in (2, 25, 250):
        draft.set_values({"train.epochs": epochs}, "Change", merge_key="train.epochs")
    draft.set_values({"train.batch_size": 8}, "Change", merge_key="train.batch_size")
    assert draft.stack.count() == steps + 2
    draft.stack.undo()
    assert draft.state.settings.train.epochs == 250
    draft.stack.undo()
    assert draft.state.settings == RunConfig()


def test_a_value_that_does_not_fit_never_enters_the_draft(draft: Draft) -> None:
    with pytest.raises(UsageError, match="Batch: a whole number from 1 to 1024"):
        draft.set_values({"train.batch_size": 0}, "Change")
    assert draft.state.settings.train.batch_size == RunConfig().train.batch_size


def test_loading_a_configuration_brings_its_tasks_and_can_be_undone(draft: Draft) -> None:
    config = with_values(RunConfig(), {"train.epochs": 3})
    tasks = (TaskFolder("1-animals", "/sample/1-animals"),)
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, tasks=tasks))
    draft.load(config, "Try the sample")
    assert draft.state.names() == ["1-animals"]
    assert draft.state.run_config() == config
    draft.stack.undo()
    assert draft.state.names() == ["finches", "gulls", "owls"]


def test_counts_found_out_later_are_no_step(draft: Draft, qtbot: QtBot) -> None:
    steps = draft.stack.count()
    with qtbot.waitSignal(draft.changed):
        draft.learn_counts([report("gulls", classes=5)])
    assert len(draft.state.tasks[1].classes) == 5
    assert draft.stack.count() == steps


def test_a_whole_order_is_one_step_and_half_an_order_is_none(draft: Draft) -> None:
    steps = draft.stack.count()
    draft.order((2, 0, 1))
    assert draft.state.names() == ["owls", "finches", "gulls"]
    assert draft.stack.count() == steps + 1
    draft.order((0, 1))
    draft.order((0, 0, 1))
    assert draft.stack.count() == steps + 1
    draft.stack.undo()
    assert draft.state.names() == ["finches", "gulls", "owls"]
