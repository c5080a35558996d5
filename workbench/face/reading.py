"""What a plot says of its lines besides drawing them: ranges, readout, table, names over tasks."""

import html
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from workbench.face.language import say
from workbench.face.legend import Entry
from workbench.face.plot_line import Found, Lines, PlotLine
from workbench.face.shading import Band
from workbench.face.views import YRange

_READOUT_LINES = 9


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


def x_text(x: float, x_label: str, *, clock: bool) -> str:
    """Return "step 120", or "time 1:30" where x counts seconds."""
    return f"{x_label} {clock_text(x) if clock else f'{x:.6g}'}"


def clock_text(seconds: float) -> str:
    """Return 90 seconds as 1:30, 3,600 as 1:00:00."""
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 and (hours or minutes or rest) else ""
    return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes}:{rest:02}"


def readout(lines: Lines, x: float, heading: str, y: YRange, at: Found | None = None) -> str:
    """Return every line's last value up to x, as rich text; from all points, not the drawn ones.

    The point `at` comes first, with run and task.
    """
    rows = []
    if at is not None:
        where = at.line.said(at.index) if at.line.said else ""
        heading = " · ".join(part for part in (html.escape(where), html.escape(heading)) if part)
        rows.append(_row(at.line, f"<b>{number(at.y, y)}</b>"))
    else:
        heading = html.escape(heading)
    for line in lines:
        index = int(np.searchsorted(line.series.x, x, "right")) - 1
        if index < 0 or not line.shown or (at is not None and line is at.line):
            continue
        value = float(line.series.y[index])
        if math.isfinite(value):
            rows.append(_row(line, number(value, y) if at else f"<b>{number(value, y)}</b>"))
        elif math.isinf(value) and line.series.x[index] == x:
            rows.append(_row(line, say("not finite")))
    if len(rows) > _READOUT_LINES:
        rows = [*rows[:_READOUT_LINES], "…"]
    return "<br>".join([heading, *rows])


def _row(line: PlotLine, value: str) -> str:
    color, label = line.entry.colors[0], html.escape(line.entry.label)
    return f'<span style="color:{color}">■</span> {label}&nbsp; {value}'


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
