"""What is asked before several runs are trained: which seeds, which orders, which bounds."""

import dataclasses
from abc import abstractmethod

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGridLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from workbench.config import RunConfig, SeedConfig, settings_of, with_values
from workbench.errors import UsageError
from workbench.face.box_help import let_f1_help
from workbench.report import RunSummary
from workbench.session.plans import (
    BOUNDS,
    OFFERED,
    VARIED,
    Plan,
    bounds_plan,
    orders_plan,
    seeds_plan,
)

_MOST_ORDERS = 100


class PlanDialog(QDialog):
    """Makes a plan of what is filled in, says why it cannot, and hands it on."""

    chosen = Signal(object)  # Plan

    def __init__(self, title: str, sentence: str, config: RunConfig, parent: QWidget) -> None:
        super().__init__(parent)
        let_f1_help(self, "queue")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.config = config
        self.made: Plan | None = None
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 14, 16, 14)
        self.column.setSpacing(10)
        self.column.addWidget(self.label(sentence, "heading"))
        self.problem = self.label("")
        self.problem.setProperty("level", "error")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.go_button = self.buttons.addButton(
            self.tr("Train"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.go_button.setObjectName("primary")
        self.buttons.accepted.connect(self._choose)
        self.buttons.rejected.connect(self.reject)

    @abstractmethod
    def plan(self) -> Plan:
        """Return the plan of what is filled in; raises UsageError."""

    def label(self, text: str, kind: str = "") -> QLabel:
        """Return a sentence that wraps."""
        label = QLabel(text, self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        if kind:
            label.setProperty(kind, "true")
        return label

    def finish(self, width: int) -> None:
        """Put what every dialog ends with below the rest, and be as high as it needs."""
        self.column.addStretch(1)
        self.column.addWidget(self.problem)
        self.column.addWidget(self.buttons)
        self.refresh()
        self.ensurePolished()
        self.resize(width, max(self.column.heightForWidth(width), self.minimumSizeHint().height()))

    def refresh(self) -> None:
        """Make the plan anew and say how many runs it has, or why there is none."""
        self.made = None
        try:
            self.made = self.plan()
            self.problem.setText("")
        except UsageError as error:
            self.problem.setText(str(error))
        self.problem.setVisible(self.made is None)
        self.go_button.setEnabled(self.made is not None)
        count = len(self.made.runs) if self.made else 0
        text = self.tr("Train {count} runs").format(count=count) if count else self.tr("Train")
        self.go_button.setText(text)

    def _choose(self) -> None:
        if self.made is not None:
            self.chosen.emit(self.made)
        self.accept()


class SeedsDialog(PlanDialog):
    """Which seeds, and what they vary."""

    def __init__(self, config: RunConfig, parent: QWidget) -> None:
        title = parent.tr("Several seeds")
        sentence = parent.tr("Train the same tasks with the same settings, each time from another seed.")  # fmt: skip
        super().__init__(title, sentence, config, parent)
        self.count = QSpinBox(self)
        self.count.setRange(2, 100)
        self.count.setValue(3)
        self.count.setAccessibleName(self.tr("How many seeds"))
        self.seeds = QLineEdit("0, 1, 2", self)
        self.seeds.setAccessibleName(self.tr("Seeds, with commas between"))
        self.seeds.setToolTip(self.tr("Whole numbers from 0, with commas between"))
        form = QFormLayout()
        form.addRow(self.tr("How many"), self.count)
        form.addRow(self.tr("Seeds"), self.seeds)
        self.column.addLayout(form)
        self.column.addWidget(self.label(self.tr("What varies with the seed"), "muted"))
        self.column.addLayout(self._boxes())
        note = self.tr(
            "The first four are what training draws. Class order and test split change the tasks themselves: forgetting "
            "is comparable only where classes come in the same order. The probe of the NTK monitor never varies. "
            "The group shows mean and sample standard deviation (n − 1)."
        )
        self.column.addWidget(self.label(note, "muted"))
        self.count.valueChanged.connect(self._count_changed)
        self.seeds.textChanged.connect(self.refresh)
        self.finish(520)

    def plan(self) -> Plan:
        """Return one run a seed."""
        varied = [name for name, box in self.boxes.items() if box.isChecked()]
        if not varied:
            raise UsageError(self.tr("Tick at least one thing that varies with the seed."))
        return seeds_plan(self.config, self._listed(), varied)

    def _boxes(self) -> QGridLayout:
        grid = QGridLayout()
        self.boxes: dict[str, QCheckBox] = {}
        known = {item.name: item.metadata for item in dataclasses.fields(SeedConfig)}
        for place, name in enumerate(OFFERED):
            box = self.boxes[name] = QCheckBox(self.tr(known[name]["label"]), self)
            box.setToolTip(self.tr(known[name]["help"]))
            box.setChecked(name in VARIED)
            box.toggled.connect(self.refresh)
            grid.addWidget(box, place // 3, place % 3)
        return grid

    def _listed(self) -> list[int]:
        parts = [part.strip() for part in self.seeds.text().split(",") if part.strip()]
        for part in parts:
            if not (part.isascii() and part.isdigit()):
                text = self.tr("Seeds are whole numbers from 0 with commas between; '{part}' is none.")  # fmt: skip
                raise UsageError(text.format(part=part))
        return [int(part) for part in parts]

    def _count_changed(self, count: int) -> None:
        self.seeds.setText(", ".join(map(str, range(count))))


class OrdersDialog(PlanDialog):
    """How many orders of the tasks."""

    def __init__(self, config: RunConfig, parent: QWidget) -> None:
        title = parent.tr("Task-order study")
        sentence = parent.tr("Train the same tasks in several orders, to see how much hangs on the order.")  # fmt: skip
        super().__init__(title, sentence, config, parent)
        self.count = QSpinBox(self)
        self.count.setRange(2, _MOST_ORDERS)
        self.count.setValue(2 if len(config.data.tasks) == 2 else 5)
        self.count.setAccessibleName(self.tr("How many orders"))
        self.seed = QSpinBox(self)
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setAccessibleName(self.tr("Seed that draws the orders"))
        form = QFormLayout()
        form.addRow(self.tr("How many"), self.count)
        form.addRow(self.tr("Seed"), self.seed)
        self.column.addLayout(form)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("The orders"))
        self.list.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.list.setMinimumHeight(140)
        self.column.addWidget(self.list, 1)
        note = self.tr("The present order comes first; the others are drawn from the seed, none twice. Every other seed and setting stays as it is.")  # fmt: skip
        self.column.addWidget(self.label(note, "muted"))
        self.count.valueChanged.connect(self.refresh)
        self.seed.valueChanged.connect(self.refresh)
        self.finish(560)

    def plan(self) -> Plan:
        """Return one run an order."""
        return orders_plan(self.config, self.count.value(), self.seed.value())

    def refresh(self) -> None:
        """Make the plan anew and list its orders."""
        super().refresh()
        self.list.clear()
        for number, each in enumerate(self.made.runs if self.made else (), 1):
            order = " → ".join(task.name for task in each.config.data.tasks)
            self.list.addItem(f"{number}   {order}")


class BoundsDialog(PlanDialog):
    """What the two bounds of a run are, setting by setting."""

    def __init__(self, config: RunConfig, run: RunSummary, parent: QWidget) -> None:
        title = parent.tr("Bounds of {run}").format(run=run.name)
        sentence = parent.tr(
            "Train two more runs on the same pictures, to read {run} between them."
        )
        super().__init__(title, sentence.format(run=run.name), config, parent)
        self._run = run
        upper = self.tr("Above: all tasks at once. Every class from the start, as one task, with as many passes over each picture.")  # fmt: skip
        lower = self.tr("Below: plain fine-tuning. One set of adapters trained on from task to task, nothing protected.")  # fmt: skip
        for text, role in ((upper, "joint"), (lower, "plain fine-tuning")):
            self.column.addWidget(self.label(text))
            self.column.addWidget(self.label(self._settings(role), "muted"))
        note = self.tr(
            "Both are ordinary runs with the seeds of {run}; the NTK monitor, which never trains, is off. Their final "
            "accuracy on all classes appears beside the run's curve. They are bounds by custom, not by proof."
        )
        self.column.addWidget(self.label(note.format(run=run.name), "muted"))
        self.finish(600)

    def plan(self) -> Plan:
        """Return the two bounds."""
        return bounds_plan(self.config, self._run)

    def _settings(self, role: str) -> str:
        """Return what is set otherwise than in a default run, named as in the settings form."""
        changed = with_values(RunConfig(), BOUNDS[role])
        shown = {True: self.tr("on"), False: self.tr("off")}
        parts = []
        for key, item, value in settings_of(changed):
            if key in BOUNDS[role]:
                said = shown[value] if isinstance(value, bool) else value
                said = f"{said:g}" if isinstance(said, float) else said
                parts.append(f"{item.metadata['label']}: {said}")
        return " · ".join(parts)
