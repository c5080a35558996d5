"""What is known of one run beside its numbers: when, on what, with which seeds, versions and commit."""

from collections.abc import Iterator
from datetime import datetime
from html import escape

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QTextOption
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from workbench import paths
from workbench.errors import WorkbenchError
from workbench.face.actions import Command, Moment
from workbench.face.box_help import let_f1_help
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.hardware import trained_on
from workbench.face.language import say
from workbench.face.place import fit
from workbench.face.theme import current_theme
from workbench.report import RunDetails

Rows = list[tuple[str, str]]  # what, and its value


def _run(moment: Moment) -> bool:
    return moment.run


class RunBox(QDialog):
    """The facts of one run as text that can be selected and copied."""

    def __init__(self, name: str, rows: Rows, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Details of {run}").format(run=name))
        let_f1_help(self, "runs")
        self._rows = [(key, value) for key, value in rows if value]
        self.text = QTextBrowser(self)
        self.text.setOpenLinks(False)
        self.text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.text.setAccessibleName(self.tr("Details of {run}").format(run=name))
        self.copy_button = QPushButton(self.tr("Copy"), self)
        self.copy_button.setAutoDefault(False)
        self.copy_button.clicked.connect(self.copy)
        close = QPushButton(self.tr("Close"), self)
        close.setDefault(True)
        close.clicked.connect(self.close)
        foot = QHBoxLayout()
        foot.addWidget(self.copy_button)
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.addWidget(self.text, 1)
        column.addLayout(foot)
        fit(self, 620, 480)
        self._write()

    def copy(self) -> None:
        """Put the facts on the clipboard, one a line."""
        text = "\n".join(f"{key}: {value}" for key, value in self._rows)
        QGuiApplication.clipboard().setText(text)

    def changeEvent(self, event: QEvent) -> None:
        """Write anew in the colours of the new theme."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_rows"):
            self._write()
        super().changeEvent(event)

    def _write(self) -> None:
        muted = current_theme().muted
        cells = "".join(
            f"<tr><td style='color:{muted}; padding-right:14px; white-space:nowrap'>{escape(key)}</td>"
            f"<td>{escape(value)}</td></tr>"
            for key, value in self._rows
        )
        self.text.setHtml(f"<table cellspacing='4'>{cells}</table>")


class DetailsOfRun(Feature):
    """The command that shows them."""

    commands = (
        Command("run_details", "Runs", "Details…", ("I",), _run, where="runs",
                help="When the run was made, on what, with which seeds, versions and commit"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.box: RunBox | None = None

    def run_details(self) -> None:
        """Show what is known of the run that is chosen or shown."""
        run = self.desk.shown_run()
        if run is None:
            return
        try:
            details = self.desk.session.details(run.id)
        except WorkbenchError as error:
            self.desk.toast.say(str(error))
            return
        self.box = RunBox(run.name, list(self._rows(details)), self.desk.window)
        self.box.open()

    def _rows(self, details: RunDetails) -> Iterator[tuple[str, str]]:
        run, seeds = details.summary, details.config.get("seeds", {})
        state = self.tr("{state}: {reason}") if run.state_reason else "{state}"
        yield self.tr("State"), state.format(state=say(run.state), reason=run.state_reason)
        yield self.tr("Trained"), trained_on(run.device, run.precision)
        yield self.tr("Begun"), _moment(run.created)
        yield self.tr("Ended"), _moment(run.ended or "")
        yield self.tr("Backbone"), run.backbone
        yield self.tr("Profile"), run.profile
        yield (
            self.tr("Seeds"),
            ", ".join(f"{name.replace('_', ' ')} {seed}" for name, seed in seeds.items()),
        )
        for number, task in enumerate(details.tasks, 1):
            yield self.tr("Task {number}").format(number=number), str(task.get("name", ""))
        yield from details.versions.items()
        yield self.tr("Files"), str(paths.run_folder(self.desk.session.home, run.id))
        yield self.tr("Id"), run.id
        yield self.tr("Note"), run.note


def _moment(when: str) -> str:
    """Return a time of the log as this computer's clock shows it."""
    return f"{datetime.fromisoformat(when).astimezone():%Y-%m-%d %H:%M:%S}" if when else ""
