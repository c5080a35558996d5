"""A log cut back to a checkpoint and written on is the log of a run that was never cut off."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.logged import begin
from tests.recorded import recorded_run
from tests.said import decided
from workbench.errors import UsageError
from workbench.events import (
    Checkpointed,
    EpochEnded,
    Event,
    Failed,
    Measured,
    Resumed,
    RunStarted,
    Snapshot,
    Stopped,
    TaskEnded,
)
from workbench.log.resume import LoggedCheckpoint, checkpoints, fork, rewind
from workbench.log.store import Log

OWN = {"number", "run", "id", "name", "n", "time", "created", "started", "ended", "heartbeat", "last_event", "parent_run"}  # fmt: skip


def with_checkpoints(events: Sequence[Event]) -> list[Event]:
    """Put a checkpoint behind every third of each task's steps and behind every task's end."""
    found: list[Event] = []
    for number, event in enumerate(events):
        found.append(event)
        if isinstance(event, (EpochEnded, TaskEnded)) or (number and number % 17 == 0):
            step = getattr(event, "step", 0)
            found.append(Checkpointed(0, 0, step, f"checkpoint/{number:06d}.safetensors"))
    return found


def put(log: Log, run_id: str, events: Sequence[Event], first: int = 0) -> None:
    log.write(run_id, [(1000.0 + first + n, event) for n, event in enumerate(events)])


def tables(log: Log, run_id: str) -> dict[str, list[Any]]:
    """Return what the log holds of a run but when things were said, and what clock and user said."""
    names = ("run", "run_task", "accuracy", "run_summary")
    with log.snapshot() as db:
        (run,) = db.execute("SELECT number FROM run WHERE id = ?", [run_id]).fetchone()
        rows: dict[str, list[Any]] = {
            name: [
                {key: value for key, value in row.items() if key not in OWN}
                for row in db.query(
                    f"SELECT * FROM {name} WHERE {'number' if name == 'run' else 'run'} = ?", [run]
                )
            ]
            for name in names
        }
    rows["event"] = decided(log.events(run_id))
    return rows


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), ending=st.sampled_from(["finished", "stopped", "failed"]))
def test_cut_back_and_written_on_it_is_the_log_of_an_uninterrupted_run(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, ending: str
) -> None:
    events = with_checkpoints(recorded_run(3, epochs=2, steps=3, ending=ending, kernel=True))
    cut_off = data.draw(st.integers(1, len(events)))
    with Log(tmp_path_factory.mktemp("log") / "log.db") as log:
        begin(log, "whole", tasks_total=3)
        put(log, "whole", events)
        begin(log, "cut", tasks_total=3)
        put(log, "cut", events[:cut_off])
        with log.snapshot() as db:
            points = [None, *checkpoints(db, "cut")]
        to = data.draw(st.sampled_from(points))
        with log.change() as db:
            rewind(db, "cut", to)
        done = events.index(to.event) + 1 if to is not None else 0
        assert log.events("cut") == events[:done]
        (state,) = {run.state for run in log.runs() if run.id == "cut"}
        assert state == "starting"
        more = [Resumed(7)] if to is not None else []
        put(log, "cut", [*more, *events[done:]], first=5000)
        assert tables(log, "cut") == tables(log, "whole")


def test_checkpoints_come_newest_first(tmp_path: Path) -> None:
    events = with_checkpoints(recorded_run(2, epochs=2, steps=3))
    with Log(tmp_path / "log.db") as log:
        put(log, begin(log), events)
        with log.snapshot() as db:
            found = checkpoints(db, "run1")
    said = [event for event in events if isinstance(event, Checkpointed)]
    assert [point.event for point in found] == said[::-1]
    assert all(events[point.n - 1] == point.event for point in found)


def test_summary_and_files_are_those_at_the_checkpoint(tmp_path: Path) -> None:
    events = with_checkpoints(recorded_run(3, epochs=2, steps=3, kernel=True))
    folder = tmp_path / "runs" / "run1"
    with Log(tmp_path / "log.db") as log:
        put(log, begin(log), events)
        for event in events:
            if isinstance(event, Snapshot):
                file = folder / event.path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(b"arrays")
                log.note_file("run1", "kernel", file)
        to = point_after(log, "run1", TaskEnded(0, 6))
        with log.change() as db:
            rewind(db, "run1", to)
        details = log.details("run1")
    kept = events[: to.n]
    shown = [e.value for e in kept if isinstance(e, Measured) and e.name == "accuracy_seen"]
    assert details.summary.final_accuracy == shown[-1]
    assert (details.summary.tasks_done, details.summary.ended) == (1, None)
    named = {f"runs/run1/{event.path}" for event in kept if isinstance(event, Snapshot)}
    assert {file["path"] for file in details.files} == named


def point_after(log: Log, run_id: str, event: Event) -> LoggedCheckpoint:
    """Return the checkpoint written right after `event`."""
    said = log.events(run_id)
    with log.snapshot() as db:
        return next(p for p in checkpoints(db, run_id) if said[p.n - 2] == event)


def test_what_lies_between_a_checkpoint_and_going_on_is_no_time_of_the_task(tmp_path: Path) -> None:
    start = recorded_run(1, epochs=1, steps=1)[0]
    assert isinstance(start, RunStarted)
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log.write("run1", [(100.0, start), (130.0, Checkpointed(0, 0, 3, "checkpoint/1"))])
        with log.snapshot() as db:
            (point,) = checkpoints(db, "run1")
        log.write("run1", [(150.0, Failed("The power went."))])
        with log.change() as db:
            rewind(db, "run1", point)
        log.write("run1", [(900.0, Resumed(3)), (912.0, TaskEnded(0, 5))])
        assert log.cost("run1").seconds == (pytest.approx(42.0),)


def test_a_run_that_says_its_tasks_again_has_them_once(tmp_path: Path) -> None:
    two, three = recorded_run(2)[0], recorded_run(3)[0]
    with Log(tmp_path / "log.db") as log:
        put(log, begin(log), [two, *recorded_run(2)[1:9], three])
        assert log.events("run1") == [three, *recorded_run(2)[1:9]]
        assert len(log.details("run1").tasks) == 3


def test_a_child_has_its_parents_rows_up_to_the_checkpoint(tmp_path: Path) -> None:
    events = with_checkpoints(recorded_run(2, epochs=2, steps=3))
    with Log(tmp_path / "log.db") as log:
        put(log, begin(log), events)
        before = tables(log, "run1")
        begin(log, "child", "run-0002 + owls", tasks_total=3)
        to = point_after(log, "run1", TaskEnded(1, 12))
        with log.change() as db:
            fork(db, "run1", "child", to)
        assert log.events("child") == events[: to.n]
        assert tables(log, "run1") == before
        child = next(run for run in log.runs() if run.id == "child")
        assert (child.parent, child.state, child.tasks_total, child.tasks_done) == (
            "run1", "starting", 3, 2,
        )  # fmt: skip
        put(log, "child", [Resumed(12), Stopped(12)])
        with pytest.raises(UsageError, match="has begun already"), log.change() as db:
            fork(db, "run1", "child", to)
