"""What the window says when the training engine cannot be loaded: past runs stay, training is off."""

from PySide6.QtGui import QAction

from workbench.events import Event, Failed
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.messages import DetailBox
from workbench.session.run import NO_ENGINE


class EngineOff(Feature):
    """Offers to try again, and the details; it does not put a box in the way."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._detail = ""
        self.box: DetailBox | None = None
        desk.training.news.connect(self._take)

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Failed) and event.sentence == NO_ENGINE:
                self._detail = event.detail
                answers = (
                    (self.tr("Try again"), self._try_again),
                    (self.tr("Details"), self._show_details),
                )
                self.desk.strips.show_strip("run", event.sentence, "error", answers)

    def _try_again(self) -> None:
        train = self.desk.window.findChild(QAction, "train")
        if train is not None:
            train.trigger()

    def _show_details(self) -> None:
        self.box = DetailBox(NO_ENGINE, self._detail, self.desk.session.home, self.desk.window)
        self.box.details_button.click()
        self.box.open()
