"""What a run has said so far, sorted and ready to be drawn: made away from the window if it is long."""

import typing
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from workbench.events import Event, Stage
from workbench.face.language import say
from workbench.face.record import RunRecord
from workbench.face.tape import Tape
from workbench.session import Session
from workbench.tell import Tell, silent

PIECE = 2_000  # events sorted or handed on at once: some 20 ms


@dataclass(frozen=True)
class Past:
    """A run's curves, and its events: all of them on the tape, and the few that change what is seen."""

    record: RunRecord
    tape: Tape
    landmarks: Sequence[Event]


def past_of(events: Iterable[Event], tell: Tell = silent, total: int = 0) -> Past:
    """Sort a run's events, given one after another; `total` is their number as far as it is known."""
    record, tape, given = RunRecord(), Tape(), iter(events)
    while piece := list(islice(given, PIECE)):
        record.take(piece)
        tape.add(piece)
        tell(Stage(say("Events of the run"), min(len(tape), total), total))
    return Past(record, tape, tape.landmarks())


def past_run(session: Session, run_id: str, tell: Tell = silent) -> Past:
    """Read and sort what a run of the log has said, without ever holding all of it twice."""
    total = session.table.length(run_id)
    with closing(typing.cast("Generator[Event, None, None]", session.told(run_id))) as events:
        return past_of(events, tell, total)
