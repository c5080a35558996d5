"""The queue: runs that wait in the log for their turn, one at a time, across restarts of the program."""

import dataclasses
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench import config as configs
from workbench.config import RunConfig
from workbench.errors import UsageError, WorkbenchError
from workbench.log.queue import GroupRow, QueuedRow
from workbench.log.rows import utc
from workbench.session.checks import must_be_startable
from workbench.session.plans import Plan
from workbench.session.resume_words import version_sentence
from workbench.session.run import Run

if TYPE_CHECKING:
    from workbench.session.session import Session

Taken = tuple[QueuedRow, int]  # what was taken out of the queue, and from which place


@dataclass(frozen=True)
class QueuedRun:
    """One run that waits; `reason` says why it could not start, where it was tried."""

    id: int
    label: str
    config: RunConfig
    group: str
    differs: tuple[str, ...]  # from the first in the queue
    seconds: float | None  # how long a run like this took last time
    state: str = "waiting"  # or refused
    reason: str = ""

    @property
    def name(self) -> str:
        """What it will be called; without a name of its own, its number is known only at the start."""
        return self.config.name or f"run-… {self.label}".strip()


class RunQueue:
    """What a session's window or command asks of the queue; all of it lives in the log."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def runs(self, under_way: tuple[RunConfig, float] | None = None) -> list[QueuedRun]:
        """Return what waits, in order, those that were refused among them.

        `under_way`: what trains now, and how many seconds it is going to take in all.
        """
        with self._session.log() as log:
            rows, past = log.queue.rows(), log.queue.finished()
        known = _durations(past) if rows else {}
        if under_way is not None:
            known[_work(under_way[0])] = under_way[1]
        made = [(row, configs.from_dict(row.config)) for row in rows]
        return [
            QueuedRun(
                row.id, row.label, config, row.group, differences(made[0][1], config),
                known.get(_work(config)), row.state, row.reason,
            )
            for row, config in made
        ]  # fmt: skip

    def first(self) -> RunConfig | None:
        """Return what the first waiting run is asked; cheap."""
        with self._session.log() as log:
            row = next((row for row in log.queue.rows() if row.state == "waiting"), None)
        return configs.from_dict(row.config) if row is not None else None

    def waiting(self) -> int:
        """Return how many runs wait for their turn; cheap."""
        with self._session.log() as log:
            return sum(row.state == "waiting" for row in log.queue.rows())

    def seconds(self, configs: Sequence[RunConfig]) -> list[float | None]:
        """Return how long a run like each of these took last time; None where the log knows none like it."""
        with self._session.log() as log:
            known = _durations(log.queue.finished())
        prepared = self._session.plug_ins.prepared
        return [known.get(_work(prepared(config))) for config in configs]

    def add(self, config: RunConfig) -> int:
        """Let one run wait; raises UsageError where a start would."""
        must_be_startable(config)
        row = QueuedRow(0, "", configs.to_dict(config))
        with self._session.log() as log:
            return log.queue.add([row])[0]

    def add_group(self, plan: Plan) -> str:
        """Let the runs of a plan wait, as one group; return the group's id."""
        for planned in plan.runs:
            must_be_startable(planned.config)
        group = GroupRow(uuid.uuid4().hex, plan.kind, plan.title, utc(time.time()), plan.of_run, {})
        rows = [
            QueuedRow(0, each.label, configs.to_dict(each.config), group.id, each.member)
            for each in plan.runs
        ]
        with self._session.log() as log:
            log.queue.add(rows, group)
        return group.id

    def start_next(self, group: str = "") -> tuple[Run | None, list[str]]:
        """Enter the first waiting run (of a group) into the log and return it; and why others before could not start.

        What cannot start stays in the queue with its reason, and the rest goes on. A study whose trials have ended chooses
        first, and its tests wait behind.
        """
        problems: list[str] = []
        self._session.studies.advance()
        with self._session.log() as log:
            rows = [
                row
                for row in log.queue.rows()
                if row.state == "waiting" and group in ("", row.group)
            ]
        for row in rows:
            try:
                return self._start(row), problems
            except WorkbenchError as error:
                self._change(row, "refused", str(error))
                problems.append(str(error))
        return None, problems

    def take_out(self, key: int) -> Taken:
        """Take a run out of the queue; `put_back` takes what this returns."""
        with self._session.log() as log:
            return log.queue.take_out(key)

    def put_back(self, taken: Taken) -> None:
        """Undo `take_out`."""
        with self._session.log() as log:
            log.queue.put_back(*taken)

    def order(self, keys: Sequence[int]) -> None:
        """Put what waits into this order."""
        with self._session.log() as log:
            log.queue.order(list(keys))

    def rename(self, key: int, name: str) -> None:
        """Give a waiting run the name that it will have."""
        if not name.strip():
            raise UsageError("A run's name must have at least one letter.")
        row = self._row(key)
        self._change(replace(row, config={**row.config, "name": name.strip()}), row.state, row.reason)  # fmt: skip

    def try_again(self, key: int) -> None:
        """Let a refused run wait again."""
        self._change(self._row(key), "waiting", "")

    def _start(self, row: QueuedRow) -> Run:
        config = configs.from_dict(row.config)
        resumed = self._resumed(str((row.member or {}).get("resumes", "")))
        if resumed is not None:
            self.take_out(row.id)
            return resumed
        return self._session.start(config, queued=row.id, label=row.label)

    def _resumed(self, run: str) -> Run | None:
        """Return a run that goes on from its checkpoint; None where none is to, or it cannot as it was."""
        with suppress(UsageError):
            made_with = self._session.details(run).versions if run else {}
            if run and not version_sentence(made_with, self._session.versions()):
                return self._session.resuming.resume(run)
        return None

    def _row(self, key: int) -> QueuedRow:
        with self._session.log() as log:
            found = next((row for row in log.queue.rows() if row.id == key), None)
        if found is None:
            raise UsageError(f"No run {key} waits in the queue any more.")
        return found

    def _change(self, row: QueuedRow, state: str, reason: str) -> None:
        with self._session.log() as log:
            log.queue.change(row.id, config=row.config, state=state, reason=reason)


def differences(first: RunConfig, config: RunConfig) -> tuple[str, ...]:
    """Return what tells `config` from `first`, one setting each, named as the form names it."""
    found = []
    if first.data.tasks != config.data.tasks:
        same = sorted(map(repr, first.data.tasks)) == sorted(map(repr, config.data.tasks))
        names = ", ".join(task.name for task in config.data.tasks)
        found.append(f"order {names}" if same else f"tasks {names}")
    before = {key: value for key, _, value in configs.settings_of(first)}
    for key, item, value in configs.settings_of(config):
        if key != "name" and before[key] != value:
            label = item.metadata.get("label") or key
            found.append(
                f"{label} {_shown(value)}" if not key.startswith("seeds.") else f"seed {value}"
            )
    return tuple(dict.fromkeys(found))  # several seeds of one value are told once


def _shown(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _work(config: RunConfig) -> tuple[Any, ...]:
    """Return what the length of a run depends on: method, tasks in any order, backbone, passes, device, monitor."""
    data = dataclasses.replace(config.data, tasks=(), joint=False, fold=min(config.data.fold, 1))
    tasks = tuple(sorted((task.path, task.classes, task.left_out) for task in config.data.tasks))
    return (
        config.method.name, tasks, data, config.model, config.train, config.monitor.probe_per_task,
    )  # fmt: skip


def _durations(past: Sequence[tuple[Any, float]]) -> dict[tuple[Any, ...], float]:
    """Return the seconds that the newest run of each kind of work took; `past` is newest first."""
    found: dict[tuple[Any, ...], float] = {}
    for config, seconds in past:
        with suppress(UsageError):  # settings of another version: nothing that waits is like it
            found.setdefault(_work(configs.from_dict(config)), seconds)
    return found
