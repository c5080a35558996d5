"""Opens the window: looks first whether Qt can, dresses it, and catches what nobody else did."""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from workbench.errors import UsageError
from workbench.session import Session, SessionApart

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from workbench.face.last_words import LastWords
    from workbench.face.single import OnlyWindow
    from workbench.face.window import Window

NAME = "ntkcl-workbench"  # of the program, its desktop file and its settings

_PACKAGES = {  # a library of the system that Qt needs, and what Debian and Ubuntu call its package
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
}


def run(session: Session, paths: Sequence[str] = (), scheme: str = "system") -> int:
    """Show the window until it is closed; return Qt's exit code, or -1 if the log is to be opened anew.

    Raises UsageError if Qt cannot start.

    If the log has a window already, that one comes forward with `paths` and this call returns 0.
    """
    app = application()
    from workbench.face.last_words import LastWords
    from workbench.face.single import OnlyWindow

    only = OnlyWindow(session.home)
    folders = [os.path.abspath(path) for path in paths]
    if not only.take():
        if only.hand_over(folders):
            return 0
        raise UsageError(
            f"The log in {session.home} is open in another window, which does not answer. "
            "Wait for it, or end that program."
        ).or_elsewhere()
    words = LastWords(session.home)
    try:
        return _show(app, session, folders, scheme, only, words)
    finally:
        words.end()
        only.release()


def application() -> "QApplication":
    """Return the Qt application, made and named if there is none yet. Raises UsageError if Qt cannot start."""
    require_display()
    require_qt()
    from PySide6.QtWidgets import QApplication

    from workbench.face.icons import app_icon, claim_taskbar

    app = QApplication.instance()
    if not isinstance(app, QApplication):
        claim_taskbar()
        app = QApplication(sys.argv[:1])
    app.setOrganizationName(NAME)
    app.setApplicationName(NAME)
    app.setApplicationDisplayName("NTK-CL workbench")
    app.setDesktopFileName(NAME)
    app.setWindowIcon(app_icon())
    return app


def _show(
    app: "QApplication", session: Session, folders: Sequence[str], scheme: str,
    only: "OnlyWindow", words: "LastWords",
) -> int:  # fmt: skip
    from workbench.config import RunConfig
    from workbench.face.drop import Given
    from workbench.face.garbage import GarbageCollector
    from workbench.face.outside import FromOutside

    # Before the window: looking for garbage takes a tenth of its making.
    garbage = GarbageCollector(app)
    window = shown(app, session, scheme)
    garbage.spare()
    window.watch(only, words)
    before = sys.excepthook
    catch_exceptions(window)
    outside = FromOutside(app, window.closing)
    if folders:  # they stand alone; Undo brings the draft of last time back
        window.desk.draft.load(RunConfig(), window.tr("Start with the folders given"))
        window.commands.take(Given(folders=tuple(folders)))
    try:
        code = app.exec()
        return -1 if window.desk.opens_again and not outside.code else outside.code or code
    finally:
        ended = window.shut_down()  # Qt's loop may have been left without the window being closed
        outside.shut_down()
        if ended and window.desk.opens_again:
            # Now and whole, rather than piece by piece when garbage is collected.
            import shiboken6

            shiboken6.delete(window)
        sys.excepthook = before
        garbage.end()


def shown(app: "QApplication", session: Session, scheme: str) -> "Window":
    """Put the window on the screen; what it does not need for that begins once it is there."""
    from PySide6.QtCore import QTimer

    from workbench.face.theme import apply_theme
    from workbench.face.window import Window

    window = Window(session)
    remembered = str(window.desk.memory.value("scheme", scheme))
    # After the window is made: a style sheet in force is read anew at each widget's every move.
    apply_theme(app, remembered if scheme == "system" else scheme)
    window.show()
    if isinstance(session, SessionApart):
        QTimer.singleShot(0, window, session.warm)
    return window


def ask_for_home(sentence: str) -> str | None:
    """Show why the log cannot be opened; return another folder to keep it in, or None to give up."""
    app = application()
    from PySide6.QtWidgets import QFileDialog

    choose = app.tr("Choose another place…")
    if ask(sentence, (choose, app.tr("Quit"))) != choose:
        return None
    return QFileDialog.getExistingDirectory(None, app.tr("A folder for the log")) or None


def ask(sentence: str, answers: Sequence[str]) -> str:
    """Ask in a box before there is a window; return the answer, the last one for Esc."""
    app = application()
    from PySide6.QtWidgets import QMessageBox

    from workbench.face.theme import apply_theme

    apply_theme(app, "system")
    box = QMessageBox(QMessageBox.Icon.Warning, app.applicationDisplayName(), sentence)
    box.setAccessibleName(sentence)
    *others, last = answers
    buttons = {box.addButton(text, QMessageBox.ButtonRole.AcceptRole): text for text in others}
    box.setEscapeButton(box.addButton(last, QMessageBox.ButtonRole.RejectRole))
    box.exec()  # nothing else is open that could freeze
    return next((text for button, text in buttons.items() if button is box.clickedButton()), last)


def ask_about_rescue(sentence: str, home: Path) -> bool:
    """Show what could be saved of a damaged log; return whether the new one is to be opened."""
    app = application()
    from PySide6.QtCore import QUrl
    from PySide6.QtGui import QDesktopServices

    opened, folder = app.tr("Open the new one"), app.tr("Open folder")
    while True:
        answer = ask(sentence, (opened, folder, app.tr("Quit")))
        if answer != folder:
            return answer == opened
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(home)))


def ask_to_try_again(sentence: str) -> bool:
    """Show that another program holds the log; return whether to try again."""
    again = application().tr("Try again")
    return ask(sentence, (again, application().tr("Quit"))) == again


def require_display() -> None:
    """Raise UsageError where Qt would abort because there is no screen to draw on."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        raise UsageError(
            "The window cannot open: no display was found (neither DISPLAY nor WAYLAND_DISPLAY is set). "
            "Log in at a desktop, use ssh -X, or train without a window: main.py run."
        )


def require_qt() -> None:
    """Raise UsageError where a library of the system that Qt needs is missing, naming its package."""
    try:
        for module in ("QtCore", "QtGui", "QtWidgets"):
            importlib.import_module(f"PySide6.{module}")
    except ImportError as error:
        raise UsageError(missing_library_text(str(error))) from error


def missing_library_text(reason: str) -> str:
    """Return the sentence and the remedy for what the loader said."""
    for library, package in _PACKAGES.items():
        if library in reason:
            return (
                f"The window cannot open: Qt needs {library}, which is not installed. "
                f"On Debian and Ubuntu: sudo apt-get install {package}."
            )
    return (
        f"The window cannot open: Qt could not be loaded ({reason}). "
        "Install it again: python -m pip install -e ."
    )


def catch_exceptions(window: "Window") -> None:
    """Show whatever reaches the top in a box with its traceback; it goes to stderr all the same."""
    from workbench.face.messages import BugReporter

    reporter = BugReporter(window.desk.session.home, window)

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        if issubclass(kind, KeyboardInterrupt):
            window.stop_and_close()
            return
        if any(feature.takes(error) for feature in window.features):
            return
        reporter.raised.emit(
            f"{kind.__name__}: {error}", "".join(traceback.format_exception(kind, error, trace))
        )

    sys.excepthook = hook
