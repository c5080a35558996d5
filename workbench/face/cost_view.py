"""What a run has cost so far: parameters, disk, time of each task, and what the NTK monitor took of it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from workbench.face.book import Book
from workbench.face.words import counted, percent
from workbench.session.results import RunCost


class CostView(QScrollArea):
    """A card of facts, the seconds of each task last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Cost so far"))
        self._shown: tuple[tuple[str, str], ...] = ()
        self._card = QFrame(self)
        self._card.setProperty("card", "true")
        self._grid = QGridLayout(self._card)
        self._grid.setContentsMargins(14, 12, 14, 12)
        self._grid.setHorizontalSpacing(18)
        self._grid.setVerticalSpacing(7)
        self._grid.setColumnStretch(1, 1)
        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 8, 4, 0)
        column.addWidget(self._card)
        column.addStretch(1)
        self.setWidget(inner)

    def show_cost(self, book: Book) -> None:
        """Show what is known of a run."""
        facts = self.facts(book)
        if facts == self._shown:
            return
        self._shown = facts
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        for row, (name, value) in enumerate(facts):
            label, text = QLabel(name, self._card), QLabel(value, self._card)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setProperty("muted", "true")
            text.setWordWrap(True)
            text.setTextFormat(Qt.TextFormat.PlainText)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.setAccessibleName(f"{name}: {value}")
            self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(text, row, 1)

    def facts(self, book: Book) -> tuple[tuple[str, str], ...]:
        """Return names and values, in order."""
        cost = book.cost
        if cost is None:
            return ()
        rows = [
            (self.tr("Trained"), self._trained(cost)),
            (self.tr("Adapter"), self._adapter(cost)),
            (self.tr("On disk"), self._disk(cost)),
            (self.tr("NTK monitor"), self._monitor(cost)),
            (self.tr("Time"), self._time(cost)),
        ]
        for task, seconds in enumerate(cost.seconds):
            if task < len(book.tasks):
                rows.append((book.task_label(task), self._seconds(seconds)))
        return tuple(rows)

    def _trained(self, cost: RunCost) -> str:
        if not cost.backbone_parameters:
            text = self.tr("{number} parameters; the backbone's were not recorded")
            return text.format(number=f"{cost.trained_parameters:,}")
        share = cost.trained_parameters / cost.backbone_parameters
        text = self.tr("{number} parameters, {share} of the backbone's {whole}, which stay frozen")
        return text.format(
            number=f"{cost.trained_parameters:,}", share=percent(share),
            whole=f"{cost.backbone_parameters:,}",
        )  # fmt: skip

    def _adapter(self, cost: RunCost) -> str:
        if not cost.adapter_parameters:
            return self.tr("Saved after the first task")
        text = self.tr(
            "{number} numbers in the file: those trained, their slow copies, a prototype for each class"
        )
        return text.format(number=f"{cost.adapter_parameters:,}")

    def _disk(self, cost: RunCost) -> str:
        text = self.tr("{adapter} adapter; {whole} in all, with kernels and answers")
        return text.format(adapter=size_of(cost.adapter_bytes), whole=size_of(cost.run_bytes))

    def _monitor(self, cost: RunCost) -> str:
        if cost.monitor_share is None:
            return self.tr("Its share of the time was not recorded")
        return self.tr("{share} of the time").format(share=percent(cost.monitor_share))

    def _time(self, cost: RunCost) -> str:
        if not cost.seconds:
            return self.tr("Appears after the first task")
        mean = sum(cost.seconds) / len(cost.seconds)
        text = self.tr(
            "{whole} for {count}, {mean} each on average; tests and measurements included"
        )
        tasks = counted(len(cost.seconds), "task", "tasks")
        return text.format(
            whole=self._seconds(sum(cost.seconds)), count=tasks, mean=self._seconds(mean)
        )

    def _seconds(self, seconds: float) -> str:
        if seconds < 90:
            return self.tr("{number} s").format(number=f"{seconds:.1f}")
        minutes, rest = divmod(round(seconds), 60)
        return self.tr("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)


def size_of(number: int) -> str:
    """Return a size as a person reads it: "812 kB", "2.4 MB"."""
    if number < 1_000_000:
        return f"{number / 1000:.0f} kB"
    if number < 1_000_000_000:
        return f"{number / 1e6:.1f} MB"
    return f"{number / 1e9:.2f} GB"
