"""Events: plain values that come back from JSON as they went, whatever their class."""

import dataclasses
import json
import math

import pytest

from workbench import events
from workbench.events import KINDS, Measured, Note, RunStarted, Step, TaskInfo, from_json, to_json

TASK = TaskInfo("Ö 空格", ("a", "b"), (0, 1), (8, 9), (2, 3), "f" * 64)
EXAMPLES = {
    "RunStarted": RunStarted((TASK, TASK), {"fusion": "linear"}, "sample", "0" * 64, 384, 99, "cpu", "open", 999, "bf16"),
    "Stage": events.Stage("Reading", 3, 7),
    "Pace": events.Pace(12.5, None, 3, 7, 0.1, 0.4),
    "TaskStarted": events.TaskStarted(1, 8, 2, 6),
    "Step": Step(1, 0, 8, 0.025, {"total": 1.25, "orthogonality": 0.0}),
    "Evaluated": events.Evaluated(1, 8, (0.5, 1.0), (1.0, 1.0), (0.5, 1.0), (0.25, 0.75), (4, 6)),
    "Measured": Measured("forgetting", 0, 1, 8, None, "needs more than one task"),
    "Snapshot": events.Snapshot(0, 1, 8, "kernel/001-done.safetensors", "The fusion in closed form."),
    "Answered": events.Answered(0, 8, "answers/after-000.safetensors", "answers/pictures-000.json"),
    "Checkpointed": events.Checkpointed(1, 2, 8, "checkpoint/000003.safetensors"),
    "TaskEnded": events.TaskEnded(1, 8, 123, 492, 2**31),
    "Note": events.Note("2 pictures of task 'Ö' cannot be used.", "warning"),
    "EpochEnded": events.EpochEnded(1, 2, 30),
    "Blocked": events.Blocked("No space left."),
    "Paused": events.Paused(12, 0),
    "Resumed": events.Resumed(12),
    "Finished": events.Finished(80),
    "Stopped": events.Stopped(7),
    "Failed": events.Failed("The disk is full.", "Traceback …"),
    "Interrupted": events.Interrupted(7, "The engine ended.", "Fatal Python error …"),
}  # fmt: skip


def test_every_kind_has_an_example():
    assert EXAMPLES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_comes_back_equal_and_is_frozen(kind):
    event = EXAMPLES[kind]
    back = from_json(kind, to_json(event))
    assert back == event
    assert type(back) is type(event)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(back, dataclasses.fields(back)[0].name, None)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_becomes_null_wherever_it_stands(value):
    assert json.loads(to_json(Measured("ntk.ridge", 0, 0, 0, value)))["value"] is None
    step = json.loads(to_json(Step(0, 0, 0, value, {"total": value, "orthogonality": 1.0})))
    assert step["lr"] is None
    assert step["terms"] == {"total": None, "orthogonality": 1.0}
    row = events.Evaluated(0, 1, (value, 0.5), (), (), (), ())
    assert json.loads(to_json(row))["accuracy"] == [None, 0.5]


def test_a_field_of_a_newer_version_is_passed_over():
    assert from_json("Finished", '{"step": 3, "mood": "good"}') == events.Finished(3)


def test_text_is_kept_readable():
    assert "空格" in to_json(EXAMPLES["RunStarted"])


def test_when_it_was_said_is_no_part_of_what_was_said():
    assert Note("a", time=1.0) == Note("a", time=2.0) == Note("a")
    assert to_json(Note("a", time=1.0)) == to_json(Note("a"))
    assert from_json("Note", to_json(Note("a")), 3.0).time == 3.0
