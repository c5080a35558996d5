"""The numbers as files: whole, quoted right, and readable by what reads CSV and JSON."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.logged import begin, timed
from tests.recorded import recorded_run
from workbench.errors import WorkbenchError
from workbench.events import Event, Measured, RunStarted, Step, TaskInfo
from workbench.log import numbers
from workbench.log.numbers import details_dict, summary_dict, write_numbers
from workbench.log.store import Log
from workbench.report import RunDetails

NAME = 'Vögel, "klein"\n小鳥'


def logged(tmp_path: Path, events: list[Event]) -> tuple[RunDetails, list[Event]]:
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log.write("run1", timed(events))
        return log.details("run1"), log.events("run1")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_four_files_hold_every_number_at_full_resolution(tmp_path: Path) -> None:
    events = recorded_run(3)
    details, back = logged(tmp_path, events)
    files = write_numbers(details, back, tmp_path / "new" / "folder")
    assert [file.name for file in files] == [
        "curves.csv",
        "accuracy_matrix.csv",
        "steps.csv",
        "run.json",
    ]
    assert sorted(files) == sorted((tmp_path / "new" / "folder").iterdir())
    curves, steps = table(files[0]), table(files[2])
    said = [event for event in events if isinstance(event, Step)]
    measured = [event for event in events if isinstance(event, Measured)]
    assert len(curves) == len(measured) + sum(len(step.terms) for step in said)
    losses = [row for row in curves if row["kind"] == "loss"]
    assert {row["unit"] for row in losses if row["name"] == "total"} == {"nat"}
    assert [float(row["total"]) for row in steps] == [step.terms["total"] for step in said]
    assert [row["orthogonality"] == "" for row in steps] == [
        "orthogonality" not in step.terms for step in said
    ]
    assert list(steps[0])[:5] == ["step", "task", "epoch", "lr", "total"]
    values = [row["value"] for row in curves if row["kind"] == "measure"]
    assert values == ["" if m.value is None else repr(m.value) for m in measured]


def test_the_matrix_is_empty_above_the_diagonal(tmp_path: Path) -> None:
    details, back = logged(tmp_path, recorded_run(3))
    files = write_numbers(details, back, tmp_path / "out")
    with files[1].open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["after_task", "finches", "gulls", "owls"]
    assert [[cell == "" for cell in row] for row in rows] == [
        [False, False, True, True], [False, False, False, True], [False] * 4,
    ]  # fmt: skip


def test_run_json_is_what_show_prints(tmp_path: Path) -> None:
    details, back = logged(tmp_path, recorded_run(3))
    files = write_numbers(details, back, tmp_path / "out")
    read = json.loads(files[3].read_text("utf-8"))
    assert read == json.loads(json.dumps(details_dict(details), allow_nan=False))
    assert {"config", "switches", "tasks", "accuracy_matrix", "metrics", "baseline"} <= set(read)
    assert read["accuracy_matrix"][0][1:] == [None, None]
    summary = summary_dict(details.summary)
    wanted = {"id", "name", "state", "created", "average_accuracy", "final_accuracy", "forgetting"}
    assert wanted <= set(summary)
    assert json.loads(json.dumps(summary)) == {key: read[key] for key in summary}


def test_odd_names_are_quoted_right(tmp_path: Path) -> None:
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    task = TaskInfo(NAME, ("a",), (0,), (1,), (1,), "")
    events: list[Event] = [
        RunStarted((task,), {}, "sample", "", 1, 1, "cpu", "open"),
        Step(0, 0, 1, 0.1, {"added": 2.0}),
        Measured("ntk.ridge", 0, 0, 1, None, NAME + odd),
    ]
    details, back = logged(tmp_path, events)
    files = write_numbers(details, back, tmp_path / "out")
    assert list(table(files[1])[0].values()) == [NAME, ""]
    assert [row["reason"] for row in table(files[0])] == ["", NAME + "caf\\udce9"]
    assert table(files[2])[0]["added"] == "2.0"


def test_a_target_that_cannot_be_written_is_named_and_nothing_is_left_half(tmp_path: Path) -> None:
    details, back = logged(tmp_path, recorded_run(1))
    out = tmp_path / "out"
    (out / "steps.csv").mkdir(parents=True)
    with pytest.raises(WorkbenchError, match=r"^Could not write to .*steps\.csv: Is a directory"):
        write_numbers(details, back, out)
    assert not list(out.glob("*.part"))
    (out / "curves.csv.part").mkdir()
    with pytest.raises(WorkbenchError, match=r"^Could not write to .*curves\.csv"):
        write_numbers(details, back, out)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(WorkbenchError, match=r"^Could not write to .*file"):
        write_numbers(details, back, file)


def test_rows_are_made_one_by_one_so_that_other_threads_have_their_turns() -> None:
    """One list of a million rows is turned into text in a single call, which lets no other thread in."""
    said = iter(recorded_run(2))
    rows = numbers._curves(said)
    assert next(rows)[0] == "kind"
    assert next(rows)[0] == "loss"
    assert any(isinstance(event, Step) for event in said)  # not read to its end yet
    assert isinstance(numbers._steps([]), Iterator)
