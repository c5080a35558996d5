"""Past runs on their way into the tab Train: a short one at once, a long one by way of a thread."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from workbench.face.activities import Activities
from workbench.face.background import Background
from workbench.face.past import Past, past_run
from workbench.face.train_page import TrainPage
from workbench.report import RunSummary
from workbench.session import Session

SHORT = 2_000  # events that are read and sorted while nobody notices


class Replaying(QObject):
    """Reads one run at a time; another one that is chosen meanwhile takes its place."""

    said = Signal(str)
    shown = Signal()  # a run that had to be waited for

    def __init__(
        self, session: Session, page: TrainPage, activities: Activities, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session, self._page = session, page
        self._run: RunSummary | None = None  # the one that is wanted
        self._waits = False  # for the thread to be done with another
        self._work = Background(self, activities)
        self._work.item.connect(self._take)
        self._work.failed.connect(self._fail)
        self._work.ended.connect(self._go_on)
        self._work.given_up.connect(self._cancelled_in_list)
        page.reading_cancelled.connect(self._give_up)

    def show(self, run: RunSummary) -> None:
        """Draw a run, now or as soon as it is read."""
        if self._work.busy and run == self._run:
            return
        self.leave()
        if self._session.table.length(run.id) <= SHORT:
            self._page.show_past(run.id, run.name, past_run(self._session, run.id))
            return
        self._run = run
        self._page.show_reading(run.name)
        self._waits = self._work.busy
        if not self._waits:
            self._begin(run)

    def leave(self) -> None:
        """Let nothing be shown that is not there yet."""
        if self._run is not None:
            self._run = None
            self._page.show_reading("")
        self._work.cancel()

    def shut_down(self) -> None:
        """End the thread."""
        self._run = None
        self._work.shut_down()

    def _begin(self, run: RunSummary) -> None:
        title = self.tr("Reading {run}").format(run=run.name)
        self._work.do(partial(past_run, self._session, run.id), title)

    def _take(self, item: object) -> None:
        run = self._run
        if isinstance(item, Past) and run is not None and not self._waits:
            self._run = None
            self._page.show_past(run.id, run.name, item)
            self.shown.emit()

    def _fail(self, sentence: str) -> None:
        if self._run is not None and not self._waits:
            self.leave()
            self.said.emit(sentence)

    def _give_up(self) -> None:
        """The user does not want to wait for it."""
        run = self._run
        if run is not None:
            self.leave()
            self.said.emit(self.tr("{run} was not read to its end.").format(run=run.name))
            self.shown.emit()

    def _cancelled_in_list(self) -> None:
        if not self._work.busy:  # else another is read by now
            self._give_up()

    def _go_on(self) -> None:
        """Read what was chosen while the thread was still busy with another."""
        waits, self._waits = self._waits, False
        if waits and self._run is not None:
            self._begin(self._run)
