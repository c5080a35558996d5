"""The tab "NTK": what the kernel says of the run that the tab "Train" shows, at a moment of the user's choice."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from workbench.events import Evaluated, Event, Measured, Note, RunStarted, Snapshot, TaskStarted
from workbench.face import kernel_words as words, known
from workbench.face.curves import CurvePanel, Overlay
from workbench.face.drift_panel import DriftPanel
from workbench.face.kernel_panel import KernelPanel, SpectrumPanel
from workbench.face.lost_panel import LostPanel
from workbench.face.moment_panel import KernelCurves, Shown
from workbench.face.movement_panel import MovementPanel
from workbench.face.pair_panel import PairPanel
from workbench.face.panel import Panel
from workbench.face.plot_bar import PlotBar
from workbench.face.record import RunRecord
from workbench.face.scene import Scene
from workbench.face.scrolling import upright_area
from workbench.face.scrubber import Scrubber
from workbench.face.shelf import Read, Shelf

_TWO_COLUMNS = 640  # pixels of width from which two cards lie beside each other
_HIGH, _HIGHER = 316, 384  # pixels of a card, and of one whose drawing is a square
_MORE_CURVES = (
    "generalisation_gap",
    "complexity",
    "kernel",
    "rank",
    "shares",
    "scores",
    "linearity",
)
_NEWS = (RunStarted, TaskStarted, Measured, Evaluated, Snapshot, Note)


class NtkPage(QWidget):
    """Draws from the same record as the other plots. Files are read only while the tab is seen."""

    def __init__(self, record: RunRecord, read: Read, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("page", "ntk")
        self._record = record
        self._run = ""  # id of the run whose files are read
        self._dirty = True
        self.shelf = Shelf(read, self)
        self.scrubber = Scrubber(self)
        self.board = KernelBoard(record)
        self.bar = PlotBar(self)
        self.bar.steer(self.board.curves)
        self._hint = QLabel(self)
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._hint.setProperty("muted", "true")
        self._hint.setContentsMargins(40, 0, 40, 0)
        work = QWidget(self)
        column = QVBoxLayout(work)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.scrubber)
        column.addWidget(self._scrolled(), 1)
        column.addWidget(self.bar)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 8, 0, 0)
        self._stack.addWidget(self._hint)
        self._stack.addWidget(work)
        self.scrubber.moved.connect(self._show_moment)
        self.shelf.arrived.connect(self._show_moment)

    def follow(self, run: str, name: str, events: Sequence[Event]) -> None:
        """Show what the record holds of this run by now; `events` are the news among it."""
        if any(isinstance(event, RunStarted) for event in events):
            self.scrubber.clear()
        self._run = run
        self.scrubber.run.setText(name)
        for panel in self.board.curves:
            panel.follow(events, name)
        if any(isinstance(event, _NEWS) for event in events):
            self.refresh()

    def clear(self) -> None:
        """Forget the run, whose record is empty by now."""
        self._run = ""
        self.shelf.forget()
        self.scrubber.clear()
        for panel in self.board.curves:
            panel.clear()
        self.refresh()

    def refresh(self) -> None:
        """Bring every drawing in step with the record and the scrubber, once the tab is seen."""
        self._dirty = not self.isVisible()
        if self._dirty:
            return
        record = self._record
        moments = known.moments(record)
        self.scrubber.show_moments([(one, known.name_of(record, one)) for one in moments])
        self._hint.setText(self._nothing(moments))
        self._stack.setCurrentIndex(1 if moments else 0)
        self._show_moment()

    def shut_down(self) -> None:
        """End the thread that reads."""
        self.shelf.shut_down()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._dirty:
            self.refresh()

    def _show_moment(self) -> None:
        if self.isVisible():
            self.board.show_moment(self._shown())

    def _shown(self) -> Shown:
        record, at = self._record, self.scrubber.moment()
        ended, ended_trouble = self._scene(known.end_of_task(record, at))
        scene, trouble = self._scene(known.snapshot(record, at))
        return Shown(record, at, scene, trouble, ended, ended_trouble)

    def _scene(self, snapshot: Snapshot | None) -> tuple[Scene | None, str]:
        """Return what is in a snapshot's file, or why it is not there."""
        if snapshot is None:
            return None, ""
        found = self.shelf.get(self._run, snapshot.path)
        if isinstance(found, Scene):
            return found, ""
        return None, found or self.tr("Reading the kernel…")

    def _nothing(self, moments: Sequence[known.Moment]) -> str:
        if moments:
            return ""
        off = words.why_off(self._record)
        if off:
            return off
        if self._record.tasks:
            return self.tr("What the kernel says of this run appears here with the first task.")
        return self.tr(
            "What the tangent kernel says of a run appears here: which task disturbs which, where "
            "forgetting comes from, and whether to believe it. Train, or replay a run from the list below."
        )

    def _scrolled(self) -> QScrollArea:
        area = upright_area(self)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        area.setWidget(self.board)
        return area


class KernelBoard(QWidget):
    """The drawings on cards, in two columns where there is room."""

    def __init__(self, record: RunRecord, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.gap = KernelCurves(("ntk_gap",), self, record)
        self.own = KernelCurves(_MORE_CURVES, self, record)
        self.pairs = PairPanel(self)
        self.lost = LostPanel(self)
        self.kernel = KernelPanel(self)
        self.spectrum = SpectrumPanel(self)
        self.movement = MovementPanel(self)
        self.drift = DriftPanel(self)
        self.curves: tuple[CurvePanel, ...] = (self.gap, self.own)
        self.panels = (
            self.gap, self.own, self.pairs, self.movement, self.lost, self.drift, self.kernel, self.spectrum,
        )  # fmt: skip
        self.cards = [ReadingCard(panel, panel.told) for panel in self.panels]
        for card in self.cards[-2:]:
            card.setMinimumHeight(_HIGHER)
        self.kernel.how_told.connect(self.cards[-2].show_method)
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 4, 0)
        self._grid.setSpacing(10)
        self._arrange(2)

    def show_moment(self, shown: Shown) -> None:
        """Let every drawing show what was known then."""
        for panel in self.panels:
            panel.show_moment(shown)

    def set_overlay(self, runs: Overlay) -> None:
        """Draw the headline curves of these past runs beside the current one."""
        for panel in self.curves:
            panel.set_overlay(runs)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(2 if self.width() >= _TWO_COLUMNS else 1)

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for index, card in enumerate(self.cards):
            self._grid.addWidget(card, index // columns, index % columns)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, columns - 1)


class ReadingCard(QFrame):
    """A drawing with the sentence that says what it shows now."""

    def __init__(self, panel: Panel, told: SignalInstance) -> None:
        super().__init__()
        self.setProperty("card", "true")
        self.setMinimumHeight(_HIGH)
        self.reading, self.method = self._words(), self._words()
        self.method.setProperty("muted", "true")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 8)
        column.setSpacing(2)
        column.addWidget(panel, 1)
        column.addWidget(self.reading)
        column.addWidget(self.method)
        told.connect(self.show_reading)

    def show_reading(self, text: str) -> None:
        """Show the sentence; none where the drawing's place says it already."""
        self.reading.setText(text)
        self.reading.setVisible(bool(text))

    def show_method(self, text: str) -> None:
        """Show how the numbers were made."""
        self.method.setText(text)
        self.method.setVisible(bool(text))

    def _words(self) -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setContentsMargins(10, 0, 10, 0)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.hide()
        return label
