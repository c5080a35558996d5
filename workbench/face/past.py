"""What a run has said so far, sorted and ready to be drawn: made away from the window if it is long."""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.events import Event, Stage
from workbench.face.language import say
from workbench.face.record import RunRecord
from workbench.face.tape import Tape
from workbench.tell import Tell, silent

PIECE = 2_000  # events sorted or handed on at once: some 20 ms


@dataclass(frozen=True)
class Past:
    """A run's curves, and its events: all of them on the tape, and the few that change what is seen."""

    record: RunRecord
    tape: Tape
    landmarks: Sequence[Event]


def past_of(events: Sequence[Event], tell: Tell = silent) -> Past:
    """Sort a run's events."""
    record, tape = RunRecord(), Tape()
    for done in range(0, len(events), PIECE):
        tell(Stage(say("Sorting what it said"), done, len(events)))
        piece = events[done : done + PIECE]
        record.take(piece)
        tape.add(piece)
    return Past(record, tape, tape.landmarks())
