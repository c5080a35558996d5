"""What is asked before methods are compared: which, with which seeds and orders, and how their settings are chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QWidget,
)

from workbench import config as configs
from workbench.config import RunConfig
from workbench.errors import UsageError
from workbench.face.background import Background
from workbench.face.language import say
from workbench.face.method_choices import MethodChoices
from workbench.face.place import fit
from workbench.face.study_begin import StudyBox
from workbench.session import Session
from workbench.session.study import RULES, Study
from workbench.session.study_file import MOST_ORDERS, study_from

_FIRST = ("simple-cil", "ranpac")  # ticked at first, beside the draft's own method
_WIDE, _HIGH = 620, 640


class MethodsDialog(StudyBox):
    """Makes a study of the draft and of what is filled in, says why it cannot, and hands it on."""

    def __init__(
        self, config: RunConfig, session: Session, work: Background, taken: Sequence[str], parent: QWidget
    ) -> None:  # fmt: skip
        super().__init__(parent.tr("Compare methods"), session, work, parent)
        self.config = config
        self._make_fields(taken)
        self._make_choosing()
        self.column.addWidget(self.label(self.tr("The same pictures, backbone and settings for every method, unless a method brings its own."), "heading"))  # fmt: skip
        self.column.addLayout(self._form())
        self.column.addWidget(self._scrolled(self.methods), 1)
        self.column.addWidget(self.choose)
        self.column.addWidget(self.rules)
        self.end()
        self._join()
        self._choose_toggled()
        fit(self, _WIDE, _HIGH)

    def refresh(self) -> None:
        """Make the study anew; say how many runs it makes, or what does not fit."""
        self._name_baselines()
        try:
            self.show_study(self.made())
        except UsageError as error:
            self.show_problem(str(error))

    def made(self) -> Study:
        """Return the study of what is filled in; raises UsageError with what does not fit."""
        methods = [choice.table() for choice in self.methods.ticked()]
        if len(methods) < 2:
            raise UsageError(say("A comparison needs two methods or more. Tick another one."))
        tried = any(each["try"] for each in methods)
        if self.choose.isChecked() and not tried:
            raise UsageError(say("No method has values to choose among. Fill in a line, or untick the choosing of settings."))  # fmt: skip
        return study_from(
            {
                "name": self.name.text(), "seeds": seeds_of(self.seeds.text()),
                "orders": self.orders.value(), "baseline": self.baseline.currentText(),
                "choose": self._rules(),
                "data": [{"name": self.data.text(), "run": configs.to_dict(self.config)}],
                "method": methods,
            }
        )  # fmt: skip

    def _make_fields(self, taken: Sequence[str]) -> None:
        self.name = QLineEdit(free_name(self.tr("Comparison"), taken), self)
        self.data = QLineEdit(data_name(self.config), self)
        self.seeds = QLineEdit("3", self)
        self.seeds.setToolTip(self.tr("How many, such as 3, or the seeds themselves with commas between, such as 0, 4, 7"))  # fmt: skip
        self.orders = QSpinBox(self)
        self.orders.setRange(1, MOST_ORDERS)
        self.orders.setToolTip(self.tr("Orders of the tasks; of the classes, where one folder is split by class. The first is the present one."))  # fmt: skip
        self.baseline = QComboBox(self)
        ticked = {self.config.method.name, *_FIRST}
        self.methods = MethodChoices(self.session.choices().methods, sorted(ticked), self)

    def _make_choosing(self) -> None:
        self.choose = QCheckBox(self.tr("Choose settings on validation parts of the training pictures"), self)  # fmt: skip
        self.choose.setToolTip(self.tr("Each ticked method gets a line for the values to choose among. The test part is not read for it."))  # fmt: skip
        self.tasks, self.folds = QSpinBox(self), QSpinBox(self)
        self.tasks.setRange(1, 10_000)
        self.folds.setRange(2, 100)
        self.folds.setValue(3)
        self.rule = QComboBox(self)
        best, near = RULES
        self.rule.addItem(self.tr("first within one standard error of the best"), near)
        self.rule.addItem(self.tr("the best mean"), best)
        self.rules = QWidget(self)
        grid = QGridLayout(self.rules)
        grid.setContentsMargins(22, 0, 0, 0)
        parts = ((self.tr("First tasks"), self.tasks), (self.tr("Parts"), self.folds), (self.tr("Rule"), self.rule))  # fmt: skip
        for place, (text, field) in enumerate(parts):
            field.setAccessibleName(text)
            grid.addWidget(QLabel(text, self.rules), 0, 2 * place)
            grid.addWidget(field, 0, 2 * place + 1)
        grid.setColumnStretch(5, 1)

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        rows = (
            (self.tr("Name"), self.name), (self.tr("Pictures are called"), self.data),
            (self.tr("Seeds"), self.seeds), (self.tr("Orders"), self.orders),
            (self.tr("Compared with"), self.baseline),
        )  # fmt: skip
        for text, field in rows:
            field.setAccessibleName(text)
            form.addRow(text, field)
        return form

    def _scrolled(self, inner: QWidget) -> QScrollArea:
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setMinimumHeight(120)
        area.setWidget(inner)
        return area

    def _join(self) -> None:
        for line in (self.name, self.data, self.seeds):
            line.textChanged.connect(self.refresh)
        for number in (self.orders, self.tasks, self.folds):
            number.valueChanged.connect(self.refresh)
        self.baseline.activated.connect(self.refresh)
        self.rule.currentIndexChanged.connect(self.refresh)
        self.methods.changed.connect(self.refresh)
        self.choose.toggled.connect(self._choose_toggled)

    def _choose_toggled(self) -> None:
        self.rules.setVisible(self.choose.isChecked())
        self.methods.let_choose(self.choose.isChecked())
        self.refresh()

    def _rules(self) -> Mapping[str, Any]:
        if not self.choose.isChecked():
            return {}
        return {"tasks": self.tasks.value(), "folds": self.folds.value(), "rule": self.rule.currentData()}  # fmt: skip

    def _name_baselines(self) -> None:
        """Offer the ticked methods; the one chosen stays while it is ticked, else frozen class means are."""
        titles = [choice.offer.title for choice in self.methods.ticked()]
        now = self.baseline.currentText()
        if titles == [self.baseline.itemText(n) for n in range(self.baseline.count())]:
            return
        frozen = next(
            (c.offer.title for c in self.methods.ticked() if c.offer.name == _FIRST[0]), ""
        )
        self.baseline.blockSignals(True)
        self.baseline.clear()
        self.baseline.addItems(titles)
        wanted = now if now in titles else frozen
        self.baseline.setCurrentIndex(max(self.baseline.findText(wanted), 0))
        self.baseline.blockSignals(False)


def seeds_of(text: str) -> Any:
    """Return how many seeds, or the seeds, as a study file would say it; what is neither is handed on as it is."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in filter(None, parts)):
        return text
    numbers = [int(part) for part in parts if part]
    return numbers if len(parts) > 1 else numbers[0] if numbers else text


def free_name(name: str, taken: Sequence[str]) -> str:
    """Return a name that no study has yet: "Comparison", "Comparison 2"."""
    number, found = 2, name
    while found in taken:
        found, number = f"{name} {number}", number + 1
    return found


def data_name(config: RunConfig) -> str:
    """Return what the draft's pictures are called at first."""
    tasks = config.data.tasks
    if len(tasks) == 1:
        return tasks[0].name
    return say("{count} tasks").format(count=len(tasks))
