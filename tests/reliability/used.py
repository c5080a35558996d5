"""A window in use: runs from its queue with live plots, somebody who looks at everything, and what it then holds."""

import sys
import time
from collections import Counter
from pathlib import Path

from tests.pictures import make_task_folders
from tests.reliability.growth import Growth, judge, left_out
from tests.reliability.sampled import NAMES, Sample, kinds, take
from tests.reliability.visits import Visitor, live, rest
from tests.trained import folders, quick_config
from workbench.config import RunConfig, with_values
from workbench.face.queue import QueueFeature
from workbench.face.window import Window
from workbench.session import SessionApart

ALLOWED: dict[str, float | None] = {
    "window_rss": 50.0, "window_uss": 50.0, "child_rss": 50.0, "child_uss": 50.0,
    "window_handles": 2, "child_handles": 2, "window_threads": 2, "child_threads": 2, "children": 0.5,
    "widgets": 20, "objects": 50,
}  # fmt: skip


class Soak:
    """A window on a home of its own with an engine process, and what was noted of it, round by round."""

    def __init__(self, home: Path, pictures: Path) -> None:
        self.samples: list[Sample] = []
        self.kinds: list[Counter[str]] = []  # as the counted rounds begin, and now
        self.states: Counter[str] = Counter()
        self._began = time.monotonic()
        self._folders = folders(pictures)
        self.session = SessionApart(home, entry_points=False)
        self.window = Window(self.session)
        self.queue = next(each for each in self.window.features if isinstance(each, QueueFeature))
        self.window.desk.training.ended.connect(self._count)
        self.window.show()
        self.session.warm()
        (another,) = make_task_folders(pictures, {"another": {"black": 4, "white": 4}})
        self._visitor = Visitor(self.window, self._folders[0], another)
        self.window.desk.draft.load(quick_config(self._folders), "Load")
        self.window.desk.draft.stack.clear()

    def close(self) -> None:
        """Close the window as a user does."""
        self.window.close()
        self.session.close()
        self.window.deleteLater()

    def begin(self) -> None:
        """Train two runs, so that there is something to look at."""
        self._train(2, 1)

    def go_round(self, *, brief: bool = False) -> None:
        """Queue some runs, look at everything while they train, wait for the end, and take note.

        A brief round has one run, and no visit that takes long.
        """
        number = len(self.samples)
        if brief:
            self._queue(1, 1)
            self._visitor.look_around()
        else:
            self._queue(2, 1 + number % 3)
            self._visitor.go_round(number)
        self._until_idle()
        self.note()

    def note(self) -> None:
        """Wait until nothing is under way, and take a sample."""
        desk = self.window.desk
        live(lambda: not desk.activities.under_way(), "rest")
        desk.toast.hide()
        rest(1.2)  # what was to be done later is done
        self.samples.append(take(time.monotonic() - self._began, self.window, self.session.home))

    def growths(self) -> list[Growth]:
        """Return how each number went."""
        return [
            judge(NAMES[name], [getattr(each, name) for each in self.samples], ALLOWED.get(name))
            for name in NAMES
        ]

    def _train(self, runs: int, epochs: int) -> None:
        self._queue(runs, epochs)
        self._until_idle()

    def _queue(self, runs: int, epochs: int) -> None:
        for number in range(runs):
            self.session.queue.add(_config(self._folders, epochs, monitored=number % 2 == 0))
        self.queue.go_on()
        live(lambda: self.window.desk.training.state != "idle", "the first run")

    def _until_idle(self) -> None:
        training = self.window.desk.training
        live(lambda: not self.queue.going and training.state == "idle", "the end of the queue")

    def _count(self, state: str) -> None:
        self.states[state] += 1


def _config(paths: list[Path], epochs: int, *, monitored: bool) -> RunConfig:
    values = {} if monitored else {"monitor.probe_per_task": 0}
    return with_values(quick_config(paths, epochs=epochs), values)


def soak(home: Path, pictures: Path, minutes: float, rounds: int) -> Soak:
    """Use a window for so long, or so many rounds; the caller closes it."""
    used, began = Soak(home, pictures), time.monotonic()
    used.begin()
    least = left_out(rounds) if rounds < 10**6 else 5
    while time.monotonic() - began < 60 * minutes and len(used.samples) < rounds:
        used.go_round()
        if len(used.samples) == least:
            used.kinds.append(kinds(used.window))
        last = used.samples[-1]
        sys.stderr.write(
            f"round {len(used.samples)}, {last.seconds:.0f} s: window {last.window_rss:.0f} MB, child "
            f"{last.child_rss:.0f} MB, {last.window_handles} handles, {last.window_threads} threads, "
            f"{last.children} children, {last.widgets} widgets, {last.objects} Qt objects\n"
        )
    used.kinds.append(kinds(used.window))
    return used
