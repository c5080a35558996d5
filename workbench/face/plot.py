"""A plot that is fed while it is watched.

At most 30 drawings a second, none while hidden, one hand-over of points per line and drawing, and
never more points than the screen can show (`series.reduce` keeps every spike).
"""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QSize, QTimer, Slot
from PySide6.QtGui import QFontMetricsF, QHideEvent, QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from workbench.face import reading
from workbench.face.legend import Entry, Legend, shortened
from workbench.face.overlay import Overlay
from workbench.face.panel import Panel, Table
from workbench.face.reading import PlotLine
from workbench.face.series import Floats, Series
from workbench.face.shading import Band
from workbench.face.sheet import Sheet
from workbench.face.theme import Theme
from workbench.face.views import YRange

REDRAW_MS = 34
_MOST_COLUMNS = 2000
_ROOMY = 240  # pixels of height from which the x axis is given its name


class LivePlot(Panel):
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
        self._hidden: set[str] = set()
        self._bands: dict[str, Band] = {}
        self._boundaries: list[tuple[float, str]] = []
        self._shaded: list[tuple[float, float]] = []
        self._log = self._setting = False
        self._dirty = self._following = True
        self._y: YRange = y
        self._x_label = x_label
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REDRAW_MS)
        self._timer.timeout.connect(self.draw_now)
        self._legend = Legend(self.theme, self)
        self._sheet = Sheet(self)
        self._empty = Overlay(self._sheet, empty)
        self._readout = Overlay(self._sheet)
        self._readout.hide()
        self.body.addWidget(self._legend)
        self.body.addWidget(self._sheet, 1)
        self.setFocusProxy(self._sheet)
        self._connect()
        self.set_y(y)
        self._colour()

    def _connect(self) -> None:
        self._legend.toggled.connect(self.toggle)
        self._sheet.customContextMenuRequested.connect(self._menu_wanted)
        self._sheet.zoomed.connect(self._zoomed)
        self._sheet.x_changed.connect(self._x_changed)
        self._sheet.hovered.connect(self._hovered)
        self._sheet.left.connect(self._left)
        self._sheet.double_clicked.connect(self.fit)
        self.add_action(self.tr("Fit"), "Home", self.fit)
        self.add_action(self.tr("Zoom in"), "+", self.zoom_in)
        self.add_action(self.tr("Zoom out"), "-", self.zoom_out)

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

    def set_points(self, key: str, series: Series) -> None:
        """Show these points on a line; the series may grow later: say so by `changed`."""
        self._lines[key].series = series
        self.changed()

    def append(self, key: str, x: float, y: float | None) -> None:
        """Add one point to a line; None is a gap."""
        self._lines[key].series.append(x, y)
        self.changed()

    def keep_lines(self, keys: Sequence[str]) -> None:
        """Take away all lines but these, and lay them over each other in this order."""
        for key in [key for key in self._lines if key not in keys]:
            del self._lines[key]
            self._sheet.remove_line(key)
        self._lines = {key: self._lines[key] for key in keys}
        self._sheet.stack(keys)
        self._names_changed()

    def set_band(self, key: str, x: Floats, low: Floats, high: Floats, color: str) -> None:
        """Shade the area between `low` and `high` over `x`, such as mean ± spread; NaN is a gap.

        A band of the same key as a line is hidden and shown together with it.
        """
        self._bands[key] = Band(x, low, high, color)
        self.changed()

    def remove_band(self, key: str) -> None:
        """Take a band away; a key that has none is passed over."""
        if self._bands.pop(key, None) is not None:
            self._sheet.remove_band(key)
            self.changed()

    def keep_bands(self, keys: Sequence[str]) -> None:
        """Take away all bands but these."""
        for key in [key for key in self._bands if key not in keys]:
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

    def set_shades(self, spans: Sequence[tuple[float, float]]) -> None:
        """Shade the background from x to x."""
        if list(spans) != self._shaded:
            self._shaded = list(spans)
            self._sheet.set_shades(self._shaded)
            self.changed()

    def set_marker(self, x: float | None) -> None:
        """Mark the moment that is looked at by a vertical line, or none."""
        self._sheet.set_marker(x)

    def set_x_label(self, label: str) -> None:
        """Name what x counts."""
        self._x_label = label
        self._show_x_label()

    def set_y(self, y: YRange) -> None:
        """Change how y is ranged and shown."""
        self._y = y
        self._sheet.set_scale(*((1, "") if y == "auto" else (100, " %")))
        self.changed()

    def set_log(self, log: bool) -> None:
        """Show y logarithmically; values of 0 and below become gaps."""
        self._log = log
        self._sheet.set_log(log)
        self.changed()

    def set_empty_text(self, text: str) -> None:
        """Say what will appear here, while there is nothing."""
        self._empty.setText(text)
        self.changed()

    def set_summary(self, text: str) -> None:
        super().set_summary(text)
        self._sheet.setAccessibleName(self.title())
        self._sheet.setAccessibleDescription(text)

    @Slot()
    def fit(self) -> None:
        """Show everything, and go on doing so as it grows."""
        self._following = True
        self.changed()

    @Slot()
    def zoom_in(self) -> None:
        """Show the middle half of x."""
        self._zoom(0.5)

    @Slot()
    def zoom_out(self) -> None:
        """Show twice as much of x."""
        self._zoom(2.0)

    @Slot(str)
    def toggle(self, key: str) -> None:
        """Hide a line or group, or show it again."""
        self._hidden ^= {key}
        self._names_changed()

    def changed(self) -> None:
        """Draw soon: within one frame if the plot is seen, otherwise when it is seen again."""
        self._dirty = True
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    @Slot()
    def draw_now(self) -> None:
        """Hand every line's points to the screen, and fit the ranges."""
        self._dirty = False
        self._setting = True
        low, high = self._sheet.x_range()
        if self._following:
            low, high = reading.whole_x(self.lines(), self._boundaries, self._bands.values())
        values = [value for line in self.lines() for value in self._hand_over(line, low, high)]
        for key, band in self._bands.items():
            values += self._hand_over_band(key, band, low, high)
        y = reading.fitted_y(values, self._y, log=self._log)
        self._sheet.set_ranges((low, high), y)
        self._name_tasks(low, high)
        self._setting = False
        self._empty.setVisible(not values)
        self._sheet.show_axes(bool(values))
        self._empty.centre()

    def _hand_over(self, line: PlotLine, low: float, high: float) -> list[float]:
        """Draw what is seen of a line; return its smallest and largest y (logarithms if so drawn)."""
        x, y = line.series.reduced(low, high, min(max(self._sheet.width(), 200), _MOST_COLUMNS))
        if not line.shown:
            x, y = x[:0], y[:0]
        if self._log:
            y = np.where(y > 0, y, np.nan)
        self._sheet.hand_over(line.key, x, y, points=line.points)
        seen = y[np.isfinite(y) & (x >= low) & (x <= high)]
        seen = np.log10(seen) if self._log else seen
        return [float(seen.min()), float(seen.max())] if len(seen) else []

    def _hand_over_band(self, key: str, band: Band, low: float, high: float) -> list[float]:
        line = self._lines.get(key)
        columns = min(max(self._sheet.width(), 200), _MOST_COLUMNS)
        corners = band.seen(low, high, columns) if line is None or line.shown else []
        self._sheet.draw_band(key, band.color, corners)
        edges = [edge for corner in corners for edge in (corner[1], corner[3])]
        y = np.concatenate([np.empty(0), *edges])
        y = np.log10(y[y > 0]) if self._log else y
        return [float(y.min()), float(y.max())] if len(y) else []

    def table(self) -> Table:
        return reading.table(self.lines(), self._x_label, self._y)

    def readout(self, x: float) -> str:
        """Return every line's last value up to x, as rich text."""
        return reading.readout(self.lines()[::-1], x, self._x_label, self._y)

    def paint(self, painter: QPainter) -> None:
        super().paint(painter)
        self._legend.paint_on(painter, self._legend.geometry().topLeft())
        self._sheet.paint_on(painter, QPointF(self._sheet.mapTo(self, QPoint(0, 0))))

    def take_theme(self, theme: Theme) -> None:
        super().take_theme(theme)
        self._colour()

    def lay_out(self, size: QSize) -> None:
        """Draw at this size without being shown: for a picture made in one go."""
        self.resize(size)
        self.grab()
        self.draw_now()
        self._sheet.settle()
        self.draw_now()

    def _colour(self) -> None:
        theme = self.theme
        self._sheet.colour(theme)
        self._legend.theme = theme
        self._legend.update()
        self._show_x_label()
        self._empty.colour(theme, card=False)
        self._readout.colour(theme, card=True)

    def _show_x_label(self) -> None:
        roomy = self.height() >= _ROOMY
        self._sheet.set_x_label(self._x_label if roomy else "", self.theme.muted)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._dirty:
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        super().hideEvent(event)

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
        metrics = QFontMetricsF(self.font())

        def cut(name: str, room: float) -> str:
            return shortened(name, room, metrics)

        width = self._sheet.box_width()
        self._sheet.set_names(reading.task_names(self._boundaries, low, high, width, cut))

    def _zoom(self, factor: float) -> None:
        self._following = False
        low, high = self._sheet.x_range()
        middle, half = (low + high) / 2, (high - low) / 2 * factor
        self._sheet.set_ranges((middle - half, middle + half))

    @Slot()
    def _zoomed(self) -> None:
        self._following = False
        self.changed()

    @Slot()
    def _x_changed(self) -> None:
        if not self._setting:
            self.changed()

    @Slot(QPoint)
    def _menu_wanted(self, place: QPoint) -> None:
        self.show_menu(self._sheet.mapToGlobal(place))

    @Slot()
    def _left(self) -> None:
        self._sheet.set_cross(None)
        self._readout.hide()

    @Slot(float, float)
    def _hovered(self, x: float, pixel: float) -> None:
        at = reading.nearest_x(self.lines(), x)
        self._sheet.set_cross(at)
        self._readout.setVisible(at is not None)
        if at is not None:
            self._readout.setText(self.readout(at))
            self._readout.stand_aside(pixel)
