"""Curves of many runs on one pair of axes: one line a run, or one line with a band for each group of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.face.plot import LivePlot
from workbench.face.pyramid import Floats
from workbench.face.record import RunRecord
from workbench.face.series import Series
from workbench.face.theme import Theme
from workbench.face.views import VIEWS

_DASHES = ("solid", "dash", "dot", "dashdot")
CHOICES = ("accuracy", "forgetting", "ntk_gap", "generalisation_gap", "kernel", "complexity", "rank", "linearity", "losses")  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """Runs drawn as one line: a single run, or a group under the name of its first."""

    key: str
    label: str
    members: tuple[str, ...]


def style_of(theme: Theme, index: int) -> tuple[str, str]:
    """Return colour and dash of the `index`-th line: no two of the first 32 are alike, neighbours differ in both."""
    colours = (*theme.lines, *theme.runs)
    turn = index // len(colours)
    return colours[index % len(colours)], _DASHES[(index + turn) % len(_DASHES)]


def draw(
    plot: LivePlot,
    view: str,
    drawn: Sequence[Drawn],
    records: Mapping[str, RunRecord],
    *,
    by_task: bool,
    absent: str,
) -> None:
    """Show the view's headline curve of each; what has none is named in the legend as `absent`."""
    curve = VIEWS[view].headline
    bands = []
    for index, each in enumerate(drawn):
        colour, dash = style_of(plot.theme, index)
        curves = [points_of(records[run], curve, by_task=by_task) for run in each.members]
        found = [(x, y) for x, y in curves if np.isfinite(y).any()]
        label = each.label if found else absent.format(run=each.label)
        points = view != "losses"
        plot.set_line(each.key, label, colour, dash, 2.0, points=points)
        x, mean, deviation = mean_and_deviation(found) if found else (np.empty(0),) * 3
        plot.set_points(each.key, Series.of(x, mean))
        if len(found) > 1:
            plot.set_band(each.key, x, mean - deviation, mean + deviation, colour)
            bands.append(each.key)
    plot.keep_lines([each.key for each in drawn])
    plot.keep_bands(bands)


def points_of(record: RunRecord, curve: str, *, by_task: bool) -> tuple[Floats, Floats]:
    """Return a curve's x (steps, or tasks learnt) and y; NaN is a gap."""
    series = record.curve(curve)
    x = record.in_tasks(series.x) if by_task else np.array(series.x)
    return x, np.array(series.y)


def mean_and_deviation(
    curves: Sequence[tuple[Floats, Floats]],
) -> tuple[Floats, Floats, Floats]:
    """Return x, mean and sample standard deviation (n − 1) over curves, where all have a value.

    A single curve comes back as it is, gaps and all, with no deviation.
    """
    if len(curves) == 1:
        x, y = curves[0]
        return x, y, np.full_like(y, np.nan)
    tables = []
    for x, y in curves:
        known = np.isfinite(y)
        places = np.round(x[known], 6)
        tables.append(dict(zip(places.tolist(), y[known].tolist(), strict=True)))
    shared = sorted(set.intersection(*(set(table) for table in tables)))
    values = np.array([[table[place] for place in shared] for table in tables])  # (runs, x)
    return np.array(shared, dtype=float), values.mean(axis=0), values.std(axis=0, ddof=1)
