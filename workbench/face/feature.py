"""What a part of the window is that brings its own commands, panels and signals along."""

from PySide6.QtCore import QObject

from workbench.face.actions import Command, Moment
from workbench.face.background import Background
from workbench.face.desk import Desk


class Feature(QObject):
    """One ability of the window. It is given the desk, joins itself to it, and ends its own threads.

    A command's handler is the method with the command's id.
    """

    commands: tuple[Command, ...] = ()

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.desk = desk

    def refine(self, moment: Moment) -> Moment:
        """Return what decides which commands make sense, with what this feature knows put in."""
        return moment

    def shows_busy(self, work: Background) -> bool:
        """Return whether work is under way; if so, say which, with the list in which it can be cancelled."""
        if work.busy:
            text = self.tr("{work}: this is under way already.").format(work=work.title)
            self.desk.toast.say(text, self.tr("Show"), self.desk.activities.wanted.emit)
        return work.busy

    def takes(self, error: BaseException) -> bool:
        """Return whether an exception that nobody caught is this feature's, and seen to."""
        return False

    def shut_down(self) -> None:
        """End every thread and timer; called once, when the window closes."""
