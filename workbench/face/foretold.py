"""What was found by looking ahead, as sheets: the reading first, then numbers, then how far to trust them."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from workbench.config import TaskFolder
from workbench.face.box_help import let_f1_help
from workbench.face.language import say
from workbench.face.panel import Table, number_grid, tabbed
from workbench.face.place import fit
from workbench.face.words import as_written, percent
from workbench.report import Forecast, OrderStudy

FEW = 8  # columns that share the width of a sheet
_BESIDE = 60  # pixels of a sheet's width beside the columns of a table


class NextTask(QDialog):
    """Asks which task of the list may come next, or for another folder."""

    chosen = Signal(object)  # TaskFolder
    folder_wanted = Signal()

    def __init__(self, run: str, tasks: Sequence[TaskFolder], parent: QWidget) -> None:
        super().__init__(parent)
        let_f1_help(self, "ntk")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Forecast next task"))
        text = self.tr("What would {run} forget first, if it learnt this next?").format(run=run)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Tasks that may come next"))
        for task in tasks:
            item = QListWidgetItem(task.name, self.list)
            item.setToolTip(as_written(task.path))
            item.setData(Qt.ItemDataRole.UserRole, task)
        self.list.setCurrentRow(0)
        self.list.setSpacing(3)
        self.list.itemActivated.connect(self._choose)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        other = buttons.addButton(
            self.tr("Another folder…"), QDialogButtonBox.ButtonRole.ActionRole
        )
        self.go_button = buttons.addButton(
            self.tr("Forecast"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.go_button.setDefault(True)
        other.clicked.connect(self._other)
        buttons.accepted.connect(self._choose)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(wrapped(text, self, "heading"))
        column.addWidget(self.list)
        column.addWidget(buttons)
        self.resize(420, 300)

    @Slot()
    def _choose(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))
        self.accept()

    @Slot()
    def _other(self) -> None:
        self.accept()
        self.folder_wanted.emit()


class Sheet(QDialog):
    """A reading, tables that can be selected and copied, and what they were computed from."""

    def __init__(self, title: str, sentence: str, parent: QWidget) -> None:
        super().__init__(parent)
        let_f1_help(self, "ntk")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._copied = [sentence]
        self._grids: list[QTableWidget] = []
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 14, 16, 14)
        self.column.setSpacing(10)
        self.reading = wrapped(sentence, self, "heading")
        self.column.addWidget(self.reading)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = self.buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        self.buttons.rejected.connect(self.reject)
        self.close_button = self.buttons.button(QDialogButtonBox.StandardButton.Close)

    def add_table(
        self, title: str, table: Table, stretch: int = 1, *, even: bool = True
    ) -> QTableWidget:
        """Add a table under a heading and return it; `even` spreads its columns where there is room."""
        self.column.addWidget(wrapped(title, self, "muted"))
        grid = number_grid(title, table, self)
        header = grid.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        if even:
            self._grids.append(grid)
        self.column.addWidget(grid, stretch)
        self._copied.append(f"{title}\n{tabbed(table)}")
        return grid

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Spread the columns of a table evenly where that leaves each heading its room."""
        for grid in self._grids:
            header, mode = grid.horizontalHeader(), QHeaderView.ResizeMode
            header.ensurePolished()
            first, *others = (header.sectionSizeHint(n) for n in range(grid.columnCount()))
            first = max(first, grid.sizeHintForColumn(0))
            roomy = first + len(others) * max(others, default=0) < self.width() - _BESIDE
            spread = roomy and len(others) < FEW
            for place in range(1, grid.columnCount()):
                header.setSectionResizeMode(
                    place, mode.Stretch if spread else mode.ResizeToContents
                )
        super().resizeEvent(event)

    def end_with(self, sentences: Sequence[str]) -> None:
        """Add what the numbers were computed from and how far to trust them, and the buttons."""
        for sentence in filter(None, sentences):
            self.column.addWidget(wrapped(sentence, self, "muted"))
            self._copied.append(sentence)
        self.column.addWidget(self.buttons)
        for button in self.buttons.buttons():
            if isinstance(button, QPushButton):
                button.setAutoDefault(button is self.close_button)
        self.close_button.setDefault(True)
        self.close_button.setFocus()

    @Slot()
    def _copy(self) -> None:
        QApplication.clipboard().setText("\n\n".join(self._copied))


class ForecastSheet(Sheet):
    """Which tasks and classes would suffer, worst first."""

    def __init__(self, made: Forecast, run: str, parent: QWidget) -> None:
        title = parent.tr("Forecast for {run}").format(run=run)
        super().__init__(title, made.sentence, parent)
        fit(self, 820, 640 if made.classes else 200)
        if made.tasks:
            self.add_table(self.tr("Learnt tasks, most disturbed first"), task_table(made), 2)
        if made.classes:
            self.add_table(self.tr("Their classes"), class_table(made), 3)
        self.end_with((*made.notes, made.method))


class OrderSheet(Sheet):
    """The present and the suggested order side by side; using it is the user's to choose."""

    use_wanted = Signal(object)  # OrderStudy

    def __init__(self, study: OrderStudy, parent: QWidget) -> None:
        super().__init__(parent.tr("Order of tasks"), study.sentence, parent)
        fit(self, 820, 600)
        self._study = study
        sides = QHBoxLayout()
        present = range(len(study.names))
        sides.addWidget(self._order(self.tr("Present order"), present, study.present_total), 1)
        sides.addWidget(self._order(self.tr("Suggested order"), study.suggested, study.suggested_total), 1)  # fmt: skip
        self.column.addLayout(sides)
        title = self.tr("How far the task of the column disturbs the task of the row, learnt before it (of its signal)")  # fmt: skip
        self.add_table(title, pair_table(study))
        self.use_button = self.buttons.addButton(
            self.tr("Use this order"), QDialogButtonBox.ButtonRole.ActionRole
        )
        self.use_button.setVisible(not study.keeps)
        self.use_button.clicked.connect(self._use)
        self.end_with((*study.notes, study.method))

    def _order(self, title: str, places: Sequence[int], total: float) -> QWidget:
        card = QFrame(self)
        card.setProperty("card", "true")
        column = QVBoxLayout(card)
        heading = self.tr("{title}: predicted interplay {total}")
        column.addWidget(
            wrapped(heading.format(title=title, total=f"{total:.3g}"), card, "heading")
        )
        names = [self._study.names[place] for place in places]
        column.addWidget(
            wrapped("\n".join(f"{n}  {name}" for n, name in enumerate(names, 1)), card)
        )
        column.addStretch(1)
        return card

    @Slot()
    def _use(self) -> None:
        self.use_wanted.emit(self._study)
        self.accept()


def task_table(made: Forecast) -> Table:
    """Return the learnt tasks as headings and rows."""
    headings = [say("Task"), say("Disturbance"), say("Learnt to the end"), say("Accuracy now"), say("With new classes"), say("Afterwards")]  # fmt: skip
    rows = []
    for task in made.tasks:
        shares = (task.accuracy_now, task.accuracy_competing, task.accuracy_after)
        numbers = [_number(task.planned), _number(task.ridge), *map(percent, shares)]
        rows.append([task.name, task.reason, "", "", "", ""] if task.reason else [task.name, *numbers])  # fmt: skip
    return headings, rows


def class_table(made: Forecast) -> Table:
    """Return the learnt classes as headings and rows."""
    headings = [say("Class"), say("Task"), say("Movement, planned"), say("Learnt to the end"), say("Test pictures lost")]  # fmt: skip
    return headings, [
        [each.name, each.task, _number(each.planned), _number(each.ridge), percent(each.lost)]
        for each in made.classes
    ]


def pair_table(study: OrderStudy) -> Table:
    """Return the pair matrix as headings and rows."""
    rows = zip(study.names, study.disturbance, strict=True)
    return ["", *study.names], [[name, *map(_number, row)] for name, row in rows]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def wrapped(text: str, parent: QWidget, kind: str = "") -> QLabel:
    """Return plain text over as many lines as it needs, which can be selected; `kind` is its style."""
    label = QLabel(text, parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if kind:
        label.setProperty(kind, "true")
    return label
