"""The last word of a run that an error ended: what happened, where, what is kept, and what may help."""

import re
import time
import traceback

from workbench.errors import (
    NotFinite,
    PicturesDiffer,
    WorkbenchError,
    is_short_of_gpu_memory,
    is_short_of_memory,
)
from workbench.events import Failed
from workbench.plugins import culprit
from workbench.session.end import Ending
from workbench.session.engine import NoEngineError

_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_WANTED = re.compile(r"tried to allocate (\d+(?:\.\d+)?) (bytes|KiB|MiB|GiB)\b", re.IGNORECASE)
_WHOLE = re.compile(r"total capacity of (\d+(?:\.\d+)?) (MiB|GiB)\b")


def failure(error: Exception, method: str, ending: Ending) -> Failed:
    """Return what is to be said of an error in a run that learnt by `method`; a mistake keeps its traceback."""
    if isinstance(error, NoEngineError):
        return Failed(str(error), traceback.format_exc())
    if isinstance(error, NotFinite):
        return Failed(_not_finite(error, ending), cause="not finite")
    if isinstance(error, WorkbenchError):
        return Failed(str(error), cause="pictures" if isinstance(error, PicturesDiffer) else "")
    blamed = blamed_sentence(error, method)
    if blamed:
        return Failed(blamed, traceback.format_exc())
    if is_short_of_memory(error):
        sentence = memory_sentences(error, ending.place, ending.kept(time.time()))
        return Failed(sentence, traceback.format_exc(), "memory")
    said = f"{type(error).__name__}: {error}"
    sentence = f"The program made a mistake ({said}). Everything up to the last task is kept."
    return Failed(sentence, traceback.format_exc())


def blamed_sentence(error: BaseException, method: str) -> str:
    """Return the sentence for an error in a plug-in's code, or an empty string."""
    blamed = culprit(error)
    if blamed is None:
        return ""
    return (
        f"The method '{method}' of the plug-in {blamed.name} failed: {blamed.reason} "
        "What was learnt up to the last whole task is kept. Choose another method, or tell its author."
    )


def memory_sentences(error: BaseException, place: str, kept: str) -> str:
    """Return what is to be said of a lack of memory at a `place` ("in task 2"), with what is `kept`."""
    gpu = is_short_of_gpu_memory(error)
    owner = "GPU" if gpu else "computer"
    cure = "a smaller backbone, or the processor (device cpu)" if gpu else "or a smaller backbone"
    return (
        f"The {owner} ran out of memory {place}{_needed(str(error))}. {kept} Fewer pictures at a time were tried "
        f"already; what may help is to close other programs, {cure}."
    )


def _not_finite(error: NotFinite, ending: Ending) -> str:
    if not error.what:
        return str(error)
    return (
        f"{error.what} {ending.place}, step {ending.steps + 1:,}. Training stopped. "
        f"{ending.checkpoint()} A lower learning rate usually helps."
    )


def _needed(said: str) -> str:
    """Return " (needed 0.4 GB more of 8.0)" as far as torch says so."""
    wanted, whole = _WANTED.search(said), _WHOLE.search(said)
    if wanted is None:
        return ""
    text = f" (needed {_size(_bytes(wanted))} more"
    return f"{text} of {_size(_bytes(whole))})" if whole is not None else f"{text})"


def _bytes(found: re.Match[str]) -> float:
    units = {unit.lower(): factor for unit, factor in _UNITS.items()}
    return float(found[1]) * units[found[2].lower()]


def _size(number: float) -> str:
    """Return a size in the unit in which the meter of the window counts memory (1 GB = 2^30 bytes)."""
    return f"{number / 2**30:.1f} GB" if number >= 0.1 * 2**30 else f"{number / 2**20:.0f} MB"
