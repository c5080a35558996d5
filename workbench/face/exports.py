"""Taking a run away: its adapter, plots and numbers, into a folder that the user chooses."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from workbench.errors import CannotWrite, WorkbenchError, because
from workbench.events import Stage
from workbench.face.activities import Activities, Activity
from workbench.face.background import Background
from workbench.face.curve_lines import Beside, bounds_beside
from workbench.face.in_turns import InTurns
from workbench.face.messages import DetailBox
from workbench.face.question import Answer, Question
from workbench.face.record import RunRecord
from workbench.report import RunSummary
from workbench.session import Session

ADAPTER, PLOTS, NUMBERS = "adapter", "plots", "numbers"
EVERYTHING = (ADAPTER, PLOTS, NUMBERS)
RunsBeside = Callable[[RunSummary], Sequence[tuple[str, str, RunRecord]]]
_FORMATS = ("png", "svg", "pdf")


@dataclass(frozen=True)
class Failure:
    """Why an export failed: a sentence, what lies behind it, and whether another place may help."""

    sentence: str
    detail: str = ""
    place: bool = False


class Exporter(QObject):
    """Writes into a folder named after the run. Adapter and numbers come from a thread."""

    said = Signal(str)
    refused = Signal(str, list)  # a sentence, the ways out of it
    done = Signal(str, str)  # a sentence, the folder
    state_changed = Signal()

    def __init__(
        self, session: Session, parent: QWidget, activities: Activities | None = None
    ) -> None:
        super().__init__(parent)
        self._activities = activities or Activities(self)
        self._activity: Activity | None = None
        self._session, self._over = session, parent
        self._work = Background(self)
        self._work.item.connect(self._take)
        self._work.raised.connect(self._fail)
        self._work.ended.connect(self._draw)
        self._drawing = InTurns(self)
        self._drawing.item.connect(self._drawn)
        self._drawing.raised.connect(self._fail)
        self._drawing.ended.connect(self._finish)
        self._folder = Path()
        self._run: RunSummary | None = None
        self._parts: tuple[str, ...] = ()
        self._files: list[Path] = []
        self._failed = False
        self.question: Question | None = None  # the last one asked
        self.runs_beside: RunsBeside = lambda run: ()  # what lies over a run's curves on screen

    @property
    def busy(self) -> bool:
        """Whether an export is under way."""
        return self._work.busy or self._drawing.busy

    def ask(self, run: RunSummary, place: Path, parts: Sequence[str]) -> None:
        """Write `parts` of the run into a folder below `place`, after what has to be asked first."""
        folder = place / plain_name(run.name)
        replace = partial(self._ask_to_replace, run, folder, tuple(parts))
        if self.busy:
            self._export_into(run, folder, parts)  # says so
        elif ADAPTER in parts and run.tasks_done < run.tasks_total:
            text = self.tr("Exports the state after task {done} of {total}.")
            text = text.format(done=run.tasks_done, total=run.tasks_total)
            self._ask(text, [(self.tr("Export"), replace)])
        else:
            replace()

    def export_to(self, run: RunSummary, place: Path, parts: Sequence[str]) -> None:
        """Write `parts` of the run into a new folder below `place`."""
        self._export_into(run, new_folder(place, run.name), parts)

    def open_folder(self) -> None:
        """Show the last export in the file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))

    def shut_down(self) -> None:
        """Wait for the thread; no further plot is drawn."""
        self._drawing.shut_down()
        self._work.shut_down()

    def _ask(self, sentence: str, answers: Sequence[Answer]) -> None:
        self.question = Question(sentence, answers, self._over)
        self.question.setProperty("page", "export")
        self.question.open()

    def _ask_to_replace(self, run: RunSummary, folder: Path, parts: tuple[str, ...]) -> None:
        if self.busy or not folder.exists():
            self._export_into(run, folder, parts)
            return
        text = self.tr("'{name}' is already in {place}. Replace its files?")
        text = text.format(name=folder.name, place=folder.parent)
        answers = [
            (self.tr("Replace"), partial(self._export_into, run, folder, parts)),
            (self.tr("Keep both"), partial(self.export_to, run, folder.parent, parts)),
        ]
        self._ask(text, answers)

    def _again(self) -> None:
        if self._run is not None:
            self._export_into(self._run, self._folder, self._parts)

    def _other_place(self) -> None:
        title = self.tr("Choose another place")
        place = QFileDialog.getExistingDirectory(self._over, title, str(self._folder.parent))
        if place and self._run is not None:
            self.ask(self._run, Path(place), self._parts)

    def _export_into(self, run: RunSummary, folder: Path, parts: Sequence[str]) -> None:
        if self.busy:
            self.said.emit(self.tr("An export is under way already."))
            return
        self._run, self._parts, self._folder = run, tuple(parts), folder
        self._files, self._failed = [], False
        self._work.start(self._steps)
        title = self.tr("Exporting {run}").format(run=run.name)
        self._activity = self._activities.begin(title, self._give_up)
        self.state_changed.emit()

    def _steps(self) -> Iterator[Stage | list[Path]]:
        """Runs on the thread: everything but drawing, which Qt wants on its own thread."""
        adapter, numbers = ADAPTER in self._parts, NUMBERS in self._parts
        if self._run is None or not (adapter or numbers):
            return _nothing()
        return self._session.exporting(self._run.id, self._folder, adapter=adapter, numbers=numbers)

    def _take(self, item: Stage | list[Path]) -> None:
        if isinstance(item, list):
            self._files += item
        elif self._activity is not None:
            self._activity.progress(item.done, item.total, item.text)

    def _fail(self, error: WorkbenchError) -> None:
        detail = "\n".join(getattr(error, "__notes__", ()))
        self._refuse(Failure(str(error), detail, isinstance(error, CannotWrite)))

    def _refuse(self, failure: Failure) -> None:
        self._failed = True
        self._leave_no_empty_folder()
        answers: list[Answer] = []
        if failure.place:
            answers += [(self.tr("Choose another place"), self._other_place)]
            answers += [(self.tr("Try again"), self._again)]
        if failure.detail:
            answers += [(self.tr("Details"), partial(self._show_detail, failure))]
        self.refused.emit(failure.sentence, answers)

    def _leave_no_empty_folder(self) -> None:
        with suppress(OSError):  # one that holds something stays
            self._folder.rmdir()

    def _show_detail(self, failure: Failure) -> None:
        box = DetailBox(failure.sentence, failure.detail, self._session.home, self._over)
        box.details_button.click()
        box.open()

    def _give_up(self) -> None:
        self._work.cancel()
        self._drawing.cancel()

    def _draw(self) -> None:
        """Draw the plots, now that the thread has written the rest, unless it failed or was given up."""
        goes_on = not (self._failed or self._work.cancelled)
        if self._run is not None and PLOTS in self._parts and goes_on:
            self._drawing.start(self._plots(self._run))
        else:
            self._finish()

    def _drawn(self, file: Path) -> None:
        self._files.append(file)
        if self._activity is not None:
            self._activity.progress(0, 0, file.name)

    def _finish(self) -> None:
        activity, drawn = self._activity, PLOTS in self._parts
        given_up = activity is not None and activity.cancelled and (drawn or not self._files)
        if given_up and not self._failed:
            self._tell_given_up()
        elif not self._failed and not (drawn and self._drawing.cancelled):  # a bug has been told of
            self._tell_done()
        if activity is not None:
            activity.end()
        self.state_changed.emit()

    def _tell_given_up(self) -> None:
        self._leave_no_empty_folder()
        name = self._run.name if self._run is not None else ""
        text = self.tr("The export of {run} was given up.")
        if self._folder.exists():
            text = self.tr("The export of {run} was given up. What was written is in {folder}.")
        self.said.emit(text.format(run=name, folder=self._folder))

    def _tell_done(self) -> None:
        name = self._run.name if self._run is not None else ""
        text = self.tr("{number} files of {run} exported to {folder}.")
        text = text.format(number=len(self._files), run=name, folder=self._folder)
        self.done.emit(text, str(self._folder))

    def _plots(self, run: RunSummary) -> Iterator[Path]:
        """Draw one file after another, on Qt's own thread."""
        from workbench.face.figure import figures, switches_of, written_figures  # long to load

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            text = self.tr("Could not write to {folder}: {reason}. Choose another place.")
            text = text.format(folder=self._folder, reason=because(error))
            raise CannotWrite(text) from error
        events = self._session.events(run.id)
        title = " · ".join(filter(None, (run.name, run.profile, switches_of(events))))
        levels = bounds_beside(self._session.groups.bounds(run.id))
        beside = Beside(self.runs_beside(run), levels)
        drawn = figures(events, read=partial(self._session.arrays, run.id), beside=beside)
        yield from written_figures(drawn, self._folder, title, _FORMATS)


def _nothing() -> Iterator[list[Path]]:
    yield []


def plain_name(name: str) -> str:
    """Return a run's name as every file system takes it."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "-", name).strip(" .") or "run"


def new_folder(place: Path, name: str) -> Path:
    """Return a folder below `place`, named after the run, that does not exist yet."""
    plain = plain_name(name)
    folder, number = place / plain, 2
    while folder.exists():
        folder, number = place / f"{plain}-{number}", number + 1
    return folder
