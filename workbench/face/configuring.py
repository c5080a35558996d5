"""The whole configuration to a file, from a file or a drop, and as the command that makes the same run."""

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from workbench.config import as_command, load_config, save_config
from workbench.errors import WorkbenchError
from workbench.face.actions import Command, Moment
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.session.study_file import is_study


def _free(moment: Moment) -> bool:
    return moment.tasks_free


class Configuring(Feature):
    """Tasks and settings travel together; loading them is one step that can be undone."""

    commands = (
        Command("open_configuration", "File", "Open configuration…", ("Ctrl+Shift+O",), _free, help="Load tasks and settings from a .toml file; dropping one on the window does the same", apart=True),
        Command("save_configuration", "File", "Save configuration…", ("Ctrl+Shift+S",), help="Write tasks and settings to a .toml file"),
        Command("copy_command", "File", "Copy as command", help="Copy the command line that makes the same run"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        desk.configuration_given.connect(self.load)

    def open_configuration(self) -> None:
        """Ask for a file and load it."""
        title, kinds = self.tr("Open a configuration"), self.tr("Configuration (*.toml)")
        path, _ = QFileDialog.getOpenFileName(self._window(), title, self._folder(), kinds)
        if path:
            self.load(path)

    def save_configuration(self) -> None:
        """Ask for a place and write tasks and settings there."""
        title, kinds = self.tr("Save the configuration"), self.tr("Configuration (*.toml)")
        start = str(Path(self._folder()) / "run.toml")
        path, _ = QFileDialog.getSaveFileName(self._window(), title, start, kinds)
        if path:
            self.save(path)

    def copy_command(self) -> None:
        """Put the command of the same run on the clipboard."""
        QGuiApplication.clipboard().setText(as_command(self.desk.draft.state.run_config()))
        self.desk.toast.say(self.tr("The command is on the clipboard."))

    def load(self, path: str) -> None:
        """Take tasks and settings from a file; a mistake in it changes nothing. A study file is asked about."""
        if is_study(Path(path)):
            self.desk.study_given.emit(path)
            return
        try:
            config = load_config(Path(path))
        except WorkbenchError as error:
            self.desk.strips.show_strip("configuration", str(error), "error")
            return
        self.desk.strips.clear_strip("configuration")
        self.desk.draft.load(config, self.tr("Open configuration"))
        text = self.tr("Tasks and settings are those of '{file}'.").format(file=Path(path).name)
        self.desk.offer_undo(text)
        self.desk.memory.setValue("configuration_folder", str(Path(path).parent))

    def save(self, path: str) -> None:
        """Write tasks and settings to a file."""
        try:
            save_config(self.desk.draft.state.run_config(), Path(path))
        except WorkbenchError as error:
            self.desk.strips.show_strip("configuration", str(error), "error")
            return
        self.desk.memory.setValue("configuration_folder", str(Path(path).parent))
        self.desk.toast.say(self.tr("Saved as '{file}'.").format(file=Path(path).name))

    def _folder(self) -> str:
        return str(self.desk.memory.value("configuration_folder", str(Path.home())))

    def _window(self) -> QWidget:
        return self.desk.settings.window()
