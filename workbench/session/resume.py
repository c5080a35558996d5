"""Runs that go on: from where they were cut off, with more tasks, or for more epochs."""

import os
import shutil
import typing
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from workbench import config as configs, paths
from workbench.config import RunConfig, TaskFolder
from workbench.errors import UsageError
from workbench.events import Note, Stopped
from workbench.log import reading, resume as log_resume, table
from workbench.log.resume import LoggedCheckpoint
from workbench.log.store import UNDER_WAY
from workbench.report import RunDetails, RunSummary, ScanProgress
from workbench.session.checkpoint_files import give, is_whole
from workbench.session.checks import must_be_startable
from workbench.session.extend import end_point, extended
from workbench.session.resume_words import (
    change_sentences,
    changed_sentences,
    damaged_sentence,
    day,
    version_sentence,
)
from workbench.session.run import Run
from workbench.tell import Tell, silent

if typing.TYPE_CHECKING:
    from workbench.session.session import Session

RESUMABLE = ("stopped", "interrupted", "failed")
CHANGEABLE = (
    "train.batch_size", "train.at_once", "train.learning_rate", "train.device", "train.precision",
)  # fmt: skip


@dataclass(frozen=True)
class Points:
    """Where a run can go on: at the newest checkpoint that is whole, else from its beginning."""

    newest: LoggedCheckpoint | None
    sentence: str = ""  # what is wrong with newer ones

    @property
    def step(self) -> int:
        """Steps done there."""
        return self.newest.event.step if self.newest is not None else 0


@dataclass(frozen=True)
class Doubt:
    """Something that is not as it was when a run began: kind versions, checkpoint or pictures."""

    kind: str
    sentence: str
    step: int = 0  # where the run would go on, for a checkpoint


@dataclass(frozen=True)
class CutOff:
    """A run that was found dead."""

    id: str
    name: str
    sentence: str


class Resuming:
    """What is asked of runs that ended early, and of finished ones that are to learn more."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def cut_off(self) -> list[CutOff]:
        """Return the runs found dead that are not in the bin, newest first, each with a sentence."""
        return [
            CutOff(run.id, run.name, self._cut_off_sentence(run))
            for run in self._session.runs()
            if run.state == "interrupted"
        ]

    def refusal(self, run: RunSummary) -> str:
        """Return why a run cannot be resumed, or an empty string; cheap."""
        if run.state in UNDER_WAY:
            return f"{run.name} is still training. Stop it first, or wait until it ends."
        if run.state == "finished":
            return f"{run.name} is finished. Extend it by further folders or more epochs."
        if run.imported is not None:
            return f"{run.name} came as a bundle, without checkpoints. Run it again instead."
        if run.deleted is not None:
            return f"{run.name} is in the bin. Take it out of the bin first."
        return ""

    def is_saved(self, run: str) -> bool:
        """Return whether a checkpoint is there to go on from, whole or not; cheap: nothing is read of it."""
        folder, logged = self._checkpoints(run)
        return any((folder / point.event.path).is_file() for point in logged)

    def gone(self, run: str) -> str:
        """Return the first of a run's folders of pictures that is not there, or an empty string."""
        with self._session.log() as log, log.snapshot() as db:
            (known,) = table.configurations(db, [reading.find(db, run)]).values()
        config = configs.from_dict(known["config"])
        places = (path for task in config.data.tasks for path in task.paths)
        return next((path for path in places if not os.path.isdir(path)), "")

    def find(self, run: str, old: str, new: str) -> None:
        """Let a folder of a run's pictures lie elsewhere.

        Raises:
            UsageError: the run trains, has no such folder, or there is none at the new place.
        """
        summary = self._session.details(run).summary
        config = configs.from_dict(self._session.details(run).config)
        if summary.state in UNDER_WAY:
            raise UsageError(f"{summary.name} is still training. Stop it first.")
        known = [path for task in config.data.tasks for path in task.paths]
        if old not in known:
            raise UsageError(f"{old} is no folder of {summary.name}; {', '.join(known)} are.")
        if not os.path.isdir(new):
            raise UsageError(f"{new} is no folder. Choose the one that holds the pictures now.")
        with self._session.log() as log, log.change() as db:
            log_resume.move(db, summary.id, {old: os.path.abspath(new)})

    def points(self, run: str) -> Points:
        """Return where the run can go on; reads its newest checkpoint whole."""
        folder, logged = self._checkpoints(run)
        for number, point in enumerate(logged):
            if is_whole(folder, point.event.path):
                return Points(point, damaged_sentence(number, point.event.step))
        return Points(None, damaged_sentence(len(logged), None))

    def questions(self, run: str) -> Iterator[ScanProgress | tuple[Doubt, ...]]:
        """Look for what is not as it was when the run began; the last item is the answer.

        Raises:
            UsageError: the run cannot be resumed as things are: its state, a folder or weights missing.
        """
        details = self._session.details(run)
        self._must_be_resumable(details)
        versions = version_sentence(details.versions, self._session.versions())
        points = self.points(run)
        found = [Doubt("versions", versions)] if versions else []
        found += [Doubt("checkpoint", points.sentence, points.step)] if points.sentence else []
        if self._session.pictures.has_list(details.summary.id):
            for item in self._session.pictures.changes(run):
                if isinstance(item, ScanProgress):
                    yield item
                else:
                    found += (Doubt("pictures", text) for text in changed_sentences(item))
        yield tuple(found)

    def resume(
        self,
        run: str,
        changes: Mapping[str, Any] | None = None,
        accepted: Sequence[str] = (),
    ) -> Run:
        """Enter the run into the log as starting again, from its newest whole checkpoint; ready to `work`.

        `changes` are settings to go on with; `accepted` are sentences of `questions` that the user
        has seen. Both are noted in the run.

        Raises:
            UsageError: it cannot be resumed, or a setting cannot be changed within a run.
        """
        details = self._session.details(run)
        config = self._must_be_resumable(details)
        changed = _changed(config, changes or {})
        points = self.points(run)
        run_id = details.summary.id
        with self._session.log() as log:
            with log.change() as db:
                log_resume.must_have_ended(db, run_id, RESUMABLE)  # another program may be faster
                log_resume.rewind(db, run_id, points.newest, configs.to_dict(changed))
            for sentence in (*accepted, *change_sentences(config, changed, points.step)):
                at = points.newest.time if points.newest else _now()
                log.write(run_id, [(at, Note(sentence))])
        return Run(
            self._session.home, run_id, changed, self._session.engine, *_place(points.newest),
            accept_changed=bool(accepted),
        )  # fmt: skip

    def extend(
        self, run: str, tasks: Sequence[TaskFolder] = (), epochs: int = 0, tell: Tell = silent
    ) -> Run:
        """Enter a child of a finished run that goes on from its end, with more tasks or more epochs.

        Raises:
            UsageError: nothing to add, or both; the run is not finished, or kept no such checkpoint.
            WorkbenchError: its files cannot be copied, or the log not be written; nothing is left of the child.
        """
        details = self._session.details(run)
        config = extended(self._session, details, tasks, epochs)
        parent = details.summary
        point, note = end_point(self._session, details, bool(epochs), tell)
        child = Run(
            self._session.home, uuid.uuid4().hex, config, self._session.engine, *_place(point)
        )
        given = paths.run_folder(self._session.home, child.id)
        try:
            give(paths.run_folder(self._session.home, parent.id), given, point.event.path, tell)
            with self._session.log() as log:
                log.begin(
                    child.id, child.name, configs.to_dict(config), configs.effective_switches(config),
                    config.method.profile, config.model.backbone, config.seeds.initialisation,
                    self._session.versions(), len(config.data.tasks),
                    also=lambda db: log_resume.fork(db, parent.id, child.id, point),
                )  # fmt: skip
                if note:
                    log.write(child.id, [(point.time, Note(note))])
        except BaseException:
            shutil.rmtree(given, ignore_errors=True)
            raise
        return child

    def undo(self, run: Run) -> None:
        """Take back a child that was made and has not begun: nothing of it stays."""
        with self._session.log() as log:
            log.write(run.id, [(_now(), Stopped(run.steps))])
        self._session.table.bin(run.id)
        for made in self._session.table.some([run.id]):
            self._session.table.remove(made)

    def leave(self, run: Run) -> None:
        """Let a run that was made ready, and cannot begin, count as stopped where it stands."""
        with self._session.log() as log:
            log.write(run.id, [(_now(), Stopped(run.steps))])

    def _checkpoints(self, run: str) -> tuple[Path, list[LoggedCheckpoint]]:
        """Return the run's folder and what the log says lies there, newest first."""
        with self._session.log() as log, log.snapshot() as db:
            run_id = reading.find(db, run)
            return paths.run_folder(self._session.home, run_id), log_resume.checkpoints(db, run_id)

    def _must_be_resumable(self, details: RunDetails) -> RunConfig:
        refusal = self.refusal(details.summary)
        if refusal:
            raise UsageError(refusal)
        config = self._session.plug_ins.prepared(configs.from_dict(details.config))
        must_be_startable(config)
        self._session.backbones.require(config.model.backbone, config.model.weights)
        return config

    def _cut_off_sentence(self, run: RunSummary) -> str:
        with self._session.log() as log, log.snapshot() as db:
            last = log_resume.last_step(db, run.id)
        when = day(run.ended or run.created, datetime.now().astimezone())
        if last is None:
            return f"{run.name} was cut off {when} before its first step."
        return f"{run.name} was cut off {when} at task {last[0] + 1}, step {last[1] + 1:,}."


def _place(point: LoggedCheckpoint | None) -> tuple[str, int]:
    return (point.event.path, point.event.step) if point is not None else ("", 0)


def _changed(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    for key in changes:
        if key not in CHANGEABLE:
            raise UsageError(
                f"{key} cannot be changed within a run; {', '.join(CHANGEABLE)} can. "
                "Start a new run with it instead."
            )
    return configs.with_values(config, changes)


def _now() -> float:
    return datetime.now().timestamp()
