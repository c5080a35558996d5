"""Keeps the computer from falling asleep while a run trains. It never fails: at worst it does nothing.

Linux asks logind through `systemd-inhibit`, macOS is asked by `caffeinate`, Windows by
SetThreadExecutionState. The screen may still go dark and lock: only sleep is held off.
"""

import ctypes
import shutil
import sys

from PySide6.QtCore import QObject, QProcess
from PySide6.QtGui import QAction

from workbench.face.actions import Command, Moment
from workbench.face.desk import Desk
from workbench.face.feature import Feature

KEEP_AWAKE = "keep_awake"  # where the choice is remembered
_WAIT_MS = 2000  # for the child to end
_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001  # winbase.h, ES_*


def command_to_hold(why: str) -> list[str]:
    """Return the program that holds sleep off for as long as its standard input is open; empty: none.

    A closed input ends it, so it never outlives this program, however that ends.
    """
    if sys.platform.startswith("linux") and shutil.which("systemd-inhibit"):
        who = "NTK-CL workbench"
        kinds = ["--what=sleep:idle", "--mode=block", f"--who={who}", f"--why={why}"]
        return ["systemd-inhibit", *kinds, "cat"]
    if sys.platform == "darwin" and shutil.which("caffeinate"):
        return ["caffeinate", "-i", "cat"]
    return []


class Wakefulness(QObject):
    """Holds sleep off between `hold` and `release`; both may be called again and again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._held = False

    @property
    def held(self) -> bool:
        """Whether sleep is being held off, as far as is known."""
        running = QProcess.ProcessState.NotRunning
        return self._held or (self._process is not None and self._process.state() != running)

    def hold(self, why: str) -> None:
        """Hold sleep off."""
        if self.held:
            return
        if sys.platform == "win32":
            self._held = _set_windows_state(_CONTINUOUS | _SYSTEM_REQUIRED)
            return
        self.release()  # what held it before has ended by itself
        command = command_to_hold(why)
        if command:
            self._process = QProcess(self)
            self._process.start(command[0], command[1:])

    def release(self) -> None:
        """Let the computer sleep again."""
        if sys.platform == "win32" and self._held:
            _set_windows_state(_CONTINUOUS)
            self._held = False
        process, self._process = self._process, None
        if process is not None:
            process.closeWriteChannel()
            if not process.waitForFinished(_WAIT_MS):
                process.kill()
                process.waitForFinished(_WAIT_MS)
            process.deleteLater()


def _set_windows_state(flags: int) -> bool:
    """Return whether Windows took the flags."""
    kernel = getattr(getattr(ctypes, "windll", None), "kernel32", None)
    return kernel is not None and bool(kernel.SetThreadExecutionState(ctypes.c_uint(flags)))


class StayAwake(Feature):
    """The tick in the Run menu, and sleep held off while a run trains and does not pause."""

    commands = (
        Command("keep_awake", "Run", "Keep the computer awake while training", checkable=True,
                help="The screen may still go dark and lock"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.wakefulness = Wakefulness(self)
        self.wanted = str(desk.memory.value(KEEP_AWAKE, "true")).lower() == "true"
        desk.training.state_changed.connect(self._follow)

    def refine(self, moment: Moment) -> Moment:
        """Set the tick."""
        action = self.desk.window.findChild(QAction, "keep_awake")
        if action is not None:
            action.setChecked(self.wanted)
        return moment

    def keep_awake(self) -> None:
        """Keep it awake, or no more."""
        self.wanted = not self.wanted
        self.desk.memory.setValue(KEEP_AWAKE, self.wanted)
        self._follow()
        self.desk.changed.emit()

    def shut_down(self) -> None:
        """Let the computer sleep again."""
        self.wakefulness.release()

    def _follow(self) -> None:
        training = self.desk.training
        if self.wanted and training.state not in ("idle", "paused"):
            run = training.run.name if training.run is not None else ""
            self.wakefulness.hold(self.tr("{run} is training").format(run=run))
        else:
            self.wakefulness.release()
