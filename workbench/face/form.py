"""A settings form made from the fields of the configuration: it knows no setting by name."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QGridLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from workbench.config import RunConfig, settings_of
from workbench.face.editors import Editor, editor_for


class Row(QObject):
    """One setting: label and editor side by side, the sentence about its value below.

    A value that differs from the base is marked by a button that puts it back; the menu of label and
    editor offers the default too.
    """

    put_back = Signal(object)  # the value to be set

    def __init__(
        self, editor: Editor, item: Field[Any], grid: QGridLayout, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.editor = editor
        self.item = item
        self.value = self.base = item.default
        name, help_text = item.metadata["label"] or item.name, item.metadata["help"]
        self._label = label = _wrapped(name, parent)
        label.setToolTip(help_text)
        label.setBuddy(editor.control)
        self.problem = _wrapped("", parent)
        self.problem.setProperty("level", "error")
        at = grid.rowCount()
        grid.addWidget(label, at, 0)
        self.back = self._back_button(parent)
        grid.addWidget(self.back, at, 2)
        if editor.wide:
            if editor.beside is not None:
                grid.addWidget(editor.beside, at, 1, Qt.AlignmentFlag.AlignRight)
            at += 1
            grid.addWidget(editor, at, 0, 1, 3)
        else:
            grid.addWidget(editor, at, 1)
        grid.addWidget(self.problem, at + 1, 0, 1, 3)
        self.problem.hide()
        editor.control.setToolTip(help_text)
        editor.control.setAccessibleName(name)
        editor.control.setAccessibleDescription(help_text)
        for widget in (label, editor):
            widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            widget.customContextMenuRequested.connect(self._show_menu)

    @property
    def changed(self) -> bool:
        """Whether the value differs from the base."""
        return bool(self.value != self.base)

    def set_values(self, value: Any, base: Any) -> None:
        """Take note of the value in force and the one it would be put back to."""
        self.value, self.base = value, base
        self.back.setVisible(self.changed and not self._label.isHidden())
        text = self.tr("Put back to {value}").format(value=_said(base))
        self.back.setToolTip(text)
        self.back.setAccessibleName(f"{self._label.text()}: {text}")

    def matches(self, words: Sequence[str]) -> bool:
        """Return whether name, help and key together hold every word."""
        said = f"{self._label.text()} {self.item.metadata['help']} {self.editor.property('key')}"
        return all(word in said.casefold() for word in words)

    def set_shown(self, shown: bool) -> None:
        """Show the row, or leave it out."""
        self._label.setVisible(shown)
        self.editor.setVisible(shown)
        if self.editor.beside is not None:
            self.editor.beside.setVisible(shown)
        self.back.setVisible(shown and self.changed)
        self.problem.setVisible(shown and bool(self.problem.text()))

    def menu(self) -> QMenu:
        """Return the menu with what the value can be put back to."""
        menu = QMenu(self.editor)
        default = self.item.default
        if self.base != default:
            text = self.tr("Put back to the preset's {value}").format(value=_said(self.base))
            menu.addAction(text).triggered.connect(self._to_base)
        text = self.tr("Put back to the default, {value}").format(value=_said(default))
        action = menu.addAction(text)
        action.setEnabled(self.value != default)
        action.triggered.connect(self._to_default)
        return menu

    def _show_menu(self, place: QPoint) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(QCursor.pos())

    def _to_base(self) -> None:
        self.put_back.emit(self.base)

    def _to_default(self) -> None:
        self.put_back.emit(self.item.default)

    def _back_button(self, parent: QWidget) -> QToolButton:
        button = QToolButton(parent)
        button.setText("↺")
        button.setAutoRaise(True)
        button.setProperty("small", "true")
        button.clicked.connect(self._to_base)
        button.hide()
        return button

    def parts(self) -> tuple[QWidget, ...]:
        """Return what belongs to the setting: its name and where it is edited."""
        return self._label, self.editor, self.editor.control

    def show_problem(self, sentence: str) -> None:
        """Show or clear the sentence below the editor."""
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))


class Section(QWidget):
    """A fold: a heading that opens and closes the rows below it."""

    def __init__(self, title: str, help_text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.title = title
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

    def show_changed(self, count: int) -> None:
        """Say in the heading how many values below it differ from the base."""
        text = self.tr("{title} · {count} changed")
        self.fold.setText(text.format(title=self.title, count=count) if count else self.title)

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
            self._rows[key] = row = Row(editor, item, grid, self)
            row.setProperty("key", key)
            row.put_back.connect(self._value_edited)
            editor.setProperty("key", key)
            editor.edited.connect(self._value_edited)
            editor.problem_changed.connect(self._problem_changed)
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

    def show_config(self, config: RunConfig, base: RunConfig | None = None) -> None:
        """Show a configuration's values; fields that already hold them are left alone.

        `base` is what they are compared with and put back to; without one it is the defaults.
        """
        bases = {key: value for key, _, value in settings_of(base or RunConfig())}
        for key, _, value in settings_of(config):
            row = self._rows[key]
            row.show_problem("")
            row.editor.show_value(value)
            row.set_values(value, bases[key])
        for name, section in self.sections.items():
            section.show_changed(sum(row.changed for row in self._rows_of(name)))
        self.problems_changed.emit()

    def search(self, text: str) -> int:
        """Show only settings that hold every word, in opened sections; return how many there are."""
        words = text.casefold().split()
        for row in self._rows.values():
            row.set_shown(row.matches(words))
        for name, section in self.sections.items():
            hits = any(row.matches(words) for row in self._rows_of(name))
            section.setVisible(hits)
            if words and hits:
                section.fold.setChecked(True)
        return sum(row.matches(words) for row in self._rows.values())

    def problems(self) -> list[str]:
        """Return the sentences shown now, top to bottom."""
        return [row.problem.text() for row in self._rows.values() if row.problem.text()]

    def _rows_of(self, section: str) -> list[Row]:
        return [
            row
            for key, row in self._rows.items()
            if key.startswith(f"{section}.") and row.item.metadata["advanced"]
        ]

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


def _grid_in(parent: QWidget) -> QGridLayout:
    grid = QGridLayout(parent)
    grid.setContentsMargins(2, 2, 2, 2)
    grid.setVerticalSpacing(5)
    grid.setColumnStretch(0, 2)
    grid.setColumnStretch(1, 3)
    return grid


def _said(value: Any) -> str:
    """Return a value as the form shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value) or "–"


def _wrapped(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setWordWrap(True)
    return label
