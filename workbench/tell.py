"""How slow work says how far it is, and is given up: it is handed a `Tell`, which may raise Cancelled."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from workbench.events import Stage

Item = TypeVar("Item")
Tell = Callable[[Any], object]  # given a Stage, or whatever else the work makes on its way

_ROWS = 5_000  # about 50 ms of work


def silent(_item: object) -> None:
    """Tell nobody: the work cannot be given up."""


def as_if(tell: Tell, stage: Stage) -> Tell:
    """Return what says `stage` whatever it is told: work within work that is told of as a whole."""

    def told(_item: object) -> None:
        tell(stage)

    return told


def along(rows: Iterable[Item], tell: Tell, stage: Stage) -> Iterator[Item]:
    """Give rows on, and tell of `stage` every few thousand of them."""
    for number, row in enumerate(rows):
        if number % _ROWS == 0:
            tell(stage)
        yield row
