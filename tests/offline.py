"""Open the window, or use the command line, run a small part of the sample, and print how it ended.

A process of its own, so that a test can forbid it the network: see `tests/test_security.py`.
"""

import dataclasses
import sys
from pathlib import Path

from workbench.config import RunConfig, save_config, with_values
from workbench.session import sample

SMALL = {
    "train.epochs": 1,
    "data.train_per_class": 4,
    "data.test_per_class": 2,
    "train.device": "cpu",
}


def small() -> RunConfig:
    """Two tasks of the sample, four pictures of each class."""
    config = sample.configuration(full=False)
    data = dataclasses.replace(config.data, tasks=config.data.tasks[:2])
    return with_values(dataclasses.replace(config, data=data), SMALL)


def in_the_window(home: Path) -> str:
    from PySide6.QtCore import QEventLoop
    from PySide6.QtWidgets import QApplication

    from workbench.face.window import Window
    from workbench.session import Session

    app = QApplication([])
    session = Session(home, entry_points=False)
    window = Window(session)
    window.show()
    ended: list[str] = []
    loop = QEventLoop()
    window.desk.training.ended.connect(ended.append)
    window.desk.training.ended.connect(loop.quit)
    window.desk.begin(session.start(small()))
    loop.exec()
    window.close()
    session.close()
    app.processEvents()
    return ended[0]


def on_the_command_line(home: Path) -> str:
    from workbench.cli import main

    save_config(small(), home.with_suffix(".toml"))
    code = main(["--home", str(home), "run", str(home.with_suffix(".toml"))])
    return "finished" if code == 0 else f"code {code}"


if __name__ == "__main__":
    work = in_the_window if sys.argv[2] == "window" else on_the_command_line
    print(work(Path(sys.argv[1])))  # noqa: T201
