"""The tab "Train": the drop zone while there is nothing, else progress and plots, live or replayed."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from workbench.events import Event, RunStarted
from workbench.face.curves import PlotBoard
from workbench.face.headline import Headline
from workbench.face.run_panel import RunPanel
from workbench.face.welcome import DropZone


class TrainPage(QWidget):
    """Feeds one board of plots from the live run or from a replayed one; never from both."""

    replay_ended = Signal()
    drawn = Signal(str, str, list)  # id and name of the run shown, events the record holds by now
    cleared = Signal()  # no run is shown, and the record is empty

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.zone = DropZone(self)
        self.run_panel = RunPanel(self)
        self.board = PlotBoard()
        self.replayed = ""  # id of the run in replay
        self._live: list[Event] = []
        self._shown: list[Event] = []
        self._live_name = self._live_id = ""
        self._training = False
        work = QWidget(self)
        column = QVBoxLayout(work)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.run_panel.hide()
        column.addWidget(self.run_panel)
        column.addWidget(self._banner())
        column.addWidget(self._scrolled_board(), 1)
        column.addWidget(self.board.bar)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 8, 0, 0)
        self._stack.addWidget(self.zone)
        self._stack.addWidget(work)

    @property
    def is_empty(self) -> bool:
        """Whether the drop zone is shown."""
        return self._stack.currentIndex() == 0

    def show_empty(self, empty: bool) -> None:
        """Show the drop zone, unless a run is there to look at."""
        nothing = empty and not self.replayed and not self._live
        self._stack.setCurrentIndex(0 if nothing else 1)

    def shown_events(self) -> list[Event]:
        """Return what the run shown has said so far, live or replayed."""
        return list(self._shown)

    def begin_live(self, run_id: str, name: str) -> None:
        """Make way for a new run."""
        self._live, self._live_id, self._live_name = [], run_id, name
        self._leave_replay()
        self.run_panel.reset()
        self._clear()

    def show_news(self, events: Sequence[Event]) -> None:
        """Show what the live run says; during a replay only its progress moves."""
        self.run_panel.show_news(events)
        events = self._with_all_tasks(events)
        self._live += events
        if not self.replayed:
            self._draw(self._live_id, self._live_name, events)
            self.run_panel.headline.show_record(self.board.record)

    def show_state(self, state: str, when: str = "", *, overdue: bool = False) -> None:
        """Follow the run's state; `when` is the moment at which it is to stop, `overdue` that it has not."""
        self._training = state != "idle"
        self.run_panel.show_state(state, when, overdue=overdue)
        self._refresh_panel()

    def replay(self, run_id: str, name: str, events: Sequence[Event]) -> None:
        """Draw a past run in the live run's place."""
        self.replayed = run_id
        self._clear()
        self._draw(run_id, name, events)
        self._headline.show_record(self.board.record)
        self._text.setText(self.tr("Replay of {name}").format(name=name))
        live = self.tr("Back to live") if self._live else self.tr("Close replay")
        self._back.setText(live)
        self.banner.show()
        self._refresh_panel()

    def back_to_live(self) -> None:
        """Draw the live run again, or nothing."""
        self._leave_replay()
        self._clear()
        if self._live:
            self._draw(self._live_id, self._live_name, self._live)
            self.run_panel.headline.show_record(self.board.record)
        self.replay_ended.emit()

    def _with_all_tasks(self, events: Sequence[Event]) -> list[Event]:
        """Return what is to be drawn: all anew where a run that goes on with more tasks names them a second time."""
        if not any(isinstance(event, RunStarted) for event in events):
            return list(events)
        said = [*self._live, *events]
        starts = [event for event in said if isinstance(event, RunStarted)]
        if len(starts) < 2:
            return list(events)
        self._live = []
        if not self.replayed:
            self._clear()
        first, last = starts[0], replace(starts[-1], time=starts[0].time)
        return [last if event is first else event for event in said if event not in starts[1:]]

    def _draw(self, run_id: str, name: str, events: Sequence[Event]) -> None:
        self._shown += events
        self.board.show_news(events, name)
        self.drawn.emit(run_id, name, list(events))

    def _clear(self) -> None:
        self._shown = []
        self.board.clear()
        self.cleared.emit()

    def _leave_replay(self) -> None:
        self.replayed = ""
        self.banner.hide()
        self._refresh_panel()

    def _refresh_panel(self) -> None:
        """Show progress while a run trains, and its end until another run is looked at."""
        self.run_panel.setVisible(self._training or bool(self._live and not self.replayed))

    def _scrolled_board(self) -> QScrollArea:
        """Let the plots scroll where the window is too low for them."""
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self.board)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = area.verticalScrollBar().sizeHint().width()
        area.setMinimumWidth(self.board.minimumWidth() + bar)
        return area

    def _banner(self) -> QFrame:
        self.banner = QFrame(self)
        self.banner.setProperty("card", "true")
        self._text = QLabel(self.banner)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setProperty("heading", "true")
        self._back = QPushButton(self.banner)
        self._back.clicked.connect(self.back_to_live)
        row = QHBoxLayout(self.banner)
        row.setContentsMargins(10, 4, 6, 4)
        row.addWidget(self._text, 1)
        self._headline = Headline(self.banner)
        row.addWidget(self._headline)
        row.addWidget(self._back)
        self.banner.hide()
        return self.banner
