"""Closing the window while a run trains: what is asked, and what happens until it can close."""

from PySide6.QtCore import QObject, Signal

from workbench.face.desk import Desk
from workbench.face.question import Answer, Question
from workbench.face.words import duration

SAVE_MS = 5000  # what a desktop grants a program when its session ends


class Closing(QObject):
    """Holds the window open until the run has ended, however the user wants it to end."""

    ready = Signal()  # nothing trains any more, and the window was to be closed

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self._wanted = self._unattended = False
        self.question: Question | None = None
        desk.training.ended.connect(self._run_ended)
        desk.training.patience.timeout.connect(self._force_if_overdue)

    def ask(self) -> None:
        """Ask how the run is to end, unless that is being asked or it is ending already."""
        stopping = self._desk.training.stop_when == "now"
        if self.question is None and not (self._wanted and stopping):
            more = self.tr("A run that is stopped is saved, and can be resumed where it was.")
            self.question = Question(self.sentence(), self._answers(), self._desk.window, more=more)
            self.question.finished.connect(self._answered)
            self.question.setProperty("page", "engine")
            self.question.open()

    def sentence(self) -> str:
        """Return what trains, and for how long still."""
        training = self._desk.training
        name = training.run.name if training.run is not None else ""
        if training.state == "paused":
            return self.tr("{run} is paused before its end.").format(run=name)
        if training.seconds_left is None:
            return self.tr("{run} is still training.").format(run=name)
        left = duration(training.seconds_left)
        return self.tr("{run} is still training ({time} left).").format(run=name, time=left)

    def stop_and_close(self, *, unattended: bool = False) -> None:
        """Stop after this step, and close once the run has saved and ended.

        If the user is not there (`unattended`), a step that does not end is ended by force.
        """
        self._wanted = True
        self._unattended = self._unattended or unattended
        self._desk.strips.clear_strip("closing")
        if self._desk.training.state == "idle":
            self.ready.emit()
        else:
            self._desk.training.stop()
            self._force_if_overdue()

    def save(self) -> None:
        """Stop the run and wait until it has saved itself, as long as an ending session lets it."""
        self._desk.training.stop_within(SAVE_MS)

    def finish_task_and_close(self) -> None:
        """Learn the task under way to its end, then close; until then that can be taken back."""
        training = self._desk.training
        if training.state == "idle":
            self.ready.emit()
            return
        self._wanted = True
        training.stop("task")
        text = self.tr("The window closes when task {number} is learnt.")
        answers = ((self.tr("Stay open"), self.stay),)
        number = training.task + 1
        self._desk.strips.show_strip("closing", text.format(number=number), "info", answers)

    def stay(self) -> None:
        """Do not close after all; the run ends as it was told to."""
        self._wanted = False
        self._desk.strips.clear_strip("closing")

    def _answers(self) -> list[Answer]:
        training = self._desk.training
        answers: list[Answer] = [(self.tr("Stop, save and quit"), self.stop_and_close)]
        if training.paused_after is None:
            finish = self.tr("Finish task {number}, then quit").format(number=training.task + 1)
            answers.append((finish, self.finish_task_and_close))
        return answers

    def _answered(self) -> None:
        self.question = None

    def _force_if_overdue(self) -> None:
        training = self._desk.training
        if self._unattended and training.overdue:
            training.force_stop()

    def _run_ended(self) -> None:
        if self._wanted:
            self.ready.emit()
        elif self.question is not None:
            self.question.reject()
