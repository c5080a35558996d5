"""Opens the window: looks first whether Qt can, dresses it, and catches what nobody else did."""

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from workbench.errors import UsageError
from workbench.session import Session

if TYPE_CHECKING:
    from workbench.face.window import Window

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
    """Show the window until it is closed; return Qt's exit code. Raises UsageError if Qt cannot start."""
    require_display()
    require_qt()
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from workbench.config import RunConfig
    from workbench.face.drop import Given
    from workbench.face.theme import apply_theme
    from workbench.face.window import Window

    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
    app.setOrganizationName("ntkcl-workbench")
    app.setApplicationName("ntkcl-workbench")
    app.setApplicationDisplayName("NTK-CL workbench")
    window = Window(session)
    remembered = str(window.desk.memory.value("scheme", scheme))
    apply_theme(app, remembered if scheme == "system" else scheme)
    window.show()
    before = sys.excepthook, signal.getsignal(signal.SIGINT)
    catch_exceptions(window)
    ticks = QTimer(window)  # lets Python see Ctrl-C while Qt waits
    ticks.timeout.connect(_nothing)
    ticks.start(250)
    signal.signal(signal.SIGINT, lambda *_: window.stop_and_close())
    if paths:  # the folders given stand alone; Undo brings the draft of last time back
        window.desk.draft.load(RunConfig(), window.tr("Start with the folders given"))
        window.commands.take(Given(folders=tuple(os.path.abspath(path) for path in paths)))
    try:
        return app.exec()
    finally:
        ticks.stop()
        sys.excepthook = before[0]
        signal.signal(signal.SIGINT, before[1])


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
        reporter.raised.emit(
            f"{kind.__name__}: {error}", "".join(traceback.format_exception(kind, error, trace))
        )

    sys.excepthook = hook


def _nothing() -> None:
    """Give the interpreter a moment to run its signal handlers."""
