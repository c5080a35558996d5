"""The meter beside a stand-in for `nvidia-smi` that prints what a real one printed, and beside none."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from tests.opened import feature, opened
from workbench.face.meter import BUSY_MS, IDLE_MS, Meter
from workbench.face.window import Window
from workbench.session.machine import GIB, MIB, Gpu, Program, library_gpus, load, parse_gpus

GPUS = "GPU-5f, NVIDIA GeForce RTX 4090, 5325, 8188, 97, 71\n"
PROGRAMS = (
    "GPU-5f, 812, C:\\Program Files\\Blender\\blender.exe, 4915\nGPU-5f, 900, /usr/bin/Xorg, 120\n"
)

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a shell script")


def put_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, gpus: str, programs: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    (folder / "gpus").write_text(gpus)
    (folder / "programs").write_text(programs)
    program.write_text(
        "#!/bin/sh\n"
        f'case "$1" in --query-gpu=*) cat "{folder}/gpus";; *) cat "{folder}/programs";; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    put_smi(tmp_path / "programs", monkeypatch, GPUS, PROGRAMS)
    with opened(tmp_path / "home", qtbot) as made:
        yield made


def test_what_nvidia_smi_prints_is_read() -> None:
    (gpu,) = parse_gpus(GPUS, PROGRAMS.replace("\\", "/"))
    assert (gpu.name, gpu.used, gpu.total) == (
        "NVIDIA GeForce RTX 4090", 5325 * MIB, 8188 * MIB,
    )  # fmt: skip
    assert (gpu.use, gpu.temperature) == (97, 71)
    assert gpu.programs == (
        Program(812, "blender.exe", 4915 * MIB), Program(900, "Xorg", 120 * MIB),
    )  # fmt: skip
    assert gpu.largest_other == gpu.programs[0]
    assert gpu.used_by_others == 5325 * MIB


def test_what_a_gpu_does_not_tell_is_not_made_up() -> None:
    (gpu,) = parse_gpus("GPU-1, NVIDIA T4, [N/A], [N/A], [Not Supported], [N/A]\n", "")
    assert (gpu.used, gpu.total, gpu.use, gpu.temperature) == (None, None, None, None)
    assert gpu.used_by_others == 0
    assert gpu.largest_other is None
    assert parse_gpus("No devices were found\n", "") == ()
    (gpu,) = parse_gpus("GPU-1, T4, 9, 10, 0, 30\n", "GPU-1, 7, x, [N/A]\nGPU-1, zero, y, 3\n")
    assert gpu.programs == (Program(7, "x", None),)


def test_memory_of_this_program_is_not_that_of_others() -> None:
    gpu = parse_gpus("GPU-1, T4, 900, 1000, 0, 30\n", f"GPU-1, {os.getpid()}, python, 700\n")[0]
    assert gpu.used_by_others == 200 * MIB
    assert gpu.knows_own
    assert not parse_gpus(GPUS, PROGRAMS)[0].knows_own
    assert gpu.largest_other is None


def test_processor_and_memory_are_those_that_psutil_sees() -> None:
    now = load()
    assert 0 <= now.processor <= 100
    assert now.memory_total == psutil.virtual_memory().total
    assert 0 < now.memory_used < now.memory_total


@linux
def test_the_meter_shows_gpu_and_computer(window: Window, qtbot: QtBot) -> None:
    meter = feature(window, Meter)
    qtbot.waitUntil(lambda: bool(meter.gpus), timeout=20_000)
    meter.look()
    assert meter.label.text().startswith("RTX 4090 5.2/8 GB 97 % 71 °C   CPU ")
    total = psutil.virtual_memory().total / GIB
    assert meter.label.text().endswith(f" of {total:.0f} GB")
    assert meter.label.property("level") == ""


@linux
def test_a_hot_or_full_gpu_is_amber_and_no_box(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    meter = feature(window, Meter)
    (tmp_path / "programs" / "gpus").write_text("GPU-5f, NVIDIA T4, 10, 100, 5, 91\n")
    qtbot.waitUntil(lambda: bool(meter.gpus) and meter.gpus[0].temperature == 91, timeout=20_000)
    meter.look()
    assert meter.label.property("level") == "warning"


@linux
def test_of_several_gpus_the_first_is_shown_and_the_others_in_the_tip(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    meter = feature(window, Meter)
    (tmp_path / "programs" / "gpus").write_text(GPUS + "GPU-9, NVIDIA T4, 1024, 16384, 0, 33\n")
    qtbot.waitUntil(lambda: len(meter.gpus) == 2, timeout=30_000)
    meter.look()
    assert meter.label.text().startswith("RTX 4090 5.2/8 GB 97 % 71 °C   +1 GPU   CPU ")
    assert "T4 1.0/16 GB 0 % 33 °C" in meter.label.toolTip()


@linux
def test_without_a_gpu_only_the_computer_is_shown(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if library_gpus() is not None:
        pytest.skip("this computer has a GPU and the library for it")
    with opened(tmp_path / "home", qtbot) as window:
        meter = feature(window, Meter)
        assert not meter.reader.present
        meter.look()
        assert meter.label.text().startswith("CPU ")


@linux
def test_a_program_that_fails_is_like_no_gpu(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put_smi(tmp_path / "programs", monkeypatch, "", "")
    (folder / "nvidia-smi").write_text("#!/bin/sh\necho 'Failed to initialize NVML'\nexit 9\n")
    with opened(tmp_path / "home", qtbot) as window:
        reader = feature(window, Meter).reader
        with qtbot.waitSignal(reader.read, timeout=20_000) as told:
            reader.ask()
        assert told.args == [()]


@linux
def test_a_question_still_open_is_not_asked_again_and_ends_with_the_window(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put_smi(tmp_path / "programs", monkeypatch, "", "")
    (folder / "nvidia-smi").write_text(f'#!/bin/sh\necho x >> "{folder}/asked"\nexec sleep 60\n')
    with opened(tmp_path / "home", qtbot) as window:
        qtbot.waitUntil((folder / "asked").exists, timeout=20_000)
        feature(window, Meter).look()
        feature(window, Meter).look()
        assert (folder / "asked").read_text() == "x\n"
    children = [child.name() for child in psutil.Process().children()]
    assert "sleep" not in children


def test_the_meter_is_quicker_while_a_run_trains() -> None:
    assert BUSY_MS == 1000 < IDLE_MS


def test_a_gpu_says_which_program_holds_most() -> None:
    programs = (Program(1, "a", 5), Program(2, "b", 9), Program(3, "c", None))
    largest = Gpu("x", 14, 20, programs=programs).largest_other
    assert largest is not None
    assert largest.name == "b"
