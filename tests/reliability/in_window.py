"""The same in a real window: an engine that dies must be told of, and what is given up must end."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PySide6.QtCore import QEventLoop, QTimer

from tests.engines import PATIENCE, Working, engines, session_of
from tests.reliability.moments import COLD, PHASES, Tally, configuration, is_in
from workbench.events import Event
from workbench.face.app import application
from workbench.face.background import IterationThread
from workbench.face.theme import apply_theme
from workbench.face.window import Window
from workbench.session import Session

WITHIN = 1.0  # seconds after the work or the phase has begun
LOOK_MS = 5
PICTURES, SIDE = 60, 3000


def deaths(root: Path, times: int, chance: random.Random, tally: Tally) -> None:
    """Kill engines under a window in every phase; a warm one that dies unheard is replaced, and nothing is to be said."""
    app = application()
    apply_theme(app, "light")
    with session_of("process", root / "home") as session:
        window = Window(session)
        window.resize(1280, 800)
        window.show()
        heard: list[Event] = []
        window.desk.training.news.connect(heard.extend)
        try:
            for phase in [COLD, *(each for each in PHASES if each != COLD for _ in range(times))]:
                heard.clear()
                _kill_one(window, session, heard, phase, chance, tally)
        finally:
            window.shut_down()
            window.close()


def _kill_one(
    window: Window, session: Session, heard: list[Event], phase: str,
    chance: random.Random, tally: Tally,
) -> None:  # fmt: skip
    strips, training = window.desk.strips, window.desk.training
    window.desk.begin(session.start(configuration(session)), of_draft=False)
    if PHASES[phase]:
        wait_in_window(lambda: any(is_in(phase, event) for event in heard))
    wait_in_window(engines)
    until = time.monotonic() + chance.random() * WITHIN
    wait_in_window(lambda: time.monotonic() > until)
    (engine,) = engines()
    engine.kill()
    began = time.monotonic()
    wait_in_window(lambda: "run" in strips.texts() and strips.strip("run").isVisible())
    tally.add("deaths", phase, time.monotonic() - began)
    if not strips.texts()["run"].startswith(("Training stopped unexp", "The training engine")):
        tally.faults.append(f"engine killed while {phase}: {strips.texts()['run']}")
    wait_in_window(lambda: training.state == "idle")
    strips.clear_strip("run")


def cancels(root: Path, times: int, chance: random.Random, tally: Tally) -> None:
    """Give up what the window does beside training, as its Cancel does."""
    application()
    folder = _large_pictures(root / "pictures")
    with session_of("process", root / "home") as session:
        run = session.start(configuration(session))
        run.stop("task")  # its adapter is there then
        Working(run).end()
        pictures = [str(path) for path in sorted(folder.rglob("*.jpg"))]
        work: dict[str, Callable[[], Iterator[Any]]] = {
            "scan": lambda: session.scan([str(folder)]),
            "export": lambda: session.exporting(run.id, root / "out"),
            "answers on pictures": lambda: session.predict(run.id, pictures),
            "estimate": lambda: session.estimate(configuration(session)),
            "self-check": session.self_test,
            "order": lambda: session.order(configuration(session)),
        }
        for name in [name for name in work for _ in range(times)]:
            _cancel_one(name, work[name], chance, tally)
        if [path for path in (root / "out").rglob("*") if path.name.startswith("check-")]:
            tally.faults.append("an export that was given up left something half-written")


def _cancel_one(
    name: str, make: Callable[[], Iterator[Any]], chance: random.Random, tally: Tally
) -> None:
    thread = IterationThread(make)
    failures: list[object] = []
    thread.raised.connect(failures.append)
    thread.start()
    until = time.monotonic() + chance.random() * WITHIN
    wait_in_window(lambda: thread.isFinished() or time.monotonic() > until)
    began = time.monotonic()
    thread.cancel()
    wait_in_window(thread.isFinished)
    tally.add("cancels", name, time.monotonic() - began)
    tally.faults += [f"{name}: {failure}" for failure in failures]


def wait_in_window(so: Callable[[], object]) -> None:
    """Let the window work until it is so."""
    loop, timer, until = QEventLoop(), QTimer(), time.monotonic() + PATIENCE

    def look() -> None:
        if so() or time.monotonic() > until:
            loop.quit()

    timer.timeout.connect(look)
    timer.start(LOOK_MS)
    loop.exec()
    if time.monotonic() > until:
        raise TimeoutError(f"not within {PATIENCE} s")


def _large_pictures(folder: Path) -> Path:
    chance = np.random.default_rng(0)
    for number in range(PICTURES):
        place = folder / f"class {number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        pixels = chance.integers(0, 256, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((SIDE, SIDE)).save(place / f"{number}.jpg")
    return folder
