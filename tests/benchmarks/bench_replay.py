"""How long the window does not answer: while a long run is replayed, and when the log of many runs is reread.

Run by hand: `python -m tests.benchmarks.bench_replay`.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from tests.recorded import recorded_run
from tests.test_compare import log_run
from tests.test_table import add_run
from workbench.face.window import Window
from workbench.session import Session

TASKS, EPOCHS, STEPS, RUNS = 5, 40, 1_000, 5_000


class Silence:
    """Turns the event loop until something is so, and knows its longest slot and the whole time."""

    def __init__(self, app: QApplication) -> None:
        self._app = app
        self._ticks = QTimer()
        self._ticks.start(5)

    def until(self, begin: Callable[[], object], so: Callable[[], bool]) -> tuple[float, float]:
        """Return the longest time between two turns and the time until `so`, in seconds."""
        start = last = time.perf_counter()
        QTimer.singleShot(0, begin)
        longest = 0.0
        while last - start < 0.1 or not so():
            self._app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        return longest, last - start


def main() -> None:
    app = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder), entry_points=False)
        with session.log() as log:
            log_run(log, 1, recorded_run(TASKS, epochs=EPOCHS, steps=STEPS))
            log_run(log, 2, recorded_run(TASKS))
            for number in range(3, RUNS):
                add_run(log, number, epochs=5, seed=number % 7, accuracy_seen=0.5, forgetting=0.1)
            log._db.execute("UPDATE run_summary SET tasks_done = 3, final_accuracy = 0.5")
        window = Window(session)
        desk = window.desk
        window.resize(1280, 800)
        window.show()
        silence = Silence(app)
        silence.until(lambda: None, lambda: desk.ntk_later.part is not None)
        said = []
        for name in ("id2", "id1", "id2", "id1"):
            longest, whole = silence.until(
                lambda name=name: desk.replay(name),  # type: ignore[misc]
                lambda name=name: desk.page.replayed == name,  # type: ignore[misc]
            )
            said.append(f"replay {name}  longest {1000 * longest:7.0f} ms, whole {whole:6.2f} s")
        for _ in range(3):
            longest, _whole = silence.until(desk.reread_log, lambda: True)
            said.append(f"reread {RUNS:,} runs  longest {1000 * longest:7.0f} ms")
        window.close()
        session.close()
    sys.stdout.write("\n".join(said) + "\n")


if __name__ == "__main__":
    main()
