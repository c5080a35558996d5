"""What a run has said, kept for being drawn again: a million steps must fit beside everything else."""

import math
from array import array
from collections.abc import Iterator, Sequence

from workbench.events import Event, Pace, RunStarted, Stage, Step

_PIECE = 10_000  # events handed out at once
_SUPERSEDED = (Stage, Pace)  # only the newest of each is worth keeping


class Tape:
    """Events in the order in which they were said; steps as bare numbers, 8 bytes for each term and the time."""

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self._parts: list[Event | _Stretch] = []
        self._newest: dict[type, Event] = {}
        self.add(events)

    def add(self, events: Sequence[Event]) -> None:
        """Keep what was said next."""
        for event in events:
            if isinstance(event, _SUPERSEDED):
                self._newest[type(event)] = event
            elif isinstance(event, Step) and _plain(event):
                self._add_step(event)
            else:
                self._parts.append(event)

    def __len__(self) -> int:
        """How many events are on it."""
        return sum(len(part) if isinstance(part, _Stretch) else 1 for part in self._parts)

    def __bool__(self) -> bool:
        return bool(self._parts or self._newest)

    def __iter__(self) -> Iterator[Event]:
        """Give every event as it was; of what goes on and how fast only the newest, last."""
        for part in self._parts:
            if isinstance(part, _Stretch):
                yield from part
            else:
                yield part
        yield from self._newest.values()

    def pieces(self) -> Iterator[list[Event]]:
        """Give the events in lists of some, so that they need not all be made at once."""
        piece: list[Event] = []
        for event in self:
            piece.append(event)
            if len(piece) == _PIECE:
                yield piece
                piece = []
        if piece:
            yield piece

    def landmarks(self) -> list[Event]:
        """Return every event, but of steps with nothing between them the last alone."""
        parts = [part.last() if isinstance(part, _Stretch) else part for part in self._parts]
        return [*parts, *self._newest.values()]

    @property
    def start(self) -> RunStarted | None:
        """How the run began, if that was said."""
        return next((part for part in self._parts if isinstance(part, RunStarted)), None)

    def start_anew(self, start: RunStarted) -> None:
        """Let `start` be how the run began: it goes on with more tasks than it had."""
        rest = [part for part in self._parts if not isinstance(part, RunStarted)]
        self._parts = [start, *rest]

    def _add_step(self, step: Step) -> None:
        last = self._parts[-1] if self._parts else None
        if not isinstance(last, _Stretch) or not last.goes_on_with(step):
            last = _Stretch(step)
            self._parts.append(last)
        last.add(step)


class _Stretch:
    """Steps one after another of one epoch, with the same terms and learning rate."""

    def __init__(self, first: Step) -> None:
        self._first, self._names = first, tuple(first.terms)
        self._numbers = array("d")  # time and terms of each step
        self._count = 0

    def goes_on_with(self, step: Step) -> bool:
        """Whether `step` is the next one."""
        first = self._first
        return (step.task, step.epoch, step.lr, step.step) == (
            first.task, first.epoch, first.lr, first.step + self._count,
        ) and tuple(step.terms) == self._names  # fmt: skip

    def add(self, step: Step) -> None:
        """Keep the numbers of the next step."""
        self._numbers.append(math.nan if step.time is None else step.time)
        self._numbers.extend(step.terms.values())
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def last(self) -> Step:
        """Return the newest step."""
        return self._step(self._count - 1)

    def __iter__(self) -> Iterator[Step]:
        return map(self._step, range(self._count))

    def _step(self, number: int) -> Step:
        first, width = self._first, len(self._names) + 1
        time, *values = self._numbers[number * width : (number + 1) * width]
        terms = dict(zip(self._names, values, strict=True))
        said = None if math.isnan(time) else time
        return Step(first.task, first.epoch, first.step + number, first.lr, terms, time=said)


def _plain(step: Step) -> bool:
    """Whether every term is a number: the log has None for what was not finite."""
    return all(type(value) is float for value in step.terms.values())
