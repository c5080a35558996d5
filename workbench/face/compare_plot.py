"""One plot of the tab Compare: a pair of axes with a list of what it may show."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QVBoxLayout

from workbench.face.compare_lines import CHOICES, Drawn, draw
from workbench.face.plot import LivePlot
from workbench.face.record import RunRecord
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
        view = VIEWS[self.view]
        self.plot.set_title(self.tr(view.title))
        self.plot.set_y(view.y)
        self.plot.set_x_label(self.tr("tasks learnt") if by_task else self.tr("step"))
        self.plot.set_empty_text(self.tr("Not recorded by these runs"))
        self.plot.setToolTip(explanation(view))
        draw(
            self.plot,
            self.view,
            drawn,
            records,
            by_task=by_task,
            absent=self.tr("{run}: not recorded"),
        )
        names = ", ".join(each.label for each in drawn)
        self.plot.set_summary(
            self.tr("{plot} of {runs}").format(plot=self.tr(view.title), runs=names)
        )
        self.plot.fit()

    def _chosen(self) -> None:
        self._memory.setValue(self._key, self.view)
        self.chosen.emit()
