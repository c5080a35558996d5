"""The commands that say something before training, on a tiny real run."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pictures import make_class_folders, make_task_folders
from tests.trained import BACKBONE, trained_session
from workbench.cli import DONE, FAILED, WRONG_USE, main
from workbench.cli.foresight import kept_text, order_text
from workbench.config import TaskFolder
from workbench.report import Forecast, ForecastScore, KeptForecast, OrderStudy

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    root = tmp_path_factory.mktemp("foresight")
    session, run = trained_session(root / "home", root / "pictures")
    session.close()
    return root, run


@pytest.fixture
def command(learnt: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["--home", str(learnt[0] / "home"), *map(str, words)])
        return (code, *capsys.readouterr())

    return call


def test_a_forecast_is_told_kept_listed_and_shown(
    command: Command, learnt: tuple[Path, str], tmp_path: Path
) -> None:
    _, run = learnt
    folder = make_class_folders(tmp_path / "gulls", {"white": 8, "black": 8})
    code, text, progress = command("forecast", run, folder)
    assert code == DONE
    assert text.startswith("Learning 'gulls' next will disturb '")
    assert "Trust the order more than the sizes" in text
    assert "Starting the engine" in progress
    code, text, _ = command("forecast", run, folder, "--json")
    document = json.loads(text)
    assert document["candidate"]["name"] == "gulls"
    assert {task["name"] for task in document["tasks"]} == {"finches", "Ö 空格"}
    _, text, _ = command("forecast", run, "--list", "--json")
    kept = json.loads(text)
    assert [item["forecast"] for item in kept] == [document, document]
    assert "not scored: no later run has learnt" in command("forecast", run, "--list")[1]
    assert "forecast of 'gulls'" in command("show", run)[1]
    shown = json.loads(command("show", run, "--json")[1])
    assert [item["tasks"] for item in shown["forecasts"]] == [document["tasks"]] * 2


def test_a_candidate_of_one_class_fails_with_its_reason(
    command: Command, learnt: tuple[Path, str], tmp_path: Path
) -> None:
    folder = make_class_folders(tmp_path / "gulls", {"white": 8})
    code, text, _ = command("forecast", learnt[1], folder)
    assert code == FAILED
    assert "with one class" in text


def test_wrong_use_is_a_sentence(
    command: Command, learnt: tuple[Path, str], tmp_path: Path
) -> None:
    code, _, said = command("forecast", learnt[1])
    assert code == WRONG_USE
    assert "use --list" in said
    make_task_folders(tmp_path / "two", {"a": {"x": 3, "y": 3}, "b": {"x": 3, "y": 3}})
    code, _, said = command("forecast", learnt[1], tmp_path / "two")
    assert code == WRONG_USE
    assert "holds 2 tasks ('a', 'b')" in said
    code, _, said = command("order", learnt[0] / "pictures" / "finches")
    assert code == WRONG_USE
    assert "at least two tasks" in said


def test_an_order_is_suggested_of_a_configuration_and_of_folders(
    command: Command, learnt: tuple[Path, str], tmp_path: Path
) -> None:
    pictures = learnt[0] / "pictures"
    lines = [f"[model]\nbackbone = '{BACKBONE}'"]
    lines += [f"[[data.tasks]]\nname = {p.name!r}\npath = '{p}'" for p in sorted(pictures.iterdir())]  # fmt: skip
    (tmp_path / "two.toml").write_text("\n".join(lines), "utf-8")
    code, text, _ = command("order", tmp_path / "two.toml", "--json")
    assert code == DONE
    document = json.loads(text)
    assert document["names"] == ["finches", "Ö 空格"]
    assert document["disturbance"][0][0] is None
    folders = sorted(pictures.iterdir())
    code, text, _ = command("order", *folders, "--run", learnt[1])
    assert code == DONE
    assert "finches → Ö 空格" in text
    assert "the network that the run left" in text


def test_a_score_and_a_kept_order_are_told_in_a_line() -> None:
    made = Forecast("r", TaskFolder("gulls", "/g"), reason="with one class")
    score = ForecastScore("later", "run-0002", 0.5, 0.9, None, 0.99, worst="finches")
    text = kept_text(KeptForecast(1, "2026", made, score))
    assert "against what run-0002 measured: rank correlation 0.50 over old tasks." in text
    assert "'finches' was disturbed most" in text
    assert "too few numbers to rank" in ForecastScore("later", "run-0002").sentence
    kept = OrderStudy(("a", "b"), (0, 1), 0.1, 0.1, ((None, 0.2), (0.3, None)), "By hand.")
    assert order_text(kept).startswith("Keep the present order")
