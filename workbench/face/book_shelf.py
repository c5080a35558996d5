"""Reads a run's answers away from the window; after a task only what is new."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal

from workbench.errors import WorkbenchError
from workbench.events import Answered, TaskInfo
from workbench.face.background import Background
from workbench.face.book import Book
from workbench.session import Session


@dataclass(frozen=True)
class Wish:
    """What is to be read of which run."""

    run: str
    tasks: tuple[TaskInfo, ...] = ()
    told: Mapping[int, Answered] = field(default_factory=dict)  # by the task after which
    ended: int = 0  # tasks ended: the cost grows with each


class BookShelf(QObject):
    """Holds the book of one run. Of wishes that come while one is read, the last is read next."""

    arrived = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.book = Book()
        self._read: Wish | None = None
        self._wish: Wish | None = None
        self._work = Background(self)
        self._work.item.connect(self._keep)
        self._work.failed.connect(self._fail)
        self._work.ended.connect(self._finished)

    @property
    def busy(self) -> bool:
        """Whether something is being read."""
        return self._work.busy

    def want(self, wish: Wish) -> None:
        """Read this, unless it is what was read last."""
        self._wish = wish
        if not self.busy and wish != self._read:
            self._start(wish)

    def forget(self) -> None:
        """Drop the book, so that files are looked at again."""
        self.book, self._read, self._wish = Book(), None, None

    def shut_down(self) -> None:
        """Wait for the thread."""
        self._wish = None
        self._work.shut_down()

    def _start(self, wish: Wish) -> None:
        self._read = wish
        known = self.book if self.book.run == wish.run else Book()
        self._work.start(lambda: read(self._session, wish, known))

    def _keep(self, book: Book) -> None:
        if self._read is not None and book.run == self._read.run:
            self.book = book
            self.arrived.emit()

    def _fail(self, sentence: str) -> None:
        """Tell that not even the log could be read."""
        if self._read is not None:
            self._keep(Book(self._read.run, self._read.tasks, trouble=sentence))

    def _finished(self) -> None:
        if self._wish is not None and self._wish != self._read:
            self._start(self._wish)


def read(session: Session, wish: Wish, known: Book) -> Iterator[Book]:
    """Yield the book; what `known` holds already is not read again."""
    results = session.results
    book = replace(
        known, run=wish.run, tasks=wish.tasks, cost=results.cost(wish.run), trouble="",
        folders=known.folders or results.folders(wish.run),
    )  # fmt: skip
    history, pictures, troubles = dict(known.history), dict(known.pictures), []
    for after, told in wish.told.items():
        try:
            if after not in history:
                history[after] = results.answers(wish.run, told.path)
            if after not in pictures:
                pictures[after] = results.pictures(wish.run, told.pictures)
        except WorkbenchError as error:
            troubles.append(str(error))
    yield replace(book, history=history, pictures=pictures, trouble="\n".join(troubles[:1]))
