"""Offscreen Qt, and a failure for every test that leaves a thread, timer or child behind."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny networks: a second thread only waits
os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # before torch: `session.engine`

import gc
import multiprocessing
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _nothing_is_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    # A test of the window came before, and nobody holds its widgets any more.
    if not gc.isenabled():
        _let_go()
    before = set(threading.enumerate())
    in_window = bool({"qtbot", "qapp"} & set(request.fixturenames))
    # Python would look for garbage on any thread, widgets among it: see `face.garbage`.
    if in_window:
        gc.disable()
    yield
    _nothing_runs(before)
    # walking all objects takes long once torch is there, so only where Qt was in play
    timers = _running_timers() if in_window else []
    assert not timers, f"timers left running: {timers}"


def _let_go() -> None:
    """Destroy what was to be deleted at the window's leisure, and what only refers to itself."""
    from PySide6.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    gc.freeze()  # what has survived is no later test's: walking torch anew for each takes minutes in all
    gc.enable()


def _nothing_runs(before: set[threading.Thread]) -> None:
    left = [t for t in threading.enumerate() if t not in before and not t.name.startswith("pytest")]
    # Python keeps an entry for a QThread that ran Python code, ended or not: see `_running_timers`.
    left = [t for t in left if not isinstance(t, threading._DummyThread)]
    for thread in left:
        thread.join(timeout=5)
    left = [thread.name for thread in left if thread.is_alive()]
    assert not left, f"threads left running: {left}"
    children = multiprocessing.active_children()
    assert not children, f"child processes left running: {children}"


def _running_timers() -> list[str]:
    import sys

    if "PySide6.QtCore" not in sys.modules:
        return []
    from PySide6.QtCore import QCoreApplication, QThread, QTimer

    if QCoreApplication.instance() is None:
        return []
    gc.collect()
    # type(): asking some lazy objects of torch for their class warns
    live = [item for item in gc.get_objects() if issubclass(type(item), (QTimer, QThread))]
    import shiboken6

    names = []
    for item in live:
        if not shiboken6.isValid(item):
            continue
        if isinstance(item, QTimer) and item.isActive():
            names.append(f"QTimer {item.objectName()!r} of {item.parent()!r}")
        if isinstance(item, QThread) and item.isRunning() and item != QThread.currentThread():
            names.append(f"QThread {item.objectName()!r}")
    return names
