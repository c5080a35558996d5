"""What the mouse does over a plot: readout of the nearest measured point, lifting a line, jumping to a task."""

import weakref
from typing import Protocol

from PySide6.QtCore import QObject, QPointF, Qt, Slot

from workbench.face import x_view
from workbench.face.legend import Legend
from workbench.face.overlay import Overlay
from workbench.face.plot_line import Found, PlotLine, nearest, nearest_x
from workbench.face.sheet import Sheet

_WALL_REACH = 5  # pixels beside a boundary that count as on it


class Readable(Protocol):
    """What a pointer needs of its plot."""

    @property
    def log(self) -> bool:
        """Whether y is logarithmic."""

    def lines(self) -> list[PlotLine]:
        """Return the lines from the lowest to the topmost."""

    def starts(self) -> list[float]:
        """Return the x at which tasks begin."""

    def show_task(self, index: int) -> None:
        """Show one task alone."""

    def readout(self, x: float, at: Found | None = None) -> str:
        """Return what is said of x, and of a point."""


class Pointer(QObject):
    """Joins the mouse on sheet and legend to the plot that owns both."""

    def __init__(self, plot: "Readable", sheet: Sheet, legend: Legend) -> None:
        super().__init__(sheet)
        # weakly: in a cycle the plot would die whenever, and in whatever thread, garbage is collected
        self._owner, self._sheet = weakref.ref(plot), sheet
        self.readout = Overlay(sheet)
        self.readout.hide()
        sheet.hovered.connect(self.hover)
        sheet.left.connect(self.leave)
        sheet.clicked.connect(self._clicked)
        legend.pointed.connect(self.lift_entry)

    @property
    def _plot(self) -> Readable:
        plot = self._owner()
        if plot is None:
            raise RuntimeError("the plot of this pointer is gone")
        return plot

    @Slot(QPointF, QPointF)
    def hover(self, place: QPointF, pixel: QPointF) -> None:
        """Tell of the point nearest to a place, and let its line stand out."""
        plot = self._plot
        here = (place.x(), place.y())
        found = nearest(plot.lines(), here, self._sheet.per_pixel(), log=plot.log)
        x = found.x if found else nearest_x(plot.lines(), place.x())
        self._sheet.set_cross(x, self._sheet.as_drawn(found.y) if found else None)
        self._sheet.lift({found.line.key} if found and len(plot.lines()) > 1 else ())
        self._show_hand(place.x())
        if x is None:
            self.readout.hide()
            return
        self.readout.setText(plot.readout(x, found))
        self.readout.stand_beside(self._sheet.mapFromScene(pixel))
        self.readout.show()

    @Slot()
    def leave(self) -> None:
        """Tell of nothing."""
        self._sheet.set_cross(None)
        self._sheet.lift(())
        self.readout.setParent(self._sheet)  # dies with it, and is hidden by this

    @Slot(str)
    def lift_entry(self, key: str) -> None:
        """Let the lines of an entry of the legend stand out; "" none."""
        keys = {line.key for line in self._plot.lines() if line.entry.key == key and line.shown}
        self._sheet.lift(keys)

    @Slot(float, bool)
    def _clicked(self, x: float, on_names: bool) -> None:
        starts = self._plot.starts()
        on_wall = x_view.wall_near(starts, x, self._reach())
        if on_wall >= 0:
            self._plot.show_task(on_wall)
        elif on_names and starts:
            self._plot.show_task(x_view.task_at(starts, x))

    def _show_hand(self, x: float) -> None:
        on_wall = x_view.wall_near(self._plot.starts(), x, self._reach()) >= 0
        shape = Qt.CursorShape.PointingHandCursor if on_wall else Qt.CursorShape.ArrowCursor
        self._sheet.viewport().setCursor(shape)

    def _reach(self) -> float:
        return _WALL_REACH * self._sheet.per_pixel()[0]
