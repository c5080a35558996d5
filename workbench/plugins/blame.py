"""Whose code an exception came from: the plug-in in its traceback, with the line."""

import traceback
from dataclasses import dataclass
from pathlib import Path

from workbench.plugins.sources import PREFIX

_PACKAGES: dict[str, str] = {}  # top packages of installed plug-ins: their names


@dataclass(frozen=True)
class Culprit:
    """The plug-in, and what went wrong there as a sentence: "No module named 'foo' (line 3)."."""

    name: str
    reason: str


def remember_package(module: str, name: str) -> None:
    """Let frames of this module's package be known as the plug-in's."""
    _PACKAGES[module.partition(".")[0]] = name


def culprit(error: BaseException) -> Culprit | None:
    """Return the plug-in whose code is deepest in the traceback, or None."""
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        top = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if top.startswith(PREFIX):
            file = Path(frame.f_code.co_filename)
            name = file.name if file.stem == top.removeprefix(PREFIX) else top.removeprefix(PREFIX)
            found = Culprit(name, reason_of(error, line))
        elif top in _PACKAGES:
            found = Culprit(_PACKAGES[top], reason_of(error, line))
    return found


def reason_of(error: BaseException, line: int | None) -> str:
    """Return what was raised as a sentence, with the line where it is known."""
    said = str(error).rstrip(".") or type(error).__name__
    if line:
        return f"{said} (line {line})."
    return said if said.endswith("?") else f"{said}."


def sentence_of(name: str, error: BaseException) -> str:
    """Say what went wrong while a plug-in was loaded: "owls.py: No module named 'foo' (line 3)."."""
    if isinstance(error, SyntaxError):
        return f"{name}: {error.msg} (line {error.lineno})."
    found = culprit(error)
    return f"{name}: {found.reason if found else reason_of(error, None)}"
