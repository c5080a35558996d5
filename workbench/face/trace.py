"""One line of a sheet: its curve, the raw values behind a smoothed one, and its markers.

Dash and marker go together, so that no line is told from another by colour alone.
"""

from typing import Literal

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from workbench.face.legend import DASHES
from workbench.face.pyramid import Floats
from workbench.face.theme import mixed

MARKERS = {"solid": "o", "dash": "s", "dot": "t", "dashdot": "d"}
_SMALL_MARK = 3  # pixels of a marker among many
_FEW = 150  # points of a line up to which smooth edges cost nothing
_PALE = 0.62  # share of the background in the colour of what stands back
_LIFTED_WIDTH = 2.0
Stance = Literal["plain", "lifted", "pale"]


class Trace:
    """Items on a plot; whoever owns it says how high it lies and takes it away."""

    def __init__(self, plot: pg.PlotItem) -> None:
        self._plot = plot
        self.curve = pg.PlotDataItem()
        self.raw = pg.PlotDataItem()
        # cached markers would be pixels even in a vector file
        self.marks = pg.ScatterPlotItem(pen=None, useCache=False, antialias=True)
        self._color, self._dash, self._width, self._base = "#000000", "solid", 1.0, "#ffffff"
        self._stance: Stance = "plain"
        self._height = 0.0
        for item in (self.raw, self.curve, self.marks):
            plot.addItem(item)

    def look(self, color: str, dash: str, width: float) -> None:
        """Take colour, dash and width."""
        self._color, self._dash, self._width = color, dash, width
        self._paint()

    def stand(self, stance: Stance, base: str) -> None:
        """Stand out, stand back into the background `base`, or neither."""
        if (stance, base) != (self._stance, self._base):
            self._stance, self._base = stance, base
            self._paint()

    def stack(self, height: float) -> None:
        """Lie at this height, all parts below the next whole number."""
        if height == self._height:  # most of the time: every refresh asks it of every line
            return
        self._height = height
        for item, above in ((self.raw, 0.0), (self.curve, 0.3), (self.marks, 0.5)):
            item.setZValue(height + above)

    def remove(self) -> None:
        """Take every part off the plot."""
        for item in (self.raw, self.curve, self.marks):
            self._plot.removeItem(item)

    def show(
        self, x: Floats, y: Floats, smooth: tuple[Floats, Floats] | None, *, points: bool, log: bool
    ) -> None:
        """Draw these values; behind `smooth`, pale, if that is given. Not finite is a gap."""
        _hand_over(self.curve, *(smooth or (x, y)))
        empty = np.empty(0)
        if smooth or self.raw.xData is not None:
            _hand_over(self.raw, *((x, y) if smooth else (empty, empty)))
        known = np.isfinite(y)
        marked = points or known.sum() == 1  # refresh points are seen however many there are
        if not marked and not len(self.marks.data):
            return
        shown = known if marked else np.zeros(len(y), dtype=bool)
        self.marks.setSize(self._mark_size if len(x) <= _FEW else _SMALL_MARK)
        self.marks.setData(x[shown], np.log10(y[shown]) if log else y[shown])

    @property
    def _mark_size(self) -> int:
        return 6 if self._width > 1 else 4

    def _paint(self) -> None:
        pale = mixed(self._color, self._base, _PALE)
        color = pale if self._stance == "pale" else self._color
        width = max(self._width, _LIFTED_WIDTH) if self._stance == "lifted" else self._width
        self.curve.setPen(pg.mkPen(color, width=width, style=DASHES[self._dash]))
        self.raw.setPen(pg.mkPen(pale, width=1))
        self.marks.setSymbol(MARKERS[self._dash])
        self.marks.setBrush(QColor(color))


def _hand_over(item: pg.PlotDataItem, x: Floats, y: Floats) -> None:
    known = np.isfinite(y)
    if not known.any():
        x, y, known = x[:0], y[:0], known[:0]
    gaps, few = not known.all(), len(x) <= _FEW
    if gaps:
        y = np.where(known, y, np.nan)
    item.curve.setSegmentedLineMode("off" if few or _thin(item) else "on")
    item.setData(
        x, y, connect="finite" if gaps else "all", skipFiniteCheck=not gaps, antialias=few
    )  # fmt: skip
    item.curve.setVisible(len(x) > 1)  # an empty path would be written into vector files


def _thin(item: pg.PlotDataItem) -> bool:
    pen: QPen = item.opts["pen"]
    return pen.style() != Qt.PenStyle.SolidLine or pen.widthF() <= 1
