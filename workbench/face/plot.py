"""A plot that is fed while it is watched.

At most 30 drawings a second, fewer where they take long, none while hidden, one hand-over of points per line and drawing, and
never more points than the screen can show (`Series.reduced` keeps every spike).
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QWidget

from workbench.face import reading
from workbench.face.band_layer import BandLayer
from workbench.face.legend import Entry, shortened
from workbench.face.numbers import Numbers, numbers_of
from workbench.face.overlay import Overlay
from workbench.face.panel import Table
from workbench.face.plot_base import PlotBase
from workbench.face.plot_line import Found, PlotLine
from workbench.face.pyramid import Floats
from workbench.face.series import Series
from workbench.face.shading import Band
from workbench.face.theme import Theme
from workbench.face.views import YRange

_MOST_COLUMNS = 2000
_ROOMY = 240  # pixels of height from which the x axis is given its name


class LivePlot(PlotBase):
    """Lines over x, with task boundaries, a legend beside the data and a readout under the mouse.

    `y` is "share" (fractions, shown as 0 to 100 per cent, fixed), "percent" (fractions, shown as
    per cent, fitted) or "auto" (plain numbers, fitted, may be logarithmic).
    """

    def __init__(
        self,
        title: str,
        *,
        y: YRange = "auto",
        x_label: str = "step",
        empty: str = "",
        parent: QWidget | None = None,
        theme: Theme | None = None,
    ) -> None:
        super().__init__(title, parent, theme)
        self._lines: dict[str, PlotLine] = {}
        self._bands = BandLayer(self._sheet)
        self._hidden: set[str] = set()
        self._boundaries: list[tuple[float, str]] = []
        self._shaded: list[tuple[float, float]] = []
        self._smoothing = 1.0
        self._y: YRange = y
        self._x_label, self._clock = x_label, False
        self._empty = Overlay(self._sheet, empty)
        self.set_y(y)
        self._colour()

    def set_line(
        self,
        key: str,
        label: str,
        color: str,
        dash: str = "solid",
        width: float = 1.0,
        points: bool = False,
        group: str = "",
    ) -> None:
        """Add a line or change its look; later lines lie above earlier ones.

        Lines of one `group` share an entry of the legend. `points` adds a marker at every point.
        """
        entry = Entry(group or key, label, (color,), dash, width)
        line = self._lines.setdefault(key, PlotLine(key, Entry("", "", (), "", 0), "", False))
        if (line.entry, line.group, line.points) != (entry, group, points):
            line.entry, line.group, line.points = entry, group, points
            self._sheet.draw_line(key, color, dash, width)
            self._names_changed()

    def set_points(
        self, key: str, series: Series, said: Callable[[int], str] | None = None
    ) -> None:
        """Show these points on a line; the series may grow later: say so by `changed`.

        `said` tells where the index-th point was made, such as run and task, for the readout.
        """
        self._lines[key].series, self._lines[key].said = series, said
        self.changed()

    def append(self, key: str, x: float, y: float | None) -> None:
        """Add one point to a line; None is a gap, a number that is not finite a marked one."""
        self._lines[key].series.append(x, y)
        self.changed()

    def keep_lines(self, keys: Sequence[str]) -> None:
        """Take away all lines but these, and lay them over each other in this order."""
        for key in [key for key in self._lines if key not in keys]:
            del self._lines[key]
            self._sheet.remove_line(key)
        if list(self._lines) != list(keys):
            self._lines = {key: self._lines[key] for key in keys}
        self._sheet.stack(keys)
        self._names_changed()

    def set_band(self, key: str, x: Floats, low: Floats, high: Floats, color: str) -> None:
        """Shade the area between `low` and `high` over `x`, such as mean ± spread; NaN is a gap.

        A band of the same key as a line is hidden, shown and lifted together with it.
        """
        self._bands.put(key, Band(x, low, high, color))
        self.changed()

    def remove_band(self, key: str) -> None:
        """Take a band away; a key that has none is passed over."""
        if self._bands.remove(key):
            self.changed()

    def keep_bands(self, keys: Sequence[str]) -> None:
        """Take away all bands but these."""
        for key in set(self._bands.keys()) - set(keys):
            self.remove_band(key)

    def lines(self) -> list[PlotLine]:
        """Return the lines from the lowest to the topmost."""
        return list(self._lines.values())

    def clear(self) -> None:
        """Take away all lines and boundaries and follow the data again."""
        self.keep_lines(())
        self.keep_bands(())
        self.set_boundaries([])
        self.set_shades([])
        self.fit()

    def set_boundaries(self, boundaries: Sequence[tuple[float, str]]) -> None:
        """Draw a vertical line at each x, and the name of what begins there above the plot."""
        if list(boundaries) != self._boundaries:
            self._boundaries = list(boundaries)
            self._sheet.set_walls([x for x, _ in boundaries])
            self.changed()

    def starts(self) -> list[float]:
        """Return the x at which tasks begin."""
        return [x for x, _ in self._boundaries]

    def set_shades(self, spans: Sequence[tuple[float, float]]) -> None:
        """Shade the background from x to x."""
        if list(spans) != self._shaded:
            self._shaded = list(spans)
            self._sheet.set_shades(self._shaded)
            self.changed()

    def set_marker(self, x: float | None) -> None:
        """Mark the moment that is looked at by a vertical line, or none."""
        self._sheet.set_marker(x)

    def set_x_label(self, label: str, *, clock: bool = False) -> None:
        """Name what x counts; with `clock` it counts seconds, written as 1:30."""
        self._x_label, self._clock = label, clock
        self._sheet.set_clock(clock)
        self._show_x_label()

    def set_y(self, y: YRange) -> None:
        """Change how y is ranged and shown; only plain numbers are drawn logarithmically."""
        self._y = y
        self._sheet.set_scale(*((1, "") if y == "auto" else (100, " %")))
        self.set_log_possible(y == "auto")
        self.changed()

    def set_smoothing(self, points: float) -> None:
        """Draw averages over about this many points, the measured values pale behind; 1: none."""
        self._smoothing = points
        self.changed()

    def set_empty_text(self, text: str) -> None:
        """Say what will appear here, while there is nothing."""
        if text == self._empty.text():
            return
        self._empty.setText(text)
        self._empty.centre()  # now: the next drawing is some milliseconds away
        self.changed()

    def seen(self) -> tuple[frozenset[str], tuple[float, float] | None]:
        """Return the entries of the legend that are hidden, and the part of x that is seen; None: all of it."""
        return frozenset(self._hidden), None if self.view.whole else self._sheet.x_range()

    @Slot(str)
    def toggle(self, key: str) -> None:
        """Hide a line or group, or show it again."""
        self._hidden ^= {key}
        self._names_changed()

    def hand_over(self) -> None:
        """Hand every line's points to the screen, and fit the ranges."""
        low, high = self.view.span(self._sheet.x_range(), self.everything(), self._newest())
        seen = [self._hand_over(line, low, high) for line in self.lines()]
        values = [value for reach, _ in seen for value in reach]
        hidden = [line.key for line in self.lines() if not line.shown]
        values += self._bands.draw((low, high), self._columns(), hidden, log=self.log)
        self.set_ranges((low, high), reading.fitted_y(values, self._y, log=self.log))
        self._sheet.mark_gaps(np.concatenate([np.empty(0), *(bad for _, bad in seen)]))
        self._name_tasks(low, high)
        there = bool(values) or any(len(bad) for _, bad in seen)
        self._empty.setVisible(not there)
        self._sheet.show_axes(there)
        self._empty.centre()

    def everything(self) -> tuple[float, float]:
        """Return the range of x that shows all there is."""
        return reading.whole_x(self.lines(), self._boundaries, self._bands)

    def numbers(self) -> Numbers:
        """Return every number that is shown, at full resolution."""
        return numbers_of(self.lines(), self._x_label, self._y)

    def has_data(self) -> bool:
        return any(line.shown and len(line.series) for line in self.lines())

    def table(self) -> Table:
        return self.numbers().table()

    def readout(self, x: float, at: Found | None = None) -> str:
        """Return every line's last value up to x, and first that of a point, as rich text."""
        heading = reading.x_text(x, self._x_label, clock=self._clock)
        return reading.readout(self.lines()[::-1], x, heading, self._y, at)

    def take_theme(self, theme: Theme) -> None:
        super().take_theme(theme)
        self._colour()

    def _hand_over(
        self, line: PlotLine, low: float, high: float
    ) -> tuple[tuple[float, ...], Floats]:
        """Draw what is seen of a line; return its smallest and largest y as drawn, and marked gaps."""
        x, y = self._points(line.series if line.shown else Series(), low, high)
        smooth = line.smoothed(self._smoothing) if line.shown else None
        averages = self._points(smooth, low, high) if smooth else None
        self._sheet.hand_over(line.key, x, y, averages, points=line.points)
        inside = (x >= low) & (x <= high)
        seen = y[np.isfinite(y) & inside]
        seen = np.log10(seen) if self.log else seen
        bad = x[np.isinf(y) & inside]
        return ((float(seen.min()), float(seen.max())) if len(seen) else ()), bad

    def _points(self, series: Series, low: float, high: float) -> tuple[Floats, Floats]:
        x, y = series.reduced(low, high, self._columns())
        return (x, np.where(y > 0, y, np.nan)) if self.log else (x, y)

    def _columns(self) -> int:
        return int(min(max(self._sheet.width(), 200), _MOST_COLUMNS))

    def _newest(self) -> float | None:
        ends = (
            float(line.series.x[-1]) for line in self.lines() if line.shown and len(line.series)
        )
        return max(ends, default=None)

    def _colour(self) -> None:
        self._show_x_label()
        self._empty.colour(self.theme, card=False)

    def _show_x_label(self) -> None:
        roomy = self.height() >= _ROOMY
        self._sheet.set_x_label(self._x_label if roomy else "", self.theme.muted)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._legend.set_most_rows(1 + max(0, self.height() - 160) // 60)
        self._show_x_label()
        self.changed()

    def _names_changed(self) -> None:
        for line in self._lines.values():
            line.shown = line.entry.key not in self._hidden
        self._legend.show_entries(reading.legend_entries(self.lines()))
        self.changed()

    def _name_tasks(self, low: float, high: float) -> None:
        cut = partial(shortened, metrics=QFontMetricsF(self.font()))
        width = self._sheet.box_width()
        self._sheet.set_names(reading.task_names(self._boundaries, low, high, width, cut))
