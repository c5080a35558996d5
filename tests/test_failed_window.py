"""After a run has failed or its engine died: the sentence in the window, and each button that it offers, pressed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from pytestqt.qtbot import QtBot

from tests.engines import engines
from tests.opened import fill, opened
from tests.test_resume_session import unmonitored
from tests.trained import folders, quick_config
from workbench import paths
from workbench.config import with_values
from workbench.core import running
from workbench.core.learner import Learner
from workbench.events import Checkpointed, Event, Resumed, Step
from workbench.face.messages import DetailBox
from workbench.face.window import Window
from workbench.session import SessionApart

LONG = 60_000  # ms; a loaded machine is slow
START = "The training engine stopped while starting (exit code −9). Nothing was lost."


@contextmanager
def opened_apart(home: Path, qtbot: QtBot) -> Iterator[Window]:
    """A window that trains in a process of its own, as the program's does."""
    session = SessionApart(home, entry_points=False)
    window = Window(session)
    window.show()
    try:
        yield window
    finally:
        assert window.shut_down()
        window.close()
        session.close()
        window.deleteLater()


def buttons(window: Window, subject: str) -> list[str]:
    return list(window.desk.strips.strip(subject).buttons)


def press(window: Window, subject: str, text: str) -> None:
    window.desk.strips.strip(subject).buttons[text].click()


def said(window: Window, subject: str) -> str:
    return window.desk.strips.texts().get(subject, "")


def killed(window: Window, qtbot: QtBot) -> str:
    """Kill what trains; return what the window says of it, once it is ready for what comes next."""
    qtbot.waitUntil(lambda: bool(engines()), timeout=LONG)
    with qtbot.waitSignal(window.desk.training.ended, timeout=LONG) as ended:
        for each in engines():  # one of them may be foreseeing the memory that the draft needs
            each.kill()
    assert ended.args == ["interrupted"]
    return said(window, "run")


@pytest.mark.slow
def test_an_engine_killed_under_a_window_is_tried_again_on_the_processor_and_resumed(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "has_gpu_driver", lambda: True)  # as where a GPU's driver crashes
    with opened_apart(tmp_path / "home", qtbot) as window:
        desk, heard = window.desk, list[Event]()
        desk.training.news.connect(heard.extend)
        fill(window, qtbot, tmp_path / "pictures", epochs=5000, device="auto")
        window.commands.train()
        assert killed(window, qtbot) == START
        assert buttons(window, "run") == ["Try again", "Try on processor", "Details"]
        assert said(window, "resume") == ""  # there is no checkpoint

        press(window, "run", "Try on processor")
        assert desk.draft.state.settings.train.device == "cpu"
        qtbot.waitUntil(lambda: any(isinstance(e, Checkpointed) for e in heard), timeout=LONG)
        assert desk.training.run.config.train.device == "cpu"
        assert [run.name for run in desk.session.runs()] == ["run-0002", "run-0001"]
        sentence = killed(window, qtbot)
        assert sentence.startswith(
            "Training stopped unexpectedly (the engine was ended by the system; often too little memory). "
            "Saved up to step "
        )
        assert buttons(window, "run") == ["Details"]
        press(window, "run", "Details")
        box = window.findChild(DetailBox)
        assert sentence in box.details.toPlainText()
        assert box.details.isVisible()
        box.close()

        assert said(window, "resume") == "run-0002 can go on from its last checkpoint."
        assert buttons(window, "resume") == ["Resume"]
        heard.clear()
        press(window, "resume", "Resume")
        qtbot.waitUntil(lambda: any(isinstance(e, Step) for e in heard), timeout=LONG)
        assert any(isinstance(e, Resumed) for e in heard)
        assert len(desk.session.runs()) == 2
        # of a run that went on, RunStarted is not said again: it has begun all the same
        assert killed(window, qtbot).startswith("Training stopped unexpectedly (")
        assert buttons(window, "run") == ["Details"]
        assert buttons(window, "resume") == ["Resume"]


Spoil = Callable[[Learner, int], None]


def spoilt(monkeypatch: pytest.MonkeyPatch, spoil: Spoil) -> None:
    """Let `spoil` do what the outside world does, before each forward pass that a step makes."""
    forward, passes = Learner.forward, []

    def instead(self: Learner, *given: Any) -> Any:
        passes.append(self)
        spoil(self, len(passes))
        return forward(self, *given)

    monkeypatch.setattr(Learner, "forward", instead)


def failed(window: Window, qtbot: QtBot, pictures: Path, **values: Any) -> str:
    """Train the tiny run until it fails; return what the window says."""
    config = with_values(unmonitored(pictures), {"train.device": "auto", **values})
    run = window.desk.session.start(config)
    with qtbot.waitSignal(window.desk.training.ended, timeout=LONG) as ended:
        window.desk.begin(run, of_draft=False)
    assert ended.args == ["failed"]
    for box in window.findChildren(DetailBox):
        box.close()
    return said(window, "run")


def pressed_to_the_end(window: Window, qtbot: QtBot, text: str) -> dict[str, Any]:
    """Press a button of the strip that lets the run go on; return the settings that it was trained with."""
    with qtbot.waitSignal(window.desk.training.ended, timeout=LONG) as ended:
        press(window, "resume", text)
    assert ended.args == ["finished"]
    (run,) = window.desk.session.runs()
    settings: dict[str, Any] = window.desk.session.details(run.id).config["train"]
    return settings


def test_a_gpu_whose_memory_holds_not_even_one_picture_is_left(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The GPU and its memory are the outside world: its name is told, its error raised where it raises it."""

    def spoil(learner: Learner, passes: int) -> None:
        if passes > 6 and learner.training.device != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(running, "device_name", lambda _: "NVIDIA H100")
    spoilt(monkeypatch, spoil)
    with opened(tmp_path / "home", qtbot) as window:
        sentence = failed(window, qtbot, tmp_path / "pictures")
        assert sentence.startswith(
            "The GPU ran out of memory in task 2 (needed 20 MB more). Saved up to step 6, "
        )
        assert said(window, "resume") == "run-0001 can go on from its last checkpoint."
        assert buttons(window, "resume") == ["Resume on processor"]
        train = pressed_to_the_end(window, qtbot, "Resume on processor")
        assert train["device"] == "cpu"


def test_on_a_computer_without_a_gpu_the_processor_is_no_way_out(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [True]

    def spoil(learner: Learner, passes: int) -> None:
        if full[0]:
            raise MemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(running, "device_name", lambda device: "cpu")
    spoilt(monkeypatch, spoil)
    with opened(tmp_path / "home", qtbot) as window:
        sentence = failed(window, qtbot, tmp_path / "pictures")
        assert sentence.startswith("The computer ran out of memory in task 1 (needed 20 MB more).")
        assert said(window, "resume") == "run-0001 has no checkpoint yet; it would begin again."
        assert buttons(window, "resume") == ["Try again"]
        full[0] = False  # another program was closed
        pressed_to_the_end(window, qtbot, "Try again")


def test_a_loss_that_is_no_number_can_be_looked_at_and_gone_on_with_half_the_rate(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = 0.05

    def spoil(learner: Learner, passes: int) -> None:
        if passes == 8 and learner.training.learning_rate == rate:
            with torch.no_grad():  # as a step that was too large leaves it
                learner.proxy.weight[0] = float("nan")

    spoilt(monkeypatch, spoil)
    with opened(tmp_path / "home", qtbot) as window:
        values = {"train.learning_rate": rate}
        assert failed(window, qtbot, tmp_path / "pictures", **values) == (
            "The loss term 'cross_entropy_s1' became nan in task 2, step 8. Training stopped. The last checkpoint "
            "(step 6) is kept. A lower learning rate usually helps."
        )
        assert buttons(window, "resume") == ["Resume with half the learning rate", "Look"]
        window.desk.tabs.setCurrentIndex(1)
        press(window, "resume", "Look")
        assert window.desk.tabs.currentWidget() is window.desk.page
        assert window.desk.page.board.losses.isVisible()
        assert window.desk.page.board.losses.table()[1]
        train = pressed_to_the_end(window, qtbot, "Resume with half the learning rate")
        assert train["learning_rate"] == rate / 2


def test_a_run_that_was_not_of_the_draft_is_tried_again_with_its_own_settings(
    tmp_path: Path, qtbot: QtBot
) -> None:
    with opened_apart(tmp_path / "home", qtbot) as window:
        config = quick_config(folders(tmp_path / "pictures"), epochs=4321)
        window.desk.begin(window.desk.session.start(config), of_draft=False)
        assert killed(window, qtbot) == START
        assert buttons(window, "run") == ["Try again", "Details"]
        press(window, "run", "Try again")
        assert window.desk.training.run.name == "run-0002"
        assert window.desk.training.run.config.train.epochs == 4321
        window.desk.training.stop()
        qtbot.waitUntil(lambda: window.desk.training.state == "idle", timeout=LONG)
