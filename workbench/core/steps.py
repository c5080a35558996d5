"""Work that says how far it is and returns what it made: run to its end unheard, or heard through an ear."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing
from typing import Any, TypeVar

R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")


def result_of(work: Generator[Any, None, R]) -> R:
    """Run `work` to its end and return what it made; what it says on the way goes unheard."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: R = end.value
            return result


def retold(work: Generator[S, None, R], tell: Callable[[S], T | None]) -> Generator[T, None, R]:
    """Run `work`, yielding what `tell` makes of what it says, where that is something."""
    with closing(work):
        while True:
            try:
                said = next(work)
            except StopIteration as end:
                result: R = end.value
                return result
            if (told := tell(said)) is not None:
                yield told


def inside(
    surroundings: Callable[[], AbstractContextManager[None]], work: Generator[S, None, R]
) -> Generator[S, None, R]:
    """Run `work` with `surroundings()` around each of its steps; while it waits, and when it is closed, they are left."""
    with closing(work):
        while True:
            with surroundings():
                try:
                    said = next(work)
                except StopIteration as end:
                    result: R = end.value
                    return result
            yield said
