"""A window on a home of its own with the tiny tasks in its list, for tests that train in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pytestqt.qtbot import QtBot

from tests.trained import QUICK, folders
from workbench.face.drop import Given
from workbench.face.feature import Feature
from workbench.face.window import Window
from workbench.session import Session

F = TypeVar("F", bound=Feature)


@contextmanager
def opened(home: Path, qtbot: QtBot) -> Iterator[Window]:
    """A shown window; at the end its run is stopped and it is closed."""
    window = Window(Session(home, entry_points=False))
    window.show()
    try:
        yield window
    finally:
        if window.desk.training.state != "idle":
            with qtbot.waitSignal(window.desk.training.ended, timeout=30_000):
                window.desk.training.stop()
        window.close()
        window.desk.session.close()
        window.deleteLater()


def fill(window: Window, qtbot: QtBot, pictures: Path, **training: object) -> None:
    """Put two tiny tasks and quick settings into the draft."""
    paths = tuple(str(path) for path in folders(pictures))
    adder = window.desk.adder
    adder.take(Given(folders=paths))
    qtbot.waitUntil(lambda: adder.sheet is not None, timeout=20_000)
    assert adder.sheet is not None
    adder.sheet.add_button.click()
    qtbot.waitUntil(lambda: len(window.desk.draft.state.tasks) == 2, timeout=20_000)
    window.desk.draft.set_values(
        QUICK | {f"train.{key}": value for key, value in training.items()}, "Quick"
    )


def train(window: Window, qtbot: QtBot, pictures: Path, epochs: int = 5000) -> None:
    """Begin to train the tiny tasks; unless told otherwise, for longer than any test."""
    fill(window, qtbot, pictures, epochs=epochs)
    window.commands.train()
    until(window, qtbot, "running")


def until(window: Window, qtbot: QtBot, state: str) -> None:
    """Wait until training has come into this state."""
    qtbot.waitUntil(lambda: window.desk.training.state == state, timeout=120_000)


def feature(window: Window, kind: type[F]) -> F:
    """Return the window's feature of this kind."""
    return next(each for each in window.features if isinstance(each, kind))
