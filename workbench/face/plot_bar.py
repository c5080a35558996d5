"""One row of controls for all plots of a board: smoothing, x, logarithm, follow, fit."""

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QWidget

from workbench.face.editors import CalmComboBox
from workbench.face.record import Axis
from workbench.face.smoothing_slider import SmoothingSlider


class Steered(Protocol):
    """A plot that the row steers."""

    def set_smoothing(self, points: float) -> None:
        """Draw averages over about this many points."""

    def set_x_axis(self, axis: Axis) -> None:
        """Draw over this axis."""

    def set_log(self, log: bool) -> None:
        """Draw logarithmically where that makes sense."""

    def set_following(self, following: bool) -> None:
        """Keep the newest point in view."""

    def fit(self) -> None:
        """Show everything."""


class PlotBar(QWidget):
    """Steers every plot it was given; plots keep zooms of their own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plots: tuple[Steered, ...] = ()
        self.smoothed = SmoothingSlider(self)
        self.smoothing, self.amount = self.smoothed.slider, self.smoothed.amount
        self.axis = CalmComboBox(self)
        self.axis.setSizeAdjustPolicy(CalmComboBox.SizeAdjustPolicy.AdjustToContents)
        self.axis.setAccessibleName(self.tr("What the curves run over"))
        self.axis.setToolTip(self.tr("What the curves run over"))
        for name, axis in (
            (self.tr("tasks"), "task"), (self.tr("epochs"), "epoch"),
            (self.tr("steps"), "step"), (self.tr("time"), "time"),
        ):  # fmt: skip
            self.axis.addItem(name, axis)
        self.log = QCheckBox(self.tr("Log"), self)
        self.log.setToolTip(
            self.tr("Logarithmic scale for plain numbers; values of 0 and below are left out (L)")
        )
        self.follow = QCheckBox(self.tr("Follow"), self)
        self.follow.setToolTip(self.tr("Where a plot is zoomed, keep the newest points in view"))
        self.fit = QPushButton(self.tr("Fit"), self)
        self.fit.setToolTip(
            self.tr("Show everything in every plot (Home, or double click, in one)")
        )
        self._lay_out()
        self._join()

    def steer(self, plots: Sequence[Steered]) -> None:
        """Steer these plots from now on."""
        self._plots = tuple(plots)

    def points(self) -> float:
        """Return over how many points the averages go; 1: none."""
        return self.smoothed.points()

    def choose_axis(self, axis: Axis) -> None:
        """Choose what the curves run over."""
        self.axis.setCurrentIndex(self.axis.findData(axis))

    def show_log(self, log: bool) -> None:
        """Show how the plots are, without changing them."""
        with QSignalBlocker(self.log):
            self.log.setChecked(log)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 2, 0)
        row.setSpacing(6)
        caption, over = QLabel(self.tr("Smoothing"), self), QLabel(self.tr("x"), self)
        caption.setBuddy(self.smoothing)
        over.setBuddy(self.axis)
        row.addWidget(caption)
        row.addWidget(self.smoothed, 1)
        row.addStretch(1)
        for widget in (over, self.axis, self.log, self.follow, self.fit):
            row.addWidget(widget)

    def _join(self) -> None:
        self.smoothed.changed.connect(self._smooth)
        self.axis.currentIndexChanged.connect(self._choose_axis)
        self.log.toggled.connect(self._set_log)
        self.follow.toggled.connect(self._set_following)
        self.fit.clicked.connect(self._fit)

    @Slot(float)
    def _smooth(self, points: float) -> None:
        for plot in self._plots:
            plot.set_smoothing(points)

    @Slot(int)
    def _choose_axis(self, _: int) -> None:
        for plot in self._plots:
            plot.set_x_axis(self.axis.currentData())

    @Slot(bool)
    def _set_log(self, log: bool) -> None:
        for plot in self._plots:
            plot.set_log(log)

    @Slot(bool)
    def _set_following(self, following: bool) -> None:
        for plot in self._plots:
            plot.set_following(following)

    @Slot()
    def _fit(self) -> None:
        for plot in self._plots:
            plot.fit()
