"""A log with runs in it, for tests."""

from collections.abc import Iterable

from workbench.config import RunConfig, to_dict
from workbench.events import Event
from workbench.log.store import Log


def begin(log: Log, run_id: str = "run1", name: str = "first", tasks_total: int = 5) -> str:
    log.begin(
        run_id,
        name,
        to_dict(RunConfig()),
        {"s2_init": "kaiming"},
        "repaired",
        "sample",
        7,
        {"torch": "2.6"},
        tasks_total,
    )
    return run_id


def timed(events: Iterable[Event]) -> list[tuple[float, Event]]:
    return [(1_700_000_000.0 + n / 10, event) for n, event in enumerate(events)]
