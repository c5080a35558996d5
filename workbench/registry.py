"""Named things of one kind, offered by plug-ins, in the order they were added."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from workbench.errors import UsageError

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

    def __iter__(self) -> Iterator[T]:
        return iter(self._things.values())

    def __len__(self) -> int:
        return len(self._things)
