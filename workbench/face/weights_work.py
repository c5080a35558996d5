"""Downloading and checking weights away from the window, one file at a time, with speed and cancel."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from workbench.events import Stage
from workbench.face.activities import Activities
from workbench.face.background import Background
from workbench.report import WeightsFile
from workbench.session.backbones import Backbones

_WINDOW = 3.0  # seconds that the speed is taken over


class WeightsWork(QObject):
    """Owns the thread. Every signal begins with the backbone's name."""

    progressed = Signal(
        str, str, int, int
    )  # what is done in words; how far, of how much (0: unknown)
    ended = Signal(str, object)  # WeightsFile
    failed = Signal(str, str)  # a sentence
    stopped = Signal(str)

    def __init__(
        self,
        backbones: Backbones,
        parent: QObject | None = None,
        activities: Activities | None = None,
    ) -> None:
        super().__init__(parent)
        self._backbones = backbones
        self.background = Background(self, activities)
        self.background.item.connect(self._take)
        self.background.failed.connect(self._keep)
        self.background.ended.connect(self._finish)
        self._outcome: WeightsFile | str | None = None
        self._speed = Speed()
        self.name = ""  # of the backbone that is worked for

    @property
    def busy(self) -> bool:
        """Whether a file is fetched or checked."""
        return self.background.busy

    def download(self, name: str) -> None:
        """Fetch the weights of a backbone, going on where an earlier attempt ended."""
        title = self.tr("Fetching the weights of {name}").format(name=name)
        self._start(name, title, lambda: self._backbones.download(name))

    def check(self, name: str, path: str) -> None:
        """Read a file as the weights of a backbone."""
        title = self.tr("Checking {file} as weights of {name}")
        title = title.format(file=Path(path).name, name=name)
        self._start(name, title, lambda: self._backbones.check(name, path))

    def cancel(self) -> None:
        """Ask to end at the next piece; what is there of a download is kept."""
        self.background.cancel()

    def shut_down(self) -> bool:
        """End the thread; return whether it has ended."""
        return self.background.shut_down()

    def _start(
        self, name: str, title: str, make: Callable[[], Iterator[Stage | WeightsFile]]
    ) -> None:
        if self.busy:
            return
        self.name, self._outcome, self._speed = name, None, Speed()
        self.background.start(make, title)

    def _take(self, item: Stage | WeightsFile) -> None:
        if isinstance(item, WeightsFile):
            self._outcome = item
            return
        text = item.text
        if item.total:
            text = self._counted(item)
        self.progressed.emit(self.name, text, item.done, item.total)

    def _counted(self, stage: Stage) -> str:
        rate = self._speed.after(time.monotonic(), stage.done)
        if rate is None:
            text = self.tr("{done} of {total} MB")
            return text.format(done=stage.done, total=stage.total)
        text = self.tr("{done} of {total} MB, {rate:.3g} MB a second")
        return text.format(done=stage.done, total=stage.total, rate=rate)

    def _keep(self, sentence: str) -> None:
        self._outcome = sentence

    def _finish(self) -> None:
        if isinstance(self._outcome, WeightsFile):
            self.ended.emit(self.name, self._outcome)
        elif self._outcome is not None:
            self.failed.emit(self.name, self._outcome)
        else:
            self.stopped.emit(self.name)


class Speed:
    """Megabytes a second over the last moments."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def after(self, now: float, done: int) -> float | None:
        """Return the speed with `done` megabytes there `now`; None while too little is known."""
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()
        begun, first = self._seen[0]
        return (done - first) / (now - begun) if now - begun >= 0.5 and done > first else None
