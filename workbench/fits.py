"""Whether plain values that were read from a file are of the types that a dataclass asks for."""

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from typing import Any, cast

LARGEST = 2**53  # of a whole number: what JSON, SQLite and a double hold alike


def misfit(made: Any) -> str:
    """Return the first field of a dataclass whose value is of another type, in words, or an empty string.

    A float may be None: a number that is not finite has no other word in JSON.
    """
    for name, kind in _hints(made.__class__).items():
        value = getattr(made, name)
        if not _fits(value, kind):
            return f"{name} is {_shown(value)}"
    return ""


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {item.name: hints[item.name] for item in dataclasses.fields(cast("Any", kind))}


def _fits(value: Any, kind: Any) -> bool:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, each) for each in arguments)
    if origin is tuple:
        inner = arguments[0]
        return isinstance(value, tuple) and all(_fits(each, inner) for each in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(key, arguments[0]) and _fits(each, arguments[1]) for key, each in value.items()
        )
    if origin is Callable:
        return callable(value)
    if dataclasses.is_dataclass(kind):
        return isinstance(value, cast("type[Any]", kind)) and not misfit(value)
    return kind is Any or _is(value, kind)


def _is(value: Any, kind: type[Any]) -> bool:
    if kind is float:
        return value is None or (type(value) in (int, float) and math.isfinite(value))
    if kind is int:
        return type(value) is int and -LARGEST <= value <= LARGEST
    return isinstance(value, kind)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
