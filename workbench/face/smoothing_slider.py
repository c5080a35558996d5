"""How many points a drawn average goes over: a slider, and its amount in words."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from workbench.face.smoothing import FORMULA

_FINEST = 30  # steps of the slider; ten steps are ten times as many points


class SmoothingSlider(QWidget):
    """Says over how many points to average; 1 is none."""

    changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, _FINEST)
        self.slider.setPageStep(5)
        self.slider.setMinimumWidth(48)
        self.slider.setMaximumWidth(150)
        self.slider.setAccessibleName(self.tr("Smoothing"))
        self.amount = QLabel(self)
        self.amount.setProperty("muted", "true")
        self.amount.setMinimumWidth(self.fontMetrics().horizontalAdvance("over 1,000"))
        tip = self.tr("Average over about n points, the measured values pale behind:\n{formula}")
        for widget in (self.slider, self.amount):
            widget.setToolTip(tip.format(formula=FORMULA))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.slider, 1)
        row.addWidget(self.amount)
        self.slider.valueChanged.connect(self._moved)
        self._show_amount()

    def points(self) -> float:
        """Return over how many points the averages go; 1: none."""
        return float(10 ** (self.slider.value() / 10))

    def _show_amount(self) -> None:
        points = round(self.points())
        text = self.tr("over {points:,}").format(points=points) if points > 1 else self.tr("off")
        self.amount.setText(text)
        self.slider.setAccessibleDescription(text)

    @Slot(int)
    def _moved(self, _: int) -> None:
        self._show_amount()
        self.changed.emit(self.points())
