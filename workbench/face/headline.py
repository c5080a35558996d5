"""The run in three numbers: accuracy on all classes seen, the frozen backbone's floor, forgetting."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from workbench.face.record import RunRecord
from workbench.face.words import percent
from workbench.measures import MEASURES

_NUMBERS = (  # measure, caption
    ("accuracy_seen", "all classes seen"),
    ("baseline_seen", "frozen backbone"),
    ("forgetting", "forgetting"),
)
_BESIDE = 56  # letters of the words that stand beside the numbers


class Headline(QWidget):
    """Large numbers over small captions; hidden while nothing is measured or the place is narrow."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._known = False
        self._parent = parent
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(20)
        self.numbers: dict[str, QLabel] = {}
        for measure, caption in _NUMBERS:
            number, below = QLabel(self), QLabel(self.tr(caption), self)
            font = number.font()
            font.setPointSizeF(font.pointSizeF() * 1.25)
            number.setFont(font)
            number.setProperty("heading", "true")
            below.setProperty("muted", "true")
            column = QVBoxLayout()
            column.setSpacing(0)
            for label in (number, below):
                label.setAlignment(Qt.AlignmentFlag.AlignRight)
                column.addWidget(label)
            about = MEASURES[measure]
            block = QWidget(self)
            column.setContentsMargins(0, 0, 0, 0)
            block.setLayout(column)
            block.setToolTip(f"{about.label}\n{about.formula}\n{about.reading}")
            row.addWidget(block)
            self.numbers[measure] = number
        parent.installEventFilter(self)
        self.hide()

    def show_record(self, record: RunRecord) -> None:
        """Show the latest values, a dash where there is none yet."""
        values = {measure: record.last(measure) for measure in self.numbers}
        for measure, number in self.numbers.items():
            number.setText(percent(values[measure]))
        self._known = any(value is not None for value in values.values())
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QResizeEvent):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        beside = _BESIDE * self.fontMetrics().averageCharWidth()
        roomy = self._parent.width() >= self.sizeHint().width() + beside
        self.setVisible(self._known and roomy)
