"""The command line on tiny real runs: exit codes, documents, files, signals."""

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import make_class_folders, make_split_folders
from tests.trained import BACKBONE, QUICK, folders
from workbench.cli import DONE, FAILED, INTERRUPTED, STOPPED, WRONG_USE, main
from workbench.cli.progress import Progress
from workbench.config import effective_switches, from_dict, read_toml, to_toml
from workbench.events import Evaluated, Note, Pace, Stage
from workbench.measures import MEASURES
from workbench.session import Session

ROOT = Path(__file__).resolve().parent.parent
TINY = [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]


class Answer:
    """What a command gave back."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def document(self):
        return json.loads(self.out)


@pytest.fixture
def command(tmp_path, capsys):
    """Run a command over a home folder of the test's own."""

    def call(*words: object, home: Path | None = None) -> Answer:
        capsys.readouterr()
        code = main(["--home", str(home or tmp_path / "home"), *map(str, words)])
        return Answer(code, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def learnt(tmp_path_factory) -> Path:
    """A folder with a trained run in `home` and its pictures in `pictures`."""
    root = tmp_path_factory.mktemp("cli")
    paths = folders(root / "pictures")
    code = main(
        ["run", "--home", str(root / "home"), "--name", "Ö run", *TINY, "--tasks", *map(str, paths)]
    )
    assert code == DONE
    return root


def start(*words: object, **kwargs) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "main.py", *map(str, words)], cwd=ROOT, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs,
    )  # fmt: skip


# -- run ---------------------------------------------------------------------------------------


def test_run_prints_one_document_and_leaves_the_run_in_the_log(command, tmp_path):
    paths = folders(tmp_path)
    answer = command("run", "--json", *TINY, "--set", "monitor.probe_per_task=0", "--tasks", *paths)
    assert answer.code == DONE
    assert answer.document["state"] == "finished"
    assert answer.document["name"] == "run-0001"
    assert "After task 2:" in answer.err
    assert command("show", "run-0001", "--json").document == answer.document


def test_run_reads_a_configuration_whose_folders_lie_beside_it(command, tmp_path, monkeypatch):
    paths = folders(tmp_path / "pictures")
    lines = [
        f"[[data.tasks]]\nname = {path.name!r}\npath = 'pictures/{path.name}'" for path in paths
    ]
    lines += [
        f"[model]\nbackbone = '{BACKBONE}'",
        "[train]\nepochs = 9\nbatch_size = 4\ndevice = 'cpu'",
    ]
    (tmp_path / "run.toml").write_text("\n".join(["name = 'from file'", *lines]), "utf-8")
    monkeypatch.chdir(tmp_path / "pictures")
    answer = command(
        "run", tmp_path / "run.toml", "--json", "--set", "train.epochs=1", "--set", "monitor.probe_per_task=0"
    )  # fmt: skip
    assert answer.code == DONE, answer.err
    config = from_dict(answer.document["config"])
    assert config.name == answer.document["name"] == "from file"
    assert [task.path for task in config.data.tasks] == [str(path) for path in paths]
    assert (config.train.epochs, config.train.batch_size) == (1, 4)
    again = tmp_path / "again.toml"
    again.write_text(to_toml(config), "utf-8")
    assert from_dict(read_toml(again)) == config


TIMM = "vit_tiny_patch16_224.augreg_in21k"


def test_preset_file_name_seed_and_assignment_stand_in_this_order(command, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("name = 'file'\n[train]\nepochs = 7\n[seeds]\nsplit = 5\n")
    folder = make_class_folders(tmp_path / "two", {"a": 2, "b": 2})
    answer = command(
        "run", path, "--preset", "cifar224", "--seed", 3, "--name", "named", "--tasks", folder, "--json",
        "--set", "seeds.dropout=4", "--set", "data.increment=0", "--set", "data.first_classes=0",
        "--set", "train.learning_rate=0.5", "--set", f"model.backbone={TIMM}", "--set", f"model.weights={tmp_path / 'no.pt'}",
    )  # fmt: skip
    assert answer.code == FAILED
    config = from_dict(answer.document["config"])
    assert config.model.use_pretrained_section is False  # the preset's
    assert config.train.epochs == 7  # the file's, over the preset's 20
    assert (config.seeds.split, config.seeds.dropout) == (3, 4)
    assert (config.name, config.train.learning_rate) == ("named", 0.5)


def test_a_run_that_fails_says_why_on_standard_error_and_in_the_log(command, tmp_path):
    chosen = ["--set", f"model.backbone={TIMM}", "--set", f"model.weights={tmp_path / 'no.pt'}"]
    answer = command("run", *chosen, "--json", "--tasks", *folders(tmp_path))
    assert answer.code == FAILED
    assert "no.pt' is not there. Choose another file." in answer.err
    assert "Traceback" not in answer.err
    assert (answer.document["state"], answer.document["tasks"]) == ("failed", [])
    assert answer.document["state_reason"] in answer.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run"], "There is no task to learn."),
        (
            ["run", "--sample", "--set", "model.backbone=vit_bse_patch16"],
            "'vit_bse_patch16' is not known. Did you mean vit_base_patch16_224?",
        ),
        (["run", "--set", "train.epohcs=3"], "Did you mean 'train.epochs'?"),
        (["run", "--set", "train.epochs=0"], "train.epochs: Epochs: a whole number from 1"),
        (["run", "--set", "switches.fusion=lineal"], "Did you mean 'linear'?"),
        (["run", "--preset", "cifar"], "Did you mean 'cifar224'?"),
        (["run", "--seed", "-1"], "seeds.class_order"),
        (["run", "--full"], "--full goes with --sample"),
        (["run", "absent.toml"], "absent.toml cannot be read"),
        (["run", "--tasks", "/absent/folder"], "None of the folders can be used as a task."),
        (["show", "nobody"], "run 'nobody' is not in this log."),
        (["export", "nobody", "--to", "x"], "run 'nobody' is not in this log."),
        (["predict", "nobody", "x.png"], "run 'nobody' is not in this log."),
    ],
)
def test_wrong_use_is_a_sentence_and_code_2(command, words, sentence):
    answer = command(*words)
    assert answer.code == WRONG_USE
    assert sentence in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    "words", [["runn"], ["run", "--nope"], ["show"], ["export", "x"], ["run", "--seed", "x"]]
)
def test_what_the_parser_refuses_is_code_2_too(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == WRONG_USE
    assert "usage: main.py" in capsys.readouterr().err


def test_a_home_that_cannot_be_used_is_code_2(command, tmp_path):
    (tmp_path / "file").write_text("")
    answer = command("runs", home=tmp_path / "file")
    assert (answer.code, answer.out) == (WRONG_USE, "")
    assert "Another place is chosen with --home DIR." in answer.err


def test_the_home_folder_may_stand_before_and_after_the_command(
    learnt, capsys, tmp_path, monkeypatch
):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "other"))
    home = str(learnt / "home")
    for words, runs in [
        (["--home", home, "runs", "--json"], 1),
        (["runs", "--json", "--home", home], 1),
        (["--home", str(tmp_path / "third"), "runs", "--json", "--home", home], 1),
        (["runs", "--json"], 0),
    ]:
        assert main(words) == DONE
        assert len(json.loads(capsys.readouterr().out)) == runs


def test_uneven_grey_unicode_and_damaged_folders_are_learnt_and_what_is_bad_is_named(
    command, tmp_path
):
    grey = make_class_folders(tmp_path / "grey", {"light": 6, "dark": 4})
    for path in grey.rglob("*.png"):
        with Image.open(path) as picture:
            picture.convert("L").save(path)
    uneven = make_split_folders(tmp_path / "Ö 空格", {"ä b": (9, 2), "ß": (3, 3), "鳥": (4, 2)})
    damaged = make_class_folders(tmp_path / "damaged", {"whole": 5, "torn": 6})
    (damaged / "torn" / "0001.png").write_bytes(b"")
    half = (damaged / "torn" / "0002.png").read_bytes()
    (damaged / "torn" / "0002.png").write_bytes(half[: len(half) // 2])
    (damaged / "torn" / "text.png").write_text("no picture")
    (damaged / "empty").mkdir()
    answer = command("run", "--json", *TINY, "--tasks", grey, uneven, damaged, tmp_path / "absent")
    assert answer.code == DONE, answer.err
    for name in ("0001.png", "0002.png", "text.png", "empty", "absent"):
        assert name in answer.err
    document = answer.document
    assert [task["name"] for task in document["tasks"]] == ["grey", "Ö 空格", "damaged"]
    assert [task["classes"] for task in document["tasks"]] == [
        ["dark", "light"],
        ["ß", "ä b", "鳥"],
        ["torn", "whole"],
    ]
    counts = document["tasks"][1]["counts"]
    assert counts == {"train": [3, 9, 4], "test": [3, 2, 2]}
    assert sum(sum(part) for part in document["tasks"][2]["counts"].values()) == 5 + 4
    matrix = document["accuracy_matrix"]
    assert [[value is None for value in row] for row in matrix] == [
        [False, True, True], [False, False, True], [False, False, False],
    ]  # fmt: skip


def test_a_folder_of_pictures_is_one_class_and_said_to_be(command, tmp_path):
    folder = make_class_folders(tmp_path, {"only": 5}) / "only"
    answer = command("run", "--json", *TINY, "--set", "monitor.probe_per_task=0", "--tasks", folder)
    assert answer.code == DONE, answer.err
    assert "'only' is taken as one class." in answer.err
    assert answer.document["tasks"][0]["classes"] == ["only"]


def test_the_same_configuration_and_seed_give_the_same_adapter_to_the_byte(command, tmp_path):
    paths, adapters = folders(tmp_path), []
    for seed in (3, 3, 4):
        answer = command("run", "--json", "--seed", seed, *TINY, "--tasks", *paths)
        adapters.append(
            tmp_path / "home" / "runs" / answer.document["id"] / "adapter" / "adapter.safetensors"
        )
    first, second, other = (path.read_bytes() for path in adapters)
    assert first == second
    assert first != other


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, STOPPED)]
)
def test_ctrl_c_and_terminate_stop_after_the_step_and_the_log_says_so(tmp_path, number, code):
    words = ["run", "--home", tmp_path / "home", *TINY, "--set", "train.epochs=100000", "--json"]
    with start(*words, "--tasks", *folders(tmp_path / "pictures")) as process:
        try:
            _wait_for_a_step(tmp_path / "home")
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == code, err
    assert "Stopping after this step." in err
    assert "Traceback" not in err
    with closing(Session(tmp_path / "home")) as session:
        (run,) = session.runs()
        assert (run.state, run.tasks_done) == ("stopped", 0)
        assert len(session.events(run.id)) > 3
    assert (out == "") == (number == signal.SIGINT)


def _wait_for_a_step(home: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.2)
        if (home / "workbench.db").is_file():
            with closing(Session(home)) as session:
                if any(
                    type(event).__name__ == "Step"
                    for run in session.runs()
                    for event in session.events(run.id)
                ):
                    return
    raise TimeoutError("no step was taken")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_is_one_line_that_is_wiped_before_a_lasting_one(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    progress = Progress(stream)
    progress.show(Pace(12.0, 100.0, 1, 4, work=0.25))
    assert stream.getvalue().startswith("\r██████░")
    assert len(stream.getvalue()) == 40  # the return and one column less than there are
    progress.show(Note("Worth knowing."))
    assert stream.getvalue()[40:].startswith("\r" + " " * 39 + "\rWorth knowing.\n")
    progress.close()


def test_progress_in_a_file_is_a_line_now_and_then():
    stream = io.StringIO()
    progress = Progress(stream)
    for number in range(50):
        progress.show(Stage("Reading", number, 50))
    progress.show(Evaluated(1, 9, (0.5, 1.0), (), (), (), ()))
    assert stream.getvalue() == "Reading 0/50\nAfter task 2:  50.0  100.0 %\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2, "about 5 s"), (62, "about 60 s"), (150, "about 2 min"), (9000, "about 2.5 h")],
)
def test_time_left_is_said_as_roughly_as_it_is_known(seconds, text):
    stream = io.StringIO()
    Progress(stream).show(Pace(1.0, seconds, 0, 9))
    assert f"1 pictures/s, {text} left" in stream.getvalue()


# -- runs, show --------------------------------------------------------------------------------


def test_runs_are_listed_newest_first(command, tmp_path):
    assert command("runs", "--json").document == []
    assert "No runs yet." in command("runs").out
    folder = make_class_folders(tmp_path / "two", {"a": 2, "b": 2})
    for name in ("first", "second"):
        values = ["--set", f"model.backbone={TIMM}", "--set", "model.weights=/no.pt"]
        command("run", "--name", name, *values, "--tasks", folder)
    listed = command("runs", "--json").document
    assert [run["name"] for run in listed] == ["second", "first"]
    assert listed[0].keys() >= {
        "id",
        "name",
        "state",
        "created",
        "average_accuracy",
        "final_accuracy",
        "forgetting",
    }
    assert (listed[0]["state"], listed[0]["final_accuracy"]) == ("failed", None)
    text = command("runs").out.splitlines()
    assert [line.split()[0] for line in text] == ["name", "second", "first"]


def test_a_runs_numbers_are_the_same_in_the_list_and_in_the_show(command, learnt):
    (listed,) = command("runs", "--json", home=learnt / "home").document
    shown = command("show", listed["id"], "--json", home=learnt / "home").document
    assert shown.items() >= listed.items()
    final = [metric for metric in shown["metrics"] if metric["name"] == "accuracy_seen"][-1]
    assert final["value"] == listed["final_accuracy"]


def test_show_has_what_other_programs_rely_on(command, learnt):
    shown = command("show", "Ö run", "--json", home=learnt / "home").document
    config = from_dict(shown["config"])
    assert config.model.backbone == BACKBONE
    assert shown["switches"] == effective_switches(config)
    assert [(task["name"], task["classes"]) for task in shown["tasks"]] == [
        ("finches", ["green", "red"]), ("Ö 空格", ["blue", "grey"]),
    ]  # fmt: skip
    assert shown["tasks"][0]["counts"] == {"train": [6, 6], "test": [2, 2]}
    for matrix in (shown["accuracy_matrix"], shown["baseline"]):
        assert matrix[0][1] is None
        assert all(0 <= value <= 1 for value in (matrix[0][0], *matrix[1]))
    assert {file["kind"] for file in shown["files"]} == {"adapter", "answers", "kernel"}
    for file in shown["files"]:
        kept = (learnt / "home" / file["path"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(kept).hexdigest()
    assert shown["metrics"]
    for metric in shown["metrics"]:
        assert metric.keys() >= {
            "name",
            "unit",
            "formula",
            "task",
            "other",
            "epoch",
            "step",
            "value",
        }
        assert metric["formula"]
        assert metric["unit"]
        assert datetime.fromisoformat(metric["time"]).tzinfo
    names = {m["name"] for m in shown["metrics"]}
    assert names == MEASURES.keys() - {"joint_part_accuracy"}  # of a run that learns all at once
    assert any(metric["name"].startswith("ntk.") for metric in shown["metrics"])


def test_a_run_is_shown_by_name_id_and_the_beginning_of_its_id(command, learnt):
    home = learnt / "home"
    shown = command("show", "Ö run", "--json", home=home).document
    for text in (shown["id"], shown["id"][:6]):
        assert command("show", text, "--json", home=home).document == shown
    text = command("show", "Ö run", home=home)
    assert text.code == DONE
    assert "finished" in text.out
    assert "after task  2:" in text.out
    near = command("show", "Ö ran", home=home)
    assert (near.code, near.out) == (WRONG_USE, "")
    assert "Did you mean 'Ö run'?" in near.err


# -- export, predict -----------------------------------------------------------------------------

ADAPTER = {"adapter/adapter.safetensors", "adapter/adapter.json", "adapter/README.md"}
OF_ANSWERS = {"answers.csv", "confusion.csv", "classes.csv"}  # of runs that learnt a task
NUMBERS = {"curves.csv", "accuracy_matrix.csv", "steps.csv", "run.json"} | OF_ANSWERS


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("flags", "fixed"),
    [
        (["--adapter"], ADAPTER),
        (["--csv"], NUMBERS),
        (["--adapter", "--csv"], ADAPTER | NUMBERS),
        (["--plots"], set()),
        ([], ADAPTER | NUMBERS),
    ],
)
def test_export_writes_what_is_named_or_everything(command, learnt, tmp_path, flags, fixed):
    answer = command("export", "Ö run", "--to", tmp_path / "out", *flags, home=learnt / "home")
    assert answer.code == DONE, answer.err
    found = files_below(tmp_path / "out")
    assert {str(tmp_path / "out" / name) for name in found} == set(answer.out.splitlines())
    plots = {name for name in found if name.startswith("plots/")}
    assert found - plots == fixed
    assert bool(plots) == (not flags or "--plots" in flags)
    if plots:
        assert {"plots/accuracy.png", "plots/accuracy.svg", "plots/accuracy.pdf"} <= plots
        with Image.open(tmp_path / "out" / "plots" / "accuracy.png") as picture:
            assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 3


def test_the_exported_numbers_are_the_logs(command, learnt, tmp_path):
    home = learnt / "home"
    assert command("export", "Ö run", "--to", tmp_path, "--csv", home=home).code == DONE
    shown = command("show", "Ö run", "--json", home=home).document
    assert json.loads((tmp_path / "run.json").read_text("utf-8")) == shown
    with (tmp_path / "accuracy_matrix.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows[0] == ["after_task", "finches", "Ö 空格"]
    assert [[float(cell) if cell else None for cell in row[1:]] for row in rows[1:]] == shown[
        "accuracy_matrix"
    ]


def test_a_run_without_an_adapter_exports_its_numbers_and_says_so(command, tmp_path):
    folder = make_class_folders(tmp_path / "two", {"a": 2, "b": 2})
    values = ["--set", f"model.backbone={TIMM}", "--set", "model.weights=/no.pt"]
    command("run", *values, "--tasks", folder)
    answer = command("export", "run-0001", "--to", tmp_path / "out")
    assert answer.code == DONE
    assert "no adapter yet" in answer.err
    assert files_below(tmp_path / "out") == NUMBERS - OF_ANSWERS
    assert command("export", "run-0001", "--to", tmp_path / "out", "--adapter").code == FAILED


@pytest.mark.parametrize("flag", ["--adapter", "--plots", "--csv"])
def test_an_export_to_where_nothing_can_be_written_is_a_sentence(command, learnt, tmp_path, flag):
    (tmp_path / "file").write_text("")
    answer = command("export", "Ö run", "--to", tmp_path / "file", flag, home=learnt / "home")
    assert (answer.code, answer.out) == (FAILED, "")
    assert "ould not" in answer.err
    assert str(tmp_path / "file") in answer.err


def test_predict_answers_from_a_run_and_from_an_exported_folder(command, learnt, tmp_path):
    home, red = learnt / "home", learnt / "pictures" / "finches" / "red"
    (tmp_path / "bad.png").write_text("no picture")
    answer = command("predict", "Ö run", red, tmp_path / "bad.png", "--json", home=home)
    assert answer.code == DONE
    *guesses, bad = answer.document
    assert len(guesses) == 8
    assert guesses[0].keys() == {"path", "classes", "tasks", "probabilities", "problem"}
    assert sum(guesses[0]["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert "bad.png" in bad["problem"]
    command("export", "Ö run", "--to", tmp_path / "out", "--adapter", home=home)
    away = command("predict", tmp_path / "out" / "adapter", red, "--json")  # another home
    assert away.document == guesses
    text = command("predict", "Ö run", red / "0000.png", tmp_path / "bad.png", home=home).out
    assert f"{red / '0000.png'}: {guesses[0]['classes'][0]} " in text
    assert "bad.png" in text
    assert command("predict", "Ö run", tmp_path / "bad.png", home=home).code == FAILED


# -- scan, doctor, window ------------------------------------------------------------------------


def test_scan_lists_tasks_classes_counts_and_problems(command, tmp_path):
    birds = make_split_folders(tmp_path / "birds", {"a": (3, 2), "b": (2, 1)})
    (birds / "train" / "a" / "bad.png").write_text("no picture")
    answer = command("scan", birds, tmp_path / "absent", "--json")
    assert answer.code == DONE
    assert answer.document.keys() == {"tasks", "problems"}
    (task,) = answer.document["tasks"]
    assert (task["name"], task["has_split"], task["usable"]) == ("birds", True, True)
    assert task["classes"] == [
        {"name": "a", "train": 3, "test": 2},
        {"name": "b", "train": 2, "test": 1},
    ]
    problem = next(problem for problem in task["problems"] if problem["path"].endswith("bad.png"))
    assert problem.keys() == {"path", "kind", "sentence"}
    assert problem["sentence"].endswith(".")
    assert [problem["kind"] for problem in answer.document["problems"]] == ["vanished"]
    text = command("scan", birds, tmp_path / "absent").out
    assert "birds: 2 classes" in text
    assert "  a: 3 to learn, 2 to test" in text
    assert "bad.png" in text


def test_a_scan_that_finds_no_task_fails_and_still_prints_its_document(command, tmp_path):
    answer = command("scan", tmp_path / "absent", "--json")
    assert answer.code == FAILED
    assert answer.document["tasks"] == []
    assert answer.document["problems"][0]["path"] == str(tmp_path / "absent")


def test_a_scan_leaves_the_question_of_one_class_open(command, tmp_path):
    folder = make_class_folders(tmp_path, {"only": 3}) / "only"
    (task,) = command("scan", folder, "--json").document["tasks"]
    assert (task["question"], task["usable"]) == ("one_class", False)
    assert "only: 1 class (not usable as it is)" in command("scan", folder).out


def test_doctor_tells_versions_gpu_qt_folders_and_the_log(command, learnt):
    answer = command("doctor", "--json", home=learnt / "home")
    assert answer.code == DONE
    facts = answer.document
    assert facts.keys() >= {"versions", "gpu", "processors", "qt", "home", "log"}
    assert facts["versions"]["torch"] != "not installed"
    assert facts["qt"] == "ok"
    assert facts["home"] == str(learnt / "home")
    assert facts["log"].items() >= {"quick_check": "ok", "runs": 1}.items()
    text = command("doctor", home=learnt / "home").out
    assert "  torch: " in text
    assert "quick_check: ok" in text


def test_doctor_checks_the_ntk_arithmetic_on_a_linear_head(command):
    answer = command("doctor", "--ntk", "--json")
    assert answer.code == DONE
    checked = answer.document["ntk"]
    assert len(checked) == 4
    assert all(row["difference"] <= 1e-10 for row in checked.values())
    assert checked["Interplay gap after SGD"]["measured"] > 1e-3


def bare_environment() -> dict[str, str]:
    return {
        key: value
        for key, value in os.environ.items()
        if key not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a display")
def test_without_a_display_the_window_is_refused_in_one_sentence(tmp_path):
    with start("--home", tmp_path, env=bare_environment()) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (WRONG_USE, "")
    assert err.startswith("The window cannot open: no display was found")
    assert len(err.splitlines()) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a display")
def test_without_a_display_plots_are_drawn_all_the_same(learnt, tmp_path):
    words = ["export", "Ö run", "--to", tmp_path, "--plots", "--home", learnt / "home"]
    with start(*words, env=bare_environment()) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (DONE, "")
    assert (tmp_path / "plots" / "accuracy.svg").is_file()
    assert "accuracy.svg" in out


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_reader_that_has_read_enough_is_no_error(learnt):
    with start("show", "Ö run", "--json", "--home", learnt / "home") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == DONE
