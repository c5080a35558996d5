"""The runs as a table: filtered pages, groups with their spread, tags, notes, stars, the bin."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from workbench import paths
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Stage
from workbench.log import table
from workbench.log.store import UNDER_WAY, Log
from workbench.query import Query
from workbench.report import LearntRun, RunSummary
from workbench.session.compare import Comparison, compare
from workbench.session.spread import Spread, spread_of
from workbench.session.versions import versions

PAGE = 200  # runs read at a time
NUMBERS = ("average_accuracy", "final_accuracy", "forgetting", "baseline_accuracy")
_FIELD_OF = {
    "mean": "average_accuracy", "acc": "final_accuracy", "forget": "forgetting", "floor": "baseline_accuracy",
}  # fmt: skip


@dataclass(frozen=True)
class AlikeRuns:
    """Runs that differ only in what they are grouped by, newest first."""

    key: str
    runs: tuple[RunSummary, ...]

    def spread(self, field: str) -> Spread:
        """Return mean and spread of a field of the summaries, of the runs that have it."""
        return spread_of(getattr(run, field) for run in self.runs)


class RunTable:
    """What a window asks of the runs of one log. Each call is one short transaction."""

    def __init__(
        self,
        home: Path,
        log: Callable[[], AbstractContextManager[Log]],
        versions_now: Callable[[], Mapping[str, str]] = versions,
    ) -> None:
        self._home = home
        self._log = log
        self._versions_now = versions_now

    def page(
        self,
        query: Query,
        order: str = "created",
        descending: bool = True,
        limit: int = PAGE,
        offset: int = 0,
        binned: bool = False,
    ) -> list[RunSummary]:
        """Return one page of the runs that the query lets through, sorted by a column of the table."""
        with self._log() as log, log.snapshot() as db:
            return table.page(
                db, query, order=order, descending=descending, limit=limit, offset=offset, binned=binned
            )  # fmt: skip

    def count(self, query: Query, binned: bool = False) -> int:
        """Return how many runs the query lets through."""
        with self._log() as log, log.snapshot() as db:
            return table.count(db, query, binned=binned)

    def some(self, run_ids: Sequence[str]) -> list[RunSummary]:
        """Return these runs, newest first."""
        with self._log() as log, log.snapshot() as db:
            return table.some(db, run_ids)

    def learnt(self) -> list[LearntRun]:
        """Return the runs that have an adapter, or work on one, newest first; cheap."""
        with self._log() as log, log.snapshot() as db:
            return table.learnt(db)

    def length(self, run_id: str) -> int:
        """Return how many events the run has said; cheap."""
        with self._log() as log, log.snapshot() as db:
            return table.length(db, run_id)

    def groups(
        self,
        query: Query,
        key: str,
        order: str = "created",
        descending: bool = True,
        binned: bool = False,
    ) -> list[AlikeRuns]:
        """Return the runs in groups that differ only in the setting `key` ("seeds", "train.epochs", …).

        Groups are sorted by their mean in a column of numbers, else by their first run.
        """
        with self._log() as log, log.snapshot() as db:
            found = table.page(db, query, order=order, descending=descending, binned=binned)
            alike = table.likeness(db, query, key, binned=binned)
        return _sorted(grouped(found, alike), order, descending)

    def group_ids(self, run_ids: Sequence[str], key: str) -> list[list[str]]:
        """Return these runs in groups that differ only in the setting `key`, newest first."""
        with self._log() as log, log.snapshot() as db:
            found = table.some(db, run_ids)
            alike = {
                **table.likeness(db, Query(), key, binned=False),
                **table.likeness(db, Query(), key, binned=True),
            }
        return [[run.id for run in group.runs] for group in grouped(found, alike)]

    def star(self, run_id: str, starred: bool) -> None:
        """Put a star on a run, or take it off."""
        with self._log() as log, log.change() as db:
            table.set_star(db, run_id, starred)

    def note(self, run_id: str, note: str) -> None:
        """Keep words about a run."""
        with self._log() as log, log.change() as db:
            table.set_note(db, run_id, note)

    def tag(self, run_id: str, tags: Sequence[str]) -> None:
        """Give a run exactly these tags."""
        with self._log() as log, log.change() as db:
            table.set_tags(db, run_id, tags)

    def tags(self) -> list[str]:
        """Return every tag in use."""
        with self._log() as log, log.snapshot() as db:
            return table.tags(db)

    def bin(self, run_id: str) -> None:
        """Move a run to the bin; its files stay until the bin is emptied.

        Raises:
            UsageError: it is still under way.
        """
        with self._log() as log, log.change() as db:
            for run in table.some(db, [run_id]):
                if run.state in UNDER_WAY:
                    raise UsageError(f"Stop {run.name} first.")
            table.move_to_bin(db, run_id, True)

    def restore(self, run_id: str) -> None:
        """Take a run out of the bin."""
        with self._log() as log, log.change() as db:
            table.move_to_bin(db, run_id, False)

    def empty_bin(self) -> Iterator[Stage]:
        """Remove every run in the bin for good, files first; tells of each. Closing it leaves the others there."""
        runs = self.page(Query(), limit=-1, binned=True)
        for number, run in enumerate(runs, 1):
            self.remove(run)
            yield Stage(f"Removed {run.name}", number, len(runs))

    def remove(self, run: RunSummary) -> None:
        """Remove a run that is in the bin for good, files first."""
        self._remove_files(run)
        with self._log() as log, log.change() as db:
            table.remove(db, run.id)

    def baseline(self) -> RunSummary | None:
        """Return the pinned run that others are compared with, if it is not in the bin."""
        with self._log() as log, log.snapshot() as db:
            found = table.some(db, [table.baseline(db)])
        return next((run for run in found if run.deleted is None), None)

    def pin(self, run_id: str) -> None:
        """Pin the baseline; an empty id pins none."""
        with self._log() as log, log.change() as db:
            table.pin(db, run_id)

    def compare(self, run_ids: Sequence[str]) -> Comparison:
        """Return what tells these runs apart, and their last numbers."""
        with self._log() as log, log.snapshot() as db:
            runs = table.some(db, run_ids)
            return compare(
                runs, table.configurations(db, run_ids), table.finals(db, run_ids), table.baseline(db)
            )  # fmt: skip

    def different_now(self, run_id: str) -> list[str]:
        """Return sentences on what is not as it was when the run began: versions, missing folders."""
        with self._log() as log, log.snapshot() as db:
            facts = table.configurations(db, [run_id])[run_id]
        now = self._versions_now()
        found = [
            f"{name} was {before}, now {now.get(name, 'not there')}: results may differ in the last digits."
            for name, before in facts["versions"].items()
            if name != "system" and now.get(name) != before
        ]
        found += [
            f"The folder of task '{task['name']}' is not there: {task['path']}."
            for task in facts["config"].get("data", {}).get("tasks", ())
            if not Path(task["path"]).is_dir()
        ]
        return found or ["Versions and folders are as they were."]

    def _remove_files(self, run: RunSummary) -> None:
        folder = paths.run_folder(self._home, run.id)
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise WorkbenchError(
                f"The files of {run.name} in {folder} could not be removed: {error.strerror}. "
                "It stays in the bin; close the program that has them open and try again."
            ) from error


def grouped(runs: Sequence[RunSummary], alike: dict[str, str]) -> list[AlikeRuns]:
    """Return runs in groups of equal text, in order of first appearance."""
    found: dict[str, list[RunSummary]] = {}
    for run in runs:
        found.setdefault(alike.get(run.id, run.id), []).append(run)
    return [AlikeRuns(members[0].id, tuple(members)) for members in found.values()]


def _sorted(groups: list[AlikeRuns], order: str, descending: bool) -> list[AlikeRuns]:
    field = _FIELD_OF.get(order)
    if field is None:
        return groups
    means = [(group, group.spread(field).mean) for group in groups]
    known = [(group, mean) for group, mean in means if mean is not None]
    known.sort(key=lambda pair: pair[1], reverse=descending)
    return [*(group for group, _ in known), *(group for group, mean in means if mean is None)]
