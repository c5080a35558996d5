"""A comparison's tables and figures into a new folder, a file at a time; what fails leaves nothing behind."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from workbench.errors import CannotWrite, WorkbenchError, because
from workbench.face.activities import Activities, Activity
from workbench.face.exports import new_folder
from workbench.face.in_turns import InTurns
from workbench.face.language import say
from workbench.face.panel import Panel
from workbench.face.saving import Rows, write_csv

Tables = Mapping[str, Rows]  # by the name of their file
Figures = Iterable[tuple[str, Panel]]
_FORMATS = ("png", "svg", "pdf")


class ComparisonExport(QObject):
    """Writes as an export of a run does; tables and figures are taken as they are when it begins."""

    said = Signal(str)
    refused = Signal(str, list)  # a sentence, the ways out of it
    done = Signal(str)  # a sentence

    def __init__(self, parent: QWidget, activities: Activities) -> None:
        super().__init__(parent)
        self._over, self._activities = parent, activities
        self._activity: Activity | None = None
        self._folder = Path()
        self._files: list[Path] = []
        self._tables: Tables = {}
        self._figures: Callable[[], Figures] = lambda: ()
        self._title = ""
        self._failed = False
        self._work = InTurns(self)
        self._work.item.connect(self._wrote)
        self._work.raised.connect(self._fail)
        self._work.ended.connect(self._finish)

    @property
    def busy(self) -> bool:
        """Whether a comparison is being written."""
        return self._work.busy

    def write(
        self, place: Path, tables: Tables, figures: Callable[[], Figures], title: str
    ) -> None:
        """Write into a new folder below `place`; `title` stands below every figure."""
        if self.busy:
            self.said.emit(self.tr("An export is under way already."))
            return
        self._tables, self._figures, self._title = tables, figures, title
        self._begin(place)

    def open_folder(self) -> None:
        """Show the last export in the file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))

    def shut_down(self) -> None:
        """Let go of what is not written yet."""
        if self.busy:
            self._work.shut_down()
            self._take_back()

    def _begin(self, place: Path) -> None:
        self._folder = new_folder(place, self.tr("comparison"))
        self._files, self._failed = [], False
        title = self.tr("Exporting the comparison")
        self._activity = self._activities.begin(title, self._work.cancel)
        self._work.start(_written(self._folder, self._tables, self._figures(), self._title))

    def _wrote(self, file: Path) -> None:
        self._files.append(file)
        if self._activity is not None:
            self._activity.progress(0, 0, file.name)

    def _fail(self, error: WorkbenchError) -> None:
        self._failed = True
        again = partial(self._begin, self._folder.parent)
        answers = [
            (self.tr("Choose another place"), self._other_place),
            (self.tr("Try again"), again),
        ]
        self.refused.emit(str(error), answers)

    def _other_place(self) -> None:
        title = self.tr("Choose another place")
        place = QFileDialog.getExistingDirectory(self._over, title, str(self._folder.parent))
        if place:
            self._begin(Path(place))

    def _finish(self) -> None:
        given_up = self._activity is not None and self._activity.cancelled
        if self._activity is not None:
            self._activity.end()
        if self._failed or self._work.cancelled:
            self._take_back()
        if given_up:
            self.said.emit(self.tr("The export of the comparison was given up."))
        elif not (self._failed or self._work.cancelled):
            text = self.tr("{number} files of the comparison exported to {folder}.")
            self.done.emit(text.format(number=len(self._files), folder=self._folder))

    def _take_back(self) -> None:
        """Remove what this export has written, and the folder that was made for it."""
        with suppress(OSError):  # what somebody else put there stays
            for file in self._files:
                file.unlink(missing_ok=True)
            self._folder.rmdir()


def _written(folder: Path, tables: Tables, figures: Figures, title: str) -> Iterator[Path]:
    from workbench.face.figure import written_figures  # plots take long to load

    path = folder
    try:
        folder.mkdir(parents=True)
        for name, rows in tables.items():
            path = folder / name
            write_csv(path, rows)
            yield path
    except OSError as error:
        text = say("Could not write to {path}: {reason}. Choose another place.")
        raise CannotWrite(text.format(path=path, reason=because(error))) from error
    yield from written_figures(figures, folder, title, _FORMATS)
