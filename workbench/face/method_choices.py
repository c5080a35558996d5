"""Methods to tick for a comparison, each with a line of values that are to be chosen among."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from workbench.errors import UsageError
from workbench.face.language import say
from workbench.report import MethodOffer

_INDENT = 22  # pixels, below the text of a tick box


class MethodChoice(QWidget):
    """One method: ticked or not, what it is, and which of its settings are tried."""

    changed = Signal()

    def __init__(self, offer: MethodOffer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.offer = offer
        self.box = QCheckBox(offer.title, self)
        self.box.setToolTip(offer.note)
        note = QLabel(offer.note, self)
        note.setTextFormat(Qt.TextFormat.PlainText)
        note.setWordWrap(True)
        note.setProperty("muted", "true")
        note.setContentsMargins(_INDENT, 0, 0, 0)
        self.line = QLineEdit(self)
        self.line.setPlaceholderText(
            self.tr("nothing to choose, or: train.learning_rate = 0.01, 0.02")
        )
        name = self.tr("Values of {method} to choose among")
        self.line.setAccessibleName(name.format(method=offer.title))
        self.line.setToolTip(self.tr("A setting, = and two values or more with commas between; several settings with ; between"))  # fmt: skip
        self.line.setContentsMargins(_INDENT, 0, 0, 0)
        self._choosing = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for widget in (self.box, note, self.line):
            column.addWidget(widget)
        self.box.toggled.connect(self._show_line)
        self.box.toggled.connect(self.changed)
        self.line.textChanged.connect(self.changed)
        self._show_line()

    def let_choose(self, on: bool) -> None:
        """Offer the line of values, or not."""
        self._choosing = on
        self._show_line()

    def table(self) -> dict[str, Any]:
        """Return the method as a study file says it; raises UsageError if its line is not understood."""
        tries = values_of(self.line.text(), self.offer.title) if self._choosing else {}
        return {"name": self.offer.name, "label": self.offer.title, "try": tries}

    def _show_line(self) -> None:
        self.line.setVisible(self._choosing and self.box.isChecked())


class MethodChoices(QWidget):
    """All methods that the program and its plug-ins have."""

    changed = Signal()

    def __init__(
        self, offers: Sequence[MethodOffer], ticked: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.choices = [MethodChoice(offer, self) for offer in offers]
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 8, 2)
        column.setSpacing(8)
        for choice in self.choices:
            choice.box.setChecked(choice.offer.name in ticked)
            choice.changed.connect(self.changed)
            column.addWidget(choice)
        column.addStretch(1)

    def let_choose(self, on: bool) -> None:
        """Offer lines of values to choose among, or not."""
        for choice in self.choices:
            choice.let_choose(on)

    def ticked(self) -> list[MethodChoice]:
        """Return the methods that are ticked, in the order of the list."""
        return [choice for choice in self.choices if choice.box.isChecked()]


def values_of(line: str, method: str) -> Mapping[str, list[Any]]:
    """Return the settings of a line such as "train.epochs = 1, 3; model.bottleneck = 8, 16" with their values.

    Raises:
        UsageError: a part has no "=", no setting before it, or nothing behind it; or a setting stands there twice.
    """
    found: dict[str, list[Any]] = {}
    for part in filter(None, (part.strip() for part in line.split(";"))):
        key, sign, values = (piece.strip() for piece in part.partition("="))
        texts = [text.strip() for text in values.split(",")]
        if not (key and sign and all(texts)):
            text = say("{method}: '{part}' is not understood. Write a setting, = and its values, such as train.epochs = 1, 3.")  # fmt: skip
            raise UsageError(text.format(method=method, part=part))
        if key in found:
            text = say("{method}: {key} stands there twice. Put all of its values into one list.")
            raise UsageError(text.format(method=method, key=key))
        found[key] = [_value(text) for text in texts]
    return found


def _value(text: str) -> Any:
    """Return a value as TOML reads it; a bare word is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
