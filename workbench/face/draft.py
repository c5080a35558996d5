"""What the next run will be: its tasks in order and its settings, every change undoable."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from workbench.config import RunConfig, TaskFolder, with_values
from workbench.report import TaskReport


@dataclass(frozen=True)
class DraftState:
    """Tasks in learning order and every other setting; a value, never changed in place."""

    tasks: tuple[TaskReport, ...] = ()
    settings: RunConfig = field(default_factory=RunConfig)

    def run_config(self) -> RunConfig:
        """Return the configuration a run is started with."""
        folders = tuple(report.folder for report in self.tasks)
        return dataclasses.replace(
            self.settings, data=dataclasses.replace(self.settings.data, tasks=folders)
        )

    def names(self) -> list[str]:
        """Return the tasks' names in order."""
        return [report.folder.name for report in self.tasks]

    def moved(self, source: int, target: int) -> "DraftState":
        """Return the state with the task at `source` taken out and put at `target`."""
        tasks = list(self.tasks)
        tasks.insert(target, tasks.pop(source))
        return dataclasses.replace(self, tasks=tuple(tasks))

    def ordered(self, places: Sequence[int]) -> "DraftState":
        """Return the state with the tasks that are now at `places`, in that order."""
        return dataclasses.replace(self, tasks=tuple(self.tasks[place] for place in places))

    def renamed(self, row: int, name: str) -> "DraftState":
        """Return the state with another name for one task."""
        report = self.tasks[row]
        named = dataclasses.replace(report, folder=dataclasses.replace(report.folder, name=name))
        return self.replaced(row, (named,))

    def replaced(self, row: int, reports: Sequence[TaskReport]) -> "DraftState":
        """Return the state with the task at `row` replaced by any number of others."""
        tasks = (*self.tasks[:row], *reports, *self.tasks[row + 1 :])
        return dataclasses.replace(self, tasks=tasks)


class Draft(QObject):
    """The state with its undo stack. `changed` follows every change, undone and redone ones too."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = DraftState()
        self.stack = QUndoStack(self)

    def add(self, reports: Sequence[TaskReport]) -> None:
        """Append accepted tasks; a name that is taken gets a number."""
        self.arrange(self.tr("Add tasks"), (*self.state.tasks, *reports))

    def arrange(self, text: str, reports: Sequence[TaskReport]) -> None:
        """Make these the tasks, as one step; a name that is taken by an earlier one gets a number."""
        taken: set[str] = set()
        named = []
        for report in reports:
            name = _free_name(report.folder.name, taken)
            taken.add(name)
            folder = dataclasses.replace(report.folder, name=name)
            named.append(dataclasses.replace(report, folder=folder))
        if tuple(named) != self.state.tasks:
            self._push(text, dataclasses.replace(self.state, tasks=tuple(named)))

    def move(self, source: int, target: int) -> None:
        """Move a task to another place in the order."""
        if source != target and 0 <= target < len(self.state.tasks):
            self._push(self.tr("Move task"), self.state.moved(source, target))

    def order(self, places: Sequence[int]) -> None:
        """Put all tasks into another order, as one step; `places` are their present ones."""
        if sorted(places) == list(range(len(self.state.tasks))):
            self._push(self.tr("Use the suggested order"), self.state.ordered(places))

    def rename(self, row: int, name: str) -> str:
        """Rename a task; return a sentence if the name cannot be used, else an empty string."""
        name = name.strip()
        others = [other for i, other in enumerate(self.state.names()) if i != row]
        if not name:
            return self.tr("A task needs a name.")
        if name in others:
            return self.tr("Another task is already called '{name}'.").format(name=name)
        if name != self.state.tasks[row].folder.name:
            self._push(self.tr("Rename task"), self.state.renamed(row, name))
        return ""

    def remove(self, *rows: int) -> None:
        """Take tasks out, as one step."""
        kept = [row for row in range(len(self.state.tasks)) if row not in rows]
        text = self.tr("Remove task") if len(rows) == 1 else self.tr("Remove tasks")
        self._push(text, self.state.ordered(kept))

    def replace(self, row: int, reports: Sequence[TaskReport]) -> None:
        """Put other tasks in the place of one: a split, or pictures left out."""
        self._push(self.tr("Change task"), self.state.replaced(row, reports))

    def set_values(self, values: Mapping[str, Any], text: str, merge_key: str = "") -> None:
        """Set "section.key" or whole sections; edits with the same `merge_key` become one step."""
        settings = with_values(self.state.settings, values)
        if settings != self.state.settings:
            self._push(text, dataclasses.replace(self.state, settings=settings), merge_key)

    def load(self, config: RunConfig, text: str) -> None:
        """Take tasks and settings from a whole configuration."""
        reports = tuple(_unscanned(folder) for folder in config.data.tasks)
        settings = dataclasses.replace(config, data=dataclasses.replace(config.data, tasks=()))
        self._push(text, DraftState(reports, settings))

    def learn_counts(self, reports: Sequence[TaskReport]) -> None:
        """Fill in class counts that a run found out; not a step that could be undone."""
        by_folder = {report.folder: report for report in reports}
        tasks = tuple(by_folder.get(report.folder, report) for report in self.state.tasks)
        self.set_state(dataclasses.replace(self.state, tasks=tasks))

    def set_state(self, state: DraftState) -> None:
        """Make `state` the present one and say so; called by the undo stack."""
        self.state = state
        self.changed.emit()

    def _push(self, text: str, state: DraftState, merge_key: str = "") -> None:
        self.stack.push(_Change(self, text, state, merge_key))


class _Change(QUndoCommand):
    """One step between two states; steps of the same setting in a row become one."""

    def __init__(self, draft: Draft, text: str, after: DraftState, merge_key: str) -> None:
        super().__init__(text)
        self._draft = draft
        self._before = draft.state
        self.after = after
        self.merge_key = merge_key

    def id(self) -> int:
        """Return a number shared by steps that may become one; -1 never does."""
        return 1 if self.merge_key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take a later edit of the same setting into this step."""
        if not isinstance(other, _Change) or other.merge_key != self.merge_key:
            return False
        self.after = other.after
        return True

    def redo(self) -> None:
        """Make the state after the step the present one."""
        self._draft.set_state(self.after)

    def undo(self) -> None:
        """Make the state before the step the present one."""
        self._draft.set_state(self._before)


def _unscanned(folder: TaskFolder) -> TaskReport:
    return TaskReport(folder, classes=(), has_split=False, problems=())


def _free_name(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free
