"""The setting `method.name`: the methods that there are by title, ours and plug-ins'."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from workbench.face.editors import CalmComboBox, Editor
from workbench.report import MethodOffer


class MethodEditor(Editor):
    """A list of methods; the note below says what the chosen one is."""

    def __init__(self, methods: Sequence[MethodOffer]) -> None:
        self.box = CalmComboBox()
        super().__init__(self.box, "", None)
        self.note = QLabel(self)
        self.note.setProperty("muted", "true")
        self.note.setWordWrap(True)
        self.column.addWidget(self.note)
        self._methods: dict[str, MethodOffer] = {}
        self.offer(methods)
        self.box.activated.connect(self._choose)

    def offer(self, methods: Sequence[MethodOffer]) -> None:
        """Offer these from now on; the choice stays."""
        chosen = self.box.currentData()
        self._methods = {method.name: method for method in methods}
        self.box.clear()
        for row, method in enumerate(methods):
            self.box.addItem(method.title, method.name)
            self.box.setItemData(row, method.note, Qt.ItemDataRole.ToolTipRole)
        if chosen is not None:
            self.show_value(chosen)

    def show_value(self, value: Any) -> None:
        """Choose a method by name; one that is not there is shown by its name all the same."""
        if self.box.findData(value) < 0:
            self.box.addItem(value, value)
        self.box.setCurrentIndex(self.box.findData(value))
        known = self._methods.get(value)
        missing = self.tr("No plug-in that is loaded brings this method.")
        plain = value == "ntk-cl"
        self.note.setText("" if plain else known.note if known else missing)
        self.note.setHidden(plain)

    def _choose(self, row: int) -> None:
        name = self.box.itemData(row)
        self.show_value(name)
        self.edited.emit(name)
