"""A question that waits for an answer without stopping the window."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from workbench.face.box_help import let_f1_help

Answer = tuple[str, Callable[[], object]]  # what the button says, and what it does


class Question(QMessageBox):
    """One sentence with named buttons. The first answer is the default; Cancel and Esc do nothing."""

    def __init__(
        self, sentence: str, answers: Sequence[Answer], parent: QWidget, *, more: str = ""
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        let_f1_help(self)
        self.setIcon(QMessageBox.Icon.Question)
        self.setWindowTitle(self.tr("NTK-CL workbench"))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(sentence)
        self.setInformativeText(more)
        self.setAccessibleName(sentence)
        self.answers: dict[str, QPushButton] = {}
        for text, call in answers:
            button = self.addButton(text, QMessageBox.ButtonRole.ActionRole)
            button.clicked.connect(call)
            self.answers[text] = button
        self.setDefaultButton(next(iter(self.answers.values())))
        cancel = self.addButton(QMessageBox.StandardButton.Cancel)
        self.setEscapeButton(cancel)
