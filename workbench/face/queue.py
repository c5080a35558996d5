"""The queue in the window: runs start one after another, and never unasked."""

import dataclasses
import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QTimer, Signal

from workbench.config import RunConfig
from workbench.errors import WorkbenchError
from workbench.events import Event, Pace
from workbench.face.actions import Command, Moment
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.question import Question
from workbench.face.queue_sheet import QueueSheet
from workbench.face.starting import ask_first
from workbench.face.words import duration
from workbench.session import QueuedRun, RunGroup
from workbench.session.plans import Plan
from workbench.session.queue import Taken


def _draft_whole(moment: Moment) -> bool:
    return moment.tasks > 0 and moment.draft_ready


class QueueFeature(Feature):
    """Lets runs wait, and starts the next when one has ended. A stop by the user holds the queue."""

    changed = Signal()  # something waits, or waits no more, or goes on, or is held

    commands = (
        Command("queue_draft", "Run", "Queue this draft", ("Ctrl+Shift+R",), _draft_whole, help="Let the tasks at the left wait for their turn", after="train"),
        Command("show_queue", "Run", "Queue…", help="See, order and start what waits", after="queue_draft"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.going = False
        self._done: list[str] = []  # end states since the queue went on
        self._failed: list[str] = []  # names of those that failed meanwhile
        self._began = 0.0  # by the clock, when the present run did
        self._length: float | None = None  # seconds that the present run will take in all
        self.sheet = QueueSheet(desk.window)
        self.sheet.remove_wanted.connect(self._remove)
        self.sheet.go_wanted.connect(self._go_or_hold)
        self.sheet.retry_wanted.connect(self._retry)
        self.sheet.model.order_wanted.connect(self._order)
        self.sheet.model.rename_wanted.connect(self._rename)
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.setInterval(0)
        self._next.timeout.connect(self._start_next)
        desk.another_wanted.connect(self.ask)
        desk.training.ended.connect(self._run_ended)
        desk.training.news.connect(self._hear)
        desk.training.state_changed.connect(self._state_changed)
        self._offer()

    def refine(self, moment: Moment) -> Moment:
        """While a run trains, Train asks whether to queue; the draft may be free for it."""
        moment = dataclasses.replace(moment, draft_ready=not self.desk.draft_problem())
        if moment.training == "idle":
            return moment
        return dataclasses.replace(moment, reason=self.desk.draft_problem())

    def shut_down(self) -> None:
        """What waits stays in the log."""
        self._next.stop()
        self.sheet.toast.hide()
        self.sheet.hide()

    def ask(self) -> None:
        """Ask whether the draft shall wait for the run that trains."""
        run = self.desk.training.run
        text = self.tr("{run} is training. Add this one to the queue?")
        sentence = text.format(run=run.name if run else "")
        self.question = Question(
            sentence, [(self.tr("Queue"), self._queue_and_go)], self.desk.window
        )
        self.question.setProperty("page", "queue")
        self.question.open()

    def queue_draft(self) -> bool:
        """Let the draft wait; return whether it does."""
        try:
            self.desk.session.queue.add(self.desk.draft.state.run_config())
        except WorkbenchError as error:
            self.desk.strips.show_strip("start", str(error), "error")
            return False
        self._waits_more()
        return True

    def enqueue(self, plan: Plan) -> bool:
        """Let the runs of a plan wait and go on with the queue; return whether they do."""
        try:
            self.desk.session.queue.add_group(plan)
        except WorkbenchError as error:
            self.desk.strips.show_strip("start", str(error), "error")
            return False
        self.go_on_with_more()
        return True

    def go_on_with_more(self) -> None:
        """Go on, as runs have been put into the queue by whoever calls this."""
        self._waits_more()
        self.go_on()

    def show_queue(self) -> None:
        """Open the sheet."""
        self.sheet.show()
        self._refresh_sheet()
        self.sheet.raise_()

    def go_on(self) -> None:
        """Start what waits, one after another, from now on or when the present run has ended.

        What has to be asked before a run starts is asked here, of the first one: later ones start
        when nobody may be there to answer.
        """
        if self.desk.training.state == "idle" and self.desk.session.queue.waiting():
            ask_first(self.desk, self._first, self._go)
        else:
            self._go()

    def _first(self) -> RunConfig:
        config = self.desk.session.queue.first()
        if config is None:
            raise WorkbenchError(self.tr("The queue is empty."))
        return config

    def _go(self, _: RunConfig | None = None) -> None:
        self.going = True
        self.desk.strips.clear_strip("queue")
        self._next.start()
        self._refresh_sheet()

    def hold(self) -> None:
        """Start nothing more; the present run goes on."""
        self.going = False
        self._next.stop()
        self._refresh_sheet()
        self.changed.emit()

    def _queue_and_go(self) -> None:
        if self.queue_draft():
            self.go_on()

    def _go_or_hold(self, go: bool) -> None:
        (self.go_on if go else self.hold)()

    def _start_next(self) -> None:
        desk = self.desk
        if not self.going or desk.training.state != "idle":
            return
        run, problems = desk.session.queue.start_next()
        if problems:
            desk.strips.show_strip("queue problem", " ".join(problems), "error", [(self.tr("Show"), self.show_queue)])  # fmt: skip
        if run is None:
            self._queue_is_done()
            return
        tab, replayed = desk.tabs.currentWidget(), desk.page.replayed
        desk.begin(run, of_draft=False)
        if replayed:
            desk.replay(replayed)
        desk.tabs.setCurrentWidget(tab)
        self._refresh_sheet()
        self.changed.emit()

    def _run_ended(self, state: str) -> None:
        waiting = self.desk.session.queue.waiting()
        if self.going:
            self._done.append(state)
        if state == "stopped" and waiting:
            self.hold()
            self._offer()
        elif self.going:
            self._tell_failure(state)
            self._next.start()
        self._refresh_sheet()
        self.changed.emit()

    def _tell_failure(self, state: str) -> None:
        run = self.desk.training.run
        if (
            state in ("failed", "interrupted")
            and run is not None
            and self.desk.session.queue.waiting()
        ):
            reason = next((r.state_reason for r in self.desk.session.runs() if r.id == run.id), "")
            self._failed.append(run.name)
            text = self.tr("{run} failed, and the queue went on. {reason}")
            if len(self._failed) > 1:
                text = self.tr("{run} failed, and the queue went on. The last said: {reason}")
            self.desk.strips.show_strip("queue failed", text.format(run=", ".join(self._failed), reason=reason), "error")  # fmt: skip

    def _queue_is_done(self) -> None:
        finished, count = self._done.count("finished"), len(self._done)
        self.going, self._done, self._failed = False, [], []
        if count > 1:
            text = self.tr("The queue is done: {finished} of {count} runs finished.")
            self.desk.toast.say(text.format(finished=finished, count=count))
        self._refresh_sheet()
        self.changed.emit()

    def _waits_more(self) -> None:
        self.desk.strips.clear_strip("start")
        if self.sheet.isVisible():
            self._refresh_sheet()
        elif not self.going and self.desk.training.state == "idle":
            self._offer()
        else:
            self.desk.toast.say(self._waiting_sentence(), self.tr("Show"), self.show_queue)
        self.changed.emit()

    def _offer(self) -> None:
        if self.desk.session.queue.waiting():
            answers = [(self.tr("Go on"), self.go_on), (self.tr("Show"), self.show_queue)]
            self.desk.strips.show_strip("queue", self._waiting_sentence(), "info", answers)
        else:
            self.desk.strips.clear_strip("queue")

    def _waiting_sentence(self) -> str:
        count = self.desk.session.queue.waiting()
        if count == 1:
            return self.tr("1 run waits in the queue.")
        return self.tr("{count} runs wait in the queue.").format(count=count)

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Pace) and event.seconds_left is not None:
                self._length = time.monotonic() - self._began + event.seconds_left

    def _state_changed(self) -> None:
        if self.desk.training.state == "starting":
            self._began, self._length = time.monotonic(), None

    def _remove(self, key: int) -> None:
        name = next((run.name for run in self.sheet.model.runs if run.id == key), "")
        try:
            taken = self.desk.session.queue.take_out(key)
        except WorkbenchError as error:  # it has begun meanwhile
            self.sheet.toast.say(str(error))
        else:
            text = self.tr("{run} was taken out.").format(run=name)
            self.sheet.toast.say(text, self.tr("Undo"), partial(self._put_back, taken))
        self.after_change()

    def _put_back(self, taken: Taken) -> None:
        self.desk.session.queue.put_back(taken)
        self.after_change()

    def _order(self, keys: list[int]) -> None:
        self.desk.session.queue.order(keys)
        self.after_change()

    def _rename(self, key: int, name: str) -> None:
        self._change(partial(self.desk.session.queue.rename, key, name))

    def _retry(self, key: int) -> None:
        self._change(partial(self.desk.session.queue.try_again, key))

    def _change(self, call: Callable[[], object]) -> None:
        try:
            call()
        except WorkbenchError as error:  # it has begun meanwhile
            self.sheet.toast.say(str(error))
        self.after_change()

    def after_change(self) -> None:
        """Show what waits now, as it has been changed."""
        if "queue" in self.desk.strips.texts():
            self._offer()
        self._refresh_sheet()
        self.changed.emit()

    def _refresh_sheet(self) -> None:
        """Read what waits anew, if it is looked at: hundreds of runs take long."""
        if not self.sheet.isVisible():
            return
        session = self.desk.session
        runs = self._queued()
        groups = {group.id: group_text(self, group) for group in session.groups.all()}
        self.sheet.show_queue(runs, groups, self._state_text(), going=self.going)

    def _queued(self) -> list[QueuedRun]:
        run, under_way = self.desk.training.run, None
        if run is not None and self._length is not None:
            under_way = (run.config, self._length)
        return self.desk.session.queue.runs(under_way)

    def _state_text(self) -> str:
        run, waiting = self.desk.training.run, self.desk.session.queue.waiting()
        known = [each.seconds for each in self._queued() if each.state == "waiting"]
        about = sum(second for second in known if second is not None)
        parts = []
        if self.desk.training.state != "idle" and run is not None:
            parts.append(self.tr("{run} is training.").format(run=run.name))
        if waiting:
            parts.append(self._waiting_sentence())
            if None not in known:
                parts.append(self.tr("They take about {time}.").format(time=duration(about)))
            if not self.going:
                parts.append(self.tr("The queue is held."))
        return " ".join(parts) or self.tr("The queue is empty.")


def group_text(feature: Feature, group: RunGroup) -> str:
    """Return a group's title and how far it is: "3 seeds of 'birds', 2 of 3"."""
    text = feature.tr("{title}, {done} of {total}")
    return text.format(title=group.title, done=len(group.finished), total=group.total)
