"""What the run does right now: stage in words, progress, pictures a second, time left."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QProgressBar, QPushButton, QWidget

from workbench.events import (
    Event,
    Failed,
    Finished,
    Pace,
    RunStarted,
    Stage,
    Step,
    Stopped,
    TaskEnded,
    TaskStarted,
)
from workbench.face.headline import Headline
from workbench.face.record import RunRecord
from workbench.face.words import duration

_SURE_AFTER = 0.03  # share of the run after which the time left is worth showing


class RunPanel(QFrame):
    """Shows a run's latest events. Its button follows the run's state and is set nowhere else."""

    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "true")
        self._tasks = 0
        self._epochs = 0
        self._planned = False  # whether the bar shows the whole run's steps
        self.stage = QLabel(self)
        self.stage.setMinimumWidth(120)
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
        self.stop_button = QPushButton(self.tr("Stop"), self)
        self.stop_button.setToolTip(self.tr("Stop after this step (Ctrl+.)"))
        self.stop_button.clicked.connect(self.stop_requested)
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 6, 10, 6)
        grid.setVerticalSpacing(6)
        grid.setHorizontalSpacing(14)
        grid.addWidget(self.stage, 0, 0, 1, 3)
        grid.addWidget(self.bar, 1, 0)
        grid.addWidget(self.rate, 1, 1)
        grid.addWidget(self.left, 1, 2)
        grid.addWidget(self.headline, 0, 3, 2, 1)
        grid.addWidget(self.stop_button, 0, 4, 2, 1)
        grid.setColumnStretch(0, 1)
        self.reset()
        self.show_state("idle")

    def reset(self) -> None:
        """Forget the run before."""
        self._tasks = self._epochs = 0
        self._planned = False
        self.stage.setText(self.tr("No run is under way."))
        self.headline.show_record(RunRecord())
        self.rate.clear()
        self.left.clear()
        self.bar.setRange(0, 100)
        self.bar.setValue(0)

    def show_state(self, state: str) -> None:
        """Follow the run's state: idle, starting, running or stopping."""
        self.stop_button.setVisible(state != "idle")
        self.stop_button.setEnabled(state in ("starting", "running"))
        text = self.tr("Stopping…") if state == "stopping" else self.tr("Stop")
        self.stop_button.setText(text)
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
            elif isinstance(event, (RunStarted, TaskStarted, Step, TaskEnded)):
                self._show_place(event)
            elif isinstance(event, Failed):
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
        self._planned = pace.total > 0
        self.bar.setRange(0, max(pace.total, 1))
        self.bar.setValue(pace.done)
        rate = self.tr("{rate:,.0f} pictures/s").format(rate=pace.images_per_second)
        share = self.tr(" · NTK {share:.0%}").format(share=pace.monitor) if pace.monitor else ""
        self.rate.setText(rate + share if pace.images_per_second > 0 else "")
        sure = pace.seconds_left is not None and pace.done >= _SURE_AFTER * pace.total
        if sure and pace.seconds_left is not None:
            text = self.tr("about {time} left").format(time=duration(pace.seconds_left))
            self.left.setText(text)

    def _show_place(self, event: RunStarted | TaskStarted | Step | TaskEnded) -> None:
        if isinstance(event, RunStarted):
            self._tasks = len(event.tasks)
            return
        if isinstance(event, TaskStarted):
            self._epochs = event.epochs
        task = self.tr("task {number} of {tasks}").format(number=event.task + 1, tasks=self._tasks)
        parts = [task]
        if isinstance(event, Step):
            epoch = self.tr("epoch {number}/{epochs}")
            parts.append(epoch.format(number=event.epoch + 1, epochs=self._epochs))
        parts.append(self.tr("step {step:,}").format(step=event.step))
        self.stage.setText(" · ".join(parts))

    def _show_end(self, event: Finished | Stopped) -> None:
        if isinstance(event, Finished):
            self.bar.setRange(0, 100)
            self.bar.setValue(100)
            text = self.tr("Finished after {step:,} steps.")
        else:
            text = self.tr("Stopped after {step:,} steps. Whole tasks are kept.")
        self.stage.setText(text.format(step=event.step))
