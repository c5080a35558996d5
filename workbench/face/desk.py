"""The window's panels and what joins them: the draft to the cards, the run to the plots, the log to the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QSplitter, QTabWidget, QToolBar, QVBoxLayout, QWidget

from workbench.config import RunConfig
from workbench.events import (
    Evaluated,
    Event,
    Note,
    Paused,
    Resumed,
    RunStarted,
    TaskEnded,
)
from workbench.face.actions import Moment
from workbench.face.activities import Activities
from workbench.face.draft import Draft
from workbench.face.exports import Exporter
from workbench.face.foresight import Foresight
from workbench.face.hardware import hardware_sentence
from workbench.face.history import HistoryPanel
from workbench.face.language import say
from workbench.face.later import Later, LaterPage, Page, Rest
from workbench.face.messages import DetailBox, Strips, Toast
from workbench.face.question import Answer
from workbench.face.remembered import remembered
from workbench.face.replaying import Replaying
from workbench.face.scan_work import FolderAdder
from workbench.face.self_check import SelfCheck
from workbench.face.settings import SettingsPanel
from workbench.face.task_list import TaskPanel
from workbench.face.train_page import TrainPage
from workbench.face.training import Training
from workbench.face.try_it import TryItPanel
from workbench.face.words import counted
from workbench.report import RunSummary
from workbench.session import Run, Session

if TYPE_CHECKING:
    from workbench.face.curves import CurvePanel
    from workbench.face.ntk_page import NtkPage

# Given a configuration and what would start it; returns whether it asks something instead.
StartQuestion = Callable[[RunConfig, Callable[[], None]], bool]

MOST_BESIDE = 30  # runs laid over the curves
_LOG_DELAY = 900  # ms until an event just sent can be read from the log


class Desk(QObject):
    """Owns the panels. Facts arrive by signals; `changed` says that commands may need another look."""

    changed = Signal()
    another_wanted = Signal()  # Train, while a run trains
    configuration_given = Signal(str)  # a .toml file dropped or pasted
    study_given = Signal(str)  # one that describes a study
    bundle_given = Signal(str)  # a .zip file dropped or pasted
    versions_wanted = Signal()

    def __init__(self, session: Session, toolbar: QToolBar, window: QWidget) -> None:
        super().__init__(window)
        self.session = session
        self.window = window
        self.memory = remembered(session.home)
        self.toolbar = toolbar
        self.activities = Activities(self)
        self.draft = Draft(self)
        self.opens_again = False  # the log, and the window with it, once this one has closed
        self.duplicated = False  # the draft is a copy for the next run while one trains
        self.start_questions: list[StartQuestion] = []  # asked in turn before a run starts
        self.training = Training(self, self.activities)
        self.tasks = TaskPanel(self.draft)
        self.page = TrainPage()
        self.replaying = Replaying(session, self.page, self.activities, self)
        self.try_it = TryItPanel(session, activities=self.activities)
        self.settings = SettingsPanel(self.draft, session.choices(), session.backbones)
        self.history = HistoryPanel(session.table, self.memory)
        self.strips = Strips()
        self.toast = Toast(window)
        self.adder = FolderAdder(session, self.draft, window, self.activities)
        self.exporter = Exporter(session, window, self.activities)
        self.self_check = SelfCheck(session, self, self.activities)
        self.foresight = Foresight(session, self.draft, window, self.activities)
        self._reread = QTimer(self)
        self._reread.setSingleShot(True)
        self._reread.setInterval(_LOG_DELAY)
        self._reread.timeout.connect(self.reread_log)
        self._rest = Rest(self)
        self.whole = self._arranged()
        self._join()
        self.reset_sizes()
        self.reread_log()
        self._refresh_page()
        sentence = hardware_sentence()
        if sentence and not self.history.model.runs():
            details = (self.tr("Details"), self.versions_wanted.emit)
            self.strips.show_strip("hardware", sentence, "info", [details])

    def areas(self) -> list[QWidget]:
        """Return the areas in the order that F6 visits."""
        return [self.toolbar, self.tasks, self.tabs, self.settings, self.history]

    def add_page(self, page: QWidget, title: str) -> None:
        """Put another tab into the middle, after the others."""
        self.tabs.addTab(page, title)

    def add_later(self, make: Callable[[], Page], title: str) -> Later[Page]:
        """Put a tab before NTK and Try it, whose page is made when it is first needed; return it."""
        page = LaterPage(self.tabs, make)
        self.tabs.insertTab(self.tabs.indexOf(self._ntk.present), page, title)
        self._later_pages.append(page)
        return page.later

    def make_rest(self) -> None:
        """Make what the first look did not need, bit by bit from now on: the part to be seen next first."""
        self._rest.begin([self.page.plots, *(page.later for page in self._later_pages)])

    @property
    def ntk(self) -> NtkPage:
        """The tab "NTK"."""
        return self.ntk_later.get()

    def curves(self) -> list[CurvePanel]:
        """Return the curves of Train and NTK, as far as they are made."""
        board, ntk = self.page.plots.part, self.ntk_later.part
        return [*(board.curves if board else ()), *(ntk.board.curves if ntk else ())]

    def reset_sizes(self) -> None:
        """Give every area its first size."""
        self.across.setSizes([230, 780, 270])
        self.down.setSizes([600, 160])

    def reason(self) -> str:
        """Return why training cannot start now, or an empty string."""
        if self.training.state != "idle":
            return self.tr("{run} is training.").format(run=self._run_name())
        return self.draft_problem()

    def draft_problem(self) -> str:
        """Return why no run could be made of the draft, or an empty string."""
        if not self.draft.state.tasks:
            return self.tr("Add a task first.")
        return self.settings.problem()

    @property
    def fixed(self) -> bool:
        """Whether the draft is what a run trains on now, and so cannot be changed."""
        return self.training.state != "idle" and not self.duplicated

    def moment(self) -> Moment:
        """Return what decides which commands make sense."""
        run = self.shown_run()
        return Moment(
            training=self.training.state, reason=self.reason(),
            task_chosen=self.tasks.chosen() >= 0, tasks_free=not self.fixed,
            tasks=len(self.draft.state.tasks),
            run=run is not None, learnt=run is not None and run.tasks_done > 0,
            can_undo=self.draft.stack.canUndo(), can_redo=self.draft.stack.canRedo(),
            stop_when=self.training.stop_when,
        )  # fmt: skip

    def shown_run(self) -> RunSummary | None:
        """Return the run that exports mean: in replay, else chosen in the table, else the last one."""
        live = self.training.run.id if self.training.run is not None else ""
        wanted = self.page.replayed or self.history.chosen() or live
        return self.history.model.known(wanted)

    def title(self) -> str:
        """Return the line over the plots: backbone, method and profile, tasks, seed."""
        live = self.training.state != "idle" and self.training.run is not None
        config = self.training.run.config if live and self.training.run else None
        return title_of(config or self.draft.state.run_config())

    def begin(self, run: Run, *, of_draft: bool = True) -> None:
        """Show a run that has just been entered into the log, and train it; the draft may be another's."""
        for subject in ("start", "run"):
            self.strips.clear_strip(subject)
        self.strips.clear_strip("hardware")
        self.toast.hide()
        self.duplicated = not of_draft
        self.replaying.leave()
        self.page.begin_live(run.id, run.name)
        self.tasks.model.set_fixed(run.name if of_draft else "")
        self.tabs.setCurrentWidget(self.page)
        self.training.start(run)
        self.reread_log()
        self._refresh_page()

    def replay(self, run_id: str) -> None:
        """Draw a past run; the one that trains now is simply shown live."""
        run = self.history.model.known(run_id)
        if run is None:
            return
        if self.tabs.currentWidget() is not self._ntk.present:  # it shows the same run
            self.tabs.setCurrentWidget(self.page)
        if self.training.state != "idle" and self.training.run and run_id == self.training.run.id:
            self.replaying.leave()
            self.page.back_to_live()
        else:
            self.replaying.show(run)
        self._refresh_page()

    def reread_log(self) -> None:
        """Bring the table of runs and the list of adapters in step with the log."""
        self.history.reload()
        self.try_it.runs_changed()
        self.changed.emit()

    def shut_down(self) -> bool:
        """End every thread and timer; return whether the run's thread has ended."""
        self._reread.stop()
        self._rest.stop()
        self.toast.hide()
        self.adder.shut_down()
        if self.ntk_later.part is not None:
            self.ntk.shut_down()
        self.try_it.shut_down()
        self.exporter.shut_down()
        self.self_check.shut_down()
        self.foresight.shut_down()
        self.replaying.shut_down()
        return self.training.shut_down()

    def _arranged(self) -> QWidget:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName(self.tr("Views of the run"))
        self.tabs.addTab(self.page, self.tr("Train"))
        self._ntk = LaterPage(self.tabs, self._made_ntk)
        self.ntk_later = self._ntk.later
        self._later_pages: list[LaterPage[Any]] = [self._ntk]
        self.tabs.addTab(self._ntk, self.tr("NTK"))
        self.tabs.addTab(self.try_it, self.tr("Try it"))
        self.tabs.tabBar().setDrawBase(False)
        middle = QWidget()
        around = QVBoxLayout(middle)
        around.setContentsMargins(0, 8, 0, 0)
        around.addWidget(self.tabs)
        self.across = QSplitter(Qt.Orientation.Horizontal)
        for widget in (self.tasks, middle, self.settings):
            self.across.addWidget(widget)
        self.across.setStretchFactor(1, 1)
        self.across.setHandleWidth(8)
        self.down = QSplitter(Qt.Orientation.Vertical)
        self.down.addWidget(self.across)
        self.down.addWidget(self.history)
        self.down.setStretchFactor(0, 2)
        self.down.setStretchFactor(1, 1)
        for splitter in (self.across, self.down):
            splitter.setChildrenCollapsible(False)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.strips)
        column.addWidget(self.foresight.strip)
        column.addWidget(self.down, 1)
        return whole

    def _join(self) -> None:
        self.draft.changed.connect(self._refresh_page)
        self.training.news.connect(self._show_news)
        self.training.state_changed.connect(self._state_changed)
        self.training.ended.connect(self._run_ended)
        self.adder.began.connect(self.tasks.scan_began)
        self.adder.progressed.connect(self.tasks.scan_progressed)
        self.adder.ended.connect(self.tasks.scan_ended)
        self.adder.said.connect(self.toast.say)
        self.adder.added.connect(self.offer_undo)
        self.tasks.cancel_requested.connect(self.adder.cancel)
        self.tasks.removed.connect(self.offer_undo)
        self.tasks.model.refused.connect(self.toast.say)
        self.tasks.chosen_changed.connect(self.changed)
        self.try_it.said.connect(self.toast.say)
        self.replaying.said.connect(self.toast.say)
        self.replaying.shown.connect(self._refresh_page)
        self.exporter.said.connect(self.toast.say)
        self.exporter.refused.connect(self._export_failed)
        self.exporter.done.connect(self._exported)
        self.self_check.said.connect(self.toast.say)
        self.self_check.ended.connect(self._show_check)
        self.foresight.said.connect(self.toast.say)
        self.foresight.failed.connect(self._foresight_failed)
        self.foresight.reordered.connect(self.offer_undo)
        self.settings.problems_changed.connect(self.changed)
        self.page.replay_ended.connect(self._refresh_page)
        self.history.replay_requested.connect(self.replay)
        self.history.chosen_changed.connect(self.changed)
        self.history.model.rename_requested.connect(self._rename_run)

    def _made_ntk(self) -> NtkPage:
        from workbench.face.ntk_page import NtkPage

        page = NtkPage(self.page.record, self.session.arrays)
        page.follow(*self.page.shown())
        self.page.drawn.connect(page.follow)
        self.page.cleared.connect(page.clear)
        return page

    def _run_name(self) -> str:
        return self.training.run.name if self.training.run is not None else ""

    def _refresh_page(self) -> None:
        empty = not self.draft.state.tasks
        self.page.show_empty(empty)
        self.tasks.hint.setVisible(not self.page.is_empty)
        self.changed.emit()

    def _state_changed(self) -> None:
        state = self.training.state
        self.page.show_state(state, self.training.stop_when, overdue=self.training.overdue)
        self.settings.set_read_only(self.fixed)
        self.tasks.model.set_fixed(self._run_name() if self.fixed else "")
        self.changed.emit()

    def _show_news(self, events: Sequence[Event]) -> None:
        self.page.show_news(events)
        if self._cards_follow():
            self.tasks.model.show_news(events)
        for event in events:
            if isinstance(event, Note) and event.level == "warning":
                self.strips.show_strip("run", event.text)
        if any(
            isinstance(event, (RunStarted, Evaluated, TaskEnded, Paused, Resumed))
            for event in events
        ):
            self._reread.start()

    def _cards_follow(self) -> bool:
        """Whether the draft is what trains, task after task."""
        run = self.training.run
        return bool(self.tasks.model.fixed_by and run and not run.config.data.joint)

    def _run_ended(self, state: str) -> None:
        self.reread_log()
        self.foresight.score()
        if state == "finished":
            self.toast.say(self.tr("{run} is finished.").format(run=self._run_name()))
        elif state == "stopped":
            text = self.tr("{run} was stopped. It can be resumed where it was.")
            self.toast.say(text.format(run=self._run_name()))

    def offer_undo(self, sentence: str) -> None:
        """Say what the newest step did, with Undo until another step is done: Undo means this one."""
        stack = self.draft.stack
        self.toast.say(sentence, self.tr("Undo"), stack.undo, until=stack.indexChanged)

    def _export_failed(self, sentence: str, answers: Sequence[Answer]) -> None:
        self.strips.show_strip("export", sentence, "error", answers)

    def _exported(self, sentence: str) -> None:
        self.strips.clear_strip("export")
        self.toast.say(sentence, self.tr("Open folder"), self.exporter.open_folder)

    def _foresight_failed(self, sentence: str) -> None:
        self.strips.show_strip("foresight", sentence, "error")

    def _show_check(self, sentence: str, table: str) -> None:
        self.toast.hide()
        box = DetailBox(sentence, f"{table}\n", self.session.home, self.window)
        box.details_button.click()
        box.resize(760, 380)
        box.open()

    def _rename_run(self, run_id: str, name: str) -> None:
        self.session.rename(run_id, name)
        self.reread_log()


def title_of(config: RunConfig) -> str:
    """Return "backbone · NTK-CL repaired · 4 tasks · seed 0"."""
    tasks = counted(len(config.data.tasks), "task", "tasks")
    ours = config.method.name == "ntk-cl"
    method = f"NTK-CL {config.method.profile}" if ours else config.method.name
    seed = say("seed {number}").format(number=config.seeds.initialisation)
    return " · ".join((config.model.backbone, method, tasks, seed))
