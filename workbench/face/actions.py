"""The window's commands as rows; menus, shortcuts, toolbar, palette and the list of keys are made from them.

`COMMANDS` are the window's own rows; each feature (`face.feature`) brings rows of its own.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from workbench.face.language import say

MENUS = ("File", "Edit", "Run", "Runs", "View", "Tools", "Help")  # from left to right


@dataclass(frozen=True)
class Moment:
    """What decides which commands make sense now."""

    training: str = "idle"
    reason: str = ""  # why training cannot start; empty: it can
    task_chosen: bool = False
    tasks_free: bool = True  # not fixed by a run
    tasks: int = 0
    run: bool = False  # a run is shown or chosen, with something measured
    learnt: bool = False  # that run has learnt at least one task
    can_undo: bool = False
    can_redo: bool = False
    stop_when: str = ""  # when the run under way is to stop: now, epoch, task
    draft_ready: bool = False  # a run could be made of the draft, now or later
    tasks_chosen: int = 0
    may_resume: bool = False  # the run shown ended early
    may_extend: bool = False  # the run shown is finished, or was stopped after a task
    writable: bool = True  # the log takes new runs


@dataclass(frozen=True)
class Command:
    """One row. `where` limits its shortcut to an area; "" is the whole window.

    `after` names the command that it follows in its menu (else it comes last), `apart` draws a line
    above it, `checkable` gives it a tick that its owner sets, `lacking` says why it is greyed.
    """

    id: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    enabled_when: Callable[[Moment], bool] = lambda moment: True
    where: str = ""
    help: str = ""
    after: str = ""
    apart: bool = False
    checkable: bool = False
    lacking: str = ""


def _task_free(moment: Moment) -> bool:
    return moment.task_chosen and moment.tasks_free


def _idle(moment: Moment) -> bool:
    return moment.training == "idle"


NO_RUN = "No data yet: train, or choose a run below."
NO_TASK = "No data yet: the run shown has learnt no task to its end."

COMMANDS = (
    Command("add_folder", "File", "Add folder…", ("Ctrl+O",), help="Choose a folder whose sub-folders are classes"),
    Command("paste", "File", "Paste folder", ("Ctrl+V",), help="Add the folders whose paths are on the clipboard"),
    Command("try_sample", "File", "Try the sample", (), lambda m: _idle(m) and m.writable, help="Train on the five small tasks that come with the program"),
    Command("export_adapter", "File/Export", "Adapter…", (), lambda m: m.learnt, help="Write the run's adapter", lacking=NO_TASK),
    Command("export_plots", "File/Export", "Plots…", (), lambda m: m.run, help="Write the run's plots as PNG, SVG and PDF", lacking=NO_RUN),
    Command("export_numbers", "File/Export", "Numbers…", (), lambda m: m.run, help="Write the run's numbers as CSV and JSON", lacking=NO_RUN),
    Command("export_everything", "File/Export", "Everything…", ("Ctrl+E",), lambda m: m.learnt, help="Write adapter, plots and numbers", lacking=NO_TASK),
    Command("open_home", "File", "Open log folder"),
    Command("quit", "File", "Quit", ("Ctrl+Q",)),
    Command("undo", "Edit", "Undo", ("Ctrl+Z",), lambda m: m.can_undo and m.tasks_free),
    Command("redo", "Edit", "Redo", ("Ctrl+Y", "Ctrl+Shift+Z"), lambda m: m.can_redo and m.tasks_free),
    Command("rename_task", "Edit", "Rename task", ("F2",), _task_free, "tasks"),
    Command("remove_task", "Edit", "Remove task", ("Del",), _task_free, "tasks"),
    Command("move_up", "Edit", "Move task up", ("Alt+Up",), _task_free, "tasks"),
    Command("move_down", "Edit", "Move task down", ("Alt+Down",), _task_free, "tasks"),
    Command("show_task", "Edit", "Task details, split…", ("Return",), _task_free, "tasks", "See classes and problems, or split by classes"),
    Command("train", "Run", "Train", ("Ctrl+R",), lambda m: not m.reason, help="Train on the tasks at the left"),
    Command("stop", "Run", "Stop", ("Ctrl+.",), lambda m: m.training != "idle" and m.stop_when != "now", help="Stop after this step"),
    Command("forecast", "Run", "Forecast next task…", (), lambda m: m.learnt and _idle(m), help="Which learnt tasks would suffer if a task of the list, or a folder, came next?"),
    Command("suggest_order", "Run", "Suggest an order…", (), lambda m: m.tasks > 1 and _idle(m), help="In which order would the tasks of the list disturb each other least?"),
    Command("replay", "Run", "Replay chosen run", (), lambda m: m.run, help="Draw the run chosen below"),
    Command("next_area", "View", "Next area", ("F6",)),
    Command("previous_area", "View", "Previous area", ("Shift+F6",)),
    Command("show_train", "View", "Train tab", ("Alt+1",)),
    Command("show_ntk", "View", "NTK tab", ("Alt+4",)),
    Command("show_try_it", "View", "Try it tab", ("Alt+5",)),
    Command("toggle_theme", "View", "Light or dark", ("Ctrl+Shift+L",), help="Change between light and dark"),
    Command("system_theme", "View", "Light or dark as the system"),
    Command("reset_layout", "View", "Reset layout"),
    Command("check_ntk", "Help", "Check the NTK arithmetic", help="Where a linear head makes prediction and measurement equal: are they?"),
)  # fmt: skip


def in_order(commands: Iterable[Command]) -> tuple[Command, ...]:
    """Return the rows with each one that names a predecessor put right behind it.

    Raises:
        ValueError: an id is used twice, or a predecessor does not exist.
    """
    ordered: list[Command] = []
    for command in commands:
        ids = [known.id for known in ordered]
        if command.id in ids:
            raise ValueError(f"command {command.id!r} is there twice")
        ordered.insert(ids.index(command.after) + 1 if command.after else len(ids), command)
    return tuple(ordered)


def make_actions(
    commands: Sequence[Command],
    handlers: Sequence[object],
    window: QWidget,
    areas: dict[str, QWidget],
) -> dict[str, QAction]:
    """Make an action for each command; its handler is the first handlers' method of that name."""
    actions = {}
    for command in commands:
        action = QAction(window.tr(command.text), window)
        action.setShortcuts([QKeySequence(keys) for keys in command.keys])
        action.setObjectName(command.id)
        action.setToolTip(_tip(command))
        action.setCheckable(command.checkable)
        owner = next(handler for handler in handlers if hasattr(handler, command.id))
        action.triggered.connect(getattr(owner, command.id))
        if command.where:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        areas.get(command.where, window).addAction(action)
        actions[command.id] = action
    return actions


def fill_menus(
    bar: QMenuBar, commands: Sequence[Command], actions: dict[str, QAction]
) -> dict[str, QMenu]:
    """Fill the menu bar; return the menus by path, such as "File/Export"."""
    menus: dict[str, QMenu] = {}
    for command in sorted(commands, key=lambda command: MENUS.index(command.menu.split("/")[0])):
        parent: QMenuBar | QMenu = bar
        path = ""
        for part in command.menu.split("/"):
            path = f"{path}/{part}" if path else part
            if path not in menus:
                title = bar.tr(part)
                menus[path] = parent.addMenu(title if "/" in path else f"&{title}")
            parent = menus[path]
        if command.lacking:
            menus[command.menu].setToolTipsVisible(True)
        if command.apart:
            menus[command.menu].addSeparator()
        menus[command.menu].addAction(actions[command.id])
    return menus


def refresh_actions(
    commands: Sequence[Command], actions: dict[str, QAction], moment: Moment
) -> None:
    """Enable what makes sense at this moment; what is greyed says what it lacks, where that is known."""
    for command in commands:
        action, enabled = actions[command.id], command.enabled_when(moment)
        action.setEnabled(enabled)
        if command.lacking:
            action.setToolTip(_tip(command) if enabled else say(command.lacking))
            action.setStatusTip("" if enabled else say(command.lacking))


def _tip(command: Command) -> str:
    keys = f" ({command.keys[0]})" if command.keys else ""
    return f"{say(command.help or command.text)}{keys}"
