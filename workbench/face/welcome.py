"""The empty window's middle: a place to drop folders on, with the two first steps as buttons."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImageReader, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.face import drop
from workbench.paths import resource

_EACH = 2  # pictures shown of a task


class DropZone(QFrame):
    """What to do first, in words and as two buttons; drops are taken by whoever watches it."""

    add_requested = Signal()
    sample_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("drop-zone")
        self.setProperty("drop", "true")
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 24, 32, 24)
        column.addStretch(2)
        column.addWidget(self._title())
        column.addSpacing(10)
        column.addWidget(
            self._line(
                self.tr(
                    "Each folder becomes one task; tasks are learnt one after another. "
                    "Several folders at once, or one folder with train and test inside, are fine too."
                )
            )
        )
        column.addSpacing(16)
        column.addLayout(self._buttons())
        column.addStretch(1)
        column.addLayout(self._sample_pictures())
        column.addWidget(
            self._line(
                self.tr("The sample: five tasks of four classes, small pictures."), muted=True
            )
        )
        self.elevated = self._line(
            self.tr(
                "Windows does not allow dropping here while the program runs as administrator. "
                "Use Add folder…"
            )
        )
        self.elevated.setVisible(drop.is_elevated())
        column.addWidget(self.elevated)
        column.addStretch(1)
        column.addWidget(
            self._line(
                self.tr(
                    "Nothing leaves this computer. F1 opens the help on what you are looking at."
                ),
                muted=True,
            )
        )

    def _title(self) -> QLabel:
        title = self._line(self.tr("Drop a folder whose sub-folders are classes"))
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        title.setFont(font)
        return title

    def _line(self, text: str, *, muted: bool = False) -> QLabel:
        label = QLabel(text, self)
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        if muted:
            label.setProperty("muted", "true")
        return label

    def _buttons(self) -> QHBoxLayout:
        self.add_button = QPushButton(self.tr("Add folder…"), self)
        self.add_button.setToolTip(self.tr("Choose a folder (Ctrl+O)"))
        self.add_button.clicked.connect(self.add_requested)
        self.sample_button = QPushButton(self.tr("Try the sample (a minute or two)"), self)
        self.sample_button.setObjectName("primary")
        self.sample_button.setToolTip(self.tr("Train on the five small tasks that come with it"))
        self.sample_button.clicked.connect(self.sample_requested)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.add_button)
        buttons.addSpacing(12)
        buttons.addWidget(self.sample_button)
        buttons.addStretch(1)
        return buttons

    def _sample_pictures(self) -> QHBoxLayout:
        side = self.fontMetrics().height() * 2
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addStretch(1)
        for place, picture in enumerate(_pictures(side, self.devicePixelRatioF())):
            if place and place % _EACH == 0:
                row.addSpacing(14)
            label = QLabel(self)
            label.setPixmap(picture)
            label.setFixedSize(side, side)
            row.addWidget(label)
        row.addStretch(1)
        return row


def _pictures(side: int, ratio: float) -> list[QPixmap]:
    """Return a few of the sample's pictures, `side` logical pixels wide; none where they are missing."""
    found = []
    for task in sorted(resource("sample/emoji").glob("*")):
        for each in sorted((task / "train").glob("*"))[:_EACH]:
            reader = QImageReader(str(next(iter(sorted(each.glob("*.png"))), each)))
            reader.setScaledSize(QSize(round(side * ratio), round(side * ratio)))
            image = reader.read()
            if not image.isNull():
                pixmap = QPixmap.fromImage(image)
                pixmap.setDevicePixelRatio(ratio)
                found.append(pixmap)
    return found
