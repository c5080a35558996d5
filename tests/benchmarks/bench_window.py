"""The main job through the real window, with a clock: open, press "Try the sample", watch, stop another run.

    python -m tests.benchmarks.bench_window [--pictures DIR]

Prints seconds until the window is shown and painted, until the first curve has a point, until the run has
ended, and from Stop to the end of a second run; the longest the window did not answer. Training has a
process of its own, as in the program. With `--pictures`, saves what it looks like in both schemes and two
sizes, without a screen.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BEGAN = time.perf_counter()
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QWidget  # noqa: E402  (the import is part of what is timed)

from workbench.face.app import shown  # noqa: E402
from workbench.face.theme import apply_theme  # noqa: E402
from workbench.session import SessionApart  # noqa: E402

SIZES = ((1280, 800), (960, 600))
PATIENCE = 600.0  # seconds


class Watch:
    """Lets the window live until something is so, and knows the longest time between two of its turns."""

    def __init__(self, app: QApplication) -> None:
        self.app = app
        self.longest = 0.0

    def until(self, so: Callable[[], bool]) -> float:
        """Return the seconds until `so()`; raises TimeoutError."""
        began = last = time.perf_counter()
        while not so():
            self.app.processEvents()
            now = time.perf_counter()
            self.longest, last = max(self.longest, now - last), now
            if now - began > PATIENCE:
                raise TimeoutError
            time.sleep(0.005)
        return time.perf_counter() - began

    def rest(self, seconds: float) -> None:
        """Let the window live for a while."""
        end = time.perf_counter() + seconds
        self.until(lambda: time.perf_counter() >= end)


def take(app: QApplication, window: QWidget, watch: Watch, folder: Path, name: str) -> None:
    """Save the window in both schemes and sizes, as NAME-SCHEME-WIDTH.png."""
    for scheme in ("dark", "light"):
        apply_theme(app, scheme)
        for width, height in SIZES:
            window.resize(width, height)
            watch.rest(0.4)
            window.grab().save(str(folder / f"{name}-{scheme}-{width}.png"))
    window.resize(*SIZES[0])


def main(arguments: list[str]) -> None:
    """Run the sample through the window and print the table."""
    pictures = Path(arguments[arguments.index("--pictures") + 1]) if arguments else None
    app = QApplication(sys.argv[:1])
    watch, said = Watch(app), {}
    with tempfile.TemporaryDirectory() as home:
        window = shown(app, SessionApart(home), "light")
        desk = window.desk
        app.processEvents()
        said["window shown after"] = time.perf_counter() - BEGAN
        pressed = time.perf_counter()
        desk.page.zone.sample_button.click()
        losses = desk.page.board.losses
        watch.until(lambda: any(len(line.series.y) for line in losses.lines()))
        said["first curve moves after"] = time.perf_counter() - pressed
        watch.until(lambda: len(desk.page.board.record.rows) == 3)
        if pictures:
            take(app, window, watch, pictures, "running")
        watch.until(lambda: desk.training.state == "idle")
        said["sample ended after"] = time.perf_counter() - pressed
        watch.rest(6)  # the sentence at the end has gone
        if pictures:
            take(app, window, watch, pictures, "finished")
        window.commands.train()
        watch.until(lambda: len(desk.page.board.record.curve("loss.total")) > 2)
        desk.training.stop()
        said["stopped after"] = watch.until(lambda: desk.training.state == "idle")
        said["longest without an answer"] = watch.longest
        window.close()
        window.desk.session.close()
    for what, seconds in said.items():
        sys.stdout.write(f"{what:28} {seconds:7.2f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
