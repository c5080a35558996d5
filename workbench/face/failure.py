"""What the window says when a run fails, and when the training engine cannot be loaded at all."""

from PySide6.QtGui import QAction

from workbench.events import Event, Failed
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.messages import DetailBox
from workbench.session.engine import NO_ENGINE


class Failure(Feature):
    """A strip with the sentence; a box with the traceback only if the program made a mistake."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._event = Failed("")
        desk.training.news.connect(self._take)

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Failed):
                self._event = event
                self._tell(event)

    def _tell(self, event: Failed) -> None:
        if event.sentence == NO_ENGINE:
            answers = (
                (self.tr("Try again"), self._try_again),
                (self.tr("Details"), self._show_details),
            )
            self.desk.strips.show_strip("run", event.sentence, "error", answers)
            return
        self.desk.strips.show_strip("run", event.sentence, "error")
        if event.detail:
            self._box().open()

    def _box(self) -> DetailBox:
        home, window = self.desk.session.home, self.desk.window
        return DetailBox(self._event.sentence, self._event.detail, home, window)

    def _try_again(self) -> None:
        train = self.desk.window.findChild(QAction, "train")
        if train is not None:
            train.trigger()

    def _show_details(self) -> None:
        box = self._box()
        box.details_button.click()
        box.open()
