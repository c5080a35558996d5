from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.opened import feature, fill, opened
from tests.test_meter import GPUS, PROGRAMS, linux, put_smi
from workbench.face.estimating import Estimating
from workbench.face.gpu_in_use import GpuInUse
from workbench.face.meter import Meter
from workbench.face.question import Question
from workbench.face.window import Window

pytestmark = linux
SENTENCE = "5.2 of 8 GB are used by other programs (blender.exe 4.8 GB). Training may fail."


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    programs = PROGRAMS.replace("\\", "/")
    put_smi(tmp_path / "programs", monkeypatch, GPUS, programs)
    with opened(tmp_path / "home", qtbot) as made:
        fill(made, qtbot, tmp_path / "pictures", device="auto")
        qtbot.waitUntil(lambda: bool(feature(made, Meter).gpus), timeout=20_000)
        yield made


def ask(window: Window) -> Question:
    """Train, as far as to the question."""
    window.commands.train()
    question = feature(window, GpuInUse).question
    assert question is not None
    return question


def free(tmp_path: Path) -> None:
    (tmp_path / "programs" / "gpus").write_text("GPU-5f, NVIDIA T4, 300, 8188, 5, 40\n")


@pytest.mark.slow
def test_a_gpu_in_other_hands_is_asked_about_before_anything_starts(
    window: Window, qtbot: QtBot
) -> None:
    question = ask(window)
    assert question.text() == SENTENCE
    assert list(question.answers) == ["Start anyway", "Wait"]
    assert window.desk.training.state == "idle"
    assert window.desk.session.runs() == []
    question.answers["Start anyway"].click()
    assert window.desk.training.state == "starting"
    assert len(window.desk.session.runs()) == 1


@pytest.mark.slow
def test_waiting_starts_the_run_once_the_gpu_is_free(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    ask(window).answers["Wait"].click()
    told = window.desk.strips.texts()["gpu"]
    assert told == "The run starts as soon as other programs have let go of the GPU."
    with qtbot.waitSignal(feature(window, Meter).changed, timeout=20_000):
        feature(window, Meter).look()
    assert window.desk.training.state == "idle"
    free(tmp_path)
    qtbot.waitUntil(lambda: window.desk.training.state != "idle", timeout=30_000)
    assert "gpu" not in window.desk.strips.texts()


@pytest.mark.slow
def test_start_anyway_asks_what_else_there_is_and_starts_the_draft_of_now(
    window: Window, qtbot: QtBot
) -> None:
    estimating, desk = feature(window, Estimating), window.desk
    estimating.estimate()
    ask(window).answers["Wait"].click()
    desk.draft.set_values({"train.epochs": 3}, "Fewer")
    assert estimating.busy
    desk.strips.strip("gpu").buttons["Start anyway"].click()
    assert desk.session.runs() == []  # the dry step under way ends first
    qtbot.waitUntil(lambda: desk.training.run is not None, timeout=60_000)
    assert not estimating.busy
    assert desk.training.run is not None
    assert desk.training.run.config.train == desk.draft.state.settings.train
    assert desk.training.run.config.train.epochs == 3


def test_not_to_start_after_all_starts_nothing(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    ask(window).answers["Wait"].click()
    window.desk.strips.strip("gpu").buttons["Do not start"].click()
    free(tmp_path)
    qtbot.waitUntil(lambda: feature(window, Meter).gpus[0].used == 300 * 2**20, timeout=30_000)
    assert window.desk.training.state == "idle"
    assert window.desk.session.runs() == []


@pytest.mark.slow
def test_a_run_on_the_processor_does_not_ask(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    window.desk.draft.set_values({"train.device": "cpu"}, "Processor")
    window.commands.train()
    assert feature(window, GpuInUse).question is None
    assert window.desk.training.state == "starting"
