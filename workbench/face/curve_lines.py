"""What one pair of axes draws of a run, and of what stands beside it: the same on screen and in a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from workbench.face.language import say
from workbench.face.record import Axis, RunRecord
from workbench.face.series import Series
from workbench.face.views import Line, View
from workbench.report import RunSummary

if TYPE_CHECKING:
    from workbench.face.plot import LivePlot

BOUNDS = {  # role of a run: how its line is called, and its dash
    "joint": ("all tasks at once", "dashdot"),
    "plain fine-tuning": ("plain fine-tuning", "dot"),
}


@dataclass(frozen=True)
class Level:
    """A level line across the whole run, right below the run's headline."""

    key: str
    label: str
    dash: str
    value: float


@dataclass(frozen=True)
class Beside:
    """What is drawn beside a run's own curves: headlines of other runs (id, name, record), and levels."""

    runs: Sequence[tuple[str, str, RunRecord]] = ()
    levels: Mapping[str, Sequence[Level]] | None = None  # by view


def bounds_beside(bounds: Mapping[str, RunSummary]) -> dict[str, Sequence[Level]]:
    """Return a level in the plot of accuracy for each bound whose accuracy is known."""
    levels = [
        Level(f"bound.{role}", say(BOUNDS[role][0]), BOUNDS[role][1], run.final_accuracy)
        for role, run in bounds.items()
        if run.final_accuracy is not None
    ]
    return {"accuracy": levels} if levels else {}


def draw_curves(
    plot: LivePlot,
    view: View,
    record: RunRecord,
    beside: Beside,
    axis: Axis = "step",
    run: str = "",
) -> list[Line]:
    """Bring a plot's lines in step with a run and what stands beside it; return the run's own lines."""
    lines = view.lines(record, plot.theme)
    wanted = [
        (_headline_of(plot, view, index, key, name), each, name)
        for index, (key, name, each) in enumerate(beside.runs)
    ]
    known = [line for line in lines if len(record.curve(line.key))]
    wanted += [(line, record, run) for line in known]
    for line, source, name in wanted:
        _look(plot, line)
        curve = line.key.split("@", 1)[0]
        plot.set_points(line.key, source.curve(curve, axis), partial(_place, source, name, curve))
    keys = [line.key for line, _, _ in wanted]
    levels = [*_draw_levels(plot, (beside.levels or {}).get(view.key, ()), keys)]
    plot.keep_lines([*keys[:-1], *levels[::-1], *keys[-1:]])
    plot.set_boundaries(record.boundaries(axis))
    plot.set_shades(record.doubtful(axis) if view.of_kernel else [])
    return lines


def _draw_levels(plot: LivePlot, levels: Sequence[Level], keys: Iterable[str]) -> Iterable[str]:
    drawn = {line.key: line.series for line in plot.lines()}
    ends = [drawn[key].x[-1] for key in keys if len(drawn[key])]
    for level in levels if ends else ():
        _look(plot, Line(level.key, level.label, plot.theme.lines[3], level.dash, 1.5))
        span = np.array([0.0, max(ends)])
        plot.set_points(level.key, Series.of(span, np.full(2, level.value)))
        yield level.key


def _headline_of(plot: LivePlot, view: View, index: int, key: str, name: str) -> Line:
    colour, dash = plot.theme.run_style(index)
    return Line(f"{view.headline}@{key}", name, colour, dash, 1.5, points=True)


def _look(plot: LivePlot, line: Line) -> None:
    plot.set_line(line.key, line.label, line.color, line.dash, line.width, line.points, line.group)


def _place(record: RunRecord, run: str, curve: str, index: int) -> str:
    """Return "run-0042 · 2 gulls": where the index-th point of a curve was made."""
    return " · ".join(part for part in (run, record.task_of(curve, index)) if part)
