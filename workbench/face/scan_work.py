"""From given folders to accepted tasks: scan on a thread, show what was found, then add it."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from workbench.face.activities import Activities, Activity
from workbench.face.background import Background
from workbench.face.draft import Draft
from workbench.face.drop import Given
from workbench.face.language import say
from workbench.face.question import Question
from workbench.face.report_sheet import ReportSheet
from workbench.face.words import counted, listed
from workbench.report import Problem, ScanProgress, ScanReport, TaskReport
from workbench.session import Session


class FolderAdder(QObject):
    """Takes folders however they were given. One scan at a time; more wait their turn."""

    began = Signal(str)  # what is scanned
    progressed = Signal(ScanProgress)
    ended = Signal()
    said = Signal(str)  # a sentence for a toast
    added = Signal(str)  # the same, with something to undo
    known = Signal(str, str)  # a sentence about a folder that is a task already, and its path
    choose_requested = Signal()  # another folder instead

    def __init__(
        self,
        session: Session,
        draft: Draft,
        parent: QWidget,
        activities: Activities | None = None,
    ) -> None:
        super().__init__(parent)
        self._activities = activities or Activities(self)
        self._activity: Activity | None = None
        self._session = session
        self._draft = draft
        self._window = parent
        self._work = Background(self)
        self._work.item.connect(self._take_item)
        self._work.failed.connect(self.said)
        self._work.ended.connect(self._scan_over)
        self._queue: list[
            tuple[tuple[str, ...], bool]
        ] = []  # folders, and whether to fetch pictures
        self._paths: tuple[str, ...] = ()
        self.question: Question | None = None
        self.sheet: ReportSheet | None = None

    def take(self, given: Given) -> None:
        """Scan what can be scanned and say what cannot."""
        if given.folders:
            self._queue.append((given.folders, False))
            self._next()
        refusal = given.refusal()
        if refusal:
            self.said.emit(refusal)

    def cancel(self) -> None:
        """Give up the scan under way and those waiting; nothing is added."""
        self._queue.clear()
        self._work.cancel()

    def shut_down(self) -> None:
        """Cancel and wait for the thread."""
        self._queue.clear()
        self._work.shut_down()

    def _next(self) -> None:
        if self._work.busy or self.sheet is not None or not self._queue:
            return
        (paths, fetch), accepted = self._queue.pop(0), self._draft.state.tasks
        self._paths = paths
        share = self._draft.state.settings.data.test_share
        self._work.start(lambda: self._session.scan(paths, accepted, test_share=share, fetch=fetch))
        names = listed([Path(path).name for path in paths])
        title = self.tr("Reading {names}").format(names=names)
        self._activity = self._activities.begin(title, self.cancel)
        self.began.emit(names)

    def _take_item(self, item: ScanProgress | ScanReport) -> None:
        if self._work.cancelled:
            return
        if isinstance(item, ScanProgress):
            if self._activity is not None:
                self._activity.progress(item.done, item.total)
            self.progressed.emit(item)
        else:
            self._judge(item)

    def _scan_over(self) -> None:
        if self._activity is not None:
            self._activity.end()
        self.ended.emit()
        self._next()

    def _judge(self, report: ScanReport) -> None:
        """Show what was found before anything is added; a single refusal is a toast."""
        if [problem.kind for problem in report.problems] == ["cloud"]:
            answers = [(self.tr("Go on"), self._fetch)]
            self.question = Question(report.problems[0].sentence, answers, self._window)
            self.question.open()
            return
        if not report.tasks and len(report.problems) == 1:
            self._refuse(report.problems[0])
            return
        state = self._draft.state
        self.sheet = ReportSheet(report, self._session, state.settings, self._window, state.tasks)
        self.sheet.accepted.connect(self._sheet_accepted)
        self.sheet.finished.connect(self._sheet_closed)
        self.sheet.choose_requested.connect(self.choose_requested)
        self.sheet.open()

    def _fetch(self) -> None:
        self._queue.insert(0, (self._paths, True))
        self._next()

    def _refuse(self, problem: Problem) -> None:
        if problem.kind == "same_folder":
            self.known.emit(problem.sentence, problem.path)
        else:
            self.said.emit(problem.sentence)

    def _sheet_accepted(self) -> None:
        if self.sheet is not None:
            self._draft.arrange(self.tr("Add tasks"), self.sheet.whole())
            self._tell(self.sheet.added())

    def _sheet_closed(self) -> None:
        if self.sheet is not None:
            self.sheet.deleteLater()
            self.sheet = None
        self._next()

    def _tell(self, tasks: Sequence[TaskReport]) -> None:
        classes = sum(len(task.classes) for task in tasks)
        pictures = sum(item.train + item.test for task in tasks for item in task.classes)
        size = say("{classes}, {pictures}.").format(
            classes=counted(classes, "class", "classes"),
            pictures=counted(pictures, "picture", "pictures"),
        )
        names = listed([task.folder.name for task in tasks])
        text = self.tr("Task {names} added: {size}") if len(tasks) == 1 else None
        text = text or self.tr("Tasks {names} added: {size}")
        self.added.emit(text.format(names=names, size=size))
