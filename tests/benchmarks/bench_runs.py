"""How fast a log of 5,000 runs is listed, sorted, filtered and grouped, with the table's model.

Run by hand: `python -m tests.benchmarks.bench_runs`.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication

from tests.test_table import add_run
from workbench.face.history import HistoryPanel
from workbench.face.run_columns import COLUMNS
from workbench.query import parse
from workbench.session import Session

RUNS, TIMES = 5_000, 7


def median_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def main() -> None:
    app = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        session = Session(folder, entry_points=False)
        with session.log() as log:
            for number in range(RUNS):
                add_run(
                    log, number, epochs=5 + number % 9, seed=number % 7,
                    accuracy_seen=number * 7919 % RUNS / RUNS, forgetting=number * 104_729 % RUNS / RUNS,
                )  # fmt: skip
        memory = QSettings(str(Path(folder) / "window.ini"), QSettings.Format.IniFormat)
        panel = HistoryPanel(session.table, memory)
        panel.resize(1280, 300)
        panel.show()
        model = panel.model

        def drawn(work: Callable[[], object]) -> Callable[[], object]:
            return lambda: (work(), panel.grab())

        lines = [f"list   {median_ms(drawn(lambda: model.reload(afresh=True))):8.1f} ms"]
        for place, column in enumerate(COLUMNS):
            ways = iter([Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder] * TIMES)
            took = median_ms(drawn(lambda place=place, ways=ways: model.sort(place, next(ways))))  # type: ignore[misc]
            lines.append(f"sort by {column.order:10}{took:8.1f} ms")
        for text in ("acc>80 forget<5", "train.epochs>10 seed:3", "run-04"):
            asked = iter([parse(text), parse("")] * TIMES)
            lines.append(
                f"filter {text!r:28}{median_ms(drawn(lambda a=asked: model.look_for(next(a)))):8.1f} ms"
            )  # type: ignore[misc]
        model.look_for(parse(""))
        lines.append(f"group by seed {median_ms(drawn(lambda: model.group_by('seeds'))):8.1f} ms")
        model.group_by("")
        lines.append(f"one changed row {median_ms(lambda: model.reload()):8.1f} ms")
        panel.close()
        panel.deleteLater()
        app.processEvents()
        session.close()
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
