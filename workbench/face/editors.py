"""The small editors of the settings form, one for each kind of value a field can hold."""

from abc import abstractmethod
from dataclasses import Field
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from workbench.config import problem_with


class CalmComboBox(QComboBox):
    """A combo box that the mouse wheel does not change in passing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the panel scroll unless the box has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Editor(QWidget):
    """Shows one value. `edited` carries a value that fits; `problem_changed` a sentence or ""."""

    edited = Signal(object)
    problem_changed = Signal(str)
    beside: QWidget | None = None  # what stands beside the name of a wide one
    wide = False  # whether it takes a row of its own, below its name

    def __init__(self, control: QWidget, unit: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.control = control
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.row = QHBoxLayout()
        self.row.addWidget(control, 1)
        self.column.addLayout(self.row)
        if unit:
            self.row.addWidget(QLabel(unit, self))
        self.setFocusProxy(control)

    @abstractmethod
    def show_value(self, value: Any) -> None:
        """Show `value` without saying that it was edited."""


class LineEditor(Editor):
    """A number or a text, typed. A number may be wrong while it is typed: then it is not emitted."""

    def __init__(self, item: Field[Any], parent: QWidget | None = None) -> None:
        self.line = QLineEdit()
        super().__init__(self.line, item.metadata["unit"], parent)
        self._item = item
        self._shown: Any = None
        self.line.setMinimumWidth(60)
        self.line.textEdited.connect(self._edit)

    def show_value(self, value: Any) -> None:
        """Show `value`, unless the text already says it."""
        if self._shown != value or type(self._shown) is not type(value):
            self._shown = value
            self.line.setText(f"{value:g}" if isinstance(value, float) else str(value))

    def _edit(self, text: str) -> None:
        kind = self._item.type
        try:
            value = kind(text.strip()) if isinstance(kind, type) else text
        except ValueError:
            self._shown = None
            self.problem_changed.emit(self._not_a_number(text))
            return
        problem = problem_with(self._item, value)
        self._shown = None if problem else value
        self.problem_changed.emit(problem)
        if not problem:
            self.edited.emit(value)

    def _not_a_number(self, text: str) -> str:
        data = self._item.metadata
        kind = self.tr("a whole number") if self._item.type is int else self.tr("a number")
        sentence = self.tr("{label}: {kind} from {low:g} to {high:g}, not '{text}'.")
        return sentence.format(
            label=data["label"], kind=kind, low=data["low"], high=data["high"], text=text
        )


class ChoiceEditor(Editor):
    """One of a few named values."""

    def __init__(self, item: Field[Any], parent: QWidget | None = None) -> None:
        self.box = CalmComboBox()
        super().__init__(self.box, item.metadata["unit"], parent)
        self.box.addItems(item.metadata["choices"])
        self.box.textActivated.connect(self._choose)

    def show_value(self, value: Any) -> None:
        """Choose `value`."""
        self.box.setCurrentText(value)

    def _choose(self, text: str) -> None:
        self.edited.emit(text)


class TickEditor(Editor):
    """Yes or no."""

    def __init__(self, item: Field[Any], parent: QWidget | None = None) -> None:
        self.tick = QCheckBox()
        super().__init__(self.tick, "", parent)
        self.tick.clicked.connect(self._choose)

    def show_value(self, value: Any) -> None:
        """Tick or clear."""
        self.tick.setChecked(value)

    def _choose(self, ticked: bool) -> None:
        self.edited.emit(ticked)


def editor_for(item: Field[Any], parent: QWidget) -> Editor:
    """Return the editor for a field by its type and choices."""
    if item.metadata["choices"]:
        return ChoiceEditor(item, parent)
    if item.type is bool:
        return TickEditor(item, parent)
    return LineEditor(item, parent)
