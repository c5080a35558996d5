"""What a scan found, shown before anything is added: classes, pictures, problems and the questions they raise."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QSplitter, QVBoxLayout, QWidget

from workbench.config import RunConfig
from workbench.errors import WorkbenchError
from workbench.face.box_help import let_f1_help
from workbench.face.class_gallery import Gallery
from workbench.face.class_tree import ClassTree
from workbench.face.notices import NoticeList
from workbench.face.plan_row import PlanRow
from workbench.face.review import Notice, Review
from workbench.face.words import counted, percent
from workbench.report import ScanReport, TaskReport
from workbench.session import Session


class ReportSheet(QDialog):
    """Shows a report and gives back the tasks as answered. `whole()` is valid once accepted."""

    choose_requested = Signal()  # another folder instead

    def __init__(
        self,
        report: ScanReport,
        session: Session,
        settings: RunConfig,
        parent: QWidget,
        before: Sequence[TaskReport] = (),
        after: Sequence[TaskReport] = (),
        add_text: str = "",
    ) -> None:
        """`before` and `after` are the draft's tasks around these."""
        super().__init__(parent, Qt.WindowType.Sheet)
        let_f1_help(self, "tasks")
        self.setWindowTitle(self.tr("What was found"))
        self.resize(min(920, parent.width() - 40 or 920), min(680, parent.height() - 30 or 680))
        self.setMinimumSize(620, 460)
        share = settings.data.test_share
        self.review = Review(session, report, tuple(before), tuple(after), share)
        self._settings = settings
        self._result: tuple[TaskReport, ...] = ()
        self.heading = QLabel(self)
        self.heading.setTextFormat(Qt.TextFormat.PlainText)
        self.heading.setProperty("heading", "true")
        self.heading.setWordWrap(True)
        self.notices = NoticeList(self)
        self.tree = ClassTree(self)
        self.gallery = Gallery(self)
        one = len(report.tasks) == 1
        self.plan = PlanRow(len(report.tasks), len(report.tasks[0].classes) if one else 0, self)
        self.trouble = QLabel(self)
        self.trouble.setTextFormat(Qt.TextFormat.PlainText)
        self.trouble.setProperty("level", "error")
        self.trouble.setWordWrap(True)
        self.trouble.hide()
        self._arrange(add_text or self.tr("Add"))
        self._join()
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Start with the keyboard on the button that goes on."""
        super().showEvent(event)
        (self.add_button if self.add_button.isEnabled() else self.cancel_button).setFocus()

    def whole(self) -> tuple[TaskReport, ...]:
        """Return all tasks of the draft as answered, the new ones among them."""
        return self._result

    def added(self) -> tuple[TaskReport, ...]:
        """Return the new ones alone."""
        before, after = len(self.review.before), len(self.review.after)
        return self._result[before : len(self._result) - after]

    def done(self, result: int) -> None:
        """Close, with no thread left behind."""
        self.gallery.shut_down()
        super().done(result)

    def accept(self) -> None:
        """Work out the answered tasks; stay open with a sentence if they cannot be made."""
        try:
            self._result = self.review.whole()
        except WorkbenchError as error:
            self._say(str(error))
            return
        super().accept()

    def refresh(self) -> None:
        """Draw everything from the answers so far."""
        review = self.review
        review.plan = self.plan.plan()
        self.heading.setText(self._headline())
        self.notices.show_notices(review.notices())
        self.tree.show_review(review)
        self.trouble.hide()
        self._preview()

    def _preview(self) -> None:
        planned: tuple[TaskReport, ...] = ()
        self.review.plan = self.plan.plan()
        try:
            planned = self.review.planned()
            self.trouble.hide()
        except WorkbenchError as error:
            self._say(str(error))
        self.plan.show_tasks(planned, len(self.review.before) + 1)
        self.add_button.setEnabled(bool(planned))

    def _say(self, sentence: str) -> None:
        self.trouble.setText(sentence)
        self.trouble.show()

    def _headline(self) -> str:
        tasks = [task for task in self.review.tasks if task.classes]
        if not tasks:
            return self.tr("Nothing here can be learnt.")
        classes = sum(len(task.classes) for task in tasks)
        pictures = sum(item.train + item.test for task in tasks for item in task.classes)
        parts = (
            counted(len(tasks), "task", "tasks"), counted(classes, "class", "classes"),
            counted(pictures, "picture", "pictures"),
        )  # fmt: skip
        return " · ".join(parts)

    def _held_back(self) -> str:
        if all(task.has_split for task in self.review.tasks):
            return self.tr("Training and test pictures as the folder divides them.")
        share = percent(self._settings.data.test_share, 0)
        text = self.tr("{share} of each class are kept for testing, chosen by seed {seed}.")
        return text.format(share=share, seed=self._settings.seeds.split)

    def _join(self) -> None:
        self.notices.answered.connect(self._answer)
        self.tree.ticked.connect(self._tick)
        self.tree.shown.connect(self._show_class)
        self.gallery.chosen_out.connect(self._leave_out)
        self.plan.changed.connect(self._preview)
        self.plan.moved.connect(self._move)

    def _answer(self, notice: Notice, answer: str, for_all: bool) -> None:
        review = self.review
        if answer == "choose":
            self.reject()
            self.choose_requested.emit()
            return
        if answer == "one_class":
            review.use_as_one_class(notice.task)
        elif answer == "leave_out":
            review.leave_doubled_out(notice)
        elif answer in ("same", "different"):
            review.answer_name(notice, same=answer == "same", for_all=for_all)
        else:  # keep, go on, leave class out: it is so already
            review.settle(notice)
        self._later()

    def _tick(self, task: int, names: set[str]) -> None:
        try:
            self.review.take_classes(task, names)
        except WorkbenchError as error:
            self.refresh()
            self._say(str(error))
            return
        self._later()

    def _leave_out(self, out: set[str]) -> None:
        name, task = self.tree.current()
        here = set(self._paths(task, name))
        self.review.set_left_out(task, (self.review.left_out(task) - here) | (out & here))
        self._later()

    def _move(self, source: int, target: int) -> None:
        if source < len(self.review.tasks) and target < len(self.review.tasks):
            self.review.move(source, target)
            self._later()

    def _later(self) -> None:
        """Redraw once the signal's sender, which is drawn anew too, has returned."""
        QTimer.singleShot(0, self, self.refresh)

    def _show_class(self, task: int, name: str) -> None:
        report = self.review.tasks[task]
        self.gallery.show_class(
            f"{report.folder.name} / {name}", Path(report.folder.path), self._paths(task, name),
            self.review.left_out(task),
        )  # fmt: skip

    def _paths(self, task: int, name: str) -> tuple[str, ...]:
        found = (each for each in self.review.classes(task) if each.name == name)
        return next(((*each.pictures, *each.tests) for each in found), ())

    def _arrange(self, add_text: str) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(self.heading)
        column.addWidget(self.notices)
        across = QSplitter(Qt.Orientation.Horizontal, self)
        across.setChildrenCollapsible(False)
        across.addWidget(self.tree)
        across.addWidget(self.gallery)
        across.setSizes([430, 450])
        column.addWidget(across, 1)
        note = QLabel(self._held_back(), self)
        note.setTextFormat(Qt.TextFormat.PlainText)
        note.setProperty("muted", "true")
        column.addWidget(note)
        column.addWidget(self.plan)
        column.addWidget(self.trouble)
        column.addWidget(self._buttons(add_text))
        is_there = bool(self.review.tasks)
        for widget in (across, note, self.plan):
            widget.setVisible(is_there)

    def _buttons(self, add_text: str) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        self.add_button = box.addButton(add_text, QDialogButtonBox.ButtonRole.AcceptRole)
        self.add_button.setObjectName("primary")
        self.add_button.setDefault(True)
        self.cancel_button = box.addButton(QDialogButtonBox.StandardButton.Cancel)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box
