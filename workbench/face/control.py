"""Holding a run that trains: stop now or later, pause, pause between tasks, and what is said about it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction

from workbench.face.actions import Command, Moment
from workbench.face.desk import Desk
from workbench.face.feature import Feature

PAUSE_BETWEEN = "pause_between_tasks"  # where the choice is remembered


def _may_stop_later(moment: Moment) -> bool:
    return moment.training in ("starting", "running", "stopping") and moment.stop_when != "now"


class Control(Feature):
    """The commands beside "Stop", and the strip while a run waits between two tasks."""

    commands = (
        Command("stop_after_epoch", "Run", "Stop after this epoch", ("Ctrl+Shift+E",),
                lambda m: _may_stop_later(m) and m.stop_when != "epoch",
                help="Train this epoch to its end, then stop", after="stop"),
        Command("stop_after_task", "Run", "Stop after this task", ("Ctrl+Shift+T",),
                lambda m: _may_stop_later(m) and m.stop_when != "task",
                help="Learn this task to its end and keep it, then stop", after="stop_after_epoch"),
        Command("pause", "Run", "Pause", ("Ctrl+P",), lambda m: m.training == "running",
                help="Wait after this step, with everything in memory", after="stop_after_task"),
        Command("go_on", "Run", "Go on", ("Ctrl+G",), lambda m: m.training in ("pausing", "paused"),
                help="Train on from where the run waits", after="pause"),
        Command("pause_between", "Run", "Pause between tasks", after="go_on", checkable=True,
                help="After each task, wait: look around, then go on, stop, or change a copy of the tasks for the next run"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        wanted = str(desk.memory.value(PAUSE_BETWEEN, "false")).lower() == "true"
        desk.training.pause_between(wanted)
        desk.training.state_changed.connect(self._say_pause)
        hold = desk.page.run_panel.hold
        hold.stop_requested.connect(desk.training.stop)
        hold.force_requested.connect(desk.training.force_stop)
        hold.pause_requested.connect(desk.training.pause)
        hold.go_on_requested.connect(desk.training.go_on)

    def refine(self, moment: Moment) -> Moment:
        """Set the tick; the moment itself is the desk's."""
        action = self.desk.window.findChild(QAction, "pause_between")
        if action is not None:
            action.setChecked(self.desk.training.between_tasks)
        return moment

    def stop_after_epoch(self) -> None:
        """Stop once the epoch under way has ended."""
        self.desk.training.stop("epoch")

    def stop_after_task(self) -> None:
        """Stop once the task under way is learnt."""
        self.desk.training.stop("task")

    def pause(self) -> None:
        """Wait after this step."""
        self.desk.training.pause()

    def go_on(self) -> None:
        """End the pause."""
        self.desk.training.go_on()

    def pause_between(self) -> None:
        """Wait after each task, or no more."""
        wanted = not self.desk.training.between_tasks
        self.desk.training.pause_between(wanted)
        self.desk.memory.setValue(PAUSE_BETWEEN, wanted)
        self.desk.changed.emit()

    def _say_pause(self) -> None:
        """Say that a task is learnt while the run waits after it; take it back when it does not."""
        training = self.desk.training
        if training.state != "paused" or training.paused_after is None:
            self.desk.strips.clear_strip("pause")
            return
        text = self.tr(
            "Task {number} is learnt. Look around, then go on, or change what follows: "
            "this run stops here then, and a new one goes on from it."
        )
        answers = (
            (self.tr("Go on"), training.go_on),
            (self.tr("Change what follows…"), self._change),
            (self.tr("Stop here"), training.stop_now),
        )
        number = training.paused_after + 1
        self.desk.strips.show_strip("pause", text.format(number=number), "info", answers)

    def _change(self) -> None:
        """Stop; once the run has ended, ask what is to follow."""
        training = self.desk.training
        training.ended.connect(self._ask, Qt.ConnectionType.SingleShotConnection)
        training.stop_now()

    def _ask(self) -> None:
        action = self.desk.window.findChild(QAction, "extend_run")
        if action is not None:
            action.trigger()
