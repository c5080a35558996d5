"""What a child process still has to tell: bounded, so that a window that does not listen never stops training."""

import threading
from collections import deque

from workbench.events import Event, Pace, Stage, Step
from workbench.session.messages import Beat, Told

BOUND = 1000  # messages that wait at most, as long as one of them may be left out
_SUPERSEDED = (Stage, Pace, Beat)  # only the newest of these is worth telling


class Outbox:
    """A queue that never blocks who puts into it. Steps left out are in the log all the same."""

    def __init__(self) -> None:
        self._waiting: deque[object] = deque()
        self._news = threading.Condition()
        self._closed = False

    def put(self, message: object) -> None:
        """Add an event of a run, or another message."""
        with self._news:
            last = self._waiting[-1] if self._waiting else None
            if isinstance(message, _SUPERSEDED) and type(last) is type(message):
                self._waiting.pop()
            self._waiting.append(message)
            if len(self._waiting) > BOUND:
                self._leave_one_out()
            self._news.notify()

    def take(self) -> list[object]:
        """Return what waits, events gathered, as soon as there is something; empty: nothing will come."""
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._closed)
            waiting = list(self._waiting)
            self._waiting.clear()
        return _gathered(waiting)

    def close(self) -> None:
        """Let `take` return what waits, and then nothing."""
        with self._news:
            self._closed = True
            self._news.notify()

    def _leave_one_out(self) -> None:
        for kinds in (_SUPERSEDED, (Step,)):
            for place, message in enumerate(self._waiting):
                if isinstance(message, kinds):
                    del self._waiting[place]
                    return


def _gathered(waiting: list[object]) -> list[object]:
    """Return the messages with neighbouring events in one."""
    messages: list[object] = []
    events: list[Event] = []
    for message in [*waiting, None]:
        if isinstance(message, Event):
            events.append(message)
            continue
        if events:
            messages.append(Told(tuple(events)))
            events = []
        if message is not None:
            messages.append(message)
    return messages
