"""How long a frame of a plot takes, painting included: a curve of a million points, and thirty runs.

    python -m tests.benchmarks.bench_plot [--frames N]

Prints median and 95th percentile of a frame in ms, and the median of processor time, which neighbours
disturb less, at 1,000 × 500 pixels without a screen. A frame is
one change, `draw_now` and a repaint of the sheet. What is drawn at the end is compared with all points.
"""

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPointF, QSize
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from workbench.face.plot import LivePlot
from workbench.face.series import Series
from workbench.face.theme import LIGHT

POINTS, RUNS, POINTS_OF_RUN = 1_000_000, 30, 5_000
SIZE = QSize(1000, 500)


def new_plot() -> LivePlot:
    plot = LivePlot("Losses", theme=LIGHT)
    plot.resize(SIZE)
    plot.show()
    if not QTest.qWaitForWindowExposed(plot):
        raise TimeoutError("the plot was never shown, so nothing would be painted")
    return plot


def frames(plot: LivePlot, change: Callable[[int], None], count: int, *, anew: bool = True) -> str:
    """Return median and 95th percentile of `count` frames, each after one change, and the processor's median."""
    took, worked = [], []
    for number in range(count):
        began, before = time.perf_counter(), time.process_time()
        change(number)
        if anew:
            plot.draw_now()
        plot._sheet.viewport().repaint()
        took.append(1000 * (time.perf_counter() - began))
        worked.append(1000 * (time.process_time() - before))
    return f"{np.median(took):8.1f} {np.percentile(took, 95):8.1f} {np.median(worked):10.1f}"


def of_a_million(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    series = Series.of(np.arange(float(POINTS)), np.exp(rng.standard_normal(POINTS) / 4))
    plot = new_plot()
    plot.set_line("a", "loss", LIGHT.lines[0])
    plot.set_points("a", series)
    plot.lay_out(SIZE)
    middle, wide = POINTS / 2, POINTS / 4

    def pan(number: int) -> None:
        plot.show_span((middle + 500.0 * number - wide, middle + 500.0 * number + wide))

    def zoom(number: int) -> None:
        half = wide * 0.97 ** (number % 200)
        plot.show_span((middle - half, middle + half))

    def append(_: int) -> None:
        for _ in range(10):
            plot.append("a", float(len(series)), 1.0)

    lines = [f"pan     {frames(plot, pan, count)}", f"zoom    {frames(plot, zoom, count)}"]
    plot.fit()
    lines.append(f"append  {frames(plot, append, count)}")
    drawn = plot._sheet._traces["a"].curve.getData()[1]
    if (drawn.min(), drawn.max()) != (series.y.min(), series.y.max()):
        raise AssertionError("an extreme was lost")
    plot.set_smoothing(100)
    lines.append(f"append, smoothed {frames(plot, append, count)}")
    plot.close()
    return lines


def of_many_runs(count: int) -> list[str]:
    rng, x = np.random.default_rng(1), np.arange(float(POINTS_OF_RUN))
    plot = new_plot()
    for index in range(RUNS):
        color, dash = LIGHT.run_style(index)
        plot.set_line(str(index), f"run {index}", color, dash)
        noise = 0.1 * rng.standard_normal(POINTS_OF_RUN)
        plot.set_points(str(index), Series.of(x, index + 3 * np.exp(-x / 900) + noise))
    plot.lay_out(SIZE)

    def redraw(number: int) -> None:
        plot.show_span((-100.0 - number, POINTS_OF_RUN + 100.0))

    def lift(number: int) -> None:
        plot._pointer.hover(QPointF(2500.0, float(number % RUNS)), QPointF(500, 200))

    lines = [
        f"redraw  {frames(plot, redraw, count)}",
        f"lift    {frames(plot, lift, count, anew=False)}",
    ]
    plot.close()
    return lines


def main(arguments: list[str]) -> None:
    count = int(arguments[arguments.index("--frames") + 1]) if arguments else 100
    app = QApplication(sys.argv[:1])
    said = [
        f"ms a frame, {count} frames:  median      p95  processor",
        f"{POINTS:,} points",
        *of_a_million(count),
    ]
    said += [f"{RUNS} runs of {POINTS_OF_RUN:,} points", *of_many_runs(count)]
    sys.stdout.write("\n".join(said) + "\n")
    app.quit()


if __name__ == "__main__":
    main(sys.argv[1:])
