"""Several runs from the command line: seeds and orders as a group, and the queue."""

import json
import statistics
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.compared import study_tree_of
from tests.test_cli import _wait_for_a_step
from tests.trained import QUICK, folders, quick_config
from workbench.cli import main
from workbench.config import with_values
from workbench.session import Session
from workbench.session.study_file import study_from, study_text

ROOT = Path(__file__).resolve().parent.parent
TINY = [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture
def command(tmp_path, capsys):
    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(words[0]), "--home", str(tmp_path / "home"), *map(str, words[1:])])
        return (code, *capsys.readouterr())

    return call


@pytest.fixture
def tasks(tmp_path):
    return folders(tmp_path / "pictures")


def test_three_seeds_are_trained_and_said_together(command, tasks):
    code, out, err = command("run", *TINY, "--name", "x", "--seeds", 3, "--json", "--tasks", *tasks)
    assert code == 0
    said = json.loads(out)
    assert [run["name"] for run in said["runs"]] == ["x seed 0", "x seed 1", "x seed 2"]
    finals = [run["final_accuracy"] for run in said["runs"]]
    assert said["spread"]["final_accuracy"] == {
        "n": 3, "mean": pytest.approx(statistics.fmean(finals)), "deviation": pytest.approx(statistics.stdev(finals)),
    }  # fmt: skip
    assert "x seed 0 trains; 2 more wait." in err


def test_seeds_may_be_listed_and_orders_be_asked_for_as_text(command, tasks):
    code, out, _ = command("run", *TINY, "--seeds", "4, 7", "--tasks", *tasks)
    assert code == 0
    assert "run-0001 seed 4" in out
    assert "run-0002 seed 7" in out
    code, out, _ = command("run", *TINY, "--orders", 2, "--tasks", *tasks)
    assert code == 0
    assert "2 orders of 2 tasks: 2 of 2 runs have finished" in out
    assert "sample standard deviation" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--seeds", "x"], "--seeds 'x': expected how many, as in 3, or the seeds themselves"),
        (["--seeds", "2", "--orders", "2"], "do not go together"),
        (["--seeds", "1"], "from 2 to 100, not 1"),
        (["--orders", "9"], "from 2 to 2, not 9"),
    ],
)
def test_what_makes_no_group_is_wrong_use(command, tasks, words, sentence):
    code, _, err = command("run", *TINY, *words, "--tasks", *tasks)
    assert code == 2
    assert sentence in err


def test_the_queue_is_listed_and_trained(command, tasks, tmp_path):
    assert command("queue")[1] == "Nothing waits in the queue.\n"

    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        session.queue.add(quick_config(tasks))
        session.queue.add(with_values(quick_config(tasks), {"name": "b", "train.batch_size": 8}))
    code, out, _ = command("queue")
    assert code == 0
    assert out.splitlines()[1].split() == ["2", "b", "Batch", "8"]
    (first, second) = json.loads(command("queue", "--json")[1])
    assert (first["label"], second["name"]) == ("", "b")
    assert second["config"]["train"]["batch_size"] == 8
    code, out, _ = command("queue", "--go")
    assert (code, out) == (0, "Nothing waits in the queue.\n")
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        assert [(run.name, run.state) for run in session.runs()] == [("b", "finished"), ("run-0001", "finished")]  # fmt: skip


def test_seeds_do_not_start_what_waited_before(command, tasks, tmp_path):

    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        session.queue.add(quick_config(tasks))
    assert command("run", *TINY, "--seeds", 2, "--tasks", *tasks)[0] == 0
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        assert session.queue.waiting() == 1
        assert len(session.runs()) == 2


def test_a_stop_leaves_the_rest_of_the_group_in_the_queue(tasks, tmp_path):
    words = [
        "run",
        "--home",
        tmp_path / "home",
        *TINY,
        "--set",
        "train.epochs=100000",
        "--seeds",
        3,
    ]
    command = [sys.executable, "main.py", *map(str, words), "--tasks", *map(str, tasks)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE) as process:
        try:
            _wait_for_a_step(tmp_path / "home")
            process.terminate()
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 3, err
    assert "2 runs wait in the queue; 'queue --go' goes on." in err
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        assert [run.state for run in session.runs()] == ["stopped"]
        assert session.queue.waiting() == 2
        (group,) = session.groups.all()
        assert (len(group.finished), group.total, group.waiting) == (0, 3, 2)


def test_a_study_is_trained_said_and_written_down_and_then_there_is_nothing_left(command, tmp_path, tasks):  # fmt: skip
    file, page = tmp_path / "study.toml", tmp_path / "out" / "ledger.md"
    file.write_text(study_text(study_from(study_tree_of(tasks, seeds=1))), encoding="utf-8")
    code, out, err = command("study", file, "--json", "--ledger", page)
    assert code == 0
    (said,) = json.loads(out)
    assert (said["stage"], said["tested"], said["failed"]) == ("done", 2, [])
    assert [row["method"] for row in said["tables"][0]["rows"]] == ["frozen", "NTK-CL"]
    assert "tiny: 2 of 2 runs tested." in err
    assert page.read_text("utf-8").startswith("# Ledger of studies\n")
    code, out, err = command("study", file)
    assert code == 0
    assert "trains" not in err
    assert "The test part was read by 2 runs, each cell once." in out
    file.write_text(study_text(study_from(study_tree_of(tasks, seeds=2))), encoding="utf-8")
    code, out, err = command("study", file)
    assert (code, out) == (2, "")
    assert "The study 'tiny' began with other contents: seeds was [0] and is [0, 1]." in err
