"""The head of the table of runs: filter with completion, what to group by, the bin, and which columns show."""

from PySide6.QtCore import QSettings, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QHideEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.config import RunConfig, settings_of
from workbench.face.run_columns import COLUMNS
from workbench.query import KEYS, FilterError, Query, completions, parse

_PAUSE = 200  # ms after the last letter until the log is asked
_FIRST = ("seeds", "method.profile", "model.backbone", "train.epochs")  # most grouped by
_HIDDEN = frozenset(column.order for column in COLUMNS if not column.at_first)


class FilterBar(QWidget):
    """Says what the table shows. A filter that is not understood leaves the table as it was."""

    query_changed = Signal(object)  # Query
    group_changed = Signal(str)  # a setting, or empty
    bin_toggled = Signal(bool)
    columns_changed = Signal()
    empty_requested = Signal()

    def __init__(self, memory: QSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        self.query = Query()
        self.heading = QLabel(self.tr("RUNS"), self)
        self.heading.setProperty("heading", "true")
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(self.tr("Filter: state:finished acc>80 tag:paper"))
        self.field.setAccessibleName(self.tr("Filter of the runs"))
        self.field.setClearButtonEnabled(True)
        for button in self.field.findChildren(QToolButton):
            button.setAccessibleName(self.tr("Clear the filter"))
            button.setToolTip(self.tr("Clear the filter"))
        self.field.setToolTip(
            "\n".join(f"{example}    {text}" for _, example, text in KEYS.values())
        )
        self.problem = QLabel(self)
        self.problem.setProperty("level", "error")
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.number = QLabel(self)
        self.number.setProperty("muted", "true")
        self.groups = self._made_groups()
        self.bin = QCheckBox(self.tr("Show bin"), self)
        self.bin.setToolTip(self.tr("Runs moved to the bin; their files stay until it is emptied"))
        self.empty = QToolButton(self)
        self.empty.setText(self.tr("Empty bin…"))
        self.empty.setAccessibleName(self.tr("Empty the bin"))
        self.empty.hide()
        self.columns = QToolButton(self)
        self.columns.setText(self.tr("Columns ▾"))
        self.columns.setAccessibleName(self.tr("Columns shown"))
        self.columns.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.columns.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.columns.setMenu(self._made_columns())
        for button in (self.empty, self.columns):
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._arrange()
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(_PAUSE)
        self._wait.timeout.connect(self.apply)
        self._words = QStringListModel(self)
        self._set_completer()
        self.field.textChanged.connect(self._wait.start)
        self.field.returnPressed.connect(self.apply)
        self.field.textEdited.connect(self._complete)
        self.groups.currentIndexChanged.connect(self._grouped)
        self.bin.toggled.connect(self._bin_toggled)
        self.empty.clicked.connect(self.empty_requested)

    def restore(self) -> None:
        """Take up the filter of the last time."""
        self.field.setText(str(self._memory.value("runs/filter", "")))
        self.apply()

    def apply(self) -> None:
        """Hand the filter on, or say at the field what is not understood."""
        self._wait.stop()
        text = self.field.text()
        try:
            query = parse(text)
        except FilterError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self.problem.hide()
        self._memory.setValue("runs/filter", text)
        if query != self.query:
            self.query = query
            self.query_changed.emit(query)

    def show_count(self, matching: int) -> None:
        """Say how many runs the filter lets through."""
        text = self.tr("1 run") if matching == 1 else self.tr("{number} runs")
        self.number.setText(text.format(number=f"{matching:,}"))

    def hidden_columns(self) -> set[str]:
        """Return the columns that are not shown, by what they are sorted by."""
        return {action.data() for action in self._actions if not action.isChecked()}

    def reset_columns(self) -> None:
        """Tick the columns that are shown at first."""
        for action in self._actions:
            action.setChecked(action.data() not in _HIDDEN)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop waiting for more letters."""
        self._wait.stop()
        super().hideEvent(event)

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.heading)
        row.addWidget(self.field, 1)
        row.addWidget(self.number)
        row.addWidget(self.groups)
        row.addWidget(self.bin)
        row.addWidget(self.empty)
        row.addWidget(self.columns)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.problem)

    def _made_groups(self) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(self.tr("Group runs by"))
        box.setToolTip(
            self.tr(
                "Runs that differ only in this become one row: mean ± sample standard deviation"
            )
        )
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(14)
        fill_groups(box, self.tr("No groups"), self.tr("by {setting}"))
        return box

    def _made_columns(self) -> QMenu:
        menu = QMenu(self)
        hidden = str(self._memory.value("runs/hidden", ",".join(sorted(_HIDDEN)))).split(",")
        self._actions: list[QAction] = []
        for column in COLUMNS[1:]:
            title = self.tr("Star") if column.order == "star" else self.tr(column.title)
            action = menu.addAction(title)
            action.setCheckable(True)
            action.setData(column.order)
            action.setChecked(column.order not in hidden)
            action.toggled.connect(self._column_toggled)
            self._actions.append(action)
        return menu

    def _set_completer(self) -> None:
        completer = QCompleter(self._words, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseSensitive)
        self.field.setCompleter(completer)

    def _complete(self, text: str) -> None:
        before = text[: len(text) - len(text.rpartition(" ")[2])]
        self._words.setStringList([before + word for word in completions(text)])

    def _grouped(self) -> None:
        self.group_changed.emit(self.groups.currentData())

    def _bin_toggled(self, shown: bool) -> None:
        self.empty.setVisible(shown)
        self.bin_toggled.emit(shown)

    def _column_toggled(self) -> None:
        self._memory.setValue("runs/hidden", ",".join(sorted(self.hidden_columns())))
        self.columns_changed.emit()


def fill_groups(box: QComboBox, none: str, by: str) -> None:
    """Offer no groups, those most wanted, and every other setting, each with its key as data."""
    labels = {
        key: item.metadata.get("label") or key
        for key, item, _ in settings_of(RunConfig())
        if "." in key
    }
    box.addItem(none, "")
    for key in _FIRST:
        box.addItem(by.format(setting=labels.get(key, "seed").lower()), key)
    box.insertSeparator(box.count())
    for key in sorted(set(labels) - set(_FIRST), key=lambda key: labels[key].lower()):
        box.addItem(by.format(setting=labels[key].lower()), key)
