"""Says what is slow and what may hang: the engine that loads for long, a run that says nothing any more."""

from PySide6.QtCore import QTimer

from workbench.events import Event, Stage
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.session.engine import LOADING

PATIENCE_MS = 30_000
_WATCHED = ("starting", "running", "pausing", "stopping")


class LifeSign(Feature):
    """Watches the time since the run's last event; a paused run may be silent for as long as it likes."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._loading = False
        self._times = 0  # that the patience ran out since the last word
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(PATIENCE_MS)
        self.timer.timeout.connect(self._silent)
        desk.training.news.connect(self._heard)
        desk.training.state_changed.connect(self._follow)

    def shut_down(self) -> None:
        """Stop watching."""
        self.timer.stop()

    def _heard(self, events: list[Event]) -> None:
        last = events[-1]
        self._loading = isinstance(last, Stage) and last.text == LOADING
        self.desk.strips.clear_strip("silence")
        self._follow()

    def _follow(self) -> None:
        """Count the time from now, if there is anything to wait for."""
        self._times = 0
        if self.desk.training.state in _WATCHED:
            self.timer.start()
        else:
            self.timer.stop()
            self.desk.strips.clear_strip("silence")

    def _silent(self) -> None:
        if self._loading:
            text = self.tr("Still loading torch. The first start after installation takes longer.")
            self.desk.page.run_panel.stage.setText(text)
            return
        self._times += 1
        self.timer.start()
        seconds = self._times * self.timer.interval() // 1000
        training = self.desk.training
        text = self.tr("No sign of life from training for {seconds} s.")
        if training.run is not None and training.run.is_at_work:
            text = self.tr("The engine is at work, but its step has taken {seconds} s so far.")
        text = text.format(seconds=seconds)
        answers = [(self.tr("Wait"), self._wait), (self.tr("Stop"), training.stop_now)]
        if training.can_be_forced:
            answers.append((self.tr("Force stop"), training.force_stop))
        self.desk.strips.show_strip("silence", text, "warning", answers)

    def _wait(self) -> None:
        self.desk.strips.clear_strip("silence")
