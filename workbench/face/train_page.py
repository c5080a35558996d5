"""The tab "Train": the drop zone while there is nothing, else progress and plots, live or replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

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
from workbench.face.headline import Headline
from workbench.face.later import Later
from workbench.face.record import RunRecord
from workbench.face.run_panel import RunPanel
from workbench.face.tape import Tape
from workbench.face.welcome import DropZone

if TYPE_CHECKING:
    from workbench.face.curves import PlotBoard


class TrainPage(QWidget):
    """Feeds one board of plots from the live run or from a replayed one; never from both.

    The board is made when something is first drawn, or asked for: plots take long to load.
    """

    replay_ended = Signal()
    drawn = Signal(str, str, list)  # id and name of the run shown, events the record holds by now
    cleared = Signal()  # no run is shown, and the record is empty

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.zone = DropZone(self)
        self.run_panel = RunPanel(self)
        self.record = RunRecord()
        self.plots = Later(self._made_board)
        self.replayed = ""  # id of the run in replay
        self._live = Tape()
        self._replayed = Tape()
        self._live_name = self._live_id = self._replayed_name = ""
        self._training = False
        work = QWidget(self)
        self._column = QVBoxLayout(work)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.run_panel.hide()
        self._column.addWidget(self.run_panel)
        self._column.addWidget(self._banner())
        self._column.addWidget(self._scrolled(), 1)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 8, 0, 0)
        self._stack.addWidget(self.zone)
        self._stack.addWidget(work)

    @property
    def board(self) -> PlotBoard:
        """The plots of the run shown."""
        return self.plots.get()

    @property
    def is_empty(self) -> bool:
        """Whether the drop zone is shown."""
        return self._stack.currentIndex() == 0

    def show_empty(self, empty: bool) -> None:
        """Show the drop zone, unless a run is there to look at."""
        nothing = empty and not self.replayed and not self._live_id
        self._stack.setCurrentIndex(0 if nothing else 1)

    def shown_events(self) -> list[Event]:
        """Return what the run shown has said so far, live or replayed."""
        return list(self._replayed if self.replayed else self._live)

    def begin_live(self, run_id: str, name: str) -> None:
        """Make way for a new run."""
        self._live, self._live_id, self._live_name = Tape(), run_id, name
        self._leave_replay()
        self.run_panel.reset()
        self._clear()

    def show_news(self, events: Sequence[Event]) -> None:
        """Show what the live run says; during a replay only its progress moves."""
        self.run_panel.show_news(events)
        events = self._with_all_tasks(events)
        self._live.add(events)
        if not self.replayed:
            self._draw(self._live_id, self._live_name, events)
            self.run_panel.headline.show_record(self.record)

    def show_state(self, state: str, when: str = "", *, overdue: bool = False) -> None:
        """Follow the run's state; `when` is the moment at which it is to stop, `overdue` that it has not."""
        self._training = state != "idle"
        self.run_panel.show_state(state, when, overdue=overdue)
        self._refresh_panel()

    def replay(self, run_id: str, name: str, events: Sequence[Event]) -> None:
        """Draw a past run in the live run's place."""
        self.replayed, self._replayed_name = run_id, name
        self._replayed = Tape(events)
        self._clear()
        self._draw(run_id, name, events)
        self._headline.show_record(self.record)
        self._text.setText(self.tr("Replay of {name}").format(name=name))
        live = self.tr("Back to live") if self._live else self.tr("Close replay")
        self._back.setText(live)
        self.banner.show()
        self._refresh_panel()

    def back_to_live(self) -> None:
        """Draw the live run again, or nothing."""
        self._leave_replay()
        self._clear()
        for events in self._live.pieces():
            self._draw(self._live_id, self._live_name, events)
        if self._live:
            self.run_panel.headline.show_record(self.record)
        self.replay_ended.emit()

    def _with_all_tasks(self, events: Sequence[Event]) -> list[Event]:
        """Return what is to be drawn: all anew where a run that goes on with more tasks names them a second time."""
        if not any(isinstance(event, RunStarted) for event in events):
            return list(events)
        said = [*self._live, *events]
        starts = [event for event in said if isinstance(event, RunStarted)]
        if len(starts) < 2:
            return list(events)
        self._live = Tape()
        if not self.replayed:
            self._clear()
        first, last = starts[0], replace(starts[-1], time=starts[0].time)
        return [last if event is first else event for event in said if event not in starts[1:]]

    def _draw(self, run_id: str, name: str, events: Sequence[Event]) -> None:
        self.board.show_news(events, name)
        self.drawn.emit(run_id, name, list(events))

    def _clear(self) -> None:
        if self.plots.part is not None:
            self.board.clear()
        self.cleared.emit()

    def _leave_replay(self) -> None:
        self.replayed, self._replayed = "", Tape()
        self.banner.hide()
        self._refresh_panel()

    def _refresh_panel(self) -> None:
        """Show progress while a run trains, and its end until another run is looked at."""
        self.run_panel.setVisible(self._training or (bool(self._live) and not self.replayed))

    def shown(self) -> tuple[str, str, list[Event]]:
        """Return the run shown as `drawn` told of it: id, name, and all it has said so far."""
        if self.replayed:
            return self.replayed, self._replayed_name, self.shown_events()
        return self._live_id, self._live_name, self.shown_events()

    def _made_board(self) -> PlotBoard:
        from workbench.face.curves import PlotBoard

        board = PlotBoard(record=self.record)
        bar = self._area.verticalScrollBar().sizeHint().width()
        self._area.setWidget(board)
        self._area.setMinimumWidth(board.minimumWidth() + bar)
        self._column.addWidget(board.bar)
        return board

    def _scrolled(self) -> QScrollArea:
        """Let the plots scroll where the window is too low for them."""
        self._area = area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
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
