"""What a window and its engine processes hold at one moment: memory, handles, threads, children, widgets."""

import gc
import os
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

import psutil
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget

MB = 1e6


@dataclass(frozen=True)
class Sample:
    """One look. Memory in MB; `child` is all engine processes together."""

    seconds: float
    window_rss: float
    window_uss: float  # what only this process holds
    child_rss: float
    child_uss: float
    window_handles: int
    child_handles: int
    window_threads: int
    child_threads: int
    children: int  # with theirs
    widgets: int
    objects: int  # Qt's, below the window
    python_objects: int
    none_references: int
    log: float
    home: float


NAMES = {
    "window_rss": "window, RSS (MB)", "window_uss": "window, USS (MB)",
    "child_rss": "child, RSS (MB)", "child_uss": "child, USS (MB)",
    "window_handles": "window, open handles", "child_handles": "child, open handles",
    "window_threads": "window, threads", "child_threads": "child, threads",
    "children": "children, with theirs", "widgets": "widgets alive", "objects": "Qt objects of the window",
    "python_objects": "Python objects of the window", "none_references": "references to None",
    "log": "log (MB)", "home": "folder in home (MB)",
}  # fmt: skip
assert set(NAMES) == {each.name for each in fields(Sample)} - {"seconds"}


def take(seconds: float, window: QWidget, home: Path) -> Sample:
    """Look at this process, its children and the folder, without what is only waiting to be collected."""
    gc.collect()
    own, children = psutil.Process(), psutil.Process().children(recursive=True)
    held = [_held(each) for each in children]
    rss, uss, handles, threads = _held(own)
    log = sum(path.stat().st_size for path in home.glob("workbench.db*"))
    return Sample(
        seconds, rss, uss, sum(each[0] for each in held), sum(each[1] for each in held),
        int(handles), int(sum(each[2] for each in held)), int(threads), int(sum(each[3] for each in held)),
        len(children), len(QApplication.allWidgets()), len(window.findChildren(QObject)),
        len(gc.get_objects()), sys.getrefcount(None), log / MB, _size(home) / MB,
    )  # fmt: skip


def kinds(window: QWidget) -> Counter[str]:
    """Return how many there are of each kind of widget, Qt object and Python object."""
    found = Counter(f"widget {type(each).__name__}" for each in QApplication.allWidgets())
    found.update(f"Qt {type(each).__name__}" for each in window.findChildren(QObject))
    found.update(f"Python {type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())  # fmt: skip
    return found


def _held(process: psutil.Process) -> tuple[float, float, float, float]:
    """Return RSS and USS in MB, handles and threads; nothing of one that has ended."""
    with suppress(psutil.Error), process.oneshot():
        memory = process.memory_full_info()
        handles = process.num_fds() if os.name == "posix" else process.num_handles()
        return memory.rss / MB, memory.uss / MB, handles, process.num_threads()
    return 0.0, 0.0, 0, 0


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # gone meanwhile
            total += path.stat().st_size
    return total
