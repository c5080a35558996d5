"""Every kind of event survives the way into the tables and back."""

import dataclasses
import math
from pathlib import Path

import pytest

from tests.logged import begin, timed
from workbench.events import (
    KINDS,
    Answered,
    Blocked,
    Checkpointed,
    EpochEnded,
    Evaluated,
    Event,
    Failed,
    Finished,
    Interrupted,
    Measured,
    Note,
    Pace,
    Paused,
    Resumed,
    RunStarted,
    Snapshot,
    Stage,
    Step,
    Stopped,
    TaskEnded,
    TaskInfo,
    TaskStarted,
)
from workbench.log.rows import describe, text_of
from workbench.log.store import Log
from workbench.measures import LOSS_TERMS, MEASURES

TASK = TaskInfo('Vögel, "kleine"\n小鳥', ("a", "ß 🐦"), (3, 1), (5, 6), (1, 2), "ab" * 32)

SAMPLES: dict[str, Event] = {
    "RunStarted": RunStarted(
        (TASK, TASK),
        {"fusion": "linear"},
        "vit/ü",
        "cd" * 32,
        192,
        12345,
        "cpu",
        "open",
        67890,
        "strict",
    ),
    "TaskStarted": TaskStarted(1, 30, 20, 600),
    "Step": Step(1, 2, 31, 0.1 + 0.2, {"total": 1 / 3, "cross_entropy_s1": 1e-300, "später": -0.0}),
    "Evaluated": Evaluated(1, 60, (0.9, 2 / 3), (1.0, 0.5), (0.0, 1.0), (0.25, 0.75), (8, 9)),
    "Measured": Measured("ntk.ridge", 1, 19, 60, 0.125),
    "Snapshot": Snapshot(1, 19, 60, "kernel/0060.safetensors", "fusion and head in closed form"),
    "Answered": Answered(1, 60, "answers/after-001.safetensors", "answers/pictures-001.json"),
    "Checkpointed": Checkpointed(1, 2, 60, "checkpoint/000003.safetensors"),
    "TaskEnded": TaskEnded(1, 60, 1234, 4936, 3 << 30),
    "Note": Note("Größe: 3 µm ✓", "warning"),
    "EpochEnded": EpochEnded(1, 2, 30),
    "Paused": Paused(12, 0),
    "Resumed": Resumed(12),
    "Finished": Finished(60),
    "Stopped": Stopped(59),
    "Failed": Failed("Kein Speicher: „voll“.", "Traceback …\n  x"),
    "Interrupted": Interrupted(60, "Zu Ende: „weg“.", "Traceback …\n  x"),
}


def through(tmp_path: Path, *events: Event) -> list[Event]:
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log.write("run1", timed(events))
        return log.events("run1")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_event_comes_back_equal(kind: str, tmp_path: Path) -> None:
    if kind in ("Stage", "Pace", "Blocked"):
        assert through(tmp_path, Stage("x"), Pace(1.0, None, 1, 2), Blocked("x")) == []
    else:
        back = through(tmp_path, SAMPLES[kind])
        assert back == [SAMPLES[kind]]
        assert type(back[0]) is KINDS[kind]


def test_what_the_machine_says_of_a_task_is_kept_and_is_no_part_of_what_was_said(
    tmp_path: Path,
) -> None:
    ended = TaskEnded(0, 30, 7, 28, 5_000_000_000)
    (back,) = through(tmp_path, ended)
    assert isinstance(back, TaskEnded)
    assert back.peak_bytes == 5_000_000_000
    assert back == dataclasses.replace(ended, peak_bytes=None)
    assert back != dataclasses.replace(ended, kept_bytes=None)


def test_absent_and_non_finite_numbers_are_none_with_a_reason_and_never_zero(
    tmp_path: Path,
) -> None:
    back = through(
        tmp_path,
        Measured("forgetting", 0, 19, 60, None, "There is no old task yet."),
        Measured("forgetting", 1, 19, 61, math.nan),
        Measured("forgetting", 1, 19, 62, math.inf, "Overflow."),
        Step(0, 0, 1, math.inf, {"total": math.nan, "orthogonality": -math.inf}),
        Evaluated(0, 1, (math.nan,), (0.5,), (0.5,), (), (3,)),
    )
    assert back == [
        Measured("forgetting", 0, 19, 60, None, "There is no old task yet."),
        Measured("forgetting", 1, 19, 61, None, "The value is not a finite number (nan)."),
        Measured("forgetting", 1, 19, 62, None, "Overflow."),
        dataclasses.replace(Step(0, 0, 1, 0.0, {"total": None, "orthogonality": None}), lr=None),  # type: ignore[arg-type, dict-item]
        dataclasses.replace(Evaluated(0, 1, (), (0.5,), (0.5,), (), (3,)), accuracy=(None,)),  # type: ignore[arg-type]
    ]


def test_events_keep_their_order_over_all_tables(tmp_path: Path) -> None:
    events: list[Event] = []
    for step in range(30):
        events += [
            Step(0, step // 10, step, 0.1, {"total": float(step)} if step % 3 else {}),
            Measured("ntk.ridge", 0, step // 10, step, float(step)),
            Note(f"after step {step}"),
            Measured("ntk.ridge", 0, step // 10, step, -float(step)),  # the same number again
        ]
    assert through(tmp_path, *events) == events


def test_a_name_that_no_text_can_hold_is_kept(tmp_path: Path) -> None:
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")  # a Latin-1 file name on Linux
    started = dataclasses.replace(
        SAMPLES["RunStarted"], tasks=(dataclasses.replace(TASK, name=odd, class_names=(odd, "b")),)
    )
    note = Note(f"{odd} is not read.")
    assert through(tmp_path, started, note) == [started, note]
    assert text_of(odd) == "caf\\udce9"


def test_every_measure_and_loss_term_has_its_unit_and_formula(tmp_path: Path) -> None:
    for name in MEASURES:
        assert all(describe("measure", name)[:3]), name
    for name in LOSS_TERMS:
        assert all(describe("loss", name)), name
    assert describe("loss", "added") == ("added", "", "", "lower")
    assert describe("measure", "added") == ("added", "", "", "")
