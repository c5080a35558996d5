"""A settings form made from the fields of the configuration: it knows no setting by name."""

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from workbench.config import RunConfig, settings_of
from workbench.face.editors import Editor, editor_for


class Row:
    """One setting: label and editor side by side, the sentence about its value or its nature below."""

    def __init__(
        self, editor: Editor, item: Field[Any], grid: QGridLayout, parent: QWidget
    ) -> None:
        self.editor = editor
        name, help_text = item.metadata["label"] or item.name, item.metadata["help"]
        self._label = label = _wrapped(name, parent)
        label.setToolTip(help_text)
        label.setBuddy(editor.control)
        self.note = _wrapped("", parent)
        self.note.setProperty("muted", "true")
        self.problem = _wrapped("", parent)
        self.problem.setProperty("level", "error")
        at = grid.rowCount()
        grid.addWidget(label, at, 0)
        if editor.wide:
            at += 1
            grid.addWidget(editor, at, 0, 1, 2)
        else:
            grid.addWidget(editor, at, 1)
        grid.addWidget(self.note, at + 1, 0, 1, 2)
        grid.addWidget(self.problem, at + 2, 0, 1, 2)
        for below in (self.note, self.problem):
            below.hide()
        editor.control.setToolTip(help_text)
        editor.control.setAccessibleName(name)
        editor.control.setAccessibleDescription(help_text)

    def parts(self) -> tuple[QWidget, ...]:
        """Return what belongs to the setting: its name and where it is edited."""
        return self._label, self.editor, self.editor.control

    def show_problem(self, sentence: str) -> None:
        """Show or clear the sentence below the editor."""
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))

    def show_note(self, text: str) -> None:
        """Show or clear what is known of the value."""
        self.note.setText(text)
        self.note.setVisible(bool(text))


class Section(QWidget):
    """A fold: a heading that opens and closes the rows below it."""

    def __init__(self, title: str, help_text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.fold = QToolButton(self)
        self.fold.setText(title)
        self.fold.setToolTip(help_text)
        self.fold.setCheckable(True)
        self.fold.setAutoRaise(True)
        self.fold.setProperty("fold", "true")
        self.fold.setArrowType(Qt.ArrowType.RightArrow)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setAccessibleName(self.tr("{title}, advanced settings").format(title=title))
        self.fold.toggled.connect(self._toggle)
        self.body = QWidget(self)
        self.grid = _grid_in(self.body)
        self.body.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.fold)
        column.addWidget(self.body)

    def _toggle(self, opened: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow
        self.fold.setArrowType(arrow)
        self.body.setVisible(opened)


class Form(QWidget):
    """Every setting of a configuration: the plain ones on top, the advanced ones folded by section.

    `editors` gives an own editor for some "section.key". Values that do not fit stay in the form
    with their sentence; they are never emitted.
    """

    edited = Signal(str, object)  # "section.key", value
    problems_changed = Signal()
    help_wanted = Signal(str)  # of the setting under the mouse or with the focus

    def __init__(
        self,
        config: RunConfig,
        editors: Mapping[str, Editor] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._rows: dict[str, Row] = {}
        self.sections: dict[str, Section] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        plain = QWidget(self)
        plain_grid = _grid_in(plain)
        column.addWidget(plain)
        own = editors or {}
        for key, item, value in settings_of(config):
            editor = own.get(key) or editor_for(item, self)
            advanced = item.metadata["advanced"]
            grid = self._section(key, config, column).grid if advanced else plain_grid
            self._rows[key] = Row(editor, item, grid, self)
            editor.setProperty("key", key)
            editor.edited.connect(self._value_edited)
            editor.problem_changed.connect(self._problem_changed)
            editor.note_changed.connect(self._note_changed)
            editor.show_value(value)
            for part in self._rows[key].parts():
                part.setProperty("help", item.metadata["help"])
                part.installEventFilter(self)
        column.addStretch(1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell the help of the setting that the mouse or the keyboard comes to."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.FocusIn):
            self.help_wanted.emit(watched.property("help"))
        return super().eventFilter(watched, event)

    def row(self, key: str) -> Row:
        """Return the row of "section.key"."""
        return self._rows[key]

    def show_config(self, config: RunConfig) -> None:
        """Show a configuration's values; fields that already hold them are left alone."""
        for key, _, value in settings_of(config):
            row = self._rows[key]
            row.editor.show_value(value)
            row.show_problem("")
        self.problems_changed.emit()

    def problems(self) -> list[str]:
        """Return the sentences shown now, top to bottom."""
        return [row.problem.text() for row in self._rows.values() if row.problem.text()]

    def _section(self, key: str, config: RunConfig, column: QVBoxLayout) -> Section:
        name = key.partition(".")[0]
        if name not in self.sections:
            kind = next(item.type for item in fields(config) if item.name == name)
            section = Section(name.capitalize(), kind.__doc__ or "", self)
            self.sections[name] = section
            column.addWidget(section)
        return self.sections[name]

    def _value_edited(self, value: object) -> None:
        self.edited.emit(self.sender().property("key"), value)

    def _problem_changed(self, sentence: str) -> None:
        self._rows[self.sender().property("key")].show_problem(sentence)
        self.problems_changed.emit()

    def _note_changed(self, text: str) -> None:
        self._rows[self.sender().property("key")].show_note(text)


def _grid_in(parent: QWidget) -> QGridLayout:
    grid = QGridLayout(parent)
    grid.setContentsMargins(2, 2, 2, 2)
    grid.setVerticalSpacing(5)
    grid.setColumnStretch(0, 2)
    grid.setColumnStretch(1, 3)
    return grid


def _wrapped(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setWordWrap(True)
    return label
