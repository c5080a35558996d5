"""The confusion matrix of a run after a task: by class, or by task until one is entered; a cell opens its pictures."""

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from workbench.answers import Answers, by_owner, confusion
from workbench.face.book import Book, Picture
from workbench.face.confusion_map import ConfusionMap, Run
from workbench.face.drawing import DrawingPanel
from workbench.face.editors import CalmComboBox
from workbench.face.language import say
from workbench.face.words import counted, percent

MANY = 40  # classes from which tasks are drawn first
_CLASSES, _TASKS = "classes", "tasks"


class ConfusionPanel(DrawingPanel):
    """Rows are true classes, columns what was answered."""

    opened = Signal(str, list)  # a title, the pictures of a cell

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(say("Confusion matrix"), parent)
        self.set_title(self.tr("Confusion matrix"))
        self._book, self._after = Book(), -1
        self._block: tuple[int, int] | None = (
            None  # a task's pictures, answered with a task's classes
        )
        self.back = QPushButton(self.tr("All tasks"), self)
        self.back.setToolTip(self.tr("Back to the matrix of all tasks"))
        self.back.clicked.connect(self.leave_block)
        self.level = self._choice(
            self.tr("What a row is"),
            ((self.tr("By class"), _CLASSES), (self.tr("By task"), _TASKS)),
        )
        self.unit = self._choice(
            self.tr("Numbers in cells"),
            ((self.tr("% of the row"), True), (self.tr("Pictures"), False)),
        )
        for widget in (self.back, self.level, self.unit):
            self.header.addWidget(widget)
        self.readout = QLabel(self)
        self.readout.setTextFormat(Qt.TextFormat.PlainText)
        self.readout.setProperty("muted", "true")
        self.readout.setWordWrap(True)
        self.readout.setMinimumHeight(self.fontMetrics().height() * 2)
        self.body.addWidget(self.readout)
        self.view.setMouseTracking(True)
        self.view.setCursor(Qt.CursorShape.PointingHandCursor)
        self.view.installEventFilter(self)
        self.view.opened.connect(self._open)
        self.level.currentIndexChanged.connect(self.leave_block)
        self.unit.currentIndexChanged.connect(self.refresh)
        self.back.hide()

    def show_answers(self, book: Book, after: int) -> None:
        """Show the matrix after a task."""
        if book.run != self._book.run:
            self._block = None
            many = len(book.names) > MANY
            self.level.setCurrentIndex(self.level.findData(_TASKS if many else _CLASSES))
        self._book, self._after = book, after
        self.refresh()

    def leave_block(self) -> None:
        """Show all tasks again."""
        self._block = None
        self.refresh()

    def refresh(self) -> None:
        """Draw anew."""
        self.back.setVisible(self._block is not None)
        self.level.setVisible(self._block is None)
        drawing = self._drawing()
        self.readout.setText(
            self.tr("Rows are true, columns what was answered. A cell opens its pictures.")
        )
        self.show_drawing(drawing, self._summary(), empty=self.tr("Appears after the first task"))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Say what the mouse is over."""
        if isinstance(event, QMouseEvent) and self.view.drawing is not None:
            cell = self.view.drawing.at(event.position(), self.view.place())
            if cell is not None:
                self.readout.setText(self.view.drawing.sentence(*cell))
        return super().eventFilter(watched, event)

    @property
    def _answers(self) -> Answers | None:
        return self._book.history.get(self._after)

    def _by_task(self) -> bool:
        return self._block is None and self.level.currentData() == _TASKS

    def _drawing(self) -> ConfusionMap | None:
        answers, book = self._answers, self._book
        if answers is None:
            return None
        whole = confusion(answers, max(book.classes(self._after)) + 1)
        if self._by_task():
            return self._of_tasks(whole)
        rows, columns = self._shown_classes()
        counts = whole[np.ix_(rows, columns)]
        names = tuple(book.names[c] for c in rows), tuple(book.names[c] for c in columns)

        def say(row: int, column: int) -> str:
            return self._sentence(rows[row], columns[column], counts[row, column], totals[row])

        totals = whole[rows].sum(axis=1)
        runs = self._runs(rows), self._runs(columns)
        return ConfusionMap(*names, counts, totals, *runs, bool(self.unit.currentData()), say)

    def _of_tasks(self, whole: np.ndarray) -> ConfusionMap:
        book, tasks = self._book, self._after + 1
        order = book.classes(self._after)
        owner = [book.owner[c] for c in order]
        counts = by_owner(whole[np.ix_(order, order)], owner, tasks)
        totals = counts.sum(axis=1)
        names = tuple(book.task_label(t) for t in range(tasks))
        runs = tuple((t, t + 1, name) for t, name in enumerate(names))

        def say(row: int, column: int) -> str:
            text = self.tr(
                "{count} of classes of task {row} were answered with a class of task {column} ({share})."
            )
            return text.format(
                count=_of(counts[row, column], totals[row]), row=names[row], column=names[column],
                share=percent(counts[row, column] / max(totals[row], 1)),
            )  # fmt: skip

        return ConfusionMap(
            names, names, counts, totals, runs, runs, bool(self.unit.currentData()), say
        )

    def _shown_classes(self) -> tuple[list[int], list[int]]:
        classes, owner = self._book.classes(self._after), self._book.owner
        if self._block is None:
            return classes, classes
        row, column = self._block
        return [c for c in classes if owner[c] == row], [c for c in classes if owner[c] == column]

    def _runs(self, classes: list[int]) -> tuple[Run, ...]:
        owners = [self._book.owner[c] for c in classes]
        starts = [i for i, task in enumerate(owners) if i == 0 or owners[i - 1] != task]
        ends = [*starts[1:], len(owners)]
        return tuple(
            (start, end, self._book.task_label(owners[start]))
            for start, end in zip(starts, ends, strict=True)
        )

    def _sentence(self, true: int, said: int, count: int, total: int) -> str:
        names, owner = self._book.names, self._book.owner
        share = percent(count / max(total, 1))
        if true == said:
            text = self.tr("'{true}' (task {task}) recognised: {count} ({share}).")
            return text.format(true=names[true], task=owner[true] + 1, count=_of(count, total), share=share)  # fmt: skip
        text = self.tr(
            "'{true}' (task {task}) taken for '{said}' (task {other}): {count} ({share})."
        )
        return text.format(
            true=names[true], task=owner[true] + 1, said=names[said], other=owner[said] + 1,
            count=_of(count, total), share=share,
        )  # fmt: skip

    def _summary(self) -> str:
        answers = self._answers
        if answers is None:
            return ""
        text = self.tr("After task {task}: {count} recognised.")
        return text.format(task=self._after + 1, count=_of(int(answers.right.sum()), len(answers)))

    def _open(self, row: int, column: int) -> None:
        answers, drawing = self._answers, self.view.drawing
        if answers is None or drawing is None:
            return
        if self._by_task() and len(self._book.names) > MANY:
            self._block = (row, column)
            self.refresh()
            return
        self.opened.emit(drawing.sentence(row, column), self._pictures(answers, row, column))

    def _pictures(self, answers: Answers, row: int, column: int) -> list[Picture]:
        if self._by_task():
            classes, owner = self._book.classes(self._after), self._book.owner
            true = [c for c in classes if owner[c] == row]
            said = [c for c in classes if owner[c] == column]
        else:
            rows, columns = self._shown_classes()
            true, said = [rows[row]], [columns[column]]
        found = np.isin(answers.label, true) & np.isin(answers.predicted, said)
        return [self._book.picture(answers, int(i)) for i in np.flatnonzero(found)]

    def _choice(self, name: str, choices: tuple[tuple[str, object], ...]) -> CalmComboBox:
        box = CalmComboBox(self)
        box.setSizeAdjustPolicy(CalmComboBox.SizeAdjustPolicy.AdjustToContents)
        box.setAccessibleName(name)
        box.setToolTip(name)
        for text, data in choices:
            box.addItem(text, data)
        return box


def _of(count: int, total: int) -> str:
    return say("{count:,} of {pictures}").format(
        count=count, pictures=counted(int(total), "picture", "pictures")
    )
