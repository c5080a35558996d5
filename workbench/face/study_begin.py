"""Boxes before a study begins: what it asks, how many runs that makes and about how long, or why it cannot be."""

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.errors import WorkbenchError
from workbench.face import study_words as words
from workbench.face.background import Background
from workbench.face.box_help import let_f1_help
from workbench.face.place import fit
from workbench.face.words import as_written
from workbench.session import Session
from workbench.session.study import Study
from workbench.session.study_file import read_study
from workbench.session.study_length import StudyLength, length_of
from workbench.session.study_state import StudyState

_WIDE, _LEAST = 560, 260  # pixels of the box over a study file
_PAUSE = 350  # ms after the last change until folders are looked into
Foreseen = tuple[Study, StudyLength, StudyState | None]


class StudyBox(QDialog):
    """It stays until the study has begun, so that a refusal loses nothing.

    What looks ahead, `work`, outlives the box: a folder on a slow drive does not hold its closing.
    """

    wanted = Signal(object)  # Study

    def __init__(self, title: str, session: Session, work: Background, parent: QWidget) -> None:
        super().__init__(parent)
        let_f1_help(self, "studies")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.session = session
        self.study: Study | None = None
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 14, 16, 14)
        self.column.setSpacing(8)
        self.runs, self.length = self.label(""), self.label("", "muted")
        self.problem = self.label("")
        self.problem.setProperty("level", "error")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.go_button = QPushButton(self.tr("Begin"), self)
        self.go_button.setObjectName("primary")  # before it is given away: its style is chosen then
        self.buttons.addButton(self.go_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.go_button.setDefault(True)
        self.go_button.clicked.connect(self._go)
        self.buttons.rejected.connect(self.reject)
        self._work = work
        self._work.item.connect(self._take)
        self._work.raised.connect(self._unforeseen)
        self._work.ended.connect(self._look_again)
        self._looked: Study | None = None  # what was last looked into
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PAUSE)
        self._soon.timeout.connect(self._look)

    def label(self, text: str, kind: str = "") -> QLabel:
        """Return a sentence that wraps."""
        label = QLabel(text, self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        if kind:
            label.setProperty(kind, "true")
        return label

    def end(self) -> None:
        """Put what every box ends with below the rest."""
        for widget in (self.runs, self.length, self.problem, self.buttons):
            self.column.addWidget(widget)

    def show_study(self, study: Study) -> None:
        """Take a study that is whole by itself: count its runs, and look into its folders soon."""
        self.study = study
        self.runs.setText(words.runs_text(study))
        self.say_problem("")
        if study != self._looked:
            self.length.setText(self.tr("Looking into the folders…"))
            self._soon.start()

    def show_problem(self, sentence: str) -> None:
        """Say why there is no study."""
        self.study = None
        self._soon.stop()
        self._looked = None
        self.runs.setText("")
        self.length.setText("")
        self.say_problem(sentence)

    def say_problem(self, sentence: str) -> None:
        """Say what is wrong, or that nothing is."""
        self.problem.setText(sentence)
        self.problem.setToolTip(as_written(sentence))
        self.problem.setVisible(bool(sentence))
        self.go_button.setEnabled(self.study is not None and not sentence)

    def say_busy(self, busy: bool) -> None:
        """Let nothing be pressed twice while the study is being entered."""
        self.go_button.setEnabled(not busy and self.study is not None)
        self.go_button.setText(self.tr("Checking…") if busy else self.go_text())

    def refuse(self, sentence: str) -> None:
        """Say why the study could not begin; everything filled in stays, and it may be tried again."""
        self.say_problem(sentence)
        self.say_busy(False)

    def go_text(self) -> str:
        """Return what the button says."""
        return self.tr("Begin")

    def done(self, result: int) -> None:
        """Give up looking ahead before the box closes."""
        self._soon.stop()
        self._work.cancel()
        super().done(result)

    def known(self, state: StudyState | None) -> None:
        """Be told of a study of the same name that the log has."""

    def _go(self) -> None:
        if self.study is not None:
            self.wanted.emit(self.study)

    def _look(self) -> None:
        study = self.study
        if study is not None and not self._work.busy:
            self._looked = study
            self._work.do(lambda tell: foresee(self.session, study))

    def _look_again(self) -> None:
        """The thread is free: look into what has changed meanwhile."""
        if self.study is not None and self.study != self._looked:
            self._soon.start()

    def _take(self, item: Foreseen | Study | None) -> None:
        if isinstance(item, tuple) and item[0] == self.study:
            _, length, known = item
            self.length.setText(words.length_text(length))
            self.known(known)

    def _unforeseen(self, error: WorkbenchError) -> None:
        if self.study is not None and self.study == self._looked:
            self.length.setText("")
            self.say_problem(str(error))


class StudyFileBox(StudyBox):
    """What a study file asks, with a question whether to begin, or to go on."""

    def __init__(self, path: str, session: Session, work: Background, parent: QWidget) -> None:
        title = parent.tr("Study file {file}").format(file=Path(path).name)
        super().__init__(title, session, work, parent)
        self._path = Path(path)
        self._begun = False
        self.heading, self.asked = self.label("", "heading"), self.label("")
        self.methods, self.rule = self.label("", "muted"), self.label("", "muted")
        self.so_far = self.label("")
        for widget in (self.heading, self.asked, self.methods, self.rule, self.so_far):
            self.column.addWidget(widget)
        self.column.addStretch(1)
        self.end()
        self.show_problem("")
        self.heading.setText(self.tr("Reading the file…"))
        fit(self, _WIDE, _LEAST)
        self._read()

    def _read(self) -> None:
        """Read the file, now or once the thread is free."""
        self._unread = not self._work.do(lambda tell: read_study(self._path))

    def _look_again(self) -> None:
        if self._unread:
            self._read()
        super()._look_again()

    def go_text(self) -> str:
        """Return whether the study begins or goes on."""
        return self.tr("Go on") if self._begun else self.tr("Begin")

    def known(self, state: StudyState | None) -> None:
        """Say how far the study is, if the log has it."""
        self._begun = state is not None
        self.go_button.setText(self.go_text())
        text = self.tr("It has begun: {progress}. Going on trains what it lacks.")
        self.so_far.setText(text.format(progress=words.progress_text(state)) if state else "")
        self.so_far.setVisible(self._begun)

    def _take(self, item: Foreseen | Study | None) -> None:
        super()._take(item)
        if isinstance(item, Study):
            self._tell(item)
        self._grow()

    def _tell(self, study: Study) -> None:
        self.heading.setText(study.name)
        self.asked.setText(words.asked(study))
        self.methods.setText(", ".join(each.label for each in study.methods))
        self.rule.setText(study.choosing.sentence)
        self.rule.setVisible(bool(study.trials))
        self.so_far.hide()
        self.show_study(study)

    def _unforeseen(self, error: WorkbenchError) -> None:
        super()._unforeseen(error)
        if self.study is None:
            self.heading.setText(self.tr("This file is no study that can begin"))
            self.show_problem(str(error))
        self._grow()

    def _grow(self) -> None:
        """Be as high as all sentences need."""
        fit(self, _WIDE, max(self.column.totalHeightForWidth(_WIDE), _LEAST))
        self.column.activate()  # at once: a box that was high enough would show them cut meanwhile


def foresee(session: Session, study: Study) -> Foreseen:
    """Return a study with its length, and how far it is if the log has one of its name.

    Raises:
        UsageError: one of its runs could not start, or the log's study of this name asks something else.
    """
    known = session.studies.begun(study)
    return study, length_of(session, study), known
