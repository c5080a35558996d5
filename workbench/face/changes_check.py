"""Whether the pictures a run was trained on are still the same: asked when it is looked at again."""

from collections.abc import Sequence

from PySide6.QtCore import Signal

from workbench.face.actions import Command
from workbench.face.background import Background
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.messages import DetailBox
from workbench.report import PictureChanges, ScanProgress

_NAMED = 200  # pictures of each kind that the details name


class ChangesCheck(Feature):
    """Compares contents on a thread; says in a strip what changed, and in a toast that nothing did if asked."""

    told = Signal(str, str)  # a run's id, and what became of its pictures in one sentence

    commands = (
        Command("check_pictures", "Run", "Compare pictures with the disk", (), lambda m: m.run and m.training == "idle", help="Are the pictures this run was trained on still the same?", after="replay"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._work = Background(self, desk.activities)
        self._work.item.connect(self._take)
        self._work.failed.connect(self._failed)
        self._work.ended.connect(self._over)
        self._work.given_up.connect(self._tell_given_up)
        self._next: tuple[str, str, bool] | None = None
        self._run_id = self._name = ""
        self._aloud = False
        self._found: Sequence[PictureChanges] = ()
        desk.page.drawn.connect(self._replayed)

    def shut_down(self) -> None:
        """End the thread."""
        self._next = None
        self._work.shut_down()

    def check_pictures(self) -> None:
        """Compare the pictures of the run shown, and say the result whatever it is."""
        run = self.desk.shown_run()
        if run is not None and not (run.id == self._run_id and self.shows_busy(self._work)):
            self.check(run.id, run.name, aloud=True)

    def check(self, run_id: str, name: str, *, aloud: bool = False) -> None:
        """Compare a run's pictures with the disk; `aloud` says it too if nothing changed."""
        if self._work.busy:  # with another run: that one is no longer looked at
            self._next = (run_id, name, aloud)
            self._work.cancel()
            return
        self.desk.strips.clear_strip("pictures")
        self._run_id, self._name, self._aloud = run_id, name, aloud
        session = self.desk.session
        title = self.tr("Comparing the pictures of {run}").format(run=name)
        self._work.start(lambda: session.pictures.changes(run_id), title)

    def _replayed(self, run_id: str, name: str, events: list[object]) -> None:
        is_replay = run_id == self.desk.page.replayed and self.desk.training.state == "idle"
        if run_id and is_replay and self.desk.session.pictures.has_list(run_id):
            self.check(run_id, name)

    def _take(self, item: ScanProgress | tuple[PictureChanges, ...]) -> None:
        if isinstance(item, ScanProgress) or self._work.cancelled:
            return
        self._found = item
        sentence = self.sentence(item)
        same = self.tr("The pictures of {run} are as they were.").format(run=self._name)
        self.told.emit(self._run_id, sentence or same)
        if sentence:
            answers = [(self.tr("Show"), self._show)]
            self.desk.strips.show_strip("pictures", sentence, "warning", answers)
        elif self._aloud:
            self.desk.toast.say(same)

    def sentence(self, found: Sequence[PictureChanges]) -> str:
        """Return what changed, or an empty string."""
        gone = [(n, each) for n, each in enumerate(found, 1) if each.gone]
        if gone:
            text = self.tr("The folder of task {number} of {run} is no longer there ({path}).")
            return text.format(number=gone[0][0], run=self._name, path=gone[0][1].gone)
        changed = [(n, each.number) for n, each in enumerate(found, 1) if each.number]
        total = sum(number for _, number in changed)
        if not changed:
            return ""
        if total == 1:
            text = self.tr("1 picture of task {task} has changed since {run} began.")
        elif len(changed) == 1:
            text = self.tr("{n} pictures of task {task} have changed since {run} began.")
        else:
            text = self.tr("{n} pictures of {tasks} tasks have changed since {run} began.")
        return text.format(n=f"{total:,}", task=changed[0][0], tasks=len(changed), run=self._name)

    def detail(self, found: Sequence[PictureChanges]) -> str:
        """Return the pictures by task and by what became of them."""
        lines = []
        for number, each in enumerate(found, 1):
            if each.gone:
                lines.append(self.tr("Task {n} '{name}': no folder at {path}").format(n=number, name=each.task, path=each.gone))  # fmt: skip
            kinds = (
                (self.tr("changed"), each.changed), (self.tr("missing"), each.missing),
                (self.tr("new"), each.new),
            )  # fmt: skip
            for kind, paths in kinds:
                if paths:
                    text = self.tr("Task {n} '{name}': {count} {kind}")
                    head = text.format(n=number, name=each.task, count=len(paths), kind=kind)
                    lines += [head, *(f"    {path}" for path in paths[:_NAMED])]
                    lines += ["    …"] if len(paths) > _NAMED else []
        return "\n".join(lines)

    def _show(self) -> None:
        box = DetailBox(
            self.sentence(self._found), self.detail(self._found), self.desk.session.home,
            self.desk.window,
        )  # fmt: skip
        box.details_button.click()
        box.open()

    def _tell_given_up(self) -> None:
        if not self._work.busy:  # else another run is looked at by now
            text = self.tr("The pictures of {run} were not compared to the end.")
            self.told.emit(self._run_id, text.format(run=self._name))
            self.desk.toast.say(text.format(run=self._name))

    def _failed(self, sentence: str) -> None:
        self.told.emit(self._run_id, sentence)
        if self._aloud:
            self.desk.toast.say(sentence)

    def _over(self) -> None:
        if self._next is not None:
            run_id, name, aloud = self._next
            self._next = None
            self.check(run_id, name, aloud=aloud)
