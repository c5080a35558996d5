"""The tab Studies: those of the log on one side, the chosen one beside or below."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from workbench.face.messages import Strips
from workbench.face.scrolling import upright_area
from workbench.face.study_list import StudyList, card_height
from workbench.face.study_view import StudyView
from workbench.session.study_results import StudyResults
from workbench.session.study_state import StudyState

_BESIDE = 720  # pixels of width from which the list lies beside the study
_ANY = 16_777_215  # Qt's own for a height without a limit


class StudiesPage(QWidget):
    """Shows what it is given. While it is hidden nothing is read for it."""

    seen = Signal()
    begin_wanted = Signal()
    open_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("page", "studies")
        self.strips = Strips(self)
        self.list, self.view = StudyList(self), StudyView(self)
        self.empty = QLabel(self.tr("Studies appear here: methods compared over pictures, orders and seeds, with settings chosen before the test part is read."), self)  # fmt: skip
        self.empty.setTextFormat(Qt.TextFormat.PlainText)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("muted", "true")
        self.empty.setWordWrap(True)
        self.begin = QPushButton(self.tr("Compare methods…"), self)
        self.open = QPushButton(self.tr("Open study file…"), self)
        self.begin.clicked.connect(self.begin_wanted)
        self.open.clicked.connect(self.open_wanted)
        self._arrange()

    def show_states(
        self, states: Sequence[StudyState], chosen: str, found: StudyResults | None, *, held: bool
    ) -> None:
        """Show these studies, and what the chosen one has found; `held`: the queue starts nothing."""
        self._stack.setCurrentIndex(1 if states else 0)
        self.list.show_states(states, chosen)
        state = next((each for each in states if each.id == chosen), None)
        if state is not None and found is not None:
            self.view.show_study(state, found, held=held)

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what has become of the studies."""
        super().showEvent(event)
        self.seen.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the list beside the study where there is room, else above."""
        wide = self.width() >= _BESIDE
        wanted = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if wanted != self._split.orientation():
            self._split.setOrientation(wanted)
            one = card_height(self.list.fontMetrics()) + 2 * self.list.frameWidth()
            self.list.setMinimumHeight(0 if wide else one)
            self.list.setMaximumHeight(_ANY if wide else one)
            self.view.stage.setVisible(wide)  # the card right above says it, too
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Draw verdicts in the colours of now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.view.redraw()

    def _arrange(self) -> None:
        nothing = QWidget()
        middle = QVBoxLayout(nothing)
        middle.addStretch(1)
        middle.addWidget(self.empty)
        for button in (self.begin, self.open):
            middle.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        middle.addStretch(1)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(self.list)
        self._split.addWidget(self.view)
        self._split.setStretchFactor(1, 1)
        self._split.setSizes([190, 600])
        self._split.setChildrenCollapsible(False)
        area = upright_area(self)
        area.setWidget(self._split)
        body = QWidget(self)
        self._stack = QStackedLayout(body)
        self._stack.addWidget(nothing)
        self._stack.addWidget(area)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 8, 0, 0)
        whole.addWidget(self.strips)
        whole.addWidget(body, 1)
