"""The only loop: a configuration in, a run's events out, as a generator that can be left at any yield.

Not asking for the next event is a pause, closing the generator is a stop; nothing in here knows of
either. The same configuration and seeds give the same events to the bit on one CPU, but for `Pace`
and `Stage`, which the clock paces, and so does a run that goes on from a checkpoint.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from workbench.config import RunConfig, check
from workbench.core import checkpoint
from workbench.core.anew import renew
from workbench.core.away import PicturesAway
from workbench.core.device import choose_device
from workbench.core.joint import accuracy_of_parts, joined
from workbench.core.kept_features import kept_below
from workbench.core.learner import Learner
from workbench.core.loop import learn
from workbench.core.manifest import write_manifest
from workbench.core.precision import STRICT, products_in
from workbench.core.resume import check_config, check_tasks, packed, restore
from workbench.core.running import Running, assemble, oddities, started
from workbench.core.state import CannotKeep
from workbench.core.steps import inside, retold
from workbench.core.tasks import TaskData, TaskLoader, TaskSet
from workbench.core.weights import load_weights
from workbench.errors import DiskFull, UsageError
from workbench.events import (
    Blocked,
    Checkpointed,
    EpochEnded,
    Event,
    Finished,
    Note,
    Pace,
    Stage,
    Step,
    TaskEnded,
)

T = TypeVar("T")
_ENDS = (EpochEnded, TaskEnded)


class Training:
    """One run of training: `events` once, and `keep` whenever they are not being asked for.

    Weights are kept below `home`; adapter and checkpoints are saved in `folder`. The pace is measured
    on `clock`, which stands still while nobody asks for events; `method` makes the learner from what
    `Learner` itself takes. Folders that are away are waited for if someone looks for them: `found`, old
    place -> new place, grows meanwhile. With `resume`, a checkpoint's path, the run goes on from there and says
    nothing that had been said, unless it has got more tasks or epochs, which is a new run.
    """

    def __init__(
        self,
        config: RunConfig,
        home: Path,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        method: Callable[..., Learner] = Learner,
        resume: Path | None = None,
        *,
        accept_changed: bool = False,
        found: Mapping[str, str] | None = None,
    ) -> None:
        self._config, self._home, self._folder = config, home, folder
        self._clock, self._method = clock, method
        self._resume, self._accept_changed, self._found = resume, accept_changed, found
        self._number = 1
        self._run: Running | None = None
        self._whole = False  # whether the state is one that can be gone on from
        self._kept = False  # whether that state is in a checkpoint
        self._refused = False  # the method holds what cannot be saved

    def events(self) -> Generator[Event, None, None]:
        """Train through all tasks, or the rest of them.

        Raises:
            WorkbenchError: something outside the program is wrong, said in a sentence.
        """
        try:
            with closing(self._events()) as events:
                yield from self._watched(events)
        finally:
            self._run = None  # the network, and what it takes of a GPU's memory

    def _watched(self, events: Generator[Event, None, None]) -> Generator[Event, None, None]:
        """Pass events on, know at which of them the state is whole, and write checkpoints."""
        whole = False
        for event in events:
            if not isinstance(event, Pace):  # it changes nothing
                whole, self._kept = isinstance(event, (Step, *_ENDS)), False
            self._whole = whole
            yield event
            if isinstance(event, _ENDS):
                yield from self._checkpoint()
            self._whole = False  # while it is being changed

    def keep(self) -> Checkpointed | None:
        """Write a checkpoint now, and return its event; None where the last one counts.

        Raises:
            WorkbenchError: it cannot be written.
        """
        if not self._whole or self._kept or self._refused:
            return None
        try:
            return self._write()
        except CannotKeep:  # said at the epoch's end
            return None

    def _checkpoint(self) -> Generator[Event, None, None]:
        if self._kept or self._refused:
            return
        try:
            written = yield from self._written()
        except CannotKeep as error:
            self._refused = True
            yield Note(
                f"The method '{self._config.method.name}' keeps something that cannot be saved ({error}), so this run "
                "has no checkpoints: interrupted, it has to start again.",
                "warning",
            )
            return
        if written is not None and self._folder is not None:
            number = self._number - 1
            yield written
            checkpoint.prune(self._folder, number)  # its row is in the log now

    def _written(self) -> Generator[Blocked, None, Checkpointed | None]:
        """Write a checkpoint; on a full disk, say so and try again when asked for the next event."""
        while True:
            try:
                return self._write()
            except DiskFull as error:
                blocked = Blocked(str(error))
            yield blocked

    def _write(self) -> Checkpointed | None:
        run = self._run
        if run is None or self._folder is None:
            return None
        run.watch.see_all()  # what is kept is sound
        path = checkpoint.write(self._folder, self._number, *packed(run))
        self._number += 1
        self._kept = True
        return Checkpointed(run.place.task, run.place.epoch, run.step, path)

    def _events(self) -> Generator[Event, None, None]:
        config = check(self._config)
        if not config.data.tasks:
            raise UsageError(
                "There is no task to learn. Add a folder whose sub-folders are classes."
            )
        device, head = choose_device(config.train.device), self._head()
        said = head is not None and config.train.epochs == head["config"]["train"]["epochs"]
        yield Stage("Loading the backbone's weights")
        weights = yield from load_weights(config.model.backbone, config.model.weights, self._home)
        loader = TaskLoader(config.data, config.seeds)
        with closing(loader):
            tasks = yield from self._loaded(loader, said)
            config = self._config
            parts, contents = tasks.tasks, tasks.contents
            if config.data.joint:
                tasks = joined(tasks, [folder.path for folder in config.data.tasks])
            changed: tuple[int, ...] = ()
            if head is not None:
                infos = [task.info for task in tasks.tasks]
                changed = check_tasks(infos, head, accept_changed=self._accept_changed)
            if self._folder is not None:
                write_manifest(self._folder, contents)
            run = assemble(config, weights, tasks, device, self._folder, self._clock, self._method)
            computing = self._computing(run, parts, head, changed)
            keeping = kept_below(self._home, config, weights, run.network.backbone, tasks.hashes)
            with keeping as run.feeder.kept:
                yield from inside(partial(products_in, STRICT), computing)

    def _computing(
        self,
        run: Running,
        parts: Sequence[TaskData],
        head: dict[str, Any] | None,
        changed: tuple[int, ...],
    ) -> Generator[Event, None, None]:
        """Start or go on, and train to the end; what is not the backbone's computes in float32 whatever the tier."""
        yield from self._start(run, head, changed)
        self._run = run
        for task in run.tasks.tasks[run.place.task :]:
            yield from learn(run, task)
        if run.config.data.joint:
            last = run.learner.length(0, run.tasks.tasks[0].info.train_counts).epochs - 1
            yield from accuracy_of_parts(run.examiner, parts, last, run.step)
        yield Finished(run.step)

    def _loaded(
        self, loader: TaskLoader, said: bool
    ) -> Generator[Stage | Note | Blocked, None, TaskSet]:
        """Load the pictures; while they are away, or find no room, say so, and try again at the next event."""
        while True:
            try:
                return (yield from _quiet(loader.load(), said))
            except (PicturesAway, DiskFull) as error:
                if self._found is None:
                    raise
                folder = error.folder if isinstance(error, PicturesAway) else ""
                blocked = Blocked(str(error), folder)
            yield blocked
            loader.move(self._found)
            tasks = tuple(folder.moved(self._found) for folder in self._config.data.tasks)
            self._config = replace(self._config, data=replace(self._config.data, tasks=tasks))

    def _start(
        self, run: Running, head: dict[str, Any] | None, changed: tuple[int, ...]
    ) -> Generator[Event, None, None]:
        """Say that the run has started, or bring it to where the checkpoint stands."""
        if head is None or self._resume is None:
            yield started(run)
            yield from (Note(odd, "warning") for odd in oddities(run) if odd)
            yield from run.monitor.plan(run.learner, run.tasks.tasks)
            return
        odd = restore(run, self._resume, head)
        meant = [task["name"] for task in head["tasks"]]
        others = [task.info.name for task in run.tasks.tasks] != meant
        if others:
            run.monitor.extend(run.tasks.tasks, run.learner, between=not run.place.begun)
        if others or changed or self._config.train.epochs > head["config"]["train"]["epochs"]:
            yield started(run)
        yield from (Note(sentence, "warning") for sentence in odd)
        yield from renew(run, changed)

    def _head(self) -> dict[str, Any] | None:
        if self._resume is None:
            return None
        head = checkpoint.read_head(self._resume)
        try:
            check_config(self._config, head)
            self._number = int(self._resume.stem) + 1
        except (KeyError, TypeError, ValueError) as error:
            raise checkpoint.damaged(self._resume, f"its description lacks {error}") from error
        return head


def train(
    config: RunConfig,
    home: Path,
    folder: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
    method: Callable[..., Learner] = Learner,
) -> Generator[Event, None, None]:
    """Train from the start, as `Training` does, for whoever keeps nothing in between."""
    return Training(config, home, folder, clock, method).events()


def _quiet(
    steps: Generator[Stage | Note, None, TaskSet], quiet: bool
) -> Generator[Stage | Note, None, TaskSet]:
    """Leave out the notes if they have been said."""

    def tell(event: Stage | Note) -> Stage | Note | None:
        return None if quiet and isinstance(event, Note) else event

    told: Generator[Stage | Note, None, TaskSet] = retold(steps, tell)
    return (yield from told)
