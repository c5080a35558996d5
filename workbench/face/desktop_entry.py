"""Linux: put the program into the desktop's menu of applications, for this user only.

Source: freedesktop.org, Desktop Entry Specification 1.5 (keys, quoting of Exec).
"""

import sys
from pathlib import Path

import platformdirs

from workbench.errors import WorkbenchError
from workbench.face.actions import Command
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.language import say
from workbench.paths import ROOT, resource

_NAME = "ntkcl-workbench.desktop"


def entry_text(python: str, program: Path) -> str:
    """Return the desktop entry that starts `program` with the interpreter `python`."""
    command = f"{_quoted(python)} {_quoted(str(program))}"
    text = resource(_NAME).read_text(encoding="utf-8")
    return text.format(command=command, icon=resource("icons/app.svg"))


def _quoted(argument: str) -> str:
    """Return an argument as Exec takes it: in double quotes, four letters escaped, % doubled.

    Every value of the file doubles its backslashes once more.
    """
    for letter in ("\\", '"', "`", "$"):
        argument = argument.replace(letter, f"\\{letter}")
    return ('"' + argument.replace("%", "%%") + '"').replace("\\", "\\\\")


def install_entry() -> Path:
    """Write the entry for this interpreter and this folder; return its file."""
    file = Path(platformdirs.user_data_dir()) / "applications" / _NAME
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(entry_text(sys.executable, ROOT / "main.py"), encoding="utf-8")
    except OSError as error:
        raise WorkbenchError(
            say(
                "The entry could not be written to {file}: {reason}. "
                "Make that folder writable, or start the program with: python main.py."
            ).format(file=file, reason=error.strerror)
        ) from error
    return file


class DesktopEntry(Feature):
    """A menu command that adds the program to the desktop's own menu."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        if sys.platform.startswith("linux"):
            self.commands = (
                Command(
                    "add_to_desktop", "Tools", "Add to the applications menu",
                    help="Start the program from the desktop from now on",
                ),
            )  # fmt: skip

    def add_to_desktop(self) -> None:
        """Write the desktop entry and say where it is."""
        try:
            file = install_entry()
        except WorkbenchError as error:
            self.desk.strips.show_strip("desktop", str(error), "error")
            return
        self.desk.toast.say(self.tr("Added to the applications menu: {file}").format(file=file))
