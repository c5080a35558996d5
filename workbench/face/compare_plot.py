"""One plot of the tab Compare: a pair of axes with a list of what it may show."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QVBoxLayout

from workbench.face.compare_lines import CHOICES, Drawn, draw
from workbench.face.language import say
from workbench.face.plot import LivePlot
from workbench.face.plot_file import SIZE
from workbench.face.record import RunRecord
from workbench.face.theme import LIGHT
from workbench.face.views import VIEWS, explanation


class ComparePlot(QFrame):
    """One pair of axes with a list of what it may show."""

    chosen = Signal()

    def __init__(self, view: str, memory: QSettings, place: int) -> None:
        super().__init__()
        self.setProperty("card", "true")
        self._memory, self._key = memory, f"compare/plot{place}"
        self.choice = QComboBox(self)
        self.choice.setAccessibleName(self.tr("What this plot compares"))
        for key in CHOICES:
            self.choice.addItem(self.tr(VIEWS[key].title), key)
        self.choice.setCurrentIndex(self.choice.findData(str(memory.value(self._key, view))))
        self.plot = LivePlot(self.tr(VIEWS[view].title), parent=self)
        self.plot.header.insertWidget(0, self.choice)
        self.plot.hide_title(still_painted=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(self.plot)
        self.choice.currentIndexChanged.connect(self._chosen)

    @property
    def view(self) -> str:
        """The key of the view shown."""
        return str(self.choice.currentData() or CHOICES[0])

    def show_runs(
        self, drawn: Sequence[Drawn], records: Mapping[str, RunRecord], *, by_task: bool
    ) -> None:
        """Draw the runs' curves of this view."""
        self.plot.setToolTip(explanation(VIEWS[self.view]))
        show(self.plot, self.view, drawn, records, by_task=by_task)
        self.plot.fit()

    def figure(
        self, drawn: Sequence[Drawn], records: Mapping[str, RunRecord], *, by_task: bool
    ) -> LivePlot:
        """Return what is seen as a light figure of its own size."""
        hidden, span = self.plot.seen()
        plot = LivePlot(self.plot.title(), theme=LIGHT)
        show(plot, self.view, drawn, records, by_task=by_task)
        plot.set_log(self.plot.log)
        for key in hidden:
            plot.toggle(key)
        if span is not None:
            plot.show_span(span)
        plot.lay_out(SIZE)
        return plot

    def _chosen(self) -> None:
        self._memory.setValue(self._key, self.view)
        self.chosen.emit()


def show(
    plot: LivePlot,
    key: str,
    drawn: Sequence[Drawn],
    records: Mapping[str, RunRecord],
    *,
    by_task: bool,
) -> None:
    """Draw the runs' curves of a view on any plot."""
    view = VIEWS[key]
    plot.set_title(say(view.title))
    plot.set_y(view.y)
    plot.set_x_label(say("tasks learnt") if by_task else say("step"))
    plot.set_empty_text(say("Not recorded by these runs"))
    draw(plot, key, drawn, records, by_task=by_task, absent=say("{run}: not recorded"))
    names = ", ".join(each.label for each in drawn)
    plot.set_summary(say("{plot} of {runs}").format(plot=say(view.title), runs=names))
