"""Studies in the log: begun, gone on with, settings chosen by the study's own rule, tested once.

A study is a group of runs. First its trials wait in the queue; once all have ended, the values are chosen and kept
with the group, and only then are runs entered that read the test part. A cell that has been tested is not tested again.
"""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from workbench import config as configs
from workbench.errors import UsageError
from workbench.log.queue import GroupRow, QueuedRow
from workbench.log.rows import utc
from workbench.session.checks import must_be_startable
from workbench.session.groups import Member
from workbench.session.plans import Planned
from workbench.session.study import Study, StudyMethod, changed, study_tree
from workbench.session.study_choice import Choice, choices
from workbench.session.study_plan import (
    CHOOSING,
    TESTING,
    Cell,
    cell_of,
    finals,
    parts_must_be_filled,
    trials,
)
from workbench.session.study_results import StudyResults, results
from workbench.session.study_state import UNDER_WAY, StudyState, state_of
from workbench.session.versions import COMMIT

if TYPE_CHECKING:
    from workbench.session.session import Session

KIND = "study"


class Studies:
    """What a window or a command asks of studies."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def all(self) -> list[StudyState]:
        """Return every study that this version can read, newest first."""
        with self._session.log() as log:
            rows = [row for row in log.queue.groups() if row.kind == KIND]
            if not rows:
                return []
            queued = log.queue.rows()
            members = [Member(*pair) for pair in log.queue.members()]
        found = []
        for row in rows:
            with suppress(UsageError):  # of a version that knew other settings; its runs are there
                found.append(state_of(row, queued, members))
        return found

    def names(self) -> list[str]:
        """Return the names of all studies; cheap."""
        with self._session.log() as log:
            return [row.title for row in log.queue.groups() if row.kind == KIND]

    def get(self, key: str) -> StudyState:
        """Return the study of this id or name; raises UsageError if there is none."""
        found = [each for each in self.all() if key in (each.id, each.study.name)]
        if not found:
            raise UsageError(f"There is no study {key!r} in this log.")
        return found[0]

    def begun(self, study: Study) -> StudyState | None:
        """Return the study if it has begun; raises UsageError if one of its name asks something else."""
        known = next((each for each in self.all() if each.study.name == study.name), None)
        if known is not None and known.study.digest != study.digest:
            raise UsageError(changed(known.study, study))
        return known

    def begin(self, study: Study, *, again: bool = False) -> str:
        """Enter a study, or go on with it if it has begun; return its id.

        Raises:
            UsageError: it cannot be trained as it is, or one of its name asks something else.
        """
        known = self.begun(study)
        if known is not None:
            self.go_on(known.id, again=again)
            return known.id
        first, _ = self.planned(study)
        group = GroupRow(uuid.uuid4().hex, KIND, study.name, utc(time.time()), "", _facts(study))
        with self._session.log() as log:
            log.queue.add(_rows(group.id, first), group)
        self.advance()
        return group.id

    def go_on(self, key: str, *, again: bool = False) -> int:
        """Let what a study lacks wait: what was stopped, cut off or taken out; with `again` also what failed or was refused.

        What was stopped behind a checkpoint goes on from there. Returns how many runs were added to the queue.
        """
        self.advance()
        state = self.get(key)
        if again:
            self._wait_again(state.id)
        counts = ("finished", *UNDER_WAY, *(() if again else ("failed",)))
        known = {cell_of(each.facts) for each in state.members if each.run.state in counts}
        plan = trials(state.study) if state.chosen is None else _tests(state.study, state.chosen)
        lacking = [each for each in plan if cell_of(each.member) not in known]
        cut_short = self._cut_short(state)
        return self._add(
            state.id,
            [
                replace(each, member={**each.member, **cut_short.get(cell_of(each.member), {})})
                for each in lacking
            ],
        )

    def advance(self) -> None:
        """Choose for every study whose trials have all ended, and let its tests wait. Cheap where there is nothing to do."""
        undecided = self._undecided()
        for state in self.all() if undecided else ():
            if state.id not in undecided or state.under_way:
                continue
            tried = state.of_stage(CHOOSING)
            ended = [each for each in tried if each.run.state in ("finished", "failed")]
            if len(ended) < state.study.trials:
                continue
            chosen = choices(state.study, ended)
            with self._session.log() as log:
                kept = [asdict(each) for each in chosen]
                log.queue.note_facts(state.id, {**_facts(state.study), "chosen": kept})
            self._add(state.id, _tests(state.study, chosen))

    def _undecided(self) -> set[str]:
        """Return the ids of studies that have not chosen yet, and of which nothing waits."""
        with self._session.log() as log:
            rows = [row for row in log.queue.groups() if row.kind == KIND]
            waits = (
                {row.group for row in log.queue.rows() if row.state == "waiting"} if rows else ()
            )
        return {row.id for row in rows if "chosen" not in row.facts} - set(waits)

    def results(self, key: str) -> StudyResults:
        """Return what a study's tested runs say so far; reads the cost of each."""
        state = self.get(key)
        with self._session.log() as log:
            shown = log.queue.shown(state.id)
            costs = {each.run.id: log.cost(each.run.id) for each in state.tested}
        tested, lost = state.tested, [e for e in state.of_stage(TESTING) if e.run.state == "failed"]
        pictures = {run: prints for run, (prints, _) in shown.items()}
        return results(state.study, tested, lost, costs, pictures)

    def commits(self, key: str) -> tuple[str, ...]:
        """Return the commits, or versions of the program, that a study's runs were made with."""
        state = self.get(key)
        with self._session.log() as log:
            shown = log.queue.shown(state.id)
        made = (shown[each.run.id][1] for each in state.members)
        return tuple(dict.fromkeys(each.get(COMMIT) or each.get("workbench", "") for each in made))

    def stop(self, key: str) -> int:
        """Take what waits of a study out of the queue; return how many runs that were. What trains goes on."""
        with self._session.log() as log:
            waiting = [row.id for row in log.queue.rows() if row.group == key]
            for number in waiting:
                log.queue.take_out(number)
        return len(waiting)

    def planned(self, study: Study) -> tuple[list[Planned], list[Planned]]:
        """Return the runs that choose in a study, and those that are tested, with the first values where some are to be chosen.

        Raises:
            UsageError: one of them could not start.
        """
        for method in study.methods:
            self._must_be_free(method)
        first = trials(study)
        last = finals(study, _first_values(study))
        for planned in (*first, *last):
            must_be_startable(self._session.plug_ins.prepared(planned.config))
        parts_must_be_filled(first)
        return first, last

    def _must_be_free(self, method: StudyMethod) -> None:
        """Raise UsageError if a method is not known, or sets by itself what the study wants to set."""
        plain = configs.with_values(configs.RunConfig(), {"method.name": method.name})
        self._session.plug_ins.prepared(plain)
        fixed = self._session.plug_ins.loaded.methods.get(method.name).values
        taken = next((key for key in (*method.set, *method.tries) if key in fixed), None)
        if taken is not None:
            raise UsageError(
                f"method {method.label!r}: {method.name} sets {taken} = {fixed[taken]!r} itself. Leave it out, or take another method."
            )

    def _add(self, group: str, planned: Sequence[Planned]) -> int:
        """Let those of the runs wait that do not wait already."""
        with self._session.log() as log:
            waits = {cell_of(row.member or {}) for row in log.queue.rows() if row.group == group}
            new = [each for each in planned if cell_of(each.member) not in waits]
            log.queue.add(_rows(group, new))
        return len(new)

    def _cut_short(self, state: StudyState) -> dict[Cell, dict[str, str]]:
        """Return by cell which run can go on from a checkpoint, as the queue is told of it."""
        resuming = self._session.resuming
        return {
            cell_of(each.facts): {"resumes": each.run.id}
            for each in state.members
            if each.run.state in ("stopped", "interrupted") and resuming.is_saved(each.run.id)
        }

    def _wait_again(self, group: str) -> None:
        with self._session.log() as log:
            for row in log.queue.rows():
                if row.group == group and row.state == "refused":
                    log.queue.change(row.id, config=row.config, state="waiting", reason="")


def _facts(study: Study) -> dict[str, Any]:
    return {"study": study_tree(study)}


def _rows(group: str, planned: Iterable[Planned]) -> list[QueuedRow]:
    return [
        QueuedRow(0, each.label, configs.to_dict(each.config), group, each.member)
        for each in planned
    ]


def _tests(study: Study, chosen: Iterable[Choice]) -> list[Planned]:
    values = {(each.data, each.method): each.values for each in chosen if each.found}
    return finals(study, values)


def _first_values(study: Study) -> dict[tuple[str, str], Mapping[str, Any]]:
    pairs = ((data.name, method) for data in study.data for method in study.methods if method.tries)
    return {(name, method.label): method.candidates[0] for name, method in pairs}
