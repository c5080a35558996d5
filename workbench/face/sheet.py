"""Axes, lines and mouse of a plot: this module, `trace` and `plot_axis` alone know pyqtgraph.

Its menus, automatic ranges, unit prefixes and exporters are left out: the first three surprise,
the last are broken with this Qt.
"""

import math
from collections.abc import Collection, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from workbench.face.plot_axis import RIGHT, PlotAxis
from workbench.face.pyramid import Floats
from workbench.face.shading import BandItem, Corner
from workbench.face.theme import Theme
from workbench.face.trace import Trace


class Sheet(pg.PlotWidget):  # type: ignore[misc]
    """Lines by key on fixed ranges. The wheel and dragging change x only."""

    zoomed = Signal()  # by hand
    x_changed = Signal()
    hovered = Signal(QPointF, QPointF)  # place in data as drawn, place in pixels
    left = Signal()
    clicked = Signal(float, bool)  # x in data, whether on the names above the plot
    double_clicked = Signal()

    def __init__(self, parent: QWidget) -> None:
        self._axes = {side: PlotAxis(side) for side in ("left", "bottom", "top")}
        super().__init__(parent, axisItems=self._axes)
        self._traces: dict[str, Trace] = {}
        self._lifted: frozenset[str] = frozenset()
        self._base = "#ffffff"
        self.painting_ms = 0.0  # how long the last painting took
        self._log = False
        self._bands: dict[str, BandItem] = {}
        self._walls: list[pg.InfiniteLine] = []
        self._shades: list[pg.LinearRegionItem] = []
        self._shade = QColor()
        self._wall_pen = QPen()
        self._plot = self.getPlotItem()
        self._box = self._plot.getViewBox()
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setMouseEnabled(x=True, y=False)
        self._plot.disableAutoRange()
        self._plot.layout.setContentsMargins(1, 1, RIGHT, 4)
        for axis in self._axes.values():
            axis.enableAutoSIPrefix(False)
            axis.show()
        self._axes["top"].setStyle(tickLength=0, tickTextOffset=3)
        self._axes["top"].setHeight(self.fontMetrics().height() + 6)
        self._gaps = pg.ScatterPlotItem(pen=None, symbol="x", size=8, useCache=False)
        self._gaps.setZValue(1000)
        self._plot.addItem(self._gaps, ignoreBounds=True)
        self._cross, self._marker, self._level = (
            pg.InfiniteLine(angle=angle, movable=False) for angle in (90, 90, 0)
        )
        for line in (self._cross, self._level, self._marker):
            line.hide()
            line.setZValue(0.5)  # over walls, below lines
            self._plot.addItem(line, ignoreBounds=True)
        self.setProperty("plot", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setMinimumSize(80, 50)
        self.viewport().installEventFilter(self)
        self._box.sigRangeChangedManually.connect(self._zoomed)
        self._box.sigXRangeChanged.connect(self._x_changed)
        self.scene().sigMouseMoved.connect(self._mouse_moved)
        self.scene().sigMouseClicked.connect(self._mouse_clicked)

    def sizeHint(self) -> QSize:
        """Not, as Qt has it, what it happens to measure and its frame: it would grow at every layout."""
        return QSize(160, 120)

    def draw_line(self, key: str, color: str, dash: str, width: float) -> None:
        """Add a line above the others, or change its look."""
        if key not in self._traces:
            self._traces[key] = Trace(self._plot)
            self._traces[key].stack(len(self._traces))
        self._traces[key].look(color, dash, width)

    def stack(self, keys: Sequence[str]) -> None:
        """Lay the lines over each other in this order, the last on top; a lifted one above all."""
        for height, key in enumerate(keys):
            self._traces[key].stack(height + 1 + len(keys) * (key in self._lifted))

    def lift(self, keys: Collection[str]) -> None:
        """Let these lines stand out and all others stand back; none: all stand alike."""
        self._lifted = frozenset(keys)
        for key, trace in self._traces.items():
            trace.stand("plain" if not keys else "lifted" if key in keys else "pale", self._base)
        for key, band in self._bands.items():
            band.fade(pale=bool(keys) and key not in keys)
        self.stack(list(self._traces))

    def remove_line(self, key: str) -> None:
        """Take a line away."""
        self._traces.pop(key).remove()

    def hand_over(
        self, key: str, x: Floats, y: Floats, smooth: tuple[Floats, Floats] | None, *, points: bool
    ) -> None:
        """Draw a line through these points; NaN is a gap, a single point becomes a marker."""
        self._traces[key].show(x, y, smooth, points=points, log=self._log)

    def mark_gaps(self, places: Floats) -> None:
        """Mark at the lower edge where numbers were not finite."""
        low, high = self._box.viewRange()[1]
        self._gaps.setData(places, np.full(len(places), low + 0.03 * (high - low)))

    def draw_band(self, key: str, color: str, corners: Sequence[Corner]) -> None:
        """Add a shaded band behind the lines, or change its look and its points."""
        if key not in self._bands:
            self._bands[key] = BandItem()
            self._plot.addItem(self._bands[key], ignoreBounds=True)
        self._bands[key].colour(color)
        self._bands[key].fade(pale=bool(self._lifted) and key not in self._lifted)
        self._bands[key].show_corners(corners, log=self._log)

    def remove_band(self, key: str) -> None:
        """Take a band away."""
        if key in self._bands:
            self._plot.removeItem(self._bands.pop(key))

    def set_walls(self, places: list[float]) -> None:
        """Draw dashed vertical lines at these x."""
        for wall in self._walls:
            self._plot.removeItem(wall)
        self._walls = [pg.InfiniteLine(x, 90, self._wall_pen) for x in places]
        for wall in self._walls:
            self._plot.addItem(wall, ignoreBounds=True)

    def set_shades(self, spans: list[tuple[float, float]]) -> None:
        """Shade the background over these x."""
        for shade in self._shades:
            self._plot.removeItem(shade)
        self._shades = [pg.LinearRegionItem(span, movable=False) for span in spans]
        for shade in self._shades:
            shade.setZValue(-1)
            self._plot.addItem(shade, ignoreBounds=True)
        self._colour_shades()

    def _colour_shades(self) -> None:
        for shade in self._shades:
            shade.setBrush(self._shade)
            for line in shade.lines:
                line.setPen(pg.mkPen(None))

    def set_names(self, names: list[tuple[float, str]]) -> None:
        """Write these names above the plot, centred at their x."""
        self._axes["top"].setTicks([names])

    def set_cross(self, x: float | None, y: float | None = None) -> None:
        """Draw a vertical line at x and a horizontal one at y as it is drawn, or none."""
        for line, place in ((self._cross, x), (self._level, y)):
            line.setVisible(place is not None)
            if place is not None:
                line.setPos(place)

    def set_marker(self, x: float | None) -> None:
        """Draw a strong vertical line that stays at x, or none."""
        self._marker.setVisible(x is not None)
        if x is not None:
            self._marker.setPos(x)

    def set_scale(self, scale: float, unit: str) -> None:
        """Show y times `scale` with `unit` behind it."""
        self._axes["left"].unit = unit
        self._axes["left"].setScale(scale)

    def set_log(self, log: bool) -> None:
        """Take logarithms of y for drawing."""
        self._log = log
        self._plot.setLogMode(x=False, y=log)

    def set_clock(self, clock: bool) -> None:
        """Write x as hours, minutes and seconds, or as it is."""
        self._axes["bottom"].clock = clock
        self._axes["bottom"].picture = None

    def set_x_label(self, label: str, color: str) -> None:
        """Write what x counts below the axis; empty takes no room."""
        self._axes["bottom"].showLabel(bool(label))
        if label:
            self._axes["bottom"].setLabel(label, color=color)

    def x_range(self) -> tuple[float, float]:
        """Return what is seen of x."""
        low, high = self._box.viewRange()[0]
        return float(low), float(high)

    def set_ranges(self, x: tuple[float, float], y: tuple[float, float] | None = None) -> None:
        """Show exactly these ranges."""
        self._box.setXRange(*x, padding=0)
        if y:
            self._box.setYRange(*y, padding=0)

    def show_axes(self, shown: bool) -> None:
        """Show axes and lines, or nothing but the background."""
        self._plot.setVisible(shown)

    def box_width(self) -> float:
        """Return the width between the axes in pixels."""
        return float(self._box.width())

    def as_drawn(self, y: float) -> float:
        """Return y, or its logarithm on a logarithmic axis."""
        return math.log10(y) if self._log else y

    def per_pixel(self) -> tuple[float, float]:
        """Return how much of x and of y, as drawn, one pixel is."""
        (x0, x1), (y0, y1) = self._box.viewRange()
        return (x1 - x0) / max(self._box.width(), 1.0), (y1 - y0) / max(self._box.height(), 1.0)

    def colour(self, theme: Theme) -> None:
        """Draw background, axes and walls in these colours."""
        self.setBackground(theme.base)
        for side, axis in self._axes.items():
            axis.setTextPen(theme.muted)
            axis.setPen(pg.mkPen(theme.base if side == "top" else theme.border))
            axis.setTickFont(self.font())
        self._axes["left"].setGrid(90)
        self._base = theme.base
        self._gaps.setBrush(QColor(theme.bad))
        self.lift(self._lifted)
        for line in (self._cross, self._level):
            line.setPen(pg.mkPen(theme.muted))
        self._marker.setPen(pg.mkPen(theme.text, width=1.5))
        self._wall_pen = pg.mkPen(theme.border, width=1, style=Qt.PenStyle.DashLine)
        for wall in self._walls:
            wall.setPen(self._wall_pen)
        self._shade = QColor(theme.warning)
        self._shade.setAlphaF(0.12)
        self._colour_shades()

    def settle(self) -> None:
        """Give the axes the room their numbers need, without waiting for an event loop."""
        for _ in range(2):
            self.grab()
            self._plot.layout.activate()

    def paint_on(self, painter: QPainter, corner: QPointF) -> None:
        """Draw everything on any device at the sheet's own size."""
        source = QRectF(self.viewport().rect())
        self.scene().render(painter, source.translated(corner), source)

    def paintEvent(self, event: QPaintEvent) -> None:
        began = perf_counter()
        super().paintEvent(event)
        self.painting_ms = 1000 * (perf_counter() - began)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.left.emit()
        return bool(super().eventFilter(watched, event))

    @Slot()
    def _zoomed(self) -> None:
        self.zoomed.emit()

    @Slot()
    def _x_changed(self) -> None:
        self.x_changed.emit()

    @Slot(object)
    def _mouse_clicked(self, event: Any) -> None:
        if event.double():
            self.double_clicked.emit()
        elif event.button() == Qt.MouseButton.LeftButton:
            place = event.scenePos()
            on_names = self._axes["top"].sceneBoundingRect().contains(place)
            self.clicked.emit(float(self._box.mapSceneToView(place).x()), on_names)

    @Slot(object)
    def _mouse_moved(self, place: QPointF) -> None:
        if self._box.sceneBoundingRect().contains(place):
            self.hovered.emit(self._box.mapSceneToView(place), place)
        else:
            self.left.emit()
