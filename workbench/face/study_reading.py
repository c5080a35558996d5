"""The studies of the log, read in a thread: all of them, and what the one that is looked at has found."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from workbench.face.background import Background
from workbench.face.desk import Desk
from workbench.session.study_results import StudyResults
from workbench.session.study_state import StudyState
from workbench.session.studying import Studies


@dataclass(frozen=True)
class Wish:
    """What is to be read: which study is looked at ("" the newest), whether its findings too, and which run has just ended."""

    chosen: str = ""
    whole: bool = False
    ended: str = ""


@dataclass(frozen=True)
class Seen:
    """What was read: all studies, which of them is shown, what that has found (None: not read), and which run had just ended."""

    states: tuple[StudyState, ...] = ()
    chosen: str = ""
    found: StudyResults | None = None
    ended: str = ""

    @property
    def state(self) -> StudyState | None:
        """The study that is shown."""
        return next((each for each in self.states if each.id == self.chosen), None)


class StudyReader(QObject):
    """Reads once more where something is wished for while it reads; only the newest wish counts."""

    read = Signal(object)  # Seen
    failed = Signal(str)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.seen = Seen()
        self._session = desk.session
        self._closed = False
        self._wish: Wish | None = None
        self._work = Background(self, desk.activities)
        self._work.item.connect(self._take)
        self._work.failed.connect(self.failed)
        self._work.ended.connect(self._go)

    @property
    def busy(self) -> bool:
        """Whether something is being read, or waits to be."""
        return self._work.busy or self._wish is not None

    def look(self, wish: Wish) -> None:
        """Read now, or as soon as what is read now has been; a run that ended is not forgotten."""
        ended = self._wish.ended if self._wish is not None else ""
        self._wish = replace(wish, ended=wish.ended or ended)
        self._go()

    def shut_down(self) -> None:
        """Wait for what is being read; nothing more is."""
        self._closed = True
        self._work.shut_down()

    def _go(self) -> None:
        wish, studies, before = self._wish, self._session.studies, self.seen
        if wish is not None and not (self._closed or self._work.busy):
            self._wish = None
            self._work.do(lambda _: _read(studies, wish, before), self.tr("Reading the studies"))

    def _take(self, seen: Seen | None) -> None:
        if seen is not None:
            self.seen = seen
            self.read.emit(seen)


def _read(studies: Studies, wish: Wish, before: Seen) -> Seen:
    """Return what is wished for; findings of a study that has not changed are those of before."""
    states = tuple(studies.all())
    state = next((each for each in states if each.id == wish.chosen), next(iter(states), None))
    if state is None or not wish.whole:
        return Seen(states, state.id if state else "", None, wish.ended)
    known = before.found if before.state == state else None
    return Seen(states, state.id, known or studies.results(state.id), wish.ended)
