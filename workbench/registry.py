"""A dict of named things whose misses explain themselves."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from workbench.errors import UsageError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things of one kind, in the order they were added; `kind` is the word in messages."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> None:
        """Register `thing`; a name that is taken is a mistake of the one who adds."""
        if name in self._things:
            raise UsageError(f"{self.kind} {name!r} is registered twice.")
        self._things[name] = thing

    def lookup(self, name: str) -> T:
        """Return the thing called `name`, or raise UsageError with the nearest name."""
        if name not in self._things:
            raise UsageError(f"{self.kind} {name!r} is not known.{nearest(name, self._things)}")
        return self._things[name]

    def __iter__(self) -> Iterator[T]:
        return iter(self._things.values())

    def __len__(self) -> int:
        return len(self._things)
