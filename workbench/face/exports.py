"""Taking a run away: its adapter, plots and numbers, into a folder that the user chooses."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from workbench.errors import WorkbenchError
from workbench.face.activities import Activities, Activity
from workbench.face.background import IterationThread
from workbench.face.figure import export_plots
from workbench.report import RunSummary
from workbench.session import Session

ADAPTER, PLOTS, NUMBERS = "adapter", "plots", "numbers"
EVERYTHING = (ADAPTER, PLOTS, NUMBERS)
_FORMATS = ("png", "svg", "pdf")


class Exporter(QObject):
    """Writes into a new folder named after the run. Adapter and numbers come from a thread."""

    said = Signal(str)
    done = Signal(str, str)  # a sentence, the folder
    state_changed = Signal()

    def __init__(
        self, session: Session, parent: QWidget, activities: Activities | None = None
    ) -> None:
        super().__init__(parent)
        self._activities = activities or Activities(self)
        self._activity: Activity | None = None
        self._session = session
        self._thread: IterationThread | None = None
        self._folder = Path()
        self._run: RunSummary | None = None
        self._parts: tuple[str, ...] = ()
        self._files: list[Path] = []
        self._failed = False

    @property
    def busy(self) -> bool:
        """Whether an export is under way."""
        return self._thread is not None

    def export_to(self, run: RunSummary, place: Path, parts: Sequence[str]) -> None:
        """Write `parts` of the run into a new folder below `place`."""
        if self.busy:
            self.said.emit(self.tr("An export is under way already."))
            return
        self._run, self._parts = run, tuple(parts)
        self._folder = new_folder(place, run.name)
        self._files, self._failed = [], False
        self._thread = IterationThread(self._written, self)
        self._thread.item.connect(self._take_files)
        self._thread.failed.connect(self._fail)
        self._thread.finished.connect(self._finish)
        self._activity = self._activities.begin(self.tr("Exporting {run}").format(run=run.name))
        self._thread.start()
        self.state_changed.emit()

    def open_folder(self) -> None:
        """Show the last export in the file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))

    def shut_down(self) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.end()

    def _written(self) -> Iterator[list[Path]]:
        """Runs on the thread: everything but drawing, which Qt wants on its own thread."""
        adapter, numbers = ADAPTER in self._parts, NUMBERS in self._parts
        if self._run is not None and (adapter or numbers):
            yield self._session.export(self._run.id, self._folder, adapter=adapter, numbers=numbers)

    def _take_files(self, files: list[Path]) -> None:
        self._files += files

    def _fail(self, sentence: str) -> None:
        self._failed = True
        self.said.emit(sentence)

    def _finish(self) -> None:
        if self._thread is not None:
            self._thread.deleteLater()
            self._thread = None
        if not self._failed:
            self._draw_and_tell()
        if self._activity is not None:
            self._activity.end()
        self.state_changed.emit()

    def _draw_and_tell(self) -> None:
        if self._run is None:
            return
        try:
            if PLOTS in self._parts:
                self._folder.mkdir(parents=True, exist_ok=True)
                events = self._session.events(self._run.id)
                title = f"{self._run.name} · {self._run.profile}"
                read = partial(self._session.arrays, self._run.id)
                self._files += export_plots(
                    events, self._folder, title=title, formats=_FORMATS, read=read
                )
        except (WorkbenchError, OSError) as error:
            sentence = self.tr("Could not write to {folder}: {reason}.")
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self.said.emit(sentence.format(folder=self._folder, reason=reason))
            return
        text = self.tr("{number} files of {run} exported to {folder}.")
        text = text.format(number=len(self._files), run=self._run.name, folder=self._folder)
        self.done.emit(text, str(self._folder))


def new_folder(place: Path, name: str) -> Path:
    """Return a folder below `place`, named after the run, that does not exist yet."""
    plain = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "-", name).strip(" .") or "run"
    folder, number = place / plain, 2
    while folder.exists():
        folder, number = place / f"{plain}-{number}", number + 1
    return folder
