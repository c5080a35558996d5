"""A report into a file: read in a thread, drawn between the window's turns, written in a thread."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from workbench.errors import WorkbenchError
from workbench.face.activities import Activities, Activity
from workbench.face.background import Background
from workbench.face.in_turns import InTurns
from workbench.face.whole import write_text


@dataclass(frozen=True)
class Report:
    """What is to be written: `subject` says of what, in the middle of a sentence."""

    subject: str
    read: Callable[[], Any]  # in a thread
    draw: Callable[[Any], Iterator[str]]  # one <svg> after another
    compose: Callable[[Any, Sequence[str]], str]  # the page, in a thread


class PageWriter(QObject):
    """Asks where, and writes one report at a time; the system's dialog asks before a file is replaced."""

    said = Signal(str)
    refused = Signal(str, list)  # a sentence, the ways out of it
    done = Signal(str)  # a sentence

    def __init__(self, parent: QWidget, activities: Activities) -> None:
        super().__init__(parent)
        self._over, self._activities = parent, activities
        self._activity: Activity | None = None
        self._report: Report | None = None
        self._path = Path()
        self._read: list[Any] = []
        self._svgs: list[str] = []
        self._goes_on = False  # not given up, and nothing has failed
        self._is_written = False
        self._work, self._drawing, self._writing = Background(self), InTurns(self), Background(self)
        for part in (self._work, self._drawing, self._writing):
            part.raised.connect(self._fail)
        self._work.item.connect(self._read_one)
        self._work.ended.connect(self._draw)
        self._drawing.item.connect(self._drawn)
        self._drawing.ended.connect(self._write)
        self._writing.item.connect(self._wrote)
        self._writing.ended.connect(self._finish)

    @property
    def busy(self) -> bool:
        """Whether a report is being made."""
        return self._activity is not None

    def ask(self, report: Report, proposed: Path) -> None:
        """Ask where, and write there."""
        if self.busy:
            self.said.emit(self.tr("A report is being written already."))
            return
        title = self.tr("Report of {subject}").format(subject=report.subject)
        kinds = self.tr("Web pages (*.html)")
        chosen, _ = QFileDialog.getSaveFileName(self._over, title, str(proposed), kinds)
        if chosen:
            path = Path(chosen)
            self.write(report, path if path.suffix else path.with_suffix(".html"))

    def write(self, report: Report, path: Path) -> None:
        """Write the report into a file."""
        if self.busy:
            self.said.emit(self.tr("A report is being written already."))
            return
        self._report, self._path = report, path
        self._read, self._svgs = [], []
        self._goes_on, self._is_written = True, False
        title = self.tr("Report of {subject}").format(subject=report.subject)
        self._activity = self._activities.begin(title, self._give_up)
        self._work.start(partial(_facts, report))

    def open_page(self) -> None:
        """Show the last report in the browser."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path)))

    def shut_down(self) -> None:
        """Wait for the threads."""
        self._goes_on = False
        self._drawing.shut_down()
        for part in (self._work, self._writing):
            part.shut_down()

    def _read_one(self, facts: Any) -> None:
        self._read = [facts]

    def _draw(self) -> None:
        if not self._goes_on or not self._read or self._report is None:
            self._finish()
        else:
            self._drawing.start(self._report.draw(self._read[0]))

    def _drawn(self, svg: str) -> None:
        self._svgs.append(svg)
        if self._activity is not None:
            text = self.tr("{count} plots drawn").format(count=len(self._svgs))
            self._activity.progress(0, 0, text)

    def _write(self) -> None:
        if not self._goes_on or self._drawing.cancelled or self._report is None:
            self._finish()
        else:
            make = partial(_written, self._report, self._read[0], self._svgs, self._path)
            self._writing.start(make)

    def _give_up(self) -> None:
        """What is written already stays: from then on there is nothing to give up."""
        if not self._writing.busy:
            self._goes_on = False
            self._work.cancel()
            self._drawing.cancel()

    def _fail(self, error: WorkbenchError) -> None:
        if self._goes_on and self._report is not None:
            self._goes_on = False
            again = partial(self.write, self._report, self._path)
            other = partial(self.ask, self._report, self._path)
            answers = [(self.tr("Choose another place"), other), (self.tr("Try again"), again)]
            self.refused.emit(str(error), answers)

    def _wrote(self, _: Path) -> None:
        self._is_written = True

    def _finish(self) -> None:
        """Tell what came of it; a refusal, or a bug, has been told of already."""
        if self._activity is None or self._report is None:
            return
        given_up = self._activity.cancelled
        self._activity.end()
        self._activity, self._goes_on = None, False
        if self._is_written:
            text = self.tr("The report of {subject} is in {file}.")
            self.done.emit(text.format(subject=self._report.subject, file=self._path))
        elif given_up:
            text = self.tr("The report of {subject} was given up.")
            self.said.emit(text.format(subject=self._report.subject))


def _facts(report: Report) -> Iterator[Any]:
    yield report.read()


def _written(report: Report, facts: Any, svgs: Sequence[str], path: Path) -> Iterator[Path]:
    yield write_text(path, report.compose(facts, svgs))
