"""What can be done with runs of the table: star, tag, note, baseline, run again, take the settings."""

from dataclasses import asdict

from PySide6.QtGui import QGuiApplication

from workbench.config import RunConfig, from_dict, to_toml
from workbench.errors import WorkbenchError
from workbench.face.actions import Command, Moment
from workbench.face.changes_check import ChangesCheck
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.question import Question
from workbench.face.starting import start
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
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._table = desk.session.table
        self._again = RunConfig()
        self._question: Question | None = None  # whether to run again
        self._asked = ""  # the run it is about
        self._different = ""  # what is different now, but for the pictures
        model = desk.history.model
        model.tags_requested.connect(self._set_tags)
        model.note_requested.connect(self._set_note)
        self._check = desk.findChild(ChangesCheck)
        if self._check is not None:
            self._check.told.connect(self._tell_changes)

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
        before = self.desk.draft.stack.index()
        self.desk.draft.set_values(values, self.tr("Use a run's settings"))
        run = self.desk.shown_run()
        text = self.tr("The settings are those of {run} now.").format(run=run.name if run else "")
        if self.desk.draft.stack.index() == before:  # they were so already
            self.desk.toast.say(text)
        else:
            self.desk.offer_undo(text)
        if run is not None:
            self._compare_pictures(run)

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
        self._asked, self._again = run.id, config
        self._different = "\n".join(self.desk.session.table.different_now(run.id))
        sentence = self.tr("Run {run} again with its tasks, settings and seeds?")
        answers = [
            (self.tr("Run again"), self._train),
            (self.tr("Into the draft only"), self._load),
        ]
        more = f"{self._different}\n{self._compare_pictures(run)}"
        self._question = Question(
            sentence.format(run=run.name), answers, self.desk.window, more=more
        )
        self._question.finished.connect(self._answered)
        self._question.setProperty("page", "runs")
        self._question.open()

    def _compare_pictures(self, run: RunSummary) -> str:
        """Begin to compare the run's pictures with the disk; return a sentence for the meantime."""
        if self._check is None or not self.desk.session.pictures.has_list(run.id):
            text = self.tr("{run} kept no list of its pictures, so they cannot be compared.")
            return text.format(run=run.name)
        self._check.check(run.id, run.name)
        return self.tr("Its pictures are being compared with the disk…")

    def _tell_changes(self, run_id: str, sentence: str) -> None:
        """Put what became of the pictures into the question that is still open."""
        if self._question is not None and run_id == self._asked:
            self._question.setInformativeText(f"{self._different}\n{sentence}")

    def _answered(self) -> None:
        self._question = None

    def _load(self) -> None:
        self.desk.draft.load(self._again, self.tr("Run again"))

    def _train(self) -> None:
        if self.desk.training.state == "idle":
            self._load()
        start(self.desk, lambda: self._again)

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
