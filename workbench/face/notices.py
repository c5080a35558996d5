"""What a scan wants to have known or answered: a sentence each, with its answers as buttons."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from workbench.face.problem_list import ProblemList
from workbench.face.review import DOUBLED, SHORT, Notice
from workbench.face.words import counted

ANSWERS = {
    "no_classes": ("one_class", "choose"),
    "damaged": ("show", "reveal"),
    "closed": ("show",),
    "cloud": ("go_on", "leave_out"),
    "same_name": ("same", "different"),
    **dict.fromkeys(SHORT, ("leave_class",)),
    **dict.fromkeys(DOUBLED, ("leave_out", "keep")),
}


class NoticeRow(QFrame):
    """One notice. `answered` names the button: one of the words in ANSWERS."""

    answered = Signal(object, str)  # Notice, answer

    def __init__(self, notice: Notice, several: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setProperty("card", "true")
        self.label = QLabel(f"⚠  {self.sentence()}", self)
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setAccessibleName(self.sentence())
        self.detail = ProblemList(notice.problems, self)
        self.detail.setFixedHeight(120)
        self.detail.hide()
        self.for_all = QCheckBox(self.tr("for all"), self)
        self.for_all.setToolTip(self.tr("Answer so for every class name that is asked about"))
        self.for_all.setVisible(several and notice.kind == "same_name")
        row = QHBoxLayout()
        row.addWidget(self.label, 1)
        self.buttons: dict[str, QPushButton] = {}
        for answer in ANSWERS.get(notice.kind, ()):
            button = self.buttons[answer] = QPushButton(self._title(answer), self)
            button.setProperty("answer", answer)
            button.setAutoDefault(False)
            button.clicked.connect(self._answer)
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.for_all, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 4, 6, 4)
        column.addLayout(row)
        column.addWidget(self.detail)

    def sentence(self) -> str:
        """Return what the row says."""
        number, first = len(self.notice.problems), self.notice.problems[0]
        if self.notice.kind == "damaged":
            text = self.tr("{n} of {pictures} cannot be read and will be left out.")
            pictures = counted(self.notice.pictures, "picture", "pictures")
            return text.format(n=f"{number:,}", pictures=pictures)
        if self.notice.kind == "closed" and number > 1:
            return self._closed(first.kind).format(n=f"{number:,}")
        return first.sentence

    def _closed(self, kind: str) -> str:
        texts = {
            "no_permission": self.tr("{n} folders could not be opened (no permission). They were skipped."),
            "link_loop": self.tr("{n} folders could not be opened (links that lead in a circle). They were skipped."),
            "too_long": self.tr("{n} folders could not be opened (path too long). They were skipped."),
        }  # fmt: skip
        return texts.get(kind, self.tr("{n} folders are no longer there. They were skipped."))

    def _title(self, answer: str) -> str:
        titles = {
            "one_class": self.tr("One class"), "choose": self.tr("Choose…"), "show": self.tr("Show"),
            "reveal": self.tr("Reveal in folder"), "same": self.tr("Same"), "different": self.tr("Different"),
            "leave_class": self.tr("Leave class out"), "leave_out": self.tr("Leave them out"),
            "keep": self.tr("Keep"), "go_on": self.tr("Go on"),
        }  # fmt: skip
        return titles[answer]

    def _answer(self) -> None:
        answer = self.sender().property("answer")
        if answer == "show":
            self.detail.setVisible(self.detail.isHidden())
        elif answer == "reveal":
            reveal(Path(self.notice.problems[0].path))
        else:
            self.answered.emit(self.notice, answer)


class NoticeList(QScrollArea):
    """All notices one below the other; as high as they need, up to a limit."""

    answered = Signal(object, str, bool)  # Notice, answer, for all

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Problems found"))
        self.rows: list[NoticeRow] = []

    def show_notices(self, notices: list[Notice]) -> None:
        """Show these and no others."""
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(4)
        several = sum(notice.kind == "same_name" for notice in notices) > 1
        self.rows = [NoticeRow(notice, several, inside) for notice in notices[:200]]
        for row in self.rows:
            row.answered.connect(self._hand_on)
            column.addWidget(row)
        column.addStretch(1)
        self.setWidget(inside)
        self.setVisible(bool(notices))
        line = self.fontMetrics().height()
        self.setFixedHeight(min(6 * line + 20, 8 + len(self.rows) * (2 * line + 14)))

    def texts(self) -> list[str]:
        """Return what is said."""
        return [row.sentence() for row in self.rows]

    def row(self, kind: str) -> NoticeRow:
        """Return the first notice of a kind."""
        return next(row for row in self.rows if row.notice.kind == kind)

    def _hand_on(self, notice: Notice, answer: str) -> None:
        row = self.sender()
        for_all = isinstance(row, NoticeRow) and row.for_all.isChecked()
        self.answered.emit(notice, answer, for_all)


def reveal(path: Path) -> None:
    """Show the folder that a file lies in, or the nearest one above that is there."""
    folder = path if path.is_dir() else path.parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
