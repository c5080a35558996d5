"""What a part of the window is that brings its own commands, panels and signals along."""

from PySide6.QtCore import QObject

from workbench.face.actions import Command, Moment
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

    def takes(self, error: BaseException) -> bool:
        """Return whether an exception that nobody caught is this feature's, and seen to."""
        return False

    def shut_down(self) -> None:
        """End every thread and timer; called once, when the window closes."""
