"""Several runs trained at the same time from the command line: the same runs, and a stop that loses none."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.compared import CHOOSE, FROZEN, TRIED, study_tree_of
from tests.test_cli_several import ROOT, TINY
from tests.trained import folders, quick_config
from workbench.cli import at_once, lookout, main
from workbench.config import with_values
from workbench.events import Evaluated, Step
from workbench.session import Session
from workbench.session.study_file import study_from, study_text
from workbench.session.study_plan import CHOOSING, TESTING


@pytest.fixture
def tasks(tmp_path):
    return folders(tmp_path / "pictures")


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(at_once.THREADS, "1")  # as it is for the run that is compared with

    def call(home: str, *words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(words[0]), "--home", str(tmp_path / home), *map(str, words[1:])])
        return (code, *capsys.readouterr())

    return call


def opened(home: Path) -> closing[Session]:
    return closing(Session(home, entry_points=False))


def numbers_of(home: Path) -> dict[str, list[object]]:
    """What each run said of its steps and tests, without the clock."""
    with opened(home) as session:
        return {
            run.name: [
                (e.step, e.terms) if isinstance(e, Step) else (e.after_task, e.accuracy)
                for e in session.events(run.id)
                if isinstance(e, (Step, Evaluated))
            ]
            for run in session.runs()
        }


def test_seeds_at_once_are_the_runs_that_they_are_alone_and_are_under_way_together(
    command, tasks, tmp_path
):
    words = ["run", *TINY, "--name", "x", "--seeds", 3, "--json", "--tasks", *tasks]
    alone = command("alone", *words)
    code, out, err = command("together", *words, "--at-once", 2)
    assert (code, alone[0]) == (0, 0)
    finals, others = ([run["final_accuracy"] for run in json.loads(text)["runs"]] for text in (out, alone[1]))  # fmt: skip
    assert finals == others
    assert numbers_of(tmp_path / "together") == numbers_of(tmp_path / "alone")
    assert "x seed 0, after task 1: " in err
    with opened(tmp_path / "together") as session:
        begun, ended = zip(*((run.created, run.ended) for run in session.runs()), strict=True)
    assert sorted(begun)[1] < min(ended)
    assert sorted(begun)[2] > min(ended)  # no more than two


def test_a_study_chooses_when_the_last_trial_has_ended_wherever_that_was(command, tasks, tmp_path):
    file = tmp_path / "study.toml"
    tree = study_tree_of(tasks, seeds=1, method=[FROZEN, TRIED], choose=CHOOSE)
    file.write_text(study_text(study_from(tree)), encoding="utf-8")
    code, out, _ = command("study", "study", file, "--json", "--at-once", 3)
    assert code == 0
    (said,) = json.loads(out)
    assert (said["stage"], said["tested"]) == ("done", 2)
    with opened(tmp_path / "study") as session:
        (state,) = session.studies.all()
        chosen = max(each.run.ended for each in state.of_stage(CHOOSING))
        assert chosen <= min(each.run.created for each in state.of_stage(TESTING))


def test_what_cannot_start_or_fails_keeps_nobody_else_from_being_trained(command, tasks, tmp_path):
    with opened(tmp_path / "home") as session:
        config = quick_config(tasks)
        session.queue.add(with_values(config, {"name": "unstartable", "model.backbone": "no_such_vit"}))  # fmt: skip
        session.queue.add(
            with_values(config, {"name": "failing", "model.weights": "nowhere.safetensors"})
        )
        session.queue.add(with_values(config, {"name": "sound"}))
    code, _, err = command("home", "queue", "--go", "--at-once", 2)
    assert code == 1
    assert "no_such_vit" in err
    with opened(tmp_path / "home") as session:
        assert {run.name: run.state for run in session.runs()} == {"failing": "failed", "sound": "finished"}  # fmt: skip
        (left,) = session.queue.runs()
        assert (left.name, left.state) == ("unstartable", "refused")


def test_a_stop_stops_all_that_are_under_way_and_leaves_the_rest_in_the_queue(tasks, tmp_path):
    words = ["run", "--home", tmp_path / "home", *TINY, "--set", "train.epochs=100000",
             "--seeds", 3, "--at-once", 2, "--tasks", *tasks]  # fmt: skip
    command = [sys.executable, "main.py", *map(str, words)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE) as process:
        try:
            _wait_for_two(tmp_path / "home", process)
            process.terminate()
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 3, err
    assert "1 run waits in the queue; 'queue --go' goes on." in err
    assert err.count("was stopped and saved") == 2
    with opened(tmp_path / "home") as session:
        assert [run.state for run in session.runs()] == ["stopped", "stopped"]
        assert session.queue.waiting() == 1


def test_runs_that_are_blocked_for_long_are_stopped_and_the_rest_waits(
    command, tasks, tmp_path, monkeypatch
):
    monkeypatch.setattr(lookout, "LOOK_AGAIN", 0.2)
    monkeypatch.setattr(lookout, "PATIENCE", 0.5)
    start, begun = Session.start, []

    def started(self, *given, **more):
        begun.append(start(self, *given, **more))
        if len(begun) == 2:
            tasks[0].rename(tmp_path / "away")
        return begun[-1]

    monkeypatch.setattr(Session, "start", started)
    code, _, err = command("home", "run", *TINY, "--seeds", 3, "--at-once", 2, "--tasks", *tasks)
    assert code == 3
    assert err.count("is no longer there") == 2
    assert "1 run waits in the queue" in err
    with opened(tmp_path / "home") as session:
        assert [run.state for run in session.runs()] == ["stopped", "stopped"]
        assert session.queue.waiting() == 1


def _wait_for_two(home: Path, process: subprocess.Popen) -> None:
    """Read what it says until both runs have taken steps."""
    assert process.stderr is not None
    for line in process.stderr:
        if not (home / "workbench.db").is_file() or "%" not in line:
            continue
        with opened(home) as session:
            events = [session.events(run.id) for run in session.runs()]
        if sum(any(isinstance(e, Step) for e in each) for each in events) == 2:
            return
    raise EOFError("it ended before two runs had taken a step")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--seeds", "2", "--at-once", "0"], "--at-once 0: from 1 to 16 runs"),
        (["--orders", "2", "--at-once", "17"], "--at-once 17: from 1 to 16 runs"),
        (["--at-once", "2"], "--at-once goes with --seeds or --orders"),
    ],
)
def test_what_cannot_be_trained_at_once_is_wrong_use(command, tasks, words, sentence, tmp_path):
    code, _, err = command("home", "run", *TINY, *words, "--tasks", *tasks)
    assert code == 2
    assert sentence in err
    with opened(tmp_path / "home") as session:
        assert (session.runs(), session.queue.waiting()) == ([], 0)


def test_each_of_several_runs_gets_its_share_of_the_cores_unless_that_was_said(monkeypatch, tmp_path):  # fmt: skip
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for said, places, share in ((None, 3, "2"), (None, 16, "1"), ("5", 2, "5")):
        monkeypatch.delenv(at_once.THREADS, raising=False)
        if said is not None:
            monkeypatch.setenv(at_once.THREADS, said)
        with opened(tmp_path / "home") as session:
            assert at_once.train_at_once(session, "", places) == 0
        assert os.environ[at_once.THREADS] == share
