"""What the window says when a run fails, when its engine dies, and when the engine cannot be loaded at all."""

from dataclasses import replace
from typing import Any

from PySide6.QtGui import QAction

from workbench.config import with_values
from workbench.errors import WorkbenchError
from workbench.events import (
    Blocked,
    Event,
    Failed,
    Interrupted,
    Resumed,
    RunStarted,
    Stopped,
)
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.finding import chosen_folder
from workbench.face.messages import DetailBox
from workbench.face.question import Answer
from workbench.face.starting import start
from workbench.face.ways import could_leave_gpu
from workbench.session.engine import NO_ENGINE


class Failure(Feature):
    """A strip with the sentence; a box with the traceback only if the program made a mistake."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._event: Failed | Interrupted = Failed("")
        self._device = ""  # that the run said it trains on
        self._folder = ""  # that the run waits for
        desk.training.news.connect(self._take)
        desk.training.state_changed.connect(self._forget)

    def _forget(self) -> None:
        if self.desk.training.state == "starting":
            self._device = ""

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, RunStarted):
                self._device = event.device
            elif isinstance(event, Blocked):
                self._tell_blocked(event)
            elif isinstance(event, (Resumed, Stopped)):
                self.desk.strips.clear_strip("blocked")
            elif isinstance(event, (Failed, Interrupted)):
                self._event = event
                self._tell(event)

    def _tell(self, event: Failed | Interrupted) -> None:
        show = self.desk.strips.show_strip
        details = (self.tr("Details"), self._show_details)
        if isinstance(event, Interrupted):
            show("run", event.sentence, "error", (*self._ways(), details))
        elif event.sentence == NO_ENGINE:
            show("run", event.sentence, "error", ((self.tr("Try again"), self._try_again), details))
        else:
            show("run", event.sentence, "error")
            if event.detail:
                self._box().open()

    def _ways(self) -> list[Answer]:
        """Return how to begin again what has no checkpoint; with one, it is resumed (`face.resuming`)."""
        run = self.desk.training.run
        if run is None or self._is_saved(run.id):
            return []
        answers: list[Answer] = [(self.tr("Try again"), self._try_again)]
        if not self._device and could_leave_gpu(run.config.train, ""):
            answers.append((self.tr("Try on processor"), self._try_on_processor))
        return answers

    def _is_saved(self, run_id: str) -> bool:
        try:
            return self.desk.session.resuming.is_saved(run_id)
        except WorkbenchError:  # the log itself cannot be read
            return False

    def _tell_blocked(self, event: Blocked) -> None:
        training = self.desk.training
        self._folder = event.folder
        find = ((self.tr("Find it…"), self._find),) if event.folder else ()
        answers = (
            (self.tr("Check again"), training.go_on), *find, (self.tr("Stop"), training.stop_now),
        )  # fmt: skip
        self.desk.strips.show_strip("blocked", event.sentence, "warning", answers)

    def _find(self) -> None:
        place = chosen_folder(self._folder, self.desk.window)
        if place:
            self.desk.training.find(self._folder, place)

    def _box(self) -> DetailBox:
        home, window = self.desk.session.home, self.desk.window
        return DetailBox(self._event.sentence, self._event.detail, home, window)

    def _try_again(self) -> None:
        self._begin_again({})

    def _try_on_processor(self) -> None:
        self._begin_again({"train.device": "cpu"})

    def _begin_again(self, changes: dict[str, Any]) -> None:
        """Train the draft, if it is what failed, or else the settings of the run that did."""
        run, train = self.desk.training.run, self.desk.window.findChild(QAction, "train")
        if run is not None and self.desk.duplicated:
            config = with_values(replace(run.config, name=""), changes)
            start(self.desk, lambda: config, of_draft=False)
            return
        if changes:
            self.desk.draft.set_values(changes, self.tr("Train on the processor"))
        if train is not None:
            train.trigger()

    def _show_details(self) -> None:
        box = self._box()
        box.details_button.click()
        box.open()
