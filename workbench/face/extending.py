"""A run takes further folders, or more epochs, as a new run that goes on from its end."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QInputDialog

from workbench.config import RunConfig, TaskFolder, from_dict
from workbench.errors import Cancelled
from workbench.face.actions import Command
from workbench.face.background import Background
from workbench.face.box_help import let_f1_help
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.following import FollowingSheet
from workbench.face.past import Past, past_run
from workbench.face.question import Question
from workbench.face.report_sheet import ReportSheet
from workbench.face.resuming import show
from workbench.face.starting import ask_first
from workbench.face.words import listed
from workbench.report import RunSummary, ScanProgress, ScanReport
from workbench.session import Run
from workbench.session.extend import before_extending, to_come
from workbench.tell import Tell

MOST_EPOCHS = 10_000


class Extending(Feature):
    """Asks what is to be added, looks through the folder, and trains the child."""

    commands = (
        Command("extend_run", "Run", "Extend…", (), lambda m: m.may_extend and m.training == "idle", help="Go on from the end of the chosen run, as a new run: with further folders, or for more epochs", after="resume_run"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._looking = Background(self, desk.activities)
        self._making = Background(self, desk.activities)
        for work in (self._looking, self._making):
            work.item.connect(self._take)
            work.failed.connect(self._refused)
            work.given_up.connect(self._tell_given_up)
        self._run_id = ""
        self.question: Question | None = None
        self.sheet: ReportSheet | None = None
        self.following: FollowingSheet | None = None
        self.number: QInputDialog | None = None

    def shut_down(self) -> None:
        """End the thread that scans or copies."""
        self._looking.shut_down()
        self._making.shut_down()
        self._making.blockSignals(True)  # the log is closed next

    def extend_run(self) -> None:
        """Ask whether the run shown takes further folders or more epochs."""
        run = self.desk.shown_run()
        if run is None or self.question is not None:
            return
        if self.shows_busy(self._looking) or self.shows_busy(self._making):
            return
        self._run_id = run.id
        if run.state == "stopped":
            self._ask_what_follows(run)
            return
        sentence = self.tr("What shall {run} learn from here on?").format(run=run.name)
        more = self.tr("A new run goes on from its end; the run itself stays as it is.")
        more = "\n".join([more, before_extending(self.desk.session.details(run.id))]).strip()
        answers = [
            (self.tr("A further folder…"), self._choose),
            (self.tr("More epochs…"), self._ask_epochs),
        ]
        self.question = Question(sentence, answers, self.desk.window, more=more)
        self.question.finished.connect(self._answered)
        self.question.setProperty("page", "going-on")
        self.question.open()

    def _ask_what_follows(self, run: RunSummary) -> None:
        """It has learnt some tasks whole: others may follow than it had."""
        tasks = to_come(self.desk.session.details(run.id))
        self.following = FollowingSheet(run.name, run.tasks_done, tasks, self.desk.window)
        self.following.folder_wanted.connect(self._choose)
        self.following.chosen.connect(self._extend_tasks)
        self.following.finished.connect(self._following_closed)
        self.following.open()

    def _extend_tasks(self, tasks: tuple[TaskFolder, ...]) -> None:
        self._extend(tasks, 0)

    def _following_closed(self) -> None:
        self.following = None

    def scan(self, paths: Sequence[str]) -> None:
        """Look through folders as a drop on the window would; what is found is shown before it is added."""
        details = self.desk.session.details(self._run_id)
        share = from_dict(details.config).data.test_share
        session, given = self.desk.session, list(paths)
        names = listed([Path(path).name for path in given])
        title = self.tr("Reading {names}").format(names=names)
        self._looking.start(lambda: session.scan(given, test_share=share), title)

    def _choose(self) -> None:
        title = self.tr("A folder to learn next")
        path = QFileDialog.getExistingDirectory(self.desk.window, title)
        if path:
            self.scan([path])

    def _ask_epochs(self) -> None:
        self.number = QInputDialog(self.desk.window)
        let_f1_help(self.number, "going-on")
        self.number.setInputMode(QInputDialog.InputMode.IntInput)
        self.number.setIntRange(1, MOST_EPOCHS)
        self.number.setWindowTitle(self.tr("More epochs"))
        self.number.setLabelText(self.tr("How many more epochs of the last task?"))
        self.number.intValueSelected.connect(self._extend_epochs)
        self.number.open()

    def _extend_epochs(self, epochs: int) -> None:
        self._extend((), epochs)

    def _extend(self, tasks: Sequence[TaskFolder], epochs: int) -> None:
        """Make the child on a thread, for its files are copied; ask first what any start asks."""
        session, run_id = self.desk.session, self._run_id
        known = self.desk.history.model.known(run_id)
        title = self.tr("Extending {run}").format(run=known.name if known is not None else "")

        def made(tell: Tell) -> tuple[Run, Past]:
            run = session.resuming.extend(run_id, tasks, epochs, tell)
            try:
                return run, past_run(session, run.id, tell)
            except Cancelled:
                session.resuming.undo(run)
                raise

        def parent() -> RunConfig:
            return from_dict(session.details(run_id).config)

        def begin(_config: RunConfig) -> None:
            self._making.do(made, title)

        ask_first(self.desk, parent, begin)

    def _take(self, item: ScanProgress | ScanReport | tuple[Run, Past]) -> None:
        if isinstance(item, ScanReport) and not self._looking.cancelled:
            self._judge(item)
        elif isinstance(item, tuple) and self._making.cancelled:
            self.desk.session.resuming.undo(item[0])
        elif isinstance(item, tuple):
            self.desk.strips.clear_strip("extend")
            show(self.desk, *item)

    def _judge(self, report: ScanReport) -> None:
        if not report.tasks:
            reason = report.problems[0].sentence if report.problems else ""
            self._refused(reason or self.tr("The folder holds no task."))
            return
        config = from_dict(self.desk.session.details(self._run_id).config)
        add = self.tr("Extend")
        self.sheet = ReportSheet(
            report, self.desk.session, config, self.desk.window, add_text=add
        )  # fmt: skip
        self.sheet.accepted.connect(self._sheet_accepted)
        self.sheet.open()

    def _sheet_accepted(self) -> None:
        if self.sheet is None:
            return
        tasks = [task.folder for task in self.sheet.added()]
        if self.following is not None:
            self.following.add(tasks)
        else:
            self._extend(tasks, 0)
        self.sheet = None

    def _tell_given_up(self) -> None:
        self.desk.toast.say(self.tr("Extending was given up. No run was made."))

    def _refused(self, sentence: str) -> None:
        self.desk.strips.show_strip("extend", sentence, "error")

    def _answered(self) -> None:
        self.question = None
