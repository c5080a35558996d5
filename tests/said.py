"""What of a run's events must be the same whenever it is run: what was decided by configuration and seeds."""

from collections.abc import Iterable

from workbench.events import (
    Blocked,
    Checkpointed,
    Event,
    Pace,
    Paused,
    Resumed,
    Stage,
)

OF_THE_MOMENT = (Stage, Pace)
BY_CLOCK_AND_USER = (*OF_THE_MOMENT, Blocked, Checkpointed, Paused, Resumed)


def lasting(events: Iterable[Event]) -> list[Event]:
    """Leave out what is over when it has been said."""
    return [event for event in events if not isinstance(event, OF_THE_MOMENT)]


def decided(events: Iterable[Event]) -> list[Event]:
    """Leave out what clock and user say too."""
    return [event for event in events if not isinstance(event, BY_CLOCK_AND_USER)]
