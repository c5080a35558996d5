"""Runs that ended early are offered to go on: at the start, after a stop or a failure, and from the table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from workbench.config import RunConfig, from_dict, with_values
from workbench.errors import Cancelled, WorkbenchError
from workbench.events import Event, Failed, Interrupted, RunStarted, Stage
from workbench.face.actions import Command, Moment
from workbench.face.background import Background
from workbench.face.bin import Bin
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.finding import chosen_folder
from workbench.face.past import Past, past_run
from workbench.face.question import Answer, Question
from workbench.face.starting import ask_first, start
from workbench.face.ways import ways_after
from workbench.report import ScanProgress
from workbench.session import Doubt, Run, Session
from workbench.session.extend import may_extend
from workbench.tell import Tell

ANSWERED = "resume_answered"  # ids of cut-off runs that are to stay as they are
MOST_STRIPS = 3  # runs told of at the start; the table has the others


class Resuming(Feature):
    """Looks for what is not as it was, asks about it, and lets the run go on from its last checkpoint."""

    commands = (
        Command("resume_run", "Run", "Resume", (), lambda m: m.may_resume and m.training == "idle", help="Train the chosen run to its end, from its last checkpoint", after="replay"),
        Command("pause_and_free", "Run", "Pause and free the GPU", (), lambda m: m.training in ("running", "paused"), help="Write a checkpoint and end here: the run counts as stopped, and Resume goes on from it, today or after a restart", after="go_on"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._looking = Background(self, desk.activities)
        self._looking.item.connect(self._take)
        self._looking.failed.connect(self._refused)
        self._looking.given_up.connect(self._tell_given_up)
        self._entering = Background(self, desk.activities)
        self._entering.item.connect(self._show)
        self._entering.failed.connect(self._refused)
        self._entering.given_up.connect(self._tell_given_up)
        self._run_id = ""  # the run being looked at
        self._changes: Mapping[str, Any] = {}
        self._cause = ""  # of the last failure
        self._device = ""  # that the run said it trains on
        self._freed = False  # whether the run that ends does so to free the GPU
        self.question: Question | None = None
        desk.training.ended.connect(self._run_ended)
        desk.training.news.connect(self._hear)
        desk.training.state_changed.connect(self._forget)
        self._tell_cut_off()

    def shut_down(self) -> None:
        """End the thread that looks at a run."""
        self._looking.shut_down()
        self._entering.shut_down()
        self._entering.blockSignals(True)  # the log is closed next

    def refine(self, moment: Moment) -> Moment:
        """Say whether the run shown can go on."""
        run = self.desk.shown_run()
        if run is None:
            return moment
        may = not self.desk.session.resuming.refusal(run)
        return replace(moment, may_resume=may, may_extend=may_extend(run))

    def resume_run(self) -> None:
        """Let the run shown go on."""
        run = self.desk.shown_run()
        if run is not None:
            self.resume(run.id)

    def pause_and_free(self) -> None:
        """Stop with a checkpoint; the strip at the end offers to go on."""
        self._freed = True
        self.desk.training.stop()

    def resume(self, run_id: str, changes: Mapping[str, Any] | None = None) -> None:
        """Look for what is not as it was; ask about it, or let the run go on at once."""
        if self.desk.training.state != "idle":
            self.desk.toast.say(self.desk.reason())
            return
        if self.shows_busy(self._looking) or self.shows_busy(self._entering):
            return
        self._run_id, self._changes = run_id, changes or {}
        title = self.tr("Looking whether {run} can go on").format(run=self._name())
        self._looking.start(partial(_questions, self.desk.session, run_id), title)

    def _take(self, item: ScanProgress | tuple[Doubt, ...]) -> None:
        run_id, changes = self._run_id, self._changes
        if isinstance(item, ScanProgress) or self._looking.cancelled:
            return
        if item:
            self._ask(run_id, changes, item)
        else:
            self._go_on(run_id, changes, ())

    def _ask(self, run_id: str, changes: Mapping[str, Any], doubts: tuple[Doubt, ...]) -> None:
        kinds = {doubt.kind: doubt for doubt in doubts}
        go_on = partial(self._go_on, run_id, changes, doubts)
        text = self.tr("Resume")
        if "checkpoint" in kinds:
            text = self.tr("Resume from {step}").format(step=f"{kinds['checkpoint'].step:,}")
        answers: list[Answer] = [(text, go_on)]
        if "pictures" in kinds:
            answers = [(self.tr("Resume anyway"), go_on)]
            answers.append((self.tr("New run"), partial(self._new_run, run_id)))
        first, *others = [doubt.sentence for doubt in doubts]
        self.question = Question(first, answers, self.desk.window, more="\n".join(others))
        self.question.finished.connect(self._answered)
        self.question.setProperty("page", "going-on")
        self.question.open()

    def _go_on(
        self, run_id: str, changes: Mapping[str, Any], doubts: tuple[Doubt, ...], *_: object
    ) -> None:
        """Ask what is asked before any start, such as who else uses the GPU, and then go on."""
        accepted = [doubt.sentence for doubt in doubts]

        def make() -> RunConfig:
            return with_values(from_dict(self.desk.session.details(run_id).config), changes)

        ask_first(self.desk, make, lambda _: self._enter(run_id, changes, accepted))

    def _enter(self, run_id: str, changes: Mapping[str, Any], accepted: Sequence[str]) -> None:
        """Enter the run as starting, on a thread: its checkpoint is read."""
        title = self.tr("Resuming {run}").format(run=self._name())
        self._entering.do(partial(_entered, self.desk.session, run_id, changes, accepted), title)

    def _show(self, entered: Stage | tuple[Run, Past]) -> None:
        if isinstance(entered, Stage):
            return
        run, past = entered
        if self._entering.cancelled:
            self.desk.session.resuming.leave(run)
            return
        for subject in ("resume", f"cut off {run.id}"):
            self.desk.strips.clear_strip(subject)
        show(self.desk, run, past)
        started = [e.device for e in past.landmarks if isinstance(e, RunStarted)]
        self._device = started[-1] if started else ""  # not said a second time

    def _name(self) -> str:
        known = self.desk.history.model.known(self._run_id)
        return known.name if known is not None else ""

    def _tell_given_up(self) -> None:
        self.desk.reread_log()
        text = self.tr("{run} was not resumed. It can be resumed later.")
        self.desk.toast.say(text.format(run=self._name()))

    def _new_run(self, run_id: str, *_: object) -> None:
        """Train the run's configuration from its beginning, on the pictures as they are now."""
        session = self.desk.session
        try:
            config = from_dict({**session.details(run_id).config, "name": ""})
        except WorkbenchError as error:
            self._refused(str(error))
            return
        start(self.desk, lambda: config, of_draft=False)

    def _refused(self, sentence: str) -> None:
        answers: list[Answer] = []
        if self._gone():
            answers.append((self.tr("Check again"), partial(self._resume_this, self._run_id)))
            answers.append((self.tr("Find it…"), self._find))
        self.desk.strips.show_strip("resume", sentence, "error", answers)

    def _gone(self) -> str:
        try:
            return self.desk.session.resuming.gone(self._run_id)
        except WorkbenchError:
            return ""

    def _find(self) -> None:
        """Ask where the folder lies now, and go on."""
        run_id, gone = self._run_id, self._gone()
        place = chosen_folder(gone, self.desk.window) if gone else ""
        if not place:
            return
        try:
            self.desk.session.resuming.find(run_id, gone, place)
        except WorkbenchError as error:
            self._refused(str(error))
            return
        self.resume(run_id, self._changes)

    def _answered(self) -> None:
        self.question = None

    def _tell_cut_off(self) -> None:
        """Say of each run found dead where it was cut off."""
        kept = self._kept()
        told = [run for run in self.desk.session.resuming.cut_off() if run.id not in kept]
        for run in told[:MOST_STRIPS]:
            answers: list[Answer] = [
                (self.tr("Resume"), partial(self._resume_this, run.id)),
                (self.tr("Keep as it is"), partial(self._keep, run.id)),
                (self.tr("To the bin"), partial(self._bin, run.id)),
            ]
            self.desk.strips.show_strip(f"cut off {run.id}", run.sentence, "warning", answers)

    def _resume_this(self, run_id: str, *_: object) -> None:
        self.resume(run_id)

    def _kept(self) -> list[str]:
        return str(self.desk.memory.value(ANSWERED, "")).split()

    def _keep(self, run_id: str, *_: object) -> None:
        self.desk.memory.setValue(ANSWERED, " ".join([*self._kept(), run_id]))
        self.desk.strips.clear_strip(f"cut off {run_id}")

    def _bin(self, run_id: str, *_: object) -> None:
        self.desk.strips.clear_strip(f"cut off {run_id}")
        binned = self.desk.findChild(Bin)
        if binned is not None:
            binned.move([run_id])

    def _run_ended(self, state: str) -> None:
        """Offer to go on what was stopped or failed, unless it is in the bin by now."""
        freed, self._freed = self._freed, False
        run = self.desk.training.run
        known = self.desk.history.model.known(run.id) if run is not None else None
        if run is None or known is None or self.desk.session.resuming.refusal(known):
            return
        if state in ("failed", "interrupted"):
            self._offer_ways(run)
        elif state == "stopped" and freed:
            text = self.tr("{run} waits on the disk, and the GPU is free.")
            resume = (self.tr("Resume"), partial(self._resume_this, run.id))
            self._offer(text.format(run=run.name), [resume])

    def _offer_ways(self, run: Run) -> None:
        """Offer what may help; nothing where the strip about the failure has the only way, to try again."""
        saved = self.desk.session.resuming.is_saved(run.id)
        text = self.tr("{run} has no checkpoint yet; it would begin again.")
        if saved:
            text = self.tr("{run} can go on from its last checkpoint.")
        ways = ways_after(self._cause, run.config.train, self._device, saved=saved)
        answers: list[Answer] = [
            (way.text, partial(self._resume_with, run.id, way.changes)) for way in ways
        ]
        if self._cause == "pictures":
            text = self.tr("{run} can go on once its pictures are back, or be trained anew.")
            answers.append((self.tr("New run"), partial(self._new_run, run.id)))
        if self._cause == "not finite":
            answers.append((self.tr("Look"), partial(self._look, run.id)))
        if answers:
            self._offer(text.format(run=run.name), answers)

    def _look(self, run_id: str, *_: object) -> None:
        """Show the losses of the run."""
        run = self.desk.training.run
        if self.desk.page.replayed and run is not None and run.id == run_id:
            self.desk.page.back_to_live()
        elif run is None or run.id != run_id:
            self.desk.replay(run_id)
        self.desk.tabs.setCurrentWidget(self.desk.page)
        self.desk.page.board.show_losses()

    def _offer(self, sentence: str, answers: list[Answer]) -> None:
        self.desk.strips.show_strip("resume", sentence, "info", answers)

    def _forget(self) -> None:
        if self.desk.training.state == "starting":
            self._cause = self._device = ""

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, RunStarted):
                self._device = event.device
            elif isinstance(event, Interrupted):
                self._cause = ""
            elif isinstance(event, Failed):
                self._cause = event.cause

    def _resume_with(self, run_id: str, changes: Mapping[str, Any], *_: object) -> None:
        self.resume(run_id, changes)


def show(desk: Desk, run: Run, past: Past) -> None:
    """Show and train a run that goes on, with what it had said before; if another trains by now, it waits."""
    if desk.training.state != "idle":
        desk.session.resuming.leave(run)
        text = desk.tr("{run} waits, because another run trains. Resume it when that has ended.")
        desk.strips.show_strip("resume", text.format(run=run.name), "info")
        desk.reread_log()
        return
    desk.begin(run, of_draft=False)
    desk.training.recall(past.landmarks)
    desk.page.recall(past)


def _questions(session: Session, run_id: str) -> Iterator[ScanProgress | tuple[Doubt, ...]]:
    return session.resuming.questions(run_id)


def _entered(
    session: Session, run_id: str, changes: Mapping[str, Any], accepted: Sequence[str], tell: Tell
) -> tuple[Run, Past]:
    """Return the run, ready, and what it has said; its checkpoint is read and its log cut back."""
    run = session.resuming.resume(run_id, changes, accepted)
    try:
        return run, past_run(session, run.id, tell)
    except Cancelled:
        session.resuming.leave(run)
        raise
