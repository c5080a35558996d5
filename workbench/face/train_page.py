"""The tab "Train": the drop zone while there is nothing, else progress and plots, live or replayed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
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
from workbench.face.past import PIECE, Past, past_of
from workbench.face.record import RunRecord
from workbench.face.run_panel import RunPanel
from workbench.face.scrolling import upright_area
from workbench.face.tape import Tape
from workbench.face.welcome import DropZone

if TYPE_CHECKING:
    from workbench.face.curves import PlotBoard


class TrainPage(QWidget):
    """Feeds one board of plots from the live run or from a replayed one; never from both.

    The board is made when something is first drawn, or asked for: plots take long to load.
    """

    replay_ended = Signal()
    reading_cancelled = Signal()  # the run to be replayed is not wanted any more
    # id and name of the run shown, events the record holds by now: news, or of a whole run its landmarks
    drawn = Signal(str, str, list)
    said = Signal(list)  # news of the run shown, each of its events
    retold = Signal(object)  # a whole run is shown: its Tape
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
        self._aside = RunRecord()  # of the live run, during a replay
        self._reading = ""  # name of the run that is read to be replayed
        self._to_draw: deque[Callable[[], object]] = deque()  # of a whole run
        self._bit_by_bit = QTimer(self)
        self._bit_by_bit.timeout.connect(self._draw_next)
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
        nothing = empty and not self.replayed and not self._live_id and not self._reading
        self._stack.setCurrentIndex(0 if nothing else 1)

    def shown_events(self) -> list[Event]:
        """Return what the run shown has said so far, live or replayed."""
        return list(self._replayed if self.replayed else self._live)

    def begin_live(self, run_id: str, name: str) -> None:
        """Make way for a new run."""
        self._live, self._live_id, self._live_name = Tape(), run_id, name
        self._aside = RunRecord()
        self._leave_replay()
        self.run_panel.reset()
        self._clear()

    def show_news(self, events: Sequence[Event]) -> None:
        """Show what the live run says; during a replay only its progress moves."""
        self.run_panel.show_news(events)
        events = self._with_all_tasks(events)
        self._live.add(events)
        if self.replayed:
            self._aside.take(events)
            return
        self._draw_rest()
        self.board.show_news(events, self._live_name)
        self.drawn.emit(self._live_id, self._live_name, list(events))
        self.said.emit(list(events))
        self.run_panel.headline.show_record(self.record)

    def recall(self, past: Past) -> None:
        """Show what the live run had said before it went on."""
        self.run_panel.show_news(past.landmarks)
        self._live = past.tape
        self._retell(past)
        self.run_panel.headline.show_record(self.record)

    def show_state(self, state: str, when: str = "", *, overdue: bool = False) -> None:
        """Follow the run's state; `when` is the moment at which it is to stop, `overdue` that it has not."""
        self._training = state != "idle"
        self.run_panel.show_state(state, when, overdue=overdue)
        self._refresh_panel()

    def replay(self, run_id: str, name: str, events: Sequence[Event]) -> None:
        """Draw a past run in the live run's place."""
        self.show_past(run_id, name, past_of(events))

    def show_past(self, run_id: str, name: str, past: Past) -> None:
        """Draw a past run, sorted already, in the live run's place."""
        if not self.replayed:
            self._aside = self.record.handed_over()
        self.replayed, self._replayed_name, self._reading = run_id, name, ""
        self._replayed = past.tape
        self._retell(past)
        self._say_what_is_shown()

    def show_reading(self, name: str) -> None:
        """Say that a run is read to be replayed; an empty name: that none is any more."""
        self._reading = name
        self._say_what_is_shown()

    def back_to_live(self) -> None:
        """Draw the live run again, or nothing."""
        again = bool(self.replayed)
        self._leave_replay()
        if again:
            self._retell(Past(self._aside, self._live, self._live.landmarks()))
            self._aside = RunRecord()
        if self._live:
            self.run_panel.headline.show_record(self.record)
        self.replay_ended.emit()

    def _with_all_tasks(self, events: Sequence[Event]) -> list[Event]:
        """Return the news; where a run that goes on with more tasks names them a second time, all is drawn anew."""
        start = next((event for event in events if isinstance(event, RunStarted)), None)
        first = start and self._live.start
        if start is None or first is None:
            return list(events)
        start = replace(start, time=first.time)
        self._live.start_anew(start)
        (self._aside if self.replayed else self.record).tasks = start.tasks
        if not self.replayed:
            self._retell(Past(self.record.handed_over(), self._live, self._live.landmarks()))
        return [event for event in events if not isinstance(event, RunStarted)]

    def _retell(self, past: Past) -> None:
        """Draw a whole run: the one in replay, or the live one."""
        name = self._replayed_name if self.replayed else self._live_name
        self._clear()
        self.record.become(past.record)
        if not past.tape:
            return
        run_id = self.replayed or self._live_id
        self._to_draw += [
            *(partial(panel.follow, past.landmarks, name) for panel in self.board.panels),
            partial(self.drawn.emit, run_id, name, list(past.landmarks)),
            partial(self.retold.emit, past.tape),
        ]
        if len(past.tape) > PIECE:  # one drawing after another: the window goes on in between
            self._bit_by_bit.start()
        else:
            self._draw_rest()

    def _draw_next(self) -> None:
        if self._to_draw:
            self._to_draw.popleft()()
        else:
            self._bit_by_bit.stop()

    def _draw_rest(self) -> None:
        while self._to_draw:
            self._to_draw.popleft()()

    def _clear(self) -> None:
        self._to_draw.clear()
        self._bit_by_bit.stop()
        self.record.clear()
        if self.plots.part is not None:
            self.board.clear()
        self.cleared.emit()

    def _say_what_is_shown(self) -> None:
        text = self.tr("Replay of {name}").format(name=self._replayed_name)
        if self._reading:
            text = self.tr("Reading {name}…").format(name=self._reading)
        self._text.setText(text)
        live = self.tr("Back to live") if self._live else self.tr("Close replay")
        self._back.setText(self.tr("Cancel") if self._reading else live)
        self.banner.setVisible(bool(self.replayed or self._reading))
        self._headline.show_record(RunRecord() if self._reading else self.record)
        self._refresh_panel()

    def _go_back(self) -> None:
        """Give up what is read, or leave what is replayed."""
        if self._reading:
            self.reading_cancelled.emit()
        else:
            self.back_to_live()

    def _leave_replay(self) -> None:
        self.replayed, self._replayed, self._reading = "", Tape(), ""
        self.banner.hide()
        self._refresh_panel()

    def _refresh_panel(self) -> None:
        """Show progress while a run trains, and its end until another run is looked at."""
        self.run_panel.setVisible(self._training or (bool(self._live) and not self.replayed))

    def shown(self) -> tuple[str, str, list[Event]]:
        """Return the run shown as `drawn` tells of a whole one: id, name, and its landmarks."""
        if self.replayed:
            return self.replayed, self._replayed_name, self._replayed.landmarks()
        return self._live_id, self._live_name, self._live.landmarks()

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
        self._area = upright_area(self)
        return self._area

    def _banner(self) -> QFrame:
        self.banner = QFrame(self)
        self.banner.setProperty("card", "true")
        self._text = QLabel(self.banner)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setProperty("heading", "true")
        self._back = QPushButton(self.banner)
        self._back.clicked.connect(self._go_back)
        row = QHBoxLayout(self.banner)
        row.setContentsMargins(10, 4, 6, 4)
        row.addWidget(self._text, 1)
        self._headline = Headline(self.banner)
        row.addWidget(self._headline)
        row.addWidget(self._back)
        self.banner.hide()
        return self.banner
