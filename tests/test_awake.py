"""Sleep is held off while a run trains, by a stand-in for the system's program that writes down what it is asked."""

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QProcess
from pytestqt.qtbot import QtBot

from tests.opened import feature, fill, opened
from workbench.face.awake import StayAwake, Wakefulness, command_to_hold

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's way")


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `systemd-inhibit` first on the path; return the file in which it notes begin and end."""
    folder, written = tmp_path / "programs", tmp_path / "notes.txt"
    folder.mkdir()
    program = folder / "systemd-inhibit"
    program.write_text(
        f'#!/bin/sh\necho "begin $*" >> "{written}"\ncat\necho "end" >> "{written}"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return written


def read(notes: Path) -> list[str]:
    return notes.read_text().splitlines() if notes.exists() else []


def test_sleep_is_held_off_until_it_is_released(qtbot: QtBot, notes: Path) -> None:
    wakefulness = Wakefulness()
    wakefulness.hold("run-0001 is training")
    wakefulness.hold("run-0001 is training")
    qtbot.waitUntil(lambda: len(read(notes)) == 1, timeout=10_000)
    assert wakefulness.held
    (begin,) = read(notes)
    assert "--what=sleep:idle" in begin
    assert "--why=run-0001 is training" in begin
    wakefulness.release()
    wakefulness.release()
    assert read(notes)[1:] == ["end"]
    assert not wakefulness.held


def test_where_no_program_is_there_nothing_happens_and_nothing_fails(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_to_hold("x") == []
    wakefulness = Wakefulness()
    wakefulness.hold("x")
    assert not wakefulness.held
    wakefulness.release()


def test_a_program_that_is_refused_is_no_reason_to_stop(
    qtbot: QtBot, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = notes.parent / "programs" / "systemd-inhibit"
    program.write_text("#!/bin/sh\necho 'Access denied' >&2\nexit 1\n")
    wakefulness = Wakefulness()
    wakefulness.hold("x")
    qtbot.waitUntil(lambda: not wakefulness.held, timeout=10_000)
    for _ in range(3):  # asked again with each state of a run, and refused again
        wakefulness.hold("x")
        qtbot.waitUntil(lambda: not wakefulness.held, timeout=10_000)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert len(wakefulness.findChildren(QProcess)) == 1
    wakefulness.release()


@pytest.mark.slow
def test_it_follows_the_run_and_its_pauses_and_the_tick(
    qtbot: QtBot, notes: Path, tmp_path: Path
) -> None:
    with opened(tmp_path / "home", qtbot) as window:
        fill(window, qtbot, tmp_path / "pictures", epochs=5000)
        awake, training = feature(window, StayAwake), window.desk.training
        assert window.actions_by_id["keep_awake"].isChecked()
        window.commands.train()
        qtbot.waitUntil(lambda: training.state == "running", timeout=120_000)
        assert awake.wakefulness.held
        training.pause()
        qtbot.waitUntil(lambda: training.state == "paused", timeout=30_000)
        assert not awake.wakefulness.held
        training.go_on()
        assert awake.wakefulness.held
        window.actions_by_id["keep_awake"].trigger()
        assert not awake.wakefulness.held
        window.actions_by_id["keep_awake"].trigger()
        with qtbot.waitSignal(training.ended, timeout=30_000):
            training.stop()
        assert not awake.wakefulness.held
    lines = read(notes)
    assert [line.split()[0] for line in lines] == ["begin", "end"] * 3
