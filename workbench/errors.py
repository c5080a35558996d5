"""What can go wrong outside the program, said in sentences.

    WorkbenchError        shown to the user as it is: names the thing, the value, the rule, a way out
    ├── UsageError        the command or the configuration asks for something that cannot be (exit 2)
    └── Cancelled         the user stopped it; nothing is wrong (exit 3)

Every other exception is a bug of ours and keeps its traceback.
"""

import difflib
from collections.abc import Iterable


class WorkbenchError(Exception):
    """A sentence for the user."""


class UsageError(WorkbenchError):
    """The request itself is wrong: an unknown name, a value out of range."""


class Cancelled(WorkbenchError):  # noqa: N818  (a wish, not a fault)
    """The user asked to stop."""


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return the known name most like `name`, of equals the first, or an empty string if none is."""
    matcher = difflib.SequenceMatcher(b=name)
    best, most = "", 0.5
    for one in known:
        matcher.set_seq1(one)
        if matcher.real_quick_ratio() >= most and matcher.quick_ratio() >= most:
            likeness = matcher.ratio()
            if likeness > most or (likeness == most and not best):
                best, most = one, likeness
    return best


def nearest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the known name most like `name`, or an empty string."""
    close = nearest_name(name, known)
    return f" Did you mean {close!r}?" if close else ""
