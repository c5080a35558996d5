"""Looking ahead from the window: a forecast of a next task, an order of tasks; one at a time, on a thread."""

from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QWidget,
)

from workbench.config import TaskFolder
from workbench.events import Note, Stage
from workbench.face.activities import Activities, Activity
from workbench.face.background import Background
from workbench.face.draft import Draft
from workbench.face.foretold import ForecastSheet, NextTask, OrderSheet
from workbench.report import Forecast, KeptForecast, OrderStudy, RunSummary
from workbench.session import Session, learnt_as


class WorkStrip(QWidget):
    """What is being done across the window, how far it is, and a button to give it up."""

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        card = QFrame(self)
        card.setProperty("card", "true")
        self.label = QLabel(card)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar(card)
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(180)
        self.cancel_button = QPushButton(self.tr("Cancel"), card)
        self.cancel_button.clicked.connect(self.cancelled)
        around = QHBoxLayout(self)
        around.setContentsMargins(8, 8, 8, 0)
        around.addWidget(card)
        row = QHBoxLayout(card)
        row.setContentsMargins(12, 4, 6, 4)
        row.addWidget(self.label, 1)
        row.addWidget(self.bar)
        row.addWidget(self.cancel_button)
        self.hide()

    def show_stage(self, stage: Stage) -> None:
        """Show how far it is; without a total the bar only moves."""
        self.label.setText(f"{stage.text}…")
        self.setAccessibleName(stage.text)
        self.bar.setRange(0, stage.total)
        self.bar.setValue(stage.done)
        self.cancel_button.setEnabled(True)
        self.show()

    def show_stopping(self) -> None:
        """Say that the end of the present piece is waited for."""
        self.label.setText(self.tr("Stopping…"))
        self.cancel_button.setEnabled(False)


class Foresight(QObject):
    """Asks what to look at, lets the session look, and shows what it found."""

    said = Signal(str)  # a sentence for a toast
    failed = Signal(str)  # a sentence that stays
    reordered = Signal(str)  # the same, with something to undo

    def __init__(
        self,
        session: Session,
        draft: Draft,
        window: QWidget,
        activities: Activities | None = None,
    ) -> None:
        super().__init__(window)
        self._activities = activities or Activities(self)
        self._activity: Activity | None = None
        self._session, self._draft, self._window = session, draft, window
        self._work = Background(self)
        self._work.item.connect(self._take)
        self._work.failed.connect(self.failed)
        self._work.ended.connect(self._over)
        self._run: RunSummary | None = None
        self.strip = WorkStrip()
        self.strip.cancelled.connect(self.cancel)
        self.question: NextTask | None = None
        self.sheet: ForecastSheet | OrderSheet | None = None

    @property
    def busy(self) -> bool:
        """Whether something is looked at."""
        return self._work.busy

    def ask_next(self, run: RunSummary) -> None:
        """Ask which task may come next: one of the list that the run has not learnt, or a folder."""
        if not self._free():
            return
        self._run = run
        others = self._not_learnt(run)
        if not others:
            self._ask_for_folder()
            return
        self.question = NextTask(run.name, others, self._window)
        self.question.chosen.connect(self.forecast)
        self.question.folder_wanted.connect(self._ask_for_folder)
        self.question.open()

    def forecast(self, folder: TaskFolder) -> None:
        """Forecast what learning `folder` next would do to the run asked about."""
        run = self._run
        if run is not None and self._free():
            title = self.tr("Forecasting for {run}").format(run=run.name)
            self._start(title, lambda: self._session.forecast(run.id, folder))

    def study_order(self) -> None:
        """Compare orders of the tasks in the list."""
        if self._free():
            config = self._draft.state.run_config()
            self._start(
                self.tr("Comparing orders of the tasks"), lambda: self._session.order(config)
            )

    def score(self) -> None:
        """Score forecasts that a run has made true or false, if there are any; say how good they were."""
        if not self.busy and self._session.unscored():
            self._start(self.tr("Scoring forecasts"), self._scored)

    def cancel(self) -> None:
        """Give up at the next piece."""
        if self.busy:
            self._work.cancel()
            self.strip.show_stopping()

    def shut_down(self) -> None:
        """Cancel and wait for the thread."""
        self._work.shut_down()

    def _free(self) -> bool:
        if self.busy:
            self.said.emit(self.tr("One moment: something is being looked at already."))
        return not self.busy

    def _not_learnt(self, run: RunSummary) -> list[TaskFolder]:
        """Return the tasks of the list that the run has not learnt."""
        details = self._session.details(run.id)
        listed = [report.folder for report in self._draft.state.tasks]
        return [folder for folder in listed if learnt_as(details, folder) is None]

    def _ask_for_folder(self) -> None:
        title = self.tr("The task that may come next")
        path = QFileDialog.getExistingDirectory(self._window, title)
        if path:
            self.forecast(TaskFolder(Path(path).name or path, path))

    def _start(self, title: str, make: Callable[[], Iterator[object]]) -> None:
        self._work.start(make)
        self.strip.show_stage(Stage(self.tr("Starting")))
        self._activity = self._activities.begin(title, self.cancel)

    def _scored(self) -> Iterator[object]:
        yield from self._session.score_forecasts()

    def _take(self, item: object) -> None:
        if self._work.cancelled:
            return
        if isinstance(item, Stage):
            self.strip.show_stage(item)
            if self._activity is not None:
                self._activity.progress(item.done, item.total, item.text)
        elif isinstance(item, Note):
            self.said.emit(item.text)
        elif isinstance(item, KeptForecast) and item.score is not None:
            self.said.emit(item.score.sentence)
        elif isinstance(item, Forecast):
            self._show(ForecastSheet(item, self._run.name if self._run else "", self._window))
        elif isinstance(item, OrderStudy):
            sheet = OrderSheet(item, self._window)
            sheet.use_wanted.connect(self._use)
            self._show(sheet)

    def _show(self, sheet: ForecastSheet | OrderSheet) -> None:
        self.sheet = sheet
        sheet.open()

    def _use(self, study: OrderStudy) -> None:
        if tuple(self._draft.state.names()) != study.names:
            self.said.emit(self.tr("The list of tasks has changed since. Ask for an order again."))
            return
        self._draft.order(study.suggested)
        self.reordered.emit(self.tr("The tasks are in the suggested order."))

    def _over(self) -> None:
        self.strip.hide()
        if self._activity is not None:
            self._activity.end()
