"""The log keeps runs: begin, write, rename, sweep, and says in a sentence what it cannot do."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlite_utils import Database

from tests.logged import begin, timed
from tests.recorded import recorded_run
from workbench.cli.text import run_text
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Event, Failed, Measured, Note, RunStarted, Step, TaskEnded
from workbench.log import migrations, table
from workbench.log.processes import process_lives
from workbench.log.store import Log
from workbench.query import parse


def test_a_run_begins_as_starting_with_all_that_was_asked(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        begin(log)
        (run,) = log.runs()
    assert (run.id, run.name, run.state, run.profile, run.seed) == (
        "run1",
        "first",
        "starting",
        "repaired",
        7,
    )
    assert run.created.endswith("+00:00")
    assert (run.ended, run.average_accuracy, run.tasks_done, run.tasks_total) == (None, None, 0, 5)
    db = Database(tmp_path / "log.db")
    (row,) = db.query("SELECT pid, seeds, heartbeat, created FROM run")
    db.close()
    assert row["pid"] == os.getpid()
    assert '"class_order": 0' in row["seeds"]
    assert row["heartbeat"] == row["created"]


@pytest.mark.parametrize("ending", ["finished", "stopped", "failed", "running"])
def test_the_state_and_summary_follow_the_events(tmp_path: Path, ending: str) -> None:
    events = recorded_run(3, ending=ending)
    with Log(tmp_path / "log.db") as log:
        begin(log, tasks_total=9)
        log.write("run1", timed(events))
        (run,) = log.runs()
        assert log.events("run1") == events
    assert run.state == ending
    assert (run.ended is None) == (ending == "running")
    assert run.tasks_total == 3
    assert run.tasks_done == sum(isinstance(event, TaskEnded) for event in events)
    failures = [event.sentence for event in events if isinstance(event, Failed)]
    assert run.state_reason == "".join(failures)
    last = {event.name: event.value for event in events if isinstance(event, Measured)}
    shown = (run.final_accuracy, run.average_accuracy, run.forgetting, run.baseline_accuracy)
    names = ("accuracy_seen", "average_accuracy", "forgetting", "baseline_average")
    assert shown == tuple(last.get(name) for name in names)


def test_the_summary_shows_the_last_of_each_measure(tmp_path: Path) -> None:
    names = ("average_accuracy", "accuracy_seen", "forgetting", "baseline_average")
    early: list[Event] = [Measured(name, 0, 0, 1, 0.99) for name in names]
    late: list[Event] = [Measured(name, 1, 0, 2, n / 10) for n, name in enumerate(names)]
    other: list[Event] = [Measured("probe_accuracy", 1, 0, 2, 1.0)]
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log.write("run1", timed(early))
        log.write("run1", timed(late + other))
        (run,) = log.runs()
        log.write("run1", timed([Measured("forgetting", 2, 0, 3, None, "Nothing to forget.")]))
        assert log.runs()[0].forgetting is None
    shown = (run.average_accuracy, run.final_accuracy, run.forgetting, run.baseline_accuracy)
    assert shown == (0.0, 0.1, 0.2, 0.3)


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        for number in range(5):
            begin(log, f"id{number}")
        log._db.execute("UPDATE run SET created = '2026'")
        assert [run.id for run in log.runs()] == ["id4", "id3", "id2", "id1", "id0"]


def test_the_views_are_readable(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log.write("run1", timed(recorded_run(3)))
        assert log.health()["quick_check"] == "ok"
    db = Database(tmp_path / "log.db")
    (run,) = db.query("SELECT * FROM runs")
    assert list(run)[:5] == ["id", "name", "state", "state_reason", "created"]
    assert (run["state"], run["device"]) == ("finished", "cpu")
    assert run["final_accuracy"] > 0
    assert {"average_accuracy", "forgetting", "baseline"} <= set(run)
    curve = list(db.query("SELECT * FROM curves WHERE curve = 'forgetting' ORDER BY step"))
    assert curve[0]["value"] is None
    assert curve[0]["absent_because"]
    assert (curve[-1]["run"], curve[-1]["task_name"], curve[-1]["unit"]) == (
        "first",
        "owls",
        "fraction",
    )
    (loss,) = db.query("SELECT DISTINCT kind, unit FROM curves WHERE curve = 'total'")
    assert loss == {"kind": "loss", "unit": "nat"}
    cells = list(db.query("SELECT * FROM accuracy_matrix"))
    assert len(cells) == 6
    assert {cell["on_task_name"] for cell in cells} == {"finches", "gulls", "owls"}
    db.close()


def test_the_tier_of_a_run_stands_beside_its_device_and_is_empty_where_it_was_not_recorded(
    tmp_path: Path,
) -> None:
    started = next(event for event in recorded_run(1) if isinstance(event, RunStarted))
    with Log(tmp_path / "log.db") as log:
        for name, tier in (("older", ""), ("newer", "bf16")):
            begin(log, name, name)
            log.write(name, timed([replace(started, precision=tier)]))
        assert {run.id: (run.device, run.precision) for run in log.runs()} == {
            "older": ("cpu", ""), "newer": ("cpu", "bf16")}  # fmt: skip
        with log.snapshot() as db:
            for text, found in (("precision:bf16", ["newer"]), ("-precision:bf16", ["older"])):
                assert [run.id for run in table.page(db, parse(text))] == found
            facts = table.configurations(db, ["older", "newer"])
        assert {run: fact["precision"] for run, fact in facts.items()} == {
            "older": "", "newer": "bf16"}  # fmt: skip
        shown = {run: run_text(log.details(run)) for run in ("older", "newer")}
    assert "on the processor, precision bf16\n" in shown["newer"]
    assert "precision" not in shown["older"]
    db = Database(tmp_path / "log.db")
    assert {run["precision"] for run in db.query("SELECT * FROM runs")} == {"", "bf16"}
    db.close()


def test_a_batch_goes_in_whole_or_not_at_all(tmp_path: Path) -> None:
    broken: Event = Step(0, 0, None, 0.1, {})  # type: ignore[arg-type]
    with Log(tmp_path / "log.db") as log:
        begin(log)
        with pytest.raises(Exception, match="NOT NULL"):
            log.write("run1", timed([Note("one"), broken]))
        assert log.events("run1") == []
        log.write("run1", timed([Note("two")]))
        assert log.events("run1") == [Note("two")]


def test_a_run_is_renamed(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log.rename("run1", "  Größer ")
        assert log.runs()[0].name == "Größer"
        with pytest.raises(UsageError, match="at least one letter"):
            log.rename("run1", " ")
        with pytest.raises(UsageError, match="run 'none' is not in this log"):
            log.rename("none", "x")


def test_an_unknown_run_is_a_sentence(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        for ask in (log.events, log.details):
            with pytest.raises(UsageError, match="'none' is not in this log"):
                ask("none")
        with pytest.raises(UsageError, match="'none' is not in this log"):
            log.write("none", [])


def test_writing_is_a_sign_of_life(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log._db.execute("UPDATE run SET heartbeat = '2001'")
        log.write("run1", [])
        assert log._db.execute("SELECT heartbeat FROM run").fetchone()[0] > "2026"


def test_the_names_of_all_runs_are_known_without_their_summaries(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        assert log.names() == set()
        begin(log, "a", "first")
        begin(log, "b", "second")
        assert log.names() == {run.name for run in log.runs(binned=True)} == {"first", "second"}


def test_sweep_marks_only_runs_whose_process_is_gone(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        for key in ("mine", "dead", "done"):
            begin(log, key)
        log.write("done", timed(recorded_run(1)))
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        log._db.execute("UPDATE run SET pid = ? WHERE id IN ('dead', 'done')", [gone.pid])
        assert log.sweep() == ["dead"]
        states = {run.id: run.state for run in log.runs()}
        assert states == {"mine": "starting", "dead": "interrupted", "done": "finished"}
        reasons = {run.id: run.state_reason for run in log.runs()}
        assert f"({gone.pid}) ended without a word" in reasons["dead"]
        assert log.sweep(lambda pid, started: False) == ["mine"]
        assert log.sweep() == []


def test_a_process_is_known_by_number_and_start() -> None:
    start = psutil.Process().create_time()
    assert process_lives(os.getpid(), start)
    assert not process_lives(os.getpid(), start - 100)  # the number was given away again
    child = subprocess.Popen([sys.executable, "-c", ""])
    born = psutil.Process(child.pid).create_time()
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert not process_lives(child.pid, born)
    child.wait()
    assert not process_lives(child.pid, born)


def test_a_file_the_run_made_is_noted_with_its_hash_and_again_when_it_changed(
    tmp_path: Path,
) -> None:
    made = tmp_path / "runs" / "run1" / "adapter.safetensors"
    made.parent.mkdir(parents=True)
    with Log(tmp_path / "log.db") as log:
        begin(log)
        for content in (b"one", b"second"):
            made.write_bytes(content)
            log.note_file("run1", "adapter", made)
        (noted,) = log.details("run1").files
    digest = hashlib.sha256(b"second").hexdigest()
    path = "runs/run1/adapter.safetensors"
    assert noted == {"kind": "adapter", "path": path, "bytes": 6, "sha256": digest}


def test_health_tells_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with Log(path) as log:
        begin(log)
        health = log.health()
    assert health["path"] == str(path)
    assert health["bytes"] > 0
    assert health["schema"] == health["schema_known"] == migrations.schema_known()
    assert (health["journal_mode"], health["journal_note"]) == ("wal", "")
    assert (health["quick_check"], health["runs"]) == ("ok", 1)


def test_one_reads_while_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with Log(path) as reader:
        begin(reader)
        seen: list[int] = []
        ready = threading.Event()

        def work() -> None:
            with Log(path) as writer:
                for step in range(200):
                    writer.write("run1", [(0.0, Step(0, 0, step, 0.1, {"total": 1.0}))])
                    ready.set()

        thread = threading.Thread(target=work)
        thread.start()
        ready.wait(10)
        while thread.is_alive():
            events = reader.events("run1")
            assert [event.step for event in events if isinstance(event, Step)] == list(
                range(len(events))
            )
            seen.append(len(events))
        thread.join()
        assert len(reader.events("run1")) == 200
    assert seen == sorted(seen)


def test_a_snapshot_waits_for_nobody(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with Log(path) as writer, Log(path) as reader:
        begin(writer)
        with writer._writing() as db:
            db.execute("UPDATE run SET name = 'half'")
            assert reader.runs()[0].name == "first"
        assert reader.runs()[0].name == "half"


TOGETHER = """
import sys, time
from pathlib import Path
from workbench.log.store import Log
began = float(sys.argv[2])
for number in range(25):
    time.sleep(max(0.0, began + 0.1 * number - time.time()))
    Log(Path(sys.argv[1]) / f"{number}.db").close()
"""


def test_programs_that_start_at_the_same_moment_share_a_new_log(tmp_path: Path) -> None:
    words = [sys.executable, "-c", TOGETHER, str(tmp_path), str(time.time() + 2)]
    programs = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [program.communicate()[1] for program in programs] == [""] * 4


def test_a_locked_log_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "WAIT_MS", 50)
    path = tmp_path / "log.db"
    with Log(path) as one, Log(path) as other:
        begin(one)
        with one._writing(), pytest.raises(WorkbenchError, match="another program keeps it locked"):
            other.rename("run1", "x")
        other.rename("run1", "x")


def test_a_full_disk_is_a_sentence_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log.write("run1", timed([Note("kept")]))
        (pages,) = log._db.execute("PRAGMA page_count").fetchone()
        log._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(WorkbenchError, match="No space left on"):
            log.write("run1", timed(Note("x" * 1000) for _ in range(50)))
        assert log.events("run1") == [Note("kept")]
        log._db.execute("PRAGMA max_page_count = 100000")
        log.write("run1", timed([Note("again")]))
        assert log.events("run1") == [Note("kept"), Note("again")]


def test_two_programs_may_make_the_log_at_once(tmp_path: Path) -> None:
    script = (
        "import sys, time; from workbench.log.store import Log\n"
        "time.sleep(max(0, float(sys.argv[2]) - time.time()))\n"
        "Log(sys.argv[1]).close()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "log.db"), str(time.time() + 1.5)]
    children = [subprocess.Popen(command) for _ in range(3)]
    assert [child.wait(30) for child in children] == [0, 0, 0]


def test_a_forecast_is_kept_and_its_first_score_stays(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        begin(log)
        begin(log, "run2", "second")
        first = log.keep_forecast("run1", "/somewhere/gulls", {"candidate": "gulls", "ridge": None})
        second = log.keep_forecast("run1", "/odd/\udc80", {"candidate": "odd"})
        log.score_forecast(second, {"class_rank": 0.5})
        log.score_forecast(second, {"class_rank": 0.9})
        kept = log.forecasts("run1")
        assert log.forecasts("run2") == []
        assert log.details("run1").forecasts == tuple(kept)
    assert [item["number"] for item in kept] == [first, second]
    assert (kept[0]["candidate"], kept[0]["ridge"]) == ("gulls", None)
    assert (kept[0]["scored"], kept[0]["score"]) == (None, None)
    assert kept[1]["score"] == {"class_rank": 0.5}
    assert kept[1]["scored"] >= kept[1]["created"]
