"""What the window remembers of its last time, in `window.ini` of the home: sizes, folders, the theme.

Qt writes values that it has no plain text for as `@Variant(…)`, and reads one that holds a Python
object by unpickling it, which runs whatever the file says. The window keeps none, so a file with one
is not its own: it is put aside, and the window begins afresh.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QSettings

_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]+)|([0-7]+)|.)", re.DOTALL)
_OBJECTS = ("@Variant(", "@DateTime(")  # both are read as a value of any type


def remembered(home: Path) -> QSettings:
    """Open the window's memory of this home; one that holds objects is renamed to `window.ini.refused`."""
    file = home / "window.ini"
    with suppress(OSError):
        if _holds_objects(file.read_bytes().decode("latin-1")):
            os.replace(file, file.with_name(f"{file.name}.refused"))
    return QSettings(str(file), QSettings.Format.IniFormat)


def _holds_objects(text: str) -> bool:
    """Whether Qt would find an object: it drops quotes and joined lines, and any letter may be escaped."""
    plain = re.sub(r"\\\r?\n", "", text).replace('"', "")
    plain = _ESCAPE.sub(_letter, plain)
    return any(word in plain for word in _OBJECTS)


def _letter(found: re.Match[str]) -> str:
    digits = found[1] or found[2]
    return chr(int(digits, 16 if found[1] else 8) & 0xFFFF) if digits else ""
