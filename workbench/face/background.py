"""Threads that iterate something slow and hand each item to the window; they are asked to end, never killed."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from typing import Any

from PySide6.QtCore import QDeadlineTimer, QObject, QThread, QTimer, Signal

from workbench.errors import Cancelled, WorkbenchError
from workbench.events import Stage
from workbench.face.activities import Activities, Activity
from workbench.report import ScanProgress
from workbench.tell import Tell

LONGEST_WAIT = 15_000  # ms that closing the window waits for a thread to end
WORTH_SHOWING = 300  # ms after which work is entered in the list of activities
_leaving: list[object] = []  # what is let go between two events


class IterationThread(QThread):
    """Iterates `work()` away from the window. Closing the iterator is how a cancelled one ends."""

    item = Signal(object)
    raised = Signal(object)  # a WorkbenchError; a bug goes to sys.excepthook instead

    def __init__(self, work: Callable[..., Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work: Callable[..., Any] | None = work
        self._cancelled = False
        self._deadline = QDeadlineTimer(QDeadlineTimer.ForeverConstant.Forever)
        self._give_up: Callable[[], object] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the items any more; queued ones are to be ignored."""
        return self._cancelled

    def run(self) -> None:
        """Iterate to the end, or to the first item after `cancel`."""
        try:
            self._iterate()
        except Cancelled:
            return
        except WorkbenchError as error:
            self.raised.emit(error)

    def tell(self, item: object) -> None:
        """Hand on what is made on this thread; raises Cancelled once nobody waits for it."""
        if self._cancelled:
            raise Cancelled
        self.item.emit(item)

    def _iterate(self) -> None:
        assert self._work is not None
        source: Generator[Any, None, None] = self._work()
        with contextlib.closing(source):
            self._give_up = getattr(source, "cancel", None)  # what waits for a process has one
            if self._cancelled:  # it was asked before there was anything to give up
                self.cancel()
            for item in source:
                self.tell(item)

    def cancel(self) -> None:
        """Ask to end at the next item, or before it where the source can."""
        self._cancelled = True
        if self._give_up is not None:
            self._give_up()

    def end(self) -> bool:
        """Cancel and wait, at most 15 s; return whether the thread has ended."""
        self.close()
        return self.wait(self._deadline)

    def give_back(self) -> object:
        """Return what it had to do, and hold it no longer; the thread has ended."""
        held = self._work, self._give_up
        self._work = self._give_up = None
        return held

    def close(self) -> None:
        """Cancel; from now on 15 s are left, however often its end is waited for."""
        self.cancel()
        if self._deadline.isForever():
            self._deadline = QDeadlineTimer(LONGEST_WAIT)


class CallThread(IterationThread):
    """Calls `work` away from the window, which hands on items with `tell`; what it returns is the last one."""

    def _iterate(self) -> None:
        assert self._work is not None
        self.item.emit(self._work(self.tell))  # also if it was cancelled at the very end


class Background(QObject):
    """Does one slow thing at a time on a thread, and tells on the window's own what comes of it.

    Given `activities`, work with a title is in that list once it has lasted a moment, with its
    progress and with Cancel. Once shut down it tells nothing more: what was on its way would find
    the log closed.
    """

    item = Signal(object)
    failed = Signal(str)  # a sentence
    raised = Signal(object)  # with it, the error itself
    ended = Signal()  # the thread is gone, and another thing may begin
    given_up = Signal()  # after it: the user cancelled it in the list

    def __init__(self, parent: QObject, activities: Activities | None = None) -> None:
        super().__init__(parent)
        self.title = ""  # of what began last
        self._activities = activities
        self._activity: Activity | None = None
        self._newest: Stage | ScanProgress | None = None
        self._thread: IterationThread | None = None
        self._cancelled = self._closed = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(WORTH_SHOWING)
        self._soon.timeout.connect(self._enter)

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._thread is not None

    @property
    def cancelled(self) -> bool:
        """Whether what began last was cancelled; items that still arrive are to be ignored."""
        return self._cancelled

    def start(self, make: Callable[[], Iterator[Any]], title: str = "") -> bool:
        """Iterate `make()`, unless something is under way; return whether it began."""
        if self._thread is not None:
            return False
        self._begin(IterationThread(make, self), title)
        return True

    def do(self, call: Callable[[Tell], Any], title: str = "") -> bool:
        """Call `call` on a thread, unless something is under way; what it returns is the last item.

        What it is given hands on items on the way, and ends the call if it was cancelled.
        """
        if self._thread is not None:
            return False
        self._begin(CallThread(call, self), title)
        return True

    def _begin(self, thread: IterationThread, title: str) -> None:
        self._cancelled, self.title, self._newest = False, title, None
        self._thread = thread
        self._thread.item.connect(self._hand_on)
        self._thread.raised.connect(self._tell_failure)
        self._thread.finished.connect(self._over)
        self._thread.start()
        if title and self._activities is not None:
            self._soon.start()

    def cancel(self) -> None:
        """Ask what is under way to end at its next item."""
        if self._thread is not None:
            self._cancelled = True
            self._thread.cancel()

    def shut_down(self) -> bool:
        """Cancel and wait; return whether the thread has ended."""
        self._soon.stop()
        self._closed = True
        self.cancel()
        return self._thread is None or self._thread.end()

    def _enter(self) -> None:
        """Show it in the list: it takes longer than a moment."""
        if self._activities is not None and not self._cancelled:
            self._activity = self._activities.begin(self.title, self.cancel)
            self._follow(self._newest)

    def _hand_on(self, item: object) -> None:
        self._follow(item)
        if not self._closed:
            self.item.emit(item)

    def _tell_failure(self, error: WorkbenchError) -> None:
        if not self._closed:
            self.failed.emit(str(error))
            self.raised.emit(error)

    def _follow(self, item: object) -> None:
        """Tell the list how far it is; what it makes is not kept here."""
        if isinstance(item, Stage | ScanProgress):
            self._newest = item
            if self._activity is not None:
                self._activity.progress(item.done, item.total, item.text)

    def _over(self) -> None:
        self._soon.stop()
        if self._thread is not None:
            _let_go_later(self, self._thread.give_back())
            self._thread.deleteLater()
            self._thread = None
        activity, self._activity = self._activity, None
        if activity is not None:
            activity.end()
        if self._closed:
            return
        self.ended.emit()
        if activity is not None and activity.cancelled:
            self.given_up.emit()


def _let_go_later(*held: object) -> None:
    """Hold these until no object of Qt is at work.

    What a thread had to do often refers to whoever owns it. Was that the last reference, the owner would be destroyed, and
    the thread with it, while the thread is being destroyed: twice.
    """
    if not _leaving:
        QTimer.singleShot(0, _leaving.clear)
    _leaving.extend(held)


def close_all(root: QObject) -> None:
    """Ask every thread below `root` to end: their 15 s pass at the same time, not one after another."""
    for thread in root.findChildren(IterationThread):
        thread.close()
