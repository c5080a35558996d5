"""What a plot says of its lines besides drawing them: ranges, readout, table, names over tasks."""

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from workbench.face.legend import Entry
from workbench.face.panel import Table
from workbench.face.series import Series
from workbench.face.shading import Band
from workbench.face.views import YRange

_READOUT_LINES = 9
_MOST_ROWS = 5000  # of a table: the newest


@dataclass
class PlotLine:
    """One line of a plot: its look, its points, and whether it is hidden."""

    key: str
    entry: Entry
    group: str
    points: bool
    series: Series = field(default_factory=Series)
    shown: bool = True


Lines = Sequence[PlotLine]
Boundaries = Sequence[tuple[float, str]]


def number(value: float, y: YRange) -> str:
    """Return a value as a person reads it."""
    return f"{value:.4g}" if y == "auto" else f"{value * 100:.1f} %"


def whole_x(
    lines: Lines, boundaries: Boundaries, bands: Iterable[Band] = ()
) -> tuple[float, float]:
    """Return the range of x that shows every point, band and boundary, with a small margin."""
    filled = [line.series for line in lines if len(line.series)]
    walls = [x for x, _ in boundaries]
    walls += [x for band in bands for x in band.reach() or ()]
    low = min([float(series.x[0]) for series in filled] + walls, default=0.0)
    high = max([float(series.x[-1]) for series in filled] + walls, default=1.0)
    if high <= low:
        low, high = low - 0.5, low + 1
    margin = 0.015 * (high - low)
    return low - margin, high + margin


def fitted_y(values: Sequence[float], y: YRange, *, log: bool) -> tuple[float, float]:
    """Return the range of y: fixed for shares, else around the values and, unless `log`, 0."""
    if y == "share":
        return -0.015, 1.03
    low, high = min(values, default=0.0), max(values, default=1.0)
    if not log:
        low, high = min(low, 0.0), max(high, 0.0)
    if y == "percent":
        high = max(high, 0.05)
    if high - low < 1e-12:
        low, high = low - 0.5, high + 0.5
    margin = 0.06 * (high - low)
    return (low - margin if low < 0 or log else low - 0.2 * margin), high + margin


def nearest_x(lines: Lines, x: float) -> float | None:
    """Return the x of the point nearest to `x`, or None if there are no points."""
    found = []
    for line in lines:
        known = line.series.x
        if len(known) and line.shown:
            index = int(np.searchsorted(known, x))
            found += [float(value) for value in known[max(index - 1, 0) : index + 1]]
    return min(found, key=lambda value: abs(value - x), default=None)


def readout(lines: Lines, x: float, x_label: str, y: YRange) -> str:
    """Return every line's last value up to x, as rich text; from all points, not the drawn ones."""
    rows = []
    for line in lines:
        index = int(np.searchsorted(line.series.x, x, "right")) - 1
        if index < 0 or not line.shown or math.isnan(line.series.y[index]):
            continue
        value = number(float(line.series.y[index]), y)
        color, label = line.entry.colors[0], html.escape(line.entry.label)
        rows.append(f'<span style="color:{color}">■</span> {label}&nbsp; <b>{value}</b>')
    if len(rows) > _READOUT_LINES:
        rows = [*rows[:_READOUT_LINES], "…"]
    return "<br>".join([f"{html.escape(x_label)} {x:.6g}", *rows])


def table(lines: Lines, x_label: str, y: YRange) -> Table:
    """Return one row for every x at which a shown line has a value, newest last."""
    shown = [line for line in lines if line.shown and len(line.series)]
    rows: dict[float, dict[str, str]] = {}
    for line in shown:
        xs, ys = line.series.x[-_MOST_ROWS:], line.series.y[-_MOST_ROWS:]
        for at, value in zip(xs.tolist(), ys.tolist(), strict=True):
            if not math.isnan(value):
                rows.setdefault(at, {})[line.key] = number(value, y)
    headings = [x_label, *(line.entry.label for line in shown)]
    newest = sorted(rows)[-_MOST_ROWS:]
    return headings, [[f"{at:g}", *(rows[at].get(line.key, "") for line in shown)] for at in newest]


def legend_entries(lines: Lines) -> list[Entry]:
    """Return one entry for each line or group, the last drawn first: it lies on top."""
    entries: dict[str, Entry] = {}
    for line in lines:
        entry = line.entry
        before = entries.get(entry.key)
        colors = (*before.colors, *entry.colors) if before else entry.colors
        label = line.group or entry.label
        entries[entry.key] = Entry(
            entry.key, label, colors, entry.dash, entry.width, shown=line.shown
        )
    return list(reversed(entries.values()))


def task_names(
    boundaries: Boundaries,
    low: float,
    high: float,
    pixels: float,
    cut: Callable[[str, float], str],
) -> list[tuple[float, str]]:
    """Return where to write which task's name so that none touches another.

    `cut(name, room)` shortens a name to a width in pixels, down to nothing.
    """
    per_pixel = (high - low) / max(pixels, 1.0)
    ends = [*(x for x, _ in boundaries[1:]), high][: len(boundaries)]
    names = []
    for (x, label), end in zip(boundaries, ends, strict=True):
        left, right = max(x, low), min(end, high)
        text = cut(label, (right - left) / per_pixel - 2)
        if text:
            names.append(((left + right) / 2, text))
    return names
