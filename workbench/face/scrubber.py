"""The scrubber: from the first look at the kernel to the latest, by mouse or keyboard."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from workbench.face.known import Moment

Named = tuple[Moment, str]  # a moment and how it is called


class Scrubber(QFrame):
    """One position for each moment. At the last one it follows a run that goes on."""

    moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "true")
        self._moments: list[Named] = []
        self._following = self._setting = False
        self.run = QLabel(self)
        self.run.setTextFormat(Qt.TextFormat.PlainText)
        self.run.setProperty("heading", "true")
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName(self.tr("Moment of the run"))
        self.slider.setToolTip(
            self.tr("What was known at this moment: arrow keys, Page Up and Down, Home and End")
        )
        self.slider.valueChanged.connect(self._slid)
        self.latest = QPushButton(self.tr("Latest"), self)
        self.latest.setToolTip(self.tr("Show the latest, and follow the run"))
        self.latest.clicked.connect(self.follow)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 6, 5)
        row.setSpacing(12)
        row.addWidget(self.run)
        row.addWidget(self.label)
        row.addWidget(self.slider, 1)
        row.addWidget(self.latest)
        self.clear()

    def moment(self) -> Moment | None:
        """Return the moment looked at; None is the run's present end."""
        if self._following or not self._moments:
            return None
        return self._moments[self.slider.value()][0]

    def clear(self) -> None:
        """Forget the run, and follow the next one."""
        self._following = True
        self.show_moments([])

    def follow(self) -> None:
        """Go to the latest moment and stay there as the run goes on."""
        self._following = True
        self.show_moments(self._moments)
        self.moved.emit()

    def show_moments(self, moments: Sequence[Named]) -> None:
        """Offer these moments, oldest first; the one looked at stays."""
        chosen = self.moment()
        self._moments = list(moments)
        last = max(len(moments) - 1, 0)
        place = next((i for i, (one, _) in enumerate(moments) if one == chosen), last)
        self._setting = True
        self.slider.setRange(0, last)
        self.slider.setPageStep(max(len(moments) // 10, 1))
        self.slider.setValue(last if self._following else place)
        self._setting = False
        self._tell()

    def _slid(self, place: int) -> None:
        if not self._setting:
            self._following = place == self.slider.maximum()
            self._tell()
            self.moved.emit()

    def _tell(self) -> None:
        self.slider.setEnabled(len(self._moments) > 1)
        self.latest.setEnabled(not self._following)
        if not self._moments:
            text = self.tr("Nothing measured yet")
        else:
            name = self._moments[self.slider.value()][1]
            text = self.tr("Latest: {moment}").format(moment=name) if self._following else name
            text = text[0].upper() + text[1:]
        self.label.setText(text)
        self.slider.setAccessibleDescription(text)
