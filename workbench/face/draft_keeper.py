"""Keeps the draft in the home folder, half a second after each change, and gives it back at the next start."""

import json
from dataclasses import asdict
from typing import Any

from PySide6.QtCore import QIODevice, QSaveFile, QTimer

from workbench.config import ExtraFolder, TaskFolder, from_dict, to_dict
from workbench.errors import WorkbenchError
from workbench.events import tupled
from workbench.face.desk import Desk
from workbench.face.draft import DraftState
from workbench.face.feature import Feature
from workbench.report import ClassReport, Problem, TaskReport

NAME, UNREAD = "draft.json", "draft.unread.json"
DELAY = 500  # ms after the last change
_VERSION = 1


class DraftKeeper(Feature):
    """Saves whole or not at all; a file that cannot be read is moved aside."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.path = desk.session.home / NAME
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self.save)
        self._kept = desk.draft.state
        self._writable = True  # False: a file that could not be read lies in the way
        self.restore()
        desk.draft.changed.connect(self._timer.start)

    def restore(self) -> None:
        """Take the draft of the last time, if there is one."""
        if not self.path.is_file():
            return
        try:
            state = state_from(json.loads(self.path.read_text(encoding="utf-8")))
        except (
            OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, WorkbenchError,
        ) as error:  # fmt: skip
            self._set_aside(error)
            return
        self._kept = state
        self.desk.draft.set_state(state)

    def _set_aside(self, error: Exception) -> None:
        """Keep a file that cannot be read under another name, for someone who can."""
        aside = self.path.with_name(UNREAD)
        number = 2
        while aside.exists():
            aside, number = self.path.with_name(f"{number}-{UNREAD}"), number + 1
        text = self.tr(
            "The tasks and settings of last time could not be read ({reason}); this is a fresh start. "
            "The file is kept as {file}."
        )
        try:
            self.path.rename(aside)
        except OSError:
            self._writable = False
            text = self.tr(
                "The tasks and settings of last time could not be read ({reason}); this is a fresh start. "
                "{file} could not be moved aside, so changes are not kept for next time."
            )
            aside = self.path
        self.desk.strips.show_strip("draft", text.format(reason=error, file=aside), "info")

    def save(self) -> None:
        """Write the draft, if it has changed and nothing unread is in the way."""
        state = self.desk.draft.state
        if state == self._kept or not self._writable:
            return
        file = QSaveFile(str(self.path))
        if file.open(QIODevice.OpenModeFlag.WriteOnly):
            file.write(json.dumps(plain(state), ensure_ascii=False).encode())
            if file.commit():
                self._kept = state
                return
        text = self.tr("The tasks and settings could not be kept for next time: {reason}.")
        self.desk.strips.show_strip("draft", text.format(reason=file.errorString()))

    def shut_down(self) -> None:
        """Save what has just been changed."""
        self._timer.stop()
        self.save()


def plain(state: DraftState) -> dict[str, Any]:
    """Return a draft as plain values for JSON."""
    tasks = [asdict(report) | {"hashes": dict(report.hashes)} for report in state.tasks]
    return {"version": _VERSION, "tasks": tasks, "settings": to_dict(state.settings)}


def state_from(kept: dict[str, Any]) -> DraftState:
    """Return the draft that `plain` made these values of.

    Raises:
        WorkbenchError, KeyError, TypeError, ValueError: they are not such values.
    """
    if kept["version"] != _VERSION:
        raise ValueError(f"version {kept['version']}")
    return DraftState(tuple(map(_report, kept["tasks"])), from_dict(kept["settings"]))


def _report(kept: dict[str, Any]) -> TaskReport:
    extra = tuple(tupled(ExtraFolder, each) for each in kept["folder"]["also"])
    lists = {
        "folder": tupled(TaskFolder, kept["folder"] | {"also": extra}),
        "classes": tuple(tupled(ClassReport, each) for each in kept["classes"]),
        "spare": tuple(tupled(ClassReport, each) for each in kept["spare"]),
        "problems": tuple(tupled(Problem, each) for each in kept["problems"]),
    }
    return TaskReport(**(kept | lists))
