"""What can go wrong outside the program, said in sentences.

    WorkbenchError        shown to the user as it is: names the thing, the value, the rule, a way out
    ├── UsageError        the command or the configuration asks for something that cannot be (exit 2)
    │   └── PicturesDiffer    a run cannot go on with the pictures as they are now
    ├── CannotWrite       a place on the disk cannot be written; another one may be
    ├── DiskFull          a disk has no space left; what was to be written waits until there is some
    ├── NotFinite         a loss is no number any more
    ├── LogFault          the file of the log cannot be used, or only be read
    ├── WeightsDiffer     the backbone is another one than the adapter was trained on; may be overruled
    └── Cancelled         the user stopped it; nothing is wrong (exit 3)

Every other exception is a bug of ours and keeps its traceback.
"""

import difflib
import errno
from collections.abc import Iterable
from typing import Self


class WorkbenchError(Exception):
    """A sentence for the user.

    Attributes:
        elsewhere: another home folder is a way out. How to choose one is said by whoever shows the
            sentence: a window has a button for it, the command line an option.
    """

    elsewhere = False

    def or_elsewhere(self) -> Self:
        """Mark another home folder as a way out; return the error."""
        self.elsewhere = True
        return self


class UsageError(WorkbenchError):
    """The request itself is wrong: an unknown name, a value out of range."""


class CannotWrite(WorkbenchError):  # noqa: N818  (says what is, as the others do)
    """A place on the disk cannot be written; another one may be."""


class DiskFull(WorkbenchError):  # noqa: N818  (says what is, as the others do)
    """A disk has no space left.

    Attributes:
        place: the drive or mount point.
        needed: bytes that are wanted there, as far as that is known; 0 if it is not.
    """

    def __init__(self, sentence: str, place: str = "", needed: int = 0) -> None:
        super().__init__(sentence)
        self.place, self.needed = place, needed


class PicturesDiffer(UsageError):  # noqa: N818  (says what is, as the others do)
    """A run cannot go on with the pictures as they are now; a new one with its settings can."""


class NotFinite(WorkbenchError):  # noqa: N818  (says what is, as the others do)
    """A loss is no number any more.

    Attributes:
        what: the same without the task, for whoever knows the step.
    """

    def __init__(self, sentence: str, what: str = "") -> None:
        super().__init__(sentence)
        self.what = what


class LogFault(WorkbenchError):  # noqa: N818  (says what is, as the others do)
    """The file of the log cannot be used as it is; the file was not changed.

    Attributes:
        kind: locked, read-only, damaged, foreign, newer, or broken (the disk reports an error).
        path: the file.
    """

    def __init__(self, sentence: str, kind: str = "", path: str = "") -> None:
        super().__init__(sentence)
        self.kind, self.path = kind, path


class WeightsDiffer(WorkbenchError):  # noqa: N818  (a fact that may be overruled)
    """The backbone's weights are not those that an adapter was trained on."""


class Cancelled(WorkbenchError):  # noqa: N818  (a wish, not a fault)
    """The user asked to stop."""


_GPU = "OutOfMemoryError"  # torch's class, by name: torch is not imported for it
# What torch's allocator of the processor says, on Windows and elsewhere; it has no class of its own.
_NO_MEMORY = ("not enough memory", "can't allocate memory")
_REASONS = {
    errno.EROFS: "the disk is write-protected",
    errno.ENOSPC: "the disk is full",
    errno.EACCES: "there is no permission to write there",
    errno.EPERM: "there is no permission to write there",
}
_WRITE_PROTECT = 19  # Windows' own number, which it reports as EACCES


def because(error: OSError) -> str:
    """Return in words why something could not be written."""
    if getattr(error, "winerror", None) == _WRITE_PROTECT:
        return _REASONS[errno.EROFS]
    return _REASONS.get(error.errno or 0) or error.strerror or "the system gave no reason"


def is_short_of_gpu_memory(error: BaseException) -> bool:
    """Return whether this is torch's error for a GPU whose memory is full."""
    return type(error).__name__ == _GPU


def is_short_of_memory(error: BaseException) -> bool:
    """Return whether this is said to be a lack of memory, by its class or, on the processor, in words."""
    named = is_short_of_gpu_memory(error) or isinstance(error, MemoryError)
    return named or any(words in str(error) for words in _NO_MEMORY)


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
