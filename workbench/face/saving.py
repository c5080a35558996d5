"""Saving a table as CSV where the user says, and what to do if the place cannot be written."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from workbench.errors import because
from workbench.face.messages import Strips
from workbench.face.whole import write_whole

Rows = Sequence[Sequence[object]]
_SUBJECT = "csv"


class CsvSaver(QObject):
    """Writes beside the file and swaps, so that nothing half-written remains."""

    said = Signal(str)

    def __init__(self, strips: Strips, parent: QWidget) -> None:
        super().__init__(parent)
        self._strips, self._over = strips, parent
        self._rows: Rows = ()
        self._path = Path()

    def ask(self, rows: Rows, name: str) -> None:
        """Ask where, and write there; the system's dialog asks before a file is replaced."""
        self._rows, self._path = rows, Path(name)
        self.save_as()

    def save_as(self) -> None:
        """Ask for another place."""
        kinds = self.tr("Tables (*.csv)")
        title = self.tr("Save as CSV")
        chosen, _ = QFileDialog.getSaveFileName(self._over, title, str(self._path), kinds)
        if chosen:
            path = Path(chosen)
            self._path = path if path.suffix else path.with_suffix(".csv")
            self.save()

    def save(self) -> None:
        """Write to the place chosen last."""
        self._strips.clear_strip(_SUBJECT)
        try:
            write_csv(self._path, self._rows)
        except OSError as error:
            self._refuse(self._sentence(error))
        else:
            self.said.emit(self.tr("Saved {file}.").format(file=self._path.name))

    def _sentence(self, error: OSError) -> str:
        held = isinstance(error, PermissionError) and self._path.exists()
        if held and os.access(self._path.parent, os.W_OK):
            return self.tr("{file} is open in another program.").format(file=self._path.name)
        text = self.tr("Could not write to {path}: {reason}.")
        return text.format(path=self._path, reason=because(error))

    def _refuse(self, sentence: str) -> None:
        answers = [(self.tr("Try again"), self.save), (self.tr("Save as…"), self.save_as)]
        self._strips.show_strip(_SUBJECT, sentence, "error", answers)


def write_csv(path: Path, rows: Rows) -> None:
    """Write rows as RFC 4180 in UTF-8, whole or not at all; raises OSError if it cannot be."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_whole(path, text.getvalue().encode("utf-8", "backslashreplace"))
