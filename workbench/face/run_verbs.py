"""What can be done with runs of the table: star, tag, note, bin, baseline, run again, take the settings."""

from collections.abc import Iterator
from dataclasses import asdict

from PySide6.QtGui import QGuiApplication

from workbench.config import RunConfig, from_dict, to_toml
from workbench.errors import UsageError, WorkbenchError
from workbench.face.actions import Command, Moment
from workbench.face.background import IterationThread
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.question import Question
from workbench.face.words import counted
from workbench.query import Query
from workbench.report import RunSummary


def _run(moment: Moment) -> bool:
    return moment.run


def _idle_run(moment: Moment) -> bool:
    return moment.run and moment.training == "idle"


class RunVerbs(Feature):
    """The commands of the menu Runs and of the table's own menu."""

    commands = (
        Command("find_runs", "Runs", "Find runs…", ("Ctrl+F",), help="Filter the table of runs"),
        Command("star_run", "Runs", "Star", ("S",), where="runs", help="Put a star on the chosen runs, or take it off", apart=True),
        Command("tag_run", "Runs", "Tags…", ("T",), where="runs", help="Edit the chosen run's tags: words between commas"),
        Command("note_run", "Runs", "Note…", ("N",), where="runs", help="Edit the chosen run's note"),
        Command("rename_run", "Runs", "Rename run", ("F2",), where="runs"),
        Command("pin_baseline", "Runs", "Pin as baseline", ("B",), where="runs", help="Compare other runs with this one, or with none"),
        Command("run_again", "Runs", "Run again exactly…", (), _idle_run, help="Its tasks, settings and seeds once more; says first what is different now", apart=True),
        Command("use_settings", "Runs", "Use its settings", (), _idle_run, help="Take the run's settings into the draft; the tasks stay"),
        Command("copy_configuration", "Runs", "Copy its configuration", (), _run, help="As TOML"),
        Command("bin_run", "Runs", "Move to bin", ("Del",), where="runs", apart=True),
        Command("restore_run", "Runs", "Take out of the bin", ("Shift+Del",), where="runs"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._table = desk.session.table
        self._thread: IterationThread | None = None
        self._again = RunConfig()
        self._last_binned: list[str] = []
        model = desk.history.model
        model.tags_requested.connect(self._set_tags)
        model.note_requested.connect(self._set_note)
        desk.history.bar.empty_requested.connect(self._ask_to_empty)

    def shut_down(self) -> None:
        """Wait until the run being removed is gone."""
        if self._thread is not None:
            self._thread.end()

    def find_runs(self) -> None:
        """Move the keyboard to the filter."""
        self.desk.history.bar.field.setFocus()
        self.desk.history.bar.field.selectAll()

    def star_run(self) -> None:
        """Put a star on the chosen runs; if all have one, take it off."""
        runs = self.desk.history.chosen_runs()
        wanted = not all(run.starred for run in runs)
        for run in runs:
            self._table.star(run.id, wanted)
        self.desk.history.reload()

    def tag_run(self) -> None:
        """Edit the chosen run's tags."""
        self.desk.history.edit("tags")

    def note_run(self) -> None:
        """Edit the chosen run's note."""
        self.desk.history.edit("note")

    def rename_run(self) -> None:
        """Edit the chosen run's name."""
        self.desk.history.edit("name")

    def pin_baseline(self) -> None:
        """Pin the chosen run, or none if it is pinned already."""
        chosen = self.desk.history.chosen()
        if chosen:
            pinned = self._table.baseline()
            self._table.pin("" if pinned and pinned.id == chosen else chosen)
            self.desk.history.reload()
            self.desk.history.model.ticked_changed.emit()

    def bin_run(self) -> None:
        """Move the chosen runs to the bin; the toast takes them back."""
        moved, refusal = [], ""
        for run in self.desk.history.chosen_runs():
            try:
                self._table.bin(run.id)
                moved.append(run)
            except UsageError as error:
                refusal = str(error)
        self._last_binned = [run.id for run in moved]
        self.desk.reread_log()
        if refusal:
            self.desk.toast.say(refusal)
        elif moved:
            self.desk.toast.say(self._moved_text(moved), self.tr("Undo"), self._undo_bin)

    def restore_run(self) -> None:
        """Take the chosen runs out of the bin."""
        for run in self.desk.history.chosen_runs():
            self._table.restore(run.id)
        self.desk.reread_log()

    def use_settings(self) -> None:
        """Take the run's settings into the draft as one step that can be undone."""
        config = self._config()
        if config is None:
            return
        values = {
            key: value for key, value in asdict(config).items() if key not in ("name", "data")
        }
        data = asdict(config.data)
        values |= {f"data.{key}": value for key, value in data.items() if key != "tasks"}
        self.desk.draft.set_values(values, self.tr("Use a run's settings"))
        run = self.desk.shown_run()
        text = self.tr("The settings are those of {run} now.").format(run=run.name if run else "")
        self.desk.toast.say(text, self.tr("Undo"), self.desk.draft.stack.undo)

    def copy_configuration(self) -> None:
        """Put the run's configuration on the clipboard as TOML."""
        config = self._config()
        if config is not None:
            QGuiApplication.clipboard().setText(to_toml(config))
            self.desk.toast.say(self.tr("The configuration is on the clipboard."))

    def run_again(self) -> None:
        """Ask, saying what is different now, and then train the run's configuration once more."""
        run, config = self.desk.shown_run(), self._config()
        if run is None or config is None:
            return
        more = self.desk.session.table.different_now(run.id)
        sentence = self.tr("Run {run} again with its tasks, settings and seeds?")
        answers = [
            (self.tr("Run again"), self._train),
            (self.tr("Into the draft only"), self._load),
        ]
        self._again = config
        question = Question(
            sentence.format(run=run.name), answers, self.desk.window, more="\n".join(more)
        )
        question.open()

    def _load(self) -> None:
        self.desk.draft.load(self._again, self.tr("Run again"))

    def _train(self) -> None:
        self._load()
        try:
            run = self.desk.session.start(self._again)
        except WorkbenchError as error:
            self.desk.strips.show_strip("start", str(error), "error")
            return
        self.desk.begin(run)

    def _config(self) -> RunConfig | None:
        run = self.desk.shown_run()
        if run is None:
            return None
        try:
            return from_dict({**self.desk.session.details(run.id).config, "name": ""})
        except WorkbenchError as error:
            sentence = self.tr("The configuration of {run} does not fit this version: {reason}")
            self.desk.toast.say(sentence.format(run=run.name, reason=error))
            return None

    def _set_tags(self, run_id: str, words: str) -> None:
        self._table.tag(run_id, words.split(","))
        self.desk.history.reload()

    def _set_note(self, run_id: str, note: str) -> None:
        self._table.note(run_id, note)
        self.desk.history.reload()

    def _undo_bin(self) -> None:
        for run_id in self._last_binned:
            self._table.restore(run_id)
        self.desk.reread_log()

    def _moved_text(self, moved: list[RunSummary]) -> str:
        if len(moved) == 1:
            return self.tr("{run} was moved to the bin.").format(run=moved[0].name)
        return self.tr("{number} runs were moved to the bin.").format(number=len(moved))

    def _ask_to_empty(self) -> None:
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
        if self._thread is None:
            self._thread = IterationThread(self._removed, self)
            self._thread.failed.connect(self._tell_failure)
            self._thread.finished.connect(self._emptied)
            self._thread.start()

    def _removed(self) -> Iterator[str]:
        yield from self._table.empty_bin()

    def _tell_failure(self, sentence: str) -> None:
        self.desk.strips.show_strip("bin", sentence, "error")

    def _emptied(self) -> None:
        if self._thread is not None:
            self._thread.deleteLater()
            self._thread = None
        self.desk.reread_log()
