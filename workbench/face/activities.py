"""Everything that goes on in the background: what it is, how far it is, and how it is given up."""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from workbench.face.time_left import Calm, TimeLeft


class Activity:
    """One piece of work, from `Activities.begin` to `end`. To be used from the window's thread."""

    def __init__(
        self,
        registry: "Activities",
        title: str,
        cancel: Callable[[], object] | None,
        *,
        in_parts: bool,
    ) -> None:
        self.title = title
        self._in_parts = in_parts
        self.done = self.total = 0  # `total` 0: how much there is, is not known
        self.seconds_left: float | None = None
        self.detail = ""  # what is being done right now, in words
        self.cancelled = False
        self.began = time.time()
        self._registry = registry
        self._cancel = cancel
        self._time_left, self._calm = TimeLeft(), Calm()

    @property
    def counted(self) -> str:
        """How far it is: so many of so many, or how much of the whole; empty where that is not known."""
        if not self.total:
            return ""
        if self._in_parts:
            return f"{100 * self.done // self.total} %"  # all of it only at the end
        return f"{self.done:,} / {self.total:,}"

    @property
    def can_cancel(self) -> bool:
        """Whether it can be given up, and has not been yet."""
        return self._cancel is not None and not self.cancelled

    def progress(
        self, done: int, total: int, detail: str = "", seconds_left: float | None = None
    ) -> None:
        """Tell how far it is. Counting another thing (another `total`) begins the estimate anew.

        Whoever knows better how long it takes says so with `seconds_left`.
        """
        if total != self.total:
            self._time_left, self._calm = TimeLeft(), Calm()
        moved = done != self.done or total != self.total
        self.done, self.total = done, total
        self.detail = detail or self.detail
        if seconds_left is not None:
            self.seconds_left = self._calm.told(seconds_left)
        elif moved:
            self.seconds_left = self._time_left.take(done, total)
        self._registry.told(self)

    def rested(self) -> None:
        """Forget what was told of the time left: time has passed in which nothing was to be done."""
        self._time_left, self._calm = TimeLeft(), Calm()

    def cancel(self) -> None:
        """Ask it to end; it stays in the list until it has ended."""
        if self._cancel is not None and not self.cancelled:
            self.cancelled = True
            self._registry.told(self)
            self._cancel()

    def end(self) -> None:
        """Take it off the list; ending twice is harmless."""
        self._registry.forget(self)


class Activities(QObject):
    """The list. Whoever starts work begins an activity, tells its progress and ends it."""

    changed = Signal()  # the list is longer or shorter
    progressed = Signal(object)  # the Activity that is at another place
    wanted = Signal()  # the list is to be shown

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._under_way: list[Activity] = []

    def begin(
        self,
        title: str,
        cancel: Callable[[], object] | None = None,
        *,
        in_parts: bool = False,
    ) -> Activity:
        """Enter a piece of work; `cancel` asks it to end, None means that it cannot be given up.

        `in_parts`: what is counted are parts of the whole and no things, so that it is told as a percentage.
        """
        activity = Activity(self, title, cancel, in_parts=in_parts)
        self._under_way.append(activity)
        self.changed.emit()
        return activity

    def under_way(self) -> list[Activity]:
        """Return what goes on now, oldest first."""
        return list(self._under_way)

    def told(self, activity: Activity) -> None:
        """Pass on that `activity` is at another place."""
        if activity in self._under_way:
            self.progressed.emit(activity)

    def forget(self, activity: Activity) -> None:
        """Take `activity` off the list, if it is there."""
        if activity in self._under_way:
            self._under_way.remove(activity)
            self.changed.emit()
