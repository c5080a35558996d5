"""How smoothly the window lives while it trains: gaps between the ticks of a 10-ms timer, idle and training.

    python -m tests.benchmarks.bench_gap [--seconds 30] [--in-process]

Prints median, 95th and 99th percentile and the longest gap in ms, first of the idle window, then while the
sample trains with its plots live, then idle again; and whether p99 keeps to 1.5 times the idle one + 10 ms.
It trains in a process of its own, as the window does, or in a thread of the window's.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from workbench.face.theme import apply_theme
from workbench.face.window import Window
from workbench.session import Session, SessionApart

TICK_MS = 10
LIMIT = (1.5, 10.0)  # times the idle p99, plus ms


def gaps(seconds: float) -> np.ndarray:
    """Let the window live; return the times between two ticks, in ms."""
    times: list[float] = []
    timer, loop = QTimer(), QEventLoop()
    timer.setTimerType(timer.timerType().PreciseTimer)
    timer.timeout.connect(lambda: times.append(time.perf_counter()))
    timer.start(TICK_MS)
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()
    timer.stop()
    return 1000 * np.diff(np.array(times))


def wait_for(so: Callable[[], bool]) -> None:
    """Let the window live until it is so."""
    timer, loop = QTimer(), QEventLoop()
    timer.timeout.connect(lambda: loop.quit() if so() else None)
    timer.start(50)
    loop.exec()
    timer.stop()


def line(what: str, found: np.ndarray) -> float:
    """Print one row; return its p99."""
    p50, p95, p99 = np.percentile(found, (50, 95, 99))
    sys.stdout.write(f"{what:10} {p50:7.1f} {p95:7.1f} {p99:7.1f} {found.max():7.1f}\n")
    return float(p99)


def main(arguments: list[str]) -> None:
    """Measure the three stretches and print the table."""
    kind = Session if "--in-process" in arguments else SessionApart
    seconds = (
        float(arguments[arguments.index("--seconds") + 1]) if "--seconds" in arguments else 30.0
    )
    app = QApplication(sys.argv[:1])
    apply_theme(app, "light")
    with tempfile.TemporaryDirectory() as home:
        window = Window(kind(home))
        window.show()
        sys.stdout.write(f"{'ms':10} {'p50':>7} {'p95':>7} {'p99':>7} {'max':>7}\n")
        idle = [line("idle", gaps(seconds))]
        training = window.desk.training
        window.desk.page.zone.sample_button.click()
        wait_for(lambda: training.state == "running")
        busy = line("training", gaps(seconds))
        training.stop()
        wait_for(lambda: training.state == "idle")
        idle.append(line("idle", gaps(seconds)))
        limit = LIMIT[0] * min(idle) + LIMIT[1]
        word = "kept" if busy <= limit else "not kept"
        sys.stdout.write(f"limit {limit:.1f} ms: {word}\n")
        window.close()
        window.desk.session.close()


if __name__ == "__main__":
    main(sys.argv[1:])
