"""A run's answers through the session: read back, exported, and what the run has cost."""

import csv
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from safetensors.numpy import load_file

from tests.logged import begin, timed
from tests.recorded import recorded_run
from tests.trained import trained_once
from workbench.answers import accuracy_row
from workbench.core.card import SPREAD
from workbench.errors import WorkbenchError
from workbench.events import Answered, Evaluated, Pace, RunStarted, TaskEnded, TaskStarted
from workbench.log.numbers import details_dict
from workbench.log.store import Log
from workbench.paths import LOG_NAME, run_folder
from workbench.session import Session


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, str]]:
    with trained_once(tmp_path_factory.mktemp("results")) as made:
        yield made


def test_answers_are_read_back_and_their_files_are_in_the_log(trained: tuple[Session, str]) -> None:
    session, run = trained
    events = session.events(run)
    history = session.results.history(run, events)
    rows = [event for event in events if isinstance(event, Evaluated)]
    assert [accuracy_row(history[row.after_task]) for row in rows] == [row.accuracy for row in rows]
    noted = {file["path"] for file in session.details(run).files if file["kind"] == "answers"}
    told = [event for event in events if isinstance(event, Answered)]
    assert noted == {
        f"runs/{run}/{name}" for event in told for name in (event.path, event.pictures)
    }
    for folder, event in zip(session.results.folders(run), told, strict=True):
        pictures = session.results.pictures(run, event.pictures)
        assert all((Path(folder) / name).is_file() for name in pictures)


def test_a_trained_run_comes_back_from_its_bundle_with_every_answer(
    trained: tuple[Session, str], tmp_path: Path
) -> None:
    session, run = trained
    file = session.bundle(run, tmp_path / "run.zip")
    with closing(Session(tmp_path / "other", entry_points=False)) as other:
        assert other.open_bundle(file) == run
        assert other.events(run) == session.events(run)
        one, two = (each.results.history(run, each.events(run)) for each in (session, other))
        assert [accuracy_row(one[t]) for t in one] == [accuracy_row(two[t]) for t in two]


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_the_exported_tables_agree_with_each_other(
    trained: tuple[Session, str], tmp_path: Path
) -> None:
    session, run = trained
    written = session.export(run, tmp_path, adapter=False)
    assert {"answers.csv", "confusion.csv", "classes.csv"} <= {path.name for path in written}
    answers = rows_of(tmp_path / "answers.csv")
    last = [row for row in answers if row["after_task"] == answers[-1]["after_task"]]
    evaluated = [event for event in session.events(run) if isinstance(event, Evaluated)]
    assert len(answers) == sum(sum(row.sizes) for row in evaluated)
    pairs = Counter((row["true"], row["predicted"]) for row in last)
    for row in rows_of(tmp_path / "confusion.csv"):
        true = row.pop("true")
        assert {name: int(count) for name, count in row.items()} == {
            name: pairs[true, name] for name in row
        }
    for row in rows_of(tmp_path / "classes.csv"):
        own = [pair for pair in pairs.elements() if pair[0] == row["class"]]
        taken = [pair for pair in pairs.elements() if pair[1] == row["class"]]
        hits = pairs[row["class"], row["class"]]
        assert int(row["pictures"]) == len(own)
        assert float(row["recall"]) == hits / len(own)
        assert row["precision"] == (str(hits / len(taken)) if taken else "")
        assert float(row["recall_low_95"]) <= float(row["recall"]) <= float(row["recall_high_95"])
    assert all(row["picture"].startswith(row["true"]) for row in last)


def test_each_answer_has_its_own_picture_where_a_tasks_list_is_missing(
    trained: tuple[Session, str], tmp_path: Path
) -> None:
    session, run = trained
    events = session.events(run)
    session.results.export(run, events, tmp_path / "all")
    rescued = [e for e in events if not (isinstance(e, Answered) and e.after_task == 0)]
    session.results.export(run, rescued, tmp_path / "some")
    last = [
        row for row in rows_of(tmp_path / "all" / "answers.csv") if row["after_task"] != "finches"
    ]
    wanted = [{**row, "picture": ""} if row["task"] == "finches" else row for row in last]
    assert rows_of(tmp_path / "some" / "answers.csv") == wanted


def test_the_cost_is_counted_from_log_and_files(trained: tuple[Session, str]) -> None:
    session, run = trained
    cost, folder = session.results.cost(run), run_folder(session.home, run)
    started = next(e for e in session.events(run) if isinstance(e, RunStarted))
    tensors = load_file(folder / "adapter" / "adapter.safetensors")
    assert cost.adapter_parameters == sum(tensor.size for tensor in tensors.values())
    assert cost.trained_parameters == started.trainable_parameters > 0
    assert cost.backbone_parameters == started.backbone_parameters > 50_000
    names = ("adapter.safetensors", "adapter.json", "README.md")
    assert cost.adapter_bytes == sum((folder / "adapter" / name).stat().st_size for name in names)
    assert cost.run_bytes > cost.adapter_bytes
    assert len(cost.seconds) == 2
    assert all(seconds > 0 for seconds in cost.seconds)
    assert cost.monitor_share is not None
    assert 0 < cost.monitor_share < 1
    spread = load_file(folder / SPREAD)
    kept = [*tensors.values(), *spread.values()]
    assert spread
    assert cost.kept_values == sum(tensor.size for tensor in kept)
    assert cost.kept_bytes == sum(tensor.nbytes for tensor in kept)
    assert cost.peak_bytes is not None
    assert psutil.Process().memory_info().rss / 2 < cost.peak_bytes < psutil.virtual_memory().total


def test_each_task_keeps_its_own_cost_and_show_tells_it(trained: tuple[Session, str]) -> None:
    session, run = trained
    ends = [event for event in session.events(run) if isinstance(event, TaskEnded)]
    told = details_dict(session.details(run))["cost"]
    for name in ("kept_values", "kept_bytes", "peak_bytes"):
        assert told[name] == [getattr(end, name) for end in ends]
    assert told["kept_values"] == sorted(set(told["kept_values"]))  # the head grows with each class
    assert all(peak > 50_000_000 for peak in told["peak_bytes"])
    assert len(told["seconds"]) == 2
    assert json.loads(json.dumps(told)) == told


def test_a_log_of_before_shows_nothing_of_what_it_does_not_know(tmp_path: Path) -> None:
    with Log(tmp_path / LOG_NAME) as log:
        begin(log)
        log.write("run1", timed(recorded_run(tasks=3)))
    with closing(sqlite3.connect(tmp_path / LOG_NAME)) as db, db:
        db.execute(
            "UPDATE event SET fields = json_remove(fields, '$.kept_values', '$.kept_bytes', '$.peak_bytes') "
            "WHERE kind = 'TaskEnded'"
        )
    with closing(Session(tmp_path, entry_points=False)) as session:
        cost = session.results.cost("run1")
        assert (cost.kept_values, cost.kept_bytes, cost.peak_bytes) == (None, None, None)
        assert session.details("run1").cost["kept_values"] == (None, None, None)
        (*_, end) = [event for event in session.events("run1") if isinstance(event, TaskEnded)]
        assert (end.kept_values, end.kept_bytes, end.peak_bytes) == (None, None, None)


def test_seconds_are_those_between_the_ends_of_tasks_and_the_share_is_the_last_one_said(
    tmp_path: Path,
) -> None:
    events = recorded_run(tasks=3)
    said = timed([*events, Pace(1.0, None, 1, 2, 0.25), Pace(1.0, None, 2, 2, 0.125)])
    with Log(tmp_path / LOG_NAME) as log:
        begin(log)
        log.write("run1", said)
        found = log.cost("run1")
    times = [time for time, event in said if isinstance(event, (RunStarted, TaskEnded))]
    assert list(found.seconds) == [b - a for a, b in pairwise(times)]
    begun = [time for time, event in said if isinstance(event, TaskStarted)]
    assert list(found.learning_seconds) == [b - a for a, b in zip(begun, times[1:], strict=True)]
    assert found.monitor_share == 0.125
    assert found.trained_parameters == 123_456


def test_time_that_a_run_stood_still_is_not_its_cost(tmp_path: Path) -> None:
    with Log(tmp_path / LOG_NAME) as log:
        begin(log)
    said = [
        ("RunStarted", 100.0), ("TaskStarted", 105.0), ("Paused", 110.0), ("Resumed", 170.0), ("TaskEnded", 200.0),
        ("Paused", 200.0), ("Resumed", 260.0), ("TaskStarted", 270.0), ("TaskEnded", 300.0),
    ]  # fmt: skip
    with closing(sqlite3.connect(tmp_path / LOG_NAME)) as db, db:
        rows = [(1, n, time, kind, "{}") for n, (kind, time) in enumerate(said, 1)]
        db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?)", rows)
    with Log(tmp_path / LOG_NAME) as log:
        found = log.cost("run1")
    assert found.seconds == (40.0, 40.0)
    assert found.learning_seconds == (35.0, 30.0)


def test_a_run_of_before_exports_its_other_numbers_and_has_a_cost(tmp_path: Path) -> None:
    with Log(tmp_path / LOG_NAME) as log:
        begin(log)
        log.write("run1", timed(recorded_run()))
    session = Session(tmp_path)
    try:
        written = {path.name for path in session.export("run1", tmp_path / "out", adapter=False)}
        assert written == {"curves.csv", "accuracy_matrix.csv", "steps.csv", "run.json"}
        cost = session.results.cost("run1")
        assert (cost.adapter_parameters, cost.adapter_bytes, cost.backbone_parameters) == (0, 0, 0)
        assert cost.monitor_share is None
    finally:
        session.close()


@pytest.mark.parametrize("damage", ["gone", "cut off"])
def test_a_file_that_is_gone_or_damaged_is_said_in_a_sentence(
    trained: tuple[Session, str], damage: str
) -> None:
    session, run = trained
    folder = run_folder(session.home, run)
    told = next(event for event in session.events(run) if isinstance(event, Answered))
    for name, read in (
        (told.path, session.results.answers), (told.pictures, session.results.pictures),
    ):  # fmt: skip
        whole = (folder / name).read_bytes()
        try:
            (folder / name).unlink()
            if damage == "cut off":
                (folder / name).write_bytes(whole[:9])
            with pytest.raises(WorkbenchError, match="The run's other numbers are kept"):
                read(run, name)
        finally:
            (folder / name).write_bytes(whole)


MEMORY = """
import subprocess, sys
import numpy, torch
from workbench.core.resident import peak_so_far
before = peak_so_far(torch.device("cpu"))
print(before)
if len(sys.argv) < 2:
    held = numpy.ones(before // 8 + 8_000_000)  # 64 MB more than ever, every page of it written
    size = held.nbytes
    print(size, peak_so_far(torch.device("cpu")), flush=True)
    child = subprocess.run([sys.executable, "-c", SCRIPT, "child"], capture_output=True, check=True)
    del held
    print(peak_so_far(torch.device("cpu")), int(child.stdout))
"""


def test_the_most_memory_is_at_least_what_a_process_held_and_nothing_of_whoever_started_it() -> (
    None
):
    script = MEMORY.replace("SCRIPT", repr(MEMORY))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    before, size, during, after, child = map(int, done.stdout.split())
    assert before < size <= during
    assert after >= size  # though it has been given back
    assert 50_000_000 < child < size
