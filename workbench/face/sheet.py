"""Axes, lines and mouse of a plot: this module and `plot_axis` alone know pyqtgraph.

Its menus, automatic ranges, unit prefixes and exporters are left out: the first three surprise,
the last are broken with this Qt.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from workbench.face.legend import DASHES
from workbench.face.plot_axis import PlotAxis
from workbench.face.series import Floats
from workbench.face.shading import BandItem, Corner
from workbench.face.theme import Theme

_SMALL_MARK = 3  # pixels of a marker among many
_FEW = 150  # points of a line up to which smooth edges cost nothing


class Sheet(pg.PlotWidget):  # type: ignore[misc]
    """Lines by key on fixed ranges. The wheel and dragging change x only."""

    zoomed = Signal()  # by hand
    x_changed = Signal()
    hovered = Signal(float, float)  # x in data, x in pixels
    left = Signal()
    double_clicked = Signal()

    def __init__(self, parent: QWidget) -> None:
        self._axes = {side: PlotAxis(side) for side in ("left", "bottom", "top")}
        super().__init__(parent, axisItems=self._axes)
        self._lines: dict[str, pg.PlotDataItem] = {}
        self._marks: dict[str, pg.ScatterPlotItem] = {}
        self._mark_sizes: dict[str, int] = {}
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
        self._plot.layout.setContentsMargins(1, 1, 14, 4)
        for axis in self._axes.values():
            axis.enableAutoSIPrefix(False)
            axis.show()
        self._axes["top"].setStyle(tickLength=0, tickTextOffset=3)
        self._axes["top"].setHeight(self.fontMetrics().height() + 6)
        self._cross = pg.InfiniteLine(angle=90, movable=False)
        self._marker = pg.InfiniteLine(angle=90, movable=False)
        for line in (self._cross, self._marker):
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

    def draw_line(self, key: str, color: str, dash: str, width: float) -> None:
        """Add a line above the others, or change its look."""
        if key not in self._lines:
            self._lines[key] = pg.PlotDataItem()
            # cached markers would be pixels even in a vector file
            self._marks[key] = pg.ScatterPlotItem(pen=None, useCache=False, antialias=True)
            for item in (self._lines[key], self._marks[key]):
                item.setZValue(len(self._lines) + 1)
                self._plot.addItem(item)
        self._lines[key].setPen(pg.mkPen(color, width=width, style=DASHES[dash]))
        self._marks[key].setBrush(color)
        self._mark_sizes[key] = 6 if width > 1 else 4

    def stack(self, keys: Sequence[str]) -> None:
        """Lay the lines over each other in this order, the last on top."""
        for height, key in enumerate(keys):
            self._lines[key].setZValue(height + 1)
            self._marks[key].setZValue(height + 1.5)

    def remove_line(self, key: str) -> None:
        """Take a line away."""
        self._plot.removeItem(self._lines.pop(key))
        self._plot.removeItem(self._marks.pop(key))

    def hand_over(self, key: str, x: Floats, y: Floats, *, points: bool) -> None:
        """Draw a line through these points; NaN is a gap, a single point becomes a marker."""
        item = self._lines[key]
        known = np.isfinite(y)
        if not known.any():
            x, y, known = x[:0], y[:0], known[:0]
        few = len(x) <= _FEW
        gaps = not known.all()
        marked = points or known.sum() == 1  # refresh points are seen however many there are
        item.curve.setSegmentedLineMode("off" if few or _dashed(item) else "on")
        item.setData(
            x, y, connect="finite" if gaps else "all", skipFiniteCheck=not gaps, antialias=few
        )  # fmt: skip
        shown = (
            known if marked else np.zeros(0, dtype=np.int64)
        )  # markers stand only where a value is
        self._marks[key].setSize(self._mark_sizes[key] if few else _SMALL_MARK)
        self._marks[key].setData(x[shown], np.log10(y[shown]) if self._log else y[shown])
        item.curve.setVisible(len(x) > 1)  # an empty path would be written into vector files

    def draw_band(self, key: str, color: str, corners: Sequence[Corner]) -> None:
        """Add a shaded band behind the lines, or change its look and its points."""
        if key not in self._bands:
            self._bands[key] = BandItem()
            self._plot.addItem(self._bands[key], ignoreBounds=True)
        self._bands[key].colour(color)
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

    def set_cross(self, x: float | None) -> None:
        """Draw a vertical line at x, or none."""
        self._cross.setVisible(x is not None)
        if x is not None:
            self._cross.setPos(x)

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

    def colour(self, theme: Theme) -> None:
        """Draw background, axes and walls in these colours."""
        self.setBackground(theme.base)
        for side, axis in self._axes.items():
            axis.setTextPen(theme.muted)
            axis.setPen(pg.mkPen(theme.base if side == "top" else theme.border))
            axis.setTickFont(self.font())
        self._axes["left"].setGrid(90)
        self._cross.setPen(pg.mkPen(theme.muted))
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

    @Slot(object)
    def _mouse_moved(self, place: QPointF) -> None:
        if self._box.sceneBoundingRect().contains(place):
            self.hovered.emit(float(self._box.mapSceneToView(place).x()), place.x())
        else:
            self.left.emit()


def _dashed(item: pg.PlotDataItem) -> bool:
    pen: QPen = item.opts["pen"]
    return pen.style() != Qt.PenStyle.SolidLine or pen.widthF() <= 1
