"""What the run does right now: stage in words, progress, pictures a second, time left."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QProgressBar, QWidget

from workbench.events import (
    Event,
    Failed,
    Finished,
    Interrupted,
    Pace,
    Paused,
    Resumed,
    RunStarted,
    Stage,
    Step,
    Stopped,
    TaskEnded,
    TaskStarted,
)
from workbench.face.hardware import trained_on
from workbench.face.headline import Headline
from workbench.face.record import RunRecord
from workbench.face.stop_button import HoldButtons
from workbench.face.time_left import Calm
from workbench.face.words import duration

_WHOLE = 1000  # of the bar


class RunPanel(QFrame):
    """Shows a run's latest events. Its buttons follow the run's state and are set nowhere else."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "true")
        self._tasks = 0
        self._epochs = 0
        self._planned = False  # whether the bar shows the whole run's work
        self._place = ""  # task, epoch and step, and on what, in words
        self._device = ""
        self._calm = Calm()
        self.stage = QLabel(self)
        self.stage.setMinimumWidth(120)
        self.stage.setWordWrap(True)
        self.stage.setTextFormat(Qt.TextFormat.PlainText)
        self.rate = QLabel(self)
        self.rate.setProperty("muted", "true")
        self.rate.setToolTip(
            self.tr("Training pictures a second, and the NTK monitor's share of the time so far")
        )
        self.left = QLabel(self)
        self.left.setProperty("muted", "true")
        self.bar = QProgressBar(self)
        self.bar.setAccessibleName(self.tr("Progress of the run"))
        self.bar.setTextVisible(False)
        self.headline = Headline(self)
        self.hold = HoldButtons(self)
        self.stop_button = self.hold.stop
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 6, 10, 6)
        grid.setVerticalSpacing(6)
        grid.setHorizontalSpacing(14)
        grid.addWidget(self.stage, 0, 0)
        grid.addWidget(self.hold, 0, 1, 1, 2)
        grid.addWidget(self.bar, 1, 0)
        grid.addWidget(self.rate, 1, 1)
        grid.addWidget(self.left, 1, 2)
        grid.addWidget(self.headline, 0, 3, 2, 1)
        grid.setColumnStretch(0, 1)
        self.reset()
        self.show_state("idle")

    def reset(self) -> None:
        """Forget the run before."""
        self._tasks = self._epochs = 0
        self._planned = False
        self._place = self._device = ""
        self._calm = Calm()
        self.stage.setText(self.tr("No run is under way."))
        self.headline.show_record(RunRecord())
        self.rate.clear()
        self.left.clear()
        self.bar.setRange(0, 100)
        self.bar.setValue(0)

    def show_state(self, state: str, when: str = "", *, overdue: bool = False) -> None:
        """Follow the run's state; `when` is the moment at which it is to stop, `overdue` that it has not."""
        self.hold.show_state(state, when, overdue=overdue)
        if state == "starting" and not self._tasks and self.bar.maximum():
            self.stage.setText(self.tr("Starting the engine"))  # at once, before it says so itself
            self.bar.setRange(0, 0)
        if state == "idle":
            self.rate.clear()
            self.left.clear()
            if self.bar.maximum() == 0:
                self.bar.setRange(0, 100)

    def show_news(self, events: Sequence[Event]) -> None:
        """Take the latest of each kind."""
        for event in events:
            if isinstance(event, Stage):
                self._show_stage(event)
            elif isinstance(event, Pace):
                self._show_pace(event)
            elif isinstance(event, (Paused, Resumed)):
                self._show_pause(event)
            elif isinstance(event, (RunStarted, TaskStarted, Step, TaskEnded)):
                self._show_place(event)
            elif isinstance(event, (Failed, Interrupted)):
                self.stage.setText(event.sentence)
            elif isinstance(event, (Finished, Stopped)):
                self._show_end(event)

    def _show_stage(self, stage: Stage) -> None:
        counted = f" {stage.done:,} / {stage.total:,}" if stage.total else ""
        self.stage.setText(f"{stage.text}{counted}")
        if not self._planned:
            self.bar.setRange(0, stage.total)
            self.bar.setValue(stage.done)

    def _show_pace(self, pace: Pace) -> None:
        self._planned = True
        self.bar.setRange(0, _WHOLE)
        self.bar.setValue(round(_WHOLE * pace.work))
        rate = self.tr("{rate:,.0f} pictures/s").format(rate=pace.images_per_second)
        share = self.tr(" · NTK {share:.0%}").format(share=pace.monitor) if pace.monitor else ""
        self.rate.setText(rate + share if pace.images_per_second > 0 else "")
        if pace.seconds_left is not None:
            left = duration(self._calm.told(pace.seconds_left))
            self.left.setText(self.tr("about {time} left").format(time=left))

    def _show_pause(self, event: Paused | Resumed) -> None:
        if isinstance(event, Resumed):
            self._calm = Calm()  # what was told before the pause is no measure any more
            self.stage.setText(self._place)
            return
        self.rate.clear()
        if event.task is not None:
            text = self.tr("Paused · task {number} of {tasks} is learnt")
            self.stage.setText(text.format(number=event.task + 1, tasks=self._tasks))
        else:
            self.stage.setText(self.tr("Paused · {place}").format(place=self._place))

    def _show_place(self, event: RunStarted | TaskStarted | Step | TaskEnded) -> None:
        if isinstance(event, RunStarted):
            self._tasks = len(event.tasks)
            self._device = trained_on(event.device, event.precision)
            return
        if isinstance(event, TaskStarted):
            self._epochs = event.epochs
        task = self.tr("task {number} of {tasks}").format(number=event.task + 1, tasks=self._tasks)
        parts = [task]
        if isinstance(event, Step):
            epoch = self.tr("epoch {number}/{epochs}")
            parts.append(epoch.format(number=event.epoch + 1, epochs=self._epochs))
        parts.append(self.tr("step {step:,}").format(step=event.step))
        parts += [self._device] if self._device else []
        self._place = " · ".join(parts)
        self.stage.setText(self._place)

    def _show_end(self, event: Finished | Stopped) -> None:
        if isinstance(event, Finished):
            self.bar.setRange(0, 100)
            self.bar.setValue(100)
            text = self.tr("Finished after {step:,} steps.")
        else:
            text = self.tr("Stopped after {step:,} steps. Whole tasks are kept.")
        self.stage.setText(text.format(step=event.step))
