"""The tab Studies and what fills it: studies begin, go on, stop and are shown, all of it read and written in threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog

from workbench.face.actions import Command, Moment
from workbench.face.background import Background
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.groups import GroupFeature
from workbench.face.question import Question
from workbench.face.queue import QueueFeature
from workbench.face.study_reading import Seen, StudyReader, Wish
from workbench.face.study_saving import StudySaving
from workbench.session.study import Study
from workbench.session.study_state import StudyState
from workbench.tell import Tell

if TYPE_CHECKING:
    from workbench.face.studies_page import StudiesPage
    from workbench.face.study_begin import StudyBox

_SUBJECT = "study"  # of the strips that tell of studies


def _ready(moment: Moment) -> bool:
    return moment.draft_ready


class Studying(Feature):
    """Reads and enters in threads; what trains a study's runs is the queue."""

    commands = (
        Command("show_studies", "View", "Studies tab", ("Alt+6",), after="show_compare", help="Methods compared over pictures, orders and seeds"),
        Command("compare_methods", "Run", "Compare methods…", (), _ready, after="study_orders", help="Train the draft with several methods, and choose their settings before the test part is read"),
        Command("open_study", "File", "Open study file…", (), after="save_configuration", help="Begin or go on with a study that a .toml file describes; dropping one on the window does the same"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._page = desk.add_later(self._made_page, self.tr("Studies"))
        self._queue: QueueFeature = desk.findChildren(QueueFeature)[0]
        self.saving = StudySaving(desk)
        self.reader = StudyReader(desk)
        self.reader.read.connect(self._take)
        self.reader.failed.connect(self._tell_failure)
        self.box: StudyBox | None = None
        self.question: Question | None = None
        self._wanted = ""  # id of the study that was chosen
        self._ahead = Background(self, desk.activities)
        self._doing = Background(self, desk.activities)
        self._doing.item.connect(self._done)
        self._doing.failed.connect(self._refused)
        self._then: Callable[[Any], object] = lambda _: None
        desk.study_given.connect(self.take_file)
        desk.training.ended.connect(self._run_ended)
        self._queue.changed.connect(self.refresh)
        desk.findChildren(GroupFeature)[0].study_wanted.connect(self.show_study)

    @property
    def page(self) -> StudiesPage:
        """The tab's page."""
        return self._page.get()

    def shut_down(self) -> None:
        """Wait for what is being read or entered; nothing more is."""
        self.saving.shut_down()
        for work in (self.reader, self._ahead, self._doing):
            work.shut_down()

    def show_studies(self) -> None:
        """Show the tab Studies."""
        self.desk.tabs.setCurrentWidget(self.page)

    def show_study(self, key: str) -> None:
        """Show one study in its tab."""
        self._wanted = key
        self.show_studies()
        self.refresh()

    def compare_methods(self) -> None:
        """Ask which methods the draft shall be trained with."""
        from workbench.face.methods_dialog import MethodsDialog

        session = self.desk.session
        config = self.desk.draft.state.run_config()
        self._ask(MethodsDialog(config, session, self._ahead, session.studies.names(), self.desk.window))  # fmt: skip

    def open_study(self) -> None:
        """Ask for a study file."""
        start = str(self.desk.memory.value("study_folder", str(Path.home())))
        title, kinds = self.tr("Open a study file"), self.tr("Study (*.toml)")
        path, _ = QFileDialog.getOpenFileName(self.desk.window, title, start, kinds)
        if path:
            self.take_file(path)

    def take_file(self, path: str) -> None:
        """Show what a study file asks, and let it begin or go on."""
        from workbench.face.study_begin import StudyFileBox

        self.desk.memory.setValue("study_folder", str(Path(path).parent))
        self._ask(StudyFileBox(path, self.desk.session, self._ahead, self.desk.window))

    def refresh(self) -> None:
        """Bring the page in step with the log, if it is seen."""
        if self._page.part is not None and self._page.part.isVisible():
            self.reader.look(Wish(self._wanted, whole=True))

    def _made_page(self) -> StudiesPage:
        from workbench.face.studies_page import StudiesPage

        page = StudiesPage()
        page.seen.connect(self.refresh)
        page.begin_wanted.connect(self._begin_wanted)
        page.open_wanted.connect(self.open_study)
        page.list.chosen.connect(self._choose)
        view = page.view
        view.go_on_wanted.connect(partial(self._go_on, again=False))
        view.again_wanted.connect(partial(self._go_on, again=True))
        view.stop_wanted.connect(self._ask_to_stop)
        view.runs_wanted.connect(self._show_runs)
        view.study_file_wanted.connect(lambda: self.saving.ask_study(self.reader.seen.state))
        view.ledger_wanted.connect(lambda: self.saving.ask_ledger(self.reader.seen.state))
        view.export_wanted.connect(
            lambda: self.saving.ask_export(
                self.reader.seen.state, self.reader.seen.found, view.cost
            )
        )
        return page

    def _begin_wanted(self) -> None:
        problem = self.desk.draft_problem()
        if problem:
            self.desk.toast.say(problem)
        else:
            self.compare_methods()

    def _ask(self, box: StudyBox) -> None:
        self.box = box
        box.wanted.connect(self._begin)
        box.finished.connect(self._box_closed)
        box.open()

    def _box_closed(self) -> None:
        if self.sender() is self.box:
            self.box = None

    def _begin(self, study: Study) -> None:
        begin = self.desk.session.studies.begin
        if (
            self._do(lambda _: begin(study), self._begun, self.tr("Checking the study"))
            and self.box
        ):
            self.box.say_busy(True)

    def _begun(self, key: str) -> None:
        if self.box is not None:
            self.box.accept()
        self.show_study(key)
        self._queue.go_on_with_more()

    def _go_on(self, *, again: bool) -> None:
        state = self.reader.seen.state
        if state is not None:
            call = partial(self.desk.session.studies.go_on, state.id, again=again)
            self._do(lambda _: call(), self._gone_on, self.tr("Going on with the study"))

    def _gone_on(self, _: int) -> None:
        self._queue.go_on_with_more()
        self.refresh()

    def _ask_to_stop(self) -> None:
        state, run = self.reader.seen.state, self.desk.training.run
        if state is None:
            return
        text = self.tr("Take the {count} waiting runs of '{study}' out of the queue?")
        more = self.tr("Go on puts them back.")
        answers = [(self.tr("Stop"), partial(self._stop, state.id, with_run=False))]
        if self.desk.training.state != "idle" and run and run.id in _ids(state):
            more = self.tr("What trains goes on to its end, unless that is stopped as well. Go on puts the runs back.")  # fmt: skip
            answers.append((self.tr("Stop what trains, too"), partial(self._stop, state.id, with_run=True)))  # fmt: skip
        sentence = text.format(count=len(state.waiting), study=state.study.name)
        self.question = Question(sentence, answers, self.desk.window, more=more)
        self.question.setProperty("page", "studies")
        self.question.open()

    def _stop(self, key: str, *, with_run: bool) -> None:
        stop = self.desk.session.studies.stop
        self._do(lambda _: stop(key), self._stopped, self.tr("Stopping the study"))
        if with_run:
            self.desk.training.stop()

    def _stopped(self, count: int) -> None:
        text = self.tr("{count} runs of the study were taken out of the queue.")
        self.desk.toast.say(text.format(count=count))
        self._queue.after_change()

    def _show_runs(self, data: str, method: str) -> None:
        """Tick a method's tested runs and no others, and compare them; a single one is drawn."""
        state, model = self.reader.seen.state, self.desk.history.model
        wanted = (data, method)
        ids = [e.run.id for e in state.tested if (e.facts["data"], e.facts["method"]) == wanted] if state else []  # fmt: skip
        if not ids:
            self.desk.toast.say(self.tr("No run of this method has been tested yet."))
            return
        model.tick([run.id for run in model.ticked()], chosen=False)
        model.tick(ids, chosen=True)
        if len(ids) == 1:
            self.desk.replay(ids[0])
        else:
            self.desk.window.actions_by_id["show_compare"].trigger()  # type: ignore[attr-defined]

    def _choose(self, key: str) -> None:
        self._wanted = key
        self.refresh()

    def _run_ended(self, _: str) -> None:
        page, run = self._page.part, self.desk.training.run
        seen = page is not None and page.isVisible()
        self.reader.look(Wish(self._wanted, seen, run.id if run is not None else ""))

    def _take(self, seen: Seen) -> None:
        if self._page.part is not None:
            held = not self._queue.going and self.desk.training.state == "idle"
            self.page.show_states(seen.states, seen.chosen, seen.found, held=held)
        for state in seen.states:
            if seen.ended in _ids(state) and state.stage == "done":
                self._tell_done(state)

    def _tell_done(self, state: StudyState) -> None:
        text = self.tr("The study '{study}' is done: {tested} of {total} runs tested.")
        if state.failed:
            text = self.tr("The study '{study}' is done: {tested} of {total} runs tested, {failed} failed.")  # fmt: skip
        sentence = text.format(
            study=state.study.name, tested=len(state.tested), total=state.study.runs,
            failed=len(state.failed),
        )  # fmt: skip
        answers = [(self.tr("Show"), partial(self.show_study, state.id))]
        self.desk.strips.show_strip(_SUBJECT, sentence, "info", answers)

    def _do(self, call: Callable[[Tell], Any], then: Callable[[Any], object], title: str) -> bool:
        """Enter something into the log in a thread, and go on with what comes of it; return whether it began."""
        if self.shows_busy(self._doing):
            return False
        self._then = then
        self.desk.strips.clear_strip(_SUBJECT)
        return self._doing.do(call, title)

    def _done(self, item: Any) -> None:
        self._then(item)

    def _refused(self, sentence: str) -> None:
        """Say why something could not be entered: in the box that asked for it, else in a strip."""
        if self.box is not None:
            self.box.refuse(sentence)
        else:
            self._tell_failure(sentence)

    def _tell_failure(self, sentence: str) -> None:
        self.desk.strips.show_strip(_SUBJECT, sentence, "error")


def _ids(state: StudyState) -> set[str]:
    return {each.run.id for each in state.members}
