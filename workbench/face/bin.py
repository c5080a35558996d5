"""Runs into the bin and out of it: moved, discarded while they train, taken back, removed for good."""

from collections.abc import Sequence
from functools import partial

from workbench.errors import UsageError
from workbench.face.actions import Command
from workbench.face.background import Background
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.question import Answer, Question
from workbench.face.words import counted, duration
from workbench.query import Query
from workbench.report import RunSummary


class Bin(Feature):
    """Nothing is lost by a slip: the toast takes back what was moved, and the bin is emptied after a question."""

    commands = (
        Command("discard_run", "Run", "Discard run…", (), lambda m: m.training != "idle", help="Stop the run that trains and move it to the bin", after="stop_after_task"),
        Command("bin_run", "Runs", "Move to bin", ("Del",), where="runs", apart=True),
        Command("restore_run", "Runs", "Take out of the bin", ("Shift+Del",), where="runs"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._table = desk.session.table
        self._work = Background(self, desk.activities)
        self._work.failed.connect(self._tell_failure)
        self._work.ended.connect(desk.reread_log)
        self._work.given_up.connect(self._tell_given_up)
        self._last: list[str] = []  # what the toast takes back
        self._doomed = ""  # the run that trains, if it goes to the bin once it has ended
        self.question: Question | None = None
        desk.training.ended.connect(self._run_ended)
        desk.history.bar.empty_requested.connect(self._ask_to_empty)

    def shut_down(self) -> None:
        """Wait until the run being removed is gone."""
        self._work.shut_down()
        self._work.blockSignals(True)  # the log is closed next

    def discard_run(self) -> None:
        """Ask whether the run that trains goes to the bin."""
        run = self.desk.training.run
        if run is None or self.desk.training.state == "idle" or self.question is not None:
            return
        sentence = self.tr("Discard {run}? {time} of training go to the bin.")
        sentence = sentence.format(run=run.name, time=duration(run.seconds))
        answers: list[Answer] = [
            (self.tr("Discard"), partial(self._discard, run.id)),
            (self.tr("Stop and keep"), self.desk.training.stop_now),
        ]
        self.question = Question(sentence, answers, self.desk.window)
        self.question.finished.connect(self._answered)
        self.question.open()

    def bin_run(self) -> None:
        """Move the chosen runs to the bin; the toast takes them back."""
        self.move([run.id for run in self.desk.history.chosen_runs()])

    def move(self, run_ids: Sequence[str]) -> None:
        """Move runs to the bin; one that still trains is named, with a way to stop it first."""
        moved, refusal, busy = [], "", ""
        for run in self._table.some(run_ids):
            try:
                self._table.bin(run.id)
                moved.append(run)
            except UsageError as error:
                refusal, busy = str(error), run.id
        self._last = [run.id for run in moved]
        self.desk.reread_log()
        if busy and self._trains(busy):
            self.desk.toast.say(
                refusal, self.tr("Stop and move to bin"), partial(self._discard, busy)
            )
        elif refusal:
            self.desk.toast.say(refusal)
        elif moved:
            self.desk.toast.say(self._moved_text(moved), self.tr("Undo"), self._undo)

    def restore_run(self) -> None:
        """Take the chosen runs out of the bin."""
        for run in self.desk.history.chosen_runs():
            self._table.restore(run.id)
        self.desk.reread_log()

    def _trains(self, run_id: str) -> bool:
        training = self.desk.training
        return training.state != "idle" and training.run is not None and training.run.id == run_id

    def _discard(self, run_id: str) -> None:
        """Move a run, stopped if it still trains, once its last words are in the log."""
        if self._trains(run_id):
            self._doomed = run_id
            self.desk.training.stop()
        else:  # it has ended meanwhile
            self.move([run_id])

    def _answered(self) -> None:
        self.question = None

    def _run_ended(self) -> None:
        if self.question is not None:  # about a run that has come to its end by itself
            self.question.reject()
        doomed, self._doomed = self._doomed, ""
        if doomed:
            self.move([doomed])

    def _undo(self) -> None:
        for run_id in self._last:
            self._table.restore(run_id)
        self.desk.reread_log()

    def _moved_text(self, moved: list[RunSummary]) -> str:
        if len(moved) == 1:
            return self.tr("{run} was moved to the bin.").format(run=moved[0].name)
        return self.tr("{number} runs were moved to the bin.").format(number=len(moved))

    def _ask_to_empty(self) -> None:
        if self.shows_busy(self._work):
            return
        number = self._table.count(Query(), binned=True)
        if not number:
            self.desk.toast.say(self.tr("The bin is empty."))
            return
        sentence = self.tr(
            "Remove {runs} for good? Their files and numbers cannot be brought back."
        )
        sentence = sentence.format(runs=counted(number, "run", "runs"))
        answers = [(self.tr("Remove for good"), self._empty)]
        Question(sentence, answers, self.desk.window).open()

    def _empty(self) -> None:
        self._work.start(self._table.empty_bin, self.tr("Emptying the bin"))

    def _tell_given_up(self) -> None:
        left = counted(self._table.count(Query(), binned=True), "run", "runs")
        text = self.tr("Emptying the bin was given up. Still in it: {runs}.")
        self.desk.toast.say(text.format(runs=left))

    def _tell_failure(self, sentence: str) -> None:
        self.desk.strips.show_strip("bin", sentence, "error")
