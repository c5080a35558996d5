"""The live curves: panels fed by a run's events and nothing else, so that a replay draws the same.

Sources of what is plotted are named in `workbench.measures`, which the tooltips quote.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from workbench.events import Event, Note, Pace, RunStarted, Stage, Step
from workbench.face.curve_lines import Beside, Level, draw_curves
from workbench.face.kernel_words import why_off
from workbench.face.language import say
from workbench.face.matrix import MatrixPanel
from workbench.face.plot import LivePlot
from workbench.face.plot_bar import PlotBar
from workbench.face.plot_file import Look, write_view
from workbench.face.record import Axis, RunRecord, record_of
from workbench.face.theme import Theme
from workbench.face.views import VIEWS, View, explanation, summary

Overlay = Sequence[tuple[str, str, list[Event]]]  # id, name, events of past runs
_SILENT = (Stage, Pace, Note)  # draw nothing


class CurvePanel(LivePlot):
    """One pair of axes showing one view at a time; with several views, a list to choose from."""

    def __init__(
        self, views: Sequence[str], parent: QWidget | None = None, record: RunRecord | None = None
    ) -> None:
        self._record = record or RunRecord()
        self._beside: list[tuple[str, str, RunRecord]] = []
        self._levels: Mapping[str, Sequence[Level]] = {}
        self._axis: Axis = "task"  # over steps a task that ends early would be too narrow to read
        self._run = ""
        self._view_of = VIEWS[views[0]]
        super().__init__(say(self._view_of.title), y=self._view_of.y, parent=parent)
        self.choice = QComboBox(self)
        self.choice.setAccessibleName(self.tr("What this plot shows"))
        for key in views:
            self.choice.addItem(self.tr(VIEWS[key].title), key)
        self.choice.currentIndexChanged.connect(self._chosen)
        self.choice.setVisible(len(views) > 1)
        self.header.insertWidget(0, self.choice)
        if len(views) > 1:
            self.hide_title(still_painted=True)
        self._dress()

    def show_news(self, events: Sequence[Event], run: str = "") -> None:
        """Add a run's next events; RunStarted begins a new run. `run` is its name, for the legend."""
        self._record.take(events)
        self.follow(events, run)

    def follow(self, events: Sequence[Event], run: str = "") -> None:
        """Draw anew if any of these events, which the record holds by now, changes what is shown."""
        self._run = run or self._run
        silent = _SILENT if self._view_of.key == "losses" else (*_SILENT, Step)
        if any(isinstance(event, RunStarted) for event in events):
            self.fit()
        if not all(isinstance(event, silent) for event in events):
            self.refresh()

    def clear(self) -> None:
        """Forget the run and what was shown beside it."""
        self._record.clear()
        self._beside, self._levels = [], {}
        self._run = ""
        super().clear()
        self.refresh()

    def set_overlay(self, runs: Overlay) -> None:
        """Draw the headline curve of these past runs beside, each in a colour of its own."""
        self.show_beside([(key, name, record_of(events)) for key, name, events in runs])

    def show_beside(self, runs: Sequence[tuple[str, str, RunRecord]]) -> None:
        """Draw the headline curve of runs whose events are already sorted."""
        self._beside = list(runs)
        self.refresh()

    @property
    def beside(self) -> Beside:
        """What is drawn beside the run's own curves."""
        return Beside(self._beside, self._levels)

    def show_levels(self, levels: Mapping[str, Sequence[Level]]) -> None:
        """Lay level lines across the run, by view: such as the accuracy of its bounds."""
        if levels != self._levels:
            self._levels = levels
            self.refresh()

    def set_x_axis(self, axis: Axis) -> None:
        """Draw over the run's steps, time since its start, epochs, or tasks, where runs of any length meet."""
        self._axis = axis
        self._dress()
        self.fit()
        self.refresh()

    def show_view(self, key: str) -> None:
        """Switch to another of the panel's views."""
        self.choice.setCurrentIndex(self.choice.findData(key))

    def refresh(self) -> None:
        """Bring every line in step with the record."""
        self._say_why_empty()
        lines = draw_curves(self, self._view_of, self._record, self.beside, self._axis, self._run)
        self.set_summary(summary(self._view_of, self._record, lines))

    def save_picture(self, path: Path) -> None:
        """Write the view as a figure of its own: white, whatever the window looks like, else as set here."""
        look = Look(self._axis, self._x_label, self.log, self._smoothing, *self.seen())
        write_view(
            path, self._view_of, self._record, title=self._run, look=look, beside=self.beside
        )

    def take_theme(self, theme: Theme) -> None:
        super().take_theme(theme)
        self.refresh()

    @Slot(int)
    def _chosen(self, _: int) -> None:
        self._view_of = VIEWS[self.choice.currentData()]
        self._dress()
        self.fit()
        self.refresh()

    def _dress(self) -> None:
        view: View = self._view_of
        self.set_title(self.tr(view.title))
        self.set_y(view.y)
        names = {
            "step": self.tr("step"), "time": self.tr("time since the start"),
            "epoch": self.tr("epochs"), "task": self.tr("tasks learnt"),
        }  # fmt: skip
        self.set_x_label(names[self._axis], clock=self._axis == "time")
        self._say_why_empty()
        self.setToolTip(explanation(view))

    def _say_why_empty(self) -> None:
        view: View = self._view_of
        why = why_off(self._record) if view.of_monitor else ""
        if view.key == "losses" and self._record.trains_nothing:
            why = self.tr("There are no losses: this method trains nothing.")
        self.set_empty_text(why or self.tr(view.empty))


class AccuracyPanel(CurvePanel):
    """All classes seen (bold), single tasks, the probe's estimate, and the frozen backbone's floor."""

    def __init__(self, parent: QWidget | None = None, record: RunRecord | None = None) -> None:
        super().__init__(("accuracy",), parent, record)


class ForgettingPanel(CurvePanel):
    """How far old tasks fell below their best: the mean (bold) and single tasks."""

    def __init__(self, parent: QWidget | None = None, record: RunRecord | None = None) -> None:
        super().__init__(("forgetting",), parent, record)


class GapPanel(CurvePanel):
    """What the kernel says: movement between tasks, gap to new pictures, drift, complexity, directions."""

    def __init__(self, parent: QWidget | None = None, record: RunRecord | None = None) -> None:
        views = ("ntk_gap", "generalisation_gap", "kernel", "complexity", "rank")
        super().__init__(views, parent, record)


class LossPanel(CurvePanel):
    """The loss terms of every step, raw; a click in the legend hides one."""

    def __init__(self, parent: QWidget | None = None, record: RunRecord | None = None) -> None:
        super().__init__(("losses",), parent, record)


class PlotBoard(QWidget):
    """Four drawings of one run on cards; the fourth switches between matrix and losses."""

    def __init__(self, parent: QWidget | None = None, record: RunRecord | None = None) -> None:
        super().__init__(parent)
        self._record = record or RunRecord()
        self.accuracy = AccuracyPanel(self, self._record)
        self.forgetting = ForgettingPanel(self, self._record)
        self.gap = GapPanel(self, self._record)
        self.losses = LossPanel(self, self._record)
        self.matrix = MatrixPanel(self, self._record)
        self.curves = (self.accuracy, self.forgetting, self.gap, self.losses)
        self.panels = (*self.curves, self.matrix)
        self.corner = QTabWidget(self)
        self.corner.setAccessibleName(self.tr("Accuracy matrix or losses"))
        self.corner.setDocumentMode(True)
        self.corner.tabBar().setDrawBase(False)
        self.corner.addTab(self.matrix, self.tr("Accuracy matrix"))
        self.corner.addTab(self.losses, self.tr("Losses"))
        self.matrix.hide_title()
        self.losses.hide_title()
        self.bar = PlotBar()  # stands beside the board, where it is seen however the plots scroll
        self.bar.steer(self.curves)
        grid = QGridLayout(self)
        self.setMinimumSize(480, 316)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(10)
        for place, widget in enumerate((self.accuracy, self.forgetting, self.gap, self.corner)):
            grid.addWidget(_card(widget), place // 2, place % 2)
        for index in (0, 1):
            grid.setRowStretch(index, 1)
            grid.setColumnStretch(index, 1)

    @property
    def record(self) -> RunRecord:
        """What the run shown has said so far."""
        return self._record

    def show_losses(self) -> None:
        """Turn to the losses."""
        self.corner.setCurrentWidget(self.losses)
        self.losses.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_news(self, events: Sequence[Event], run: str = "") -> None:
        """Add a run's next events to every drawing; RunStarted begins a new run."""
        self._record.take(events)
        self.follow(events, run)

    def follow(self, events: Sequence[Event], run: str = "") -> None:
        """Draw anew what these events change, which the record holds by now."""
        for panel in self.panels:
            panel.follow(events, run)

    def clear(self) -> None:
        """Forget the run and the runs beside it."""
        for panel in self.panels:
            panel.clear()

    def set_overlay(self, runs: Overlay) -> None:
        """Draw the headline curves of these past runs beside the current one."""
        beside = [(key, name, record_of(events)) for key, name, events in runs]
        for panel in self.curves:
            panel.show_beside(beside)

    def set_x_axis(self, axis: Axis) -> None:
        """Draw every curve over "step", "time", "epoch" or "task"."""
        self.bar.choose_axis(axis)


class _Card(QFrame):
    """A frame as high as its place: a legend that could use more height must not ask for it."""

    def hasHeightForWidth(self) -> bool:
        return False


def _card(widget: QWidget) -> QFrame:
    card = _Card()
    card.setProperty("card", True)
    layout = QVBoxLayout(card)
    layout.setContentsMargins(1, 1, 1, 1)
    layout.addWidget(widget)
    card.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
    return card
