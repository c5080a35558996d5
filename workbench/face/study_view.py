"""One study: what it asks, how its settings were chosen, what can be done with it, and what it has found."""

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.face import study_words as words
from workbench.face.cost_panel import CostPanel
from workbench.face.scrolling import upright_area
from workbench.face.study_found import ChosenPart, FailedPart, MethodsPart
from workbench.session.ledger import said_of_test_part
from workbench.session.study_results import StudyResults
from workbench.session.study_state import StudyState

_LEAST = 240  # pixels of height of what was found


class StudyView(QWidget):
    """Buttons send what is wanted; the numbers are those that it was given last."""

    go_on_wanted = Signal()
    stop_wanted = Signal()
    again_wanted = Signal()
    study_file_wanted = Signal()
    ledger_wanted = Signal()
    export_wanted = Signal()
    runs_wanted = Signal(str, str)  # name of the set of pictures, label of the method

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[StudyState, StudyResults, bool] | None = None
        self.name, self.asked, self.test_part = self._label("heading"), self._label(), self._label()
        self.stage = self._label("muted")
        self.refused = self._label()
        self.refused.setProperty("level", "warning")
        self.go_on = self._button(self.tr("Go on"), self.go_on_wanted)
        self.stop = self._button(self.tr("Stop…"), self.stop_wanted)
        self.again = self._button(self.tr("Train failed again"), self.again_wanted)
        self.save = QToolButton(self)
        self.save.setText(self.tr("Save ▾"))
        self.save.setAccessibleName(self.tr("Save the study"))
        self.save.setProperty("plain_menu", "true")
        self.save.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.save.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.save)
        menu.setAccessibleName(self.tr("Save the study"))
        for text, wanted in (
            (self.tr("Study file…"), self.study_file_wanted),
            (self.tr("Ledger…"), self.ledger_wanted),
            (self.tr("Numbers and figures…"), self.export_wanted),
        ):
            menu.addAction(text).triggered.connect(wanted)
        self.save.setMenu(menu)
        self.methods, self.cost = MethodsPart(self), CostPanel(self)
        self.choice, self.failed = ChosenPart(self), FailedPart(self)
        self.methods.runs_wanted.connect(self.runs_wanted)
        self._arrange()

    def show_study(self, state: StudyState, found: StudyResults, *, held: bool) -> None:
        """Show a study as it is now; `held`: what waits in the queue is not started."""
        if self._shown == (state, found, held):
            return
        self._shown = (state, found, held)
        study, stage = state.study, state.stage
        self.name.setText(study.name)
        waits = held and state.under_way
        text = self.tr("{stage}, the queue is held") if waits else "{stage}"
        stands = text.format(stage=words.stage_text(state))
        self.stage.setText(f"{stands} · {words.progress_text(state)}")
        self.asked.setText(words.asked(study))
        self.test_part.setText(said_of_test_part(state))
        self.refused.setText("\n".join(state.refused))
        self.refused.setVisible(bool(state.refused))
        self.go_on.setVisible(waits or stage == "halted")
        self.stop.setVisible(stage in ("choosing", "testing"))
        self.again.setVisible(bool(state.failed or state.refused))
        self.methods.show_study(state, found)
        self.cost.show_results(found)
        self.choice.show_study(state)
        self.failed.show_study(state, found)
        count = self.failed.count
        self.tabs.setTabVisible(2, bool(study.trials))
        self.tabs.setTabVisible(3, bool(count))
        self.tabs.setTabText(3, self.tr("Failed and odd ({count})").format(count=count))

    def redraw(self) -> None:
        """Draw in the colours of now: verdicts carry theirs with them."""
        shown, self._shown = self._shown, None
        if shown is not None:
            state, found, held = shown
            self.show_study(state, found, held=held)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.name, 1)
        for button in (self.go_on, self.stop, self.again, self.save):
            head.addWidget(button)
        card = QFrame(self)
        card.setProperty("card", "true")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(10, 6, 10, 6)
        inside.addWidget(self.test_part)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.setAccessibleName(self.tr("What the study has found"))
        self.tabs.setMinimumHeight(_LEAST)
        titles = (self.tr("Methods"), self.tr("Accuracy and cost"), self.tr("Chosen"), "")
        parts = (self._scrolled(self.methods), self.cost, self._scrolled(self.choice), self._scrolled(self.failed))  # fmt: skip
        for part, title in zip(parts, titles, strict=True):
            self.tabs.addTab(part, title)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        for widget in (self.stage, self.asked, card, self.refused):
            column.addWidget(widget)
        column.addWidget(self.tabs, 1)

    def _scrolled(self, inner: QWidget) -> QWidget:
        area = upright_area(self)
        area.setWidget(inner)
        return area

    def _label(self, kind: str = "") -> QLabel:
        label = QLabel(self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if kind:
            label.setProperty(kind, "true")
        return label

    def _button(self, text: str, wanted: SignalInstance) -> QPushButton:
        button = QPushButton(text, self)
        button.clicked.connect(wanted)
        return button
