"""Named things of one kind, offered by plug-ins, in the order they were added."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from workbench.errors import UsageError, nearest
from workbench.fits import misfit

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things of one kind, in the order they were added; `kind` is the word in messages."""

    def __init__(self, kind: str, of: type[T] | None = None) -> None:
        self.kind = kind
        self._of = of
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> None:
        """Register `thing`; a name that is taken, or another type, is a mistake of the one who adds."""
        if self._of is not None and not isinstance(thing, self._of):
            wanted, found = self._of.__name__, type(thing).__name__
            raise UsageError(f"{self.kind} {name!r} must be a {wanted}, not a {found}.")
        problem = misfit(thing) if self._of is not None else ""
        if problem:
            raise UsageError(f"{self.kind} {name!r} does not fit: {problem}.")
        if name in self._things:
            raise UsageError(f"{self.kind} {name!r} is registered twice.")
        self._things[name] = thing

    def get(self, name: str) -> T:
        """Return the thing of this name; raises UsageError with the nearest name."""
        if name not in self._things:
            raise UsageError(f"{self.kind} {name!r} is not known.{nearest(name, self._things)}")
        return self._things[name]

    def names(self) -> tuple[str, ...]:
        """Return the names, in the order they were added."""
        return tuple(self._things)

    def copy(self) -> "Registry[T]":
        """Return another registry of the same things."""
        other = Registry(self.kind, self._of)
        other._things = dict(self._things)
        return other

    def __iter__(self) -> Iterator[T]:
        return iter(self._things.values())

    def __len__(self) -> int:
        return len(self._things)
