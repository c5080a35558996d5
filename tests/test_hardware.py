"""What the window says of the computer: before the start, while a run trains, and of runs that are past."""

import re
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
import torch
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from tests.opened import feature, opened
from tests.recorded import recorded_run
from tests.test_window import log_a_run
from tests.trained import folders, quick_config
from workbench import paths
from workbench.core.device import unused_gpu
from workbench.core.train import train
from workbench.events import Note, RunStarted, Step, TaskStarted
from workbench.face.about import About
from workbench.face.hardware import hardware_sentence, trained_on
from workbench.face.messages import DetailBox
from workbench.face.run_columns import PLACES
from workbench.face.run_details import DetailsOfRun
from workbench.face.run_panel import RunPanel
from workbench.session.versions import versions

GPU = "NVIDIA H100 80GB HBM3"
CPU = torch.device("cpu")


@pytest.fixture(params=[True, False], ids=["driver", "none"])
def driver(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A computer with or without an NVIDIA driver: the file that Linux shows of it, and no other sign."""
    place = tmp_path / "version"
    if request.param:
        place.touch()
    monkeypatch.setattr(paths, "_DRIVER", place)
    monkeypatch.setattr(paths, "_DEVICE", tmp_path / "nvidiactl")
    monkeypatch.setattr(paths.shutil, "which", lambda name: None)
    return bool(request.param)


@pytest.mark.parametrize("version", ["2.9.0", "2.9.0+cpu"])
def test_the_sentence_before_the_start_is_about_what_is_missing(
    driver: bool, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: version)
    said = hardware_sentence()
    if not driver:
        assert said.startswith("No NVIDIA GPU was found, so training uses the processor.")
    elif version.endswith("+cpu"):
        assert said == (
            "An NVIDIA driver is here, but the installed PyTorch (2.9.0+cpu) is built for the "
            "processor alone, so training uses the processor."
        )
    else:
        assert said == ""


@pytest.mark.parametrize("driver", [False], indirect=True)
def test_the_strip_says_it_once_and_its_details_are_the_versions(
    driver: bool, tmp_path: Path, qtbot: QtBot
) -> None:
    with opened(tmp_path / "home", qtbot) as window:
        strips = window.desk.strips
        assert strips.texts()["hardware"] == hardware_sentence()
        strip = strips.strip("hardware")  # noqa: B005  (no text)
        strip.buttons["Details"].click()
        box = feature(window, About).box
        assert isinstance(box, DetailBox)
        told = box.details.toPlainText()
        assert "no NVIDIA driver" in told
        assert f"torch {metadata.version('torch')}" in told
        box.close()
    log_a_run(tmp_path / "home")
    with opened(tmp_path / "home", qtbot) as window:
        assert "hardware" not in window.desk.strips.texts()


def test_auto_that_becomes_the_processor_beside_a_driver_is_said_in_the_run(
    driver: bool, tmp_path: Path
) -> None:
    if torch.cuda.is_available():
        pytest.skip("PyTorch has a GPU here")
    config = quick_config(folders(tmp_path / "pictures"))
    config = replace(config, train=replace(config.train, device="auto"))
    said = list(train(config, tmp_path / "home"))
    started = next(place for place, each in enumerate(said) if isinstance(each, RunStarted))
    notes = [each.text for each in said[started:] if isinstance(each, Note)]
    odd = [text for text in notes if text.startswith("An NVIDIA driver is here, but PyTorch")]
    assert len(odd) == driver
    assert all("this run trains on the processor" in text for text in odd)
    assert unused_gpu("cpu", CPU) == ""
    assert unused_gpu("auto", torch.device("cuda", 0)) == ""


@pytest.mark.parametrize("driver", [True], indirect=True)
@pytest.mark.parametrize(
    ("cuda", "why"),
    [
        (None, r"The installed PyTorch \(.+\) is built without CUDA\."),
        (
            "12.8",
            r"The driver may be too old for CUDA 12\.8, or the GPU is hidden from this program\.",
        ),
    ],
)
def test_why_there_is_no_gpu_is_said(
    driver: bool, cuda: str | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.version, "cuda", cuda)
    assert re.search(f"{why}$", unused_gpu("auto", CPU))


@pytest.mark.parametrize(
    ("device", "precision", "words"),
    [
        ("cpu", "", "on the processor"),
        ("cpu", "strict", "on the processor, strict"),
        (GPU, "bf16", f"on {GPU}, bf16"),
    ],
)
def test_a_run_says_where_it_trains_and_in_which_precision(
    device: str, precision: str, words: str, qtbot: QtBot
) -> None:
    panel = RunPanel()
    qtbot.addWidget(panel)
    started = next(event for event in recorded_run(4) if isinstance(event, RunStarted))
    begun = RunStarted(**{**vars(started), "device": device, "precision": precision})
    panel.show_news([begun, TaskStarted(2, 1400, 20, 100), Step(2, 6, 1432, 0.01, {})])
    assert panel.stage.text() == f"task 3 of 4 · epoch 7/20 · step 1,432 · {words}"
    assert trained_on(device, precision) == words
    assert trained_on("", "") == ""


def test_a_past_run_tells_where_it_was_trained_and_with_which_versions(
    tmp_path: Path, qtbot: QtBot
) -> None:
    log_a_run(tmp_path)
    with opened(tmp_path, qtbot) as window:
        history, place = window.desk.history, PLACES["device"]
        assert history.table.isColumnHidden(place)  # of the columns to choose
        shown = next(
            each for each in history.bar.columns.menu().actions() if each.data() == "device"
        )
        shown.trigger()
        assert not history.table.isColumnHidden(place)
        assert history.model.index(0, place).data() == "on the processor"
        history.bar.field.setText("device:cpu")
        history.bar.apply()
        assert history.model.matching == 1
        history.bar.field.setText("device:h100")
        history.bar.apply()
        assert history.model.matching == 0
        history.bar.field.clear()
        history.bar.apply()
        history.table.selectRow(0)
        window.actions_by_id["run_details"].trigger()
        box = feature(window, DetailsOfRun).box
        assert box is not None
        box.copy_button.click()
        told = QGuiApplication.clipboard().text().splitlines()
        assert "Trained: on the processor" in told
        details = window.desk.session.details(history.chosen())
        for name, version in details.versions.items():
            assert f"{name}: {version}" in told
        assert any(line.startswith("Seeds: class order 0, split 0") for line in told)
        assert "on the processor" in box.text.toPlainText()
        assert versions().keys() >= {"torch", "workbench"}
        box.close()
