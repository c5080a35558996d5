"""The tab "Results": what the run shown answers on its test pictures, after any task."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QStackedLayout, QTabWidget, QVBoxLayout, QWidget

from workbench.answers import forgotten, worst
from workbench.events import Answered, Event, Pace, RunStarted, TaskEnded, TaskStarted
from workbench.face import results_words as words
from workbench.face.book import Book, under_headings
from workbench.face.book_shelf import BookShelf, Wish
from workbench.face.class_table import ClassTable
from workbench.face.confusion_panel import ConfusionPanel
from workbench.face.cost_view import CostView
from workbench.face.gallery import Beside, Gallery
from workbench.face.gallery_list import SIDE
from workbench.face.known import Moment
from workbench.face.scrubber import Scrubber
from workbench.face.thumbs import Thumbs
from workbench.session import Session


class ResultsPage(QWidget):
    """Reads the answers of the run that the tab "Train" shows; files only while it is seen itself."""

    try_requested = Signal(str, str)  # id of the run, path of a picture
    said = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("page", "results")
        self.shelf = BookShelf(session, self)
        self.thumbs = Thumbs(2 * SIDE, self)
        self._moved: dict[str, str] = {}  # folders found again, for as long as the window lives
        self._wish = Wish("")
        self._news = words.Progress()
        self.scrubber = Scrubber(self)
        self.scrubber.slider.setAccessibleName(self.tr("After which task"))
        self.confusion = ConfusionPanel()
        self.classes = ClassTable()
        self.cost = CostView()
        self.beside_matrix = Beside(self.confusion, self._gallery(self.tr("Pictures of the cell")))
        self.beside_classes = Beside(self.classes, self._gallery(self.tr("Mistakes of the class")))
        self.worst = Told(self._gallery(self.tr("Worst mistakes")))
        self.forgotten = Told(self._gallery(self.tr("Forgotten pictures")))
        self.views = self._tabs()
        self._hint = QLabel(self)
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._hint.setProperty("muted", "true")
        self._hint.setContentsMargins(40, 0, 40, 0)
        self.lack = QLabel(self)
        self.lack.setTextFormat(Qt.TextFormat.PlainText)
        self.lack.setWordWrap(True)
        self.lack.setContentsMargins(4, 0, 4, 0)
        self.lack.hide()
        self._chosen_view = 0
        self._stack = QStackedLayout()
        self._stack.addWidget(self._hint)
        self._stack.addWidget(self.views)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addWidget(self.scrubber)
        column.addWidget(self.lack)
        column.addLayout(self._stack, 1)
        self.scrubber.moved.connect(self._show_moment)
        self.shelf.arrived.connect(self._book_arrived)
        self.confusion.opened.connect(self._open_cell)
        self.classes.opened.connect(self._open_class)
        self.refresh()

    @property
    def book(self) -> Book:
        """What was read of the run shown."""
        return self.shelf.book

    def follow(self, run: str, name: str, events: Sequence[Event]) -> None:
        """Take a run's next events; RunStarted begins anew."""
        wish, told = self._wish, dict(self._wish.told)
        for event in events:
            self._news = self._news.after(event)
            if isinstance(event, RunStarted):
                wish, told = Wish(run, event.tasks), {}
            elif isinstance(event, Answered):
                told[event.after_task] = event
            elif isinstance(event, TaskEnded):
                wish = Wish(wish.run, wish.tasks, ended=event.task + 1)
        self._wish = Wish(wish.run, wish.tasks, told, wish.ended)
        self.scrubber.run.setText(name)
        if any(
            isinstance(event, (RunStarted, Answered, TaskStarted, TaskEnded)) for event in events
        ):
            self.refresh()
        elif not self._wish.ended and any(isinstance(event, Pace) for event in events):
            self._hint.setText(self._why_nothing())  # Pace comes several times a second

    def clear(self) -> None:
        """Forget the run."""
        self._wish, self._news = Wish(""), words.Progress()
        self.shelf.forget()
        self.thumbs.forget_missing()
        self.scrubber.run.setText("")
        self.scrubber.clear()
        self.lack.hide()
        self.refresh()

    def refresh(self) -> None:
        """Bring everything in step with what the run has said, once the tab is seen."""
        wish = self._wish
        name = self.tr("after task {number}")
        moments = [
            (Moment(told.step, after), name.format(number=after + 1))
            for after, told in sorted(wish.told.items())
        ]
        self.scrubber.setVisible(bool(moments))
        self.scrubber.show_moments(moments)
        if self.isVisible() and wish.run and wish.ended:
            self.shelf.want(wish)
        self._show_moment()

    def shut_down(self) -> None:
        """End the threads."""
        self.shelf.shut_down()
        self.thumbs.shut_down()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def after(self) -> int:
        """Return the task after which the answers are shown; −1 if there is none."""
        moment = self.scrubber.moment()
        known = [task for task in self.book.history if moment is None or task <= moment.task]
        return max(known, default=-1)

    def _show_moment(self) -> None:
        if not self.isVisible():
            return
        book, after = self.book, self.after()
        waiting = self._why_nothing()
        self._hint.setText(waiting)
        self._stack.setCurrentIndex(0 if waiting else 1)
        if not waiting:
            self._offer_views(lack=self._why_no_answers())
            self.cost.show_cost(book)
        if after >= 0:
            self.confusion.show_answers(book, after)
            self.classes.show_answers(book, after)
            self._show_worst(book, after)
            self._show_forgotten(book, after)

    def _why_nothing(self) -> str:
        if not self._wish.run:
            return self.tr(
                "What a run answers on its test pictures appears here: which class is taken for which, its "
                "worst mistakes, what it forgot. Train, or replay a run from the list below."
            )
        if not self._wish.ended:
            return words.not_yet(self._news)
        return "" if self.book.run == self._wish.run else self.tr("Reading the answers…")

    def _why_no_answers(self) -> str:
        if self.book.history:
            return ""
        return self.book.trouble or words.none_kept(self.scrubber.run.text())

    def _offer_views(self, *, lack: str) -> None:
        """Offer every view, or only the cost, with the reason; the view chosen comes back."""
        self.lack.setText(lack)
        self.lack.setVisible(bool(lack))
        if self.views.isTabEnabled(0) != bool(lack):
            return
        chosen = self.views.currentIndex() if lack else self._chosen_view
        self._chosen_view = chosen
        for index in range(self.views.count() - 1):
            self.views.setTabEnabled(index, not lack)
        self.views.setCurrentIndex(self.views.count() - 1 if lack else chosen)

    def _show_worst(self, book: Book, after: int) -> None:
        answers = book.history[after]
        rows = worst(answers)
        pictures = [book.picture(answers, int(row)) for row in rows]
        self.worst.show_pictures(words.worst(len(rows), len(answers), after), book, pictures)

    def _show_forgotten(self, book: Book, after: int) -> None:
        history = book.until(after)
        if len(history) < 2:
            self.forgotten.show_pictures(words.too_early(after), book, [])
            return
        found, now = forgotten(history), history[-1]
        lost = list(zip(found.rows.tolist(), found.lost_after.tolist(), strict=True))
        groups = [
            (book.task_label(task),
             [book.picture(now, row, words.lost(since)) for row, since in lost if now.task[row] == task])
            for task in range(after)
        ]  # fmt: skip
        self.forgotten.show_pictures(words.forgotten(found, after), book, under_headings(groups))

    def _open_cell(self, title: str, pictures: list[object]) -> None:
        self.beside_matrix.open_pictures(title, self.book, pictures)  # type: ignore[arg-type]

    def _open_class(self, label: int) -> None:
        book, answers = self.book, self.book.history[self.after()]
        rows = [int(row) for row in worst(answers) if answers.label[row] == label]
        title = words.mistakes_of(book.names[label], len(rows), int((answers.label == label).sum()))
        self.beside_classes.open_pictures(title, book, [book.picture(answers, r) for r in rows])

    def _book_arrived(self) -> None:
        if self.book.trouble and self.book.history:
            self.said.emit(self.book.trouble)
        self._show_moment()

    def _try(self, path: str) -> None:
        self.try_requested.emit(self._wish.run, path)

    def _look_again(self) -> None:
        for gallery in self.findChildren(Gallery):
            gallery.look_again()

    def _gallery(self, name: str) -> Gallery:
        made = Gallery(self.thumbs, self._moved, name)
        made.try_requested.connect(self._try)
        made.said.connect(self.said)
        made.found_again.connect(self._look_again)
        return made

    def _tabs(self) -> QTabWidget:
        tabs = QTabWidget(self)
        tabs.setDocumentMode(True)
        tabs.tabBar().setDrawBase(False)
        tabs.setAccessibleName(self.tr("Views of the results"))
        tabs.tabBar().setAccessibleName(self.tr("Views of the results"))
        for view, title in (
            (self.beside_matrix, self.tr("Confusion")), (self.beside_classes, self.tr("Classes")),
            (self.worst, self.tr("Worst mistakes")), (self.forgotten, self.tr("Forgotten")),
            (self.cost, self.tr("Cost")),
        ):  # fmt: skip
            tabs.addTab(view, title)
        return tabs


class Told(QWidget):
    """A gallery below the sentence that says what it shows."""

    def __init__(self, gallery: Gallery, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.gallery = gallery
        self.sentence = QLabel(self)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setWordWrap(True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addWidget(self.sentence)
        column.addWidget(gallery, 1)

    def show_pictures(self, sentence: str, book: Book, pictures: Sequence[object]) -> None:
        """Show the sentence, and the pictures if there are any."""
        self.sentence.setText(sentence)
        self.gallery.setVisible(bool(pictures))
        self.gallery.show_pictures(book, pictures)  # type: ignore[arg-type]
        empty = Qt.AlignmentFlag.AlignCenter
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        self.sentence.setAlignment(left if pictures else empty)
