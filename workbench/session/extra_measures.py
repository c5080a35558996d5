"""Numbers that plug-ins make at the end of each task, put among a run's events; the loop knows nothing of them."""

from collections.abc import Generator, Sequence

from workbench.events import (
    Checkpointed,
    Event,
    Measured,
    Note,
    Pace,
    Paused,
    Resumed,
    Stage,
    Step,
    TaskEnded,
)
from workbench.plugins import ExtraMeasure, culprit, resolve

_OF_CLOCK = (Stage, Pace, Checkpointed, Paused, Resumed)


def with_measures(
    events: Generator[Event, None, None],
    measures: Sequence[ExtraMeasure],
    before: Sequence[Event] = (),
) -> Generator[Event, None, None]:
    """Pass events on; before each `TaskEnded` put one `Measured` for each measure.

    `before` is what a run that goes on had said.
    """
    if not measures:
        yield from events
        return
    said = [event for event in before if not isinstance(event, _OF_CLOCK)]
    epoch = next((e.epoch for e in reversed(said) if isinstance(e, Step)), 0)
    try:
        for event in events:
            if isinstance(event, TaskEnded):
                for measure in measures:
                    yield from _made(measure, said, event, epoch)
            if isinstance(event, Step):
                epoch = event.epoch
            if not isinstance(event, _OF_CLOCK):
                said.append(event)
            yield event
    finally:
        events.close()


def _made(
    measure: ExtraMeasure, said: Sequence[Event], end: TaskEnded, epoch: int
) -> Generator[Event, None, None]:
    """Yield the number, or its absence with a reason; the first failure of a run is also a note."""
    name, value, reason = measure.measure.name, None, ""
    try:
        made = resolve(measure.make)(tuple(said))
        value, reason = (None, made) if isinstance(made, str) else (float(made), "")
    except Exception as error:  # noqa: BLE001  (a stranger's code may raise anything)
        blamed = culprit(error)
        reason = f"{blamed.name}: {blamed.reason}" if blamed else f"{type(error).__name__}: {error}"
        if end.task == 0:
            yield Note(f"The measure '{measure.measure.label}' failed and is left out. {reason}")
    yield Measured(name, end.task, epoch, end.step, value, reason)
