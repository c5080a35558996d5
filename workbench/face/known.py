"""What was known of a run at a moment of it: the same question for a live run, a past one and the scrubber. Qt-free."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from workbench.events import Evaluated, Measured, Snapshot
from workbench.face.language import say
from workbench.face.record import RunRecord

Pair = tuple[int, int]  # the earlier task, the task that was learnt


@dataclass(frozen=True, order=True)
class Moment:
    """A step at which something was measured.

    One step is both the end of a task and the start of the next, so a moment names its task.
    """

    step: int
    task: int
    epoch: int = field(compare=False, default=0)


def moment_of(event: Measured | Snapshot | Evaluated) -> Moment:
    """Return when an event was said."""
    if isinstance(event, Evaluated):
        return Moment(event.step, event.after_task)
    return Moment(event.step, event.task, event.epoch)


def moments(record: RunRecord) -> list[Moment]:
    """Return every moment at which the kernel was looked at, oldest first."""
    said = [*record.said.items(), *record.pairs.items()]
    numbers = (m for name, found in said if name.startswith(("ntk.", "lost.")) for m in found)
    return sorted({*map(moment_of, numbers), *map(moment_of, record.snapshots)})


def name_of(record: RunRecord, moment: Moment) -> str:
    """Return "after task 2, epoch 3 · step 96", as the scrubber says it."""
    number, step = moment.task + 1, say("step {step:,}").format(step=moment.step)
    started = record.starts[moment.task] if moment.task < len(record.starts) else moment.step
    if moment.step <= started:
        return say("before task {number} · {step}").format(number=number, step=step)
    if any(row.after_task == moment.task and row.step <= moment.step for row in record.rows):
        return say("after task {number} · {step}").format(number=number, step=step)
    return say("task {number}, after epoch {epoch} · {step}").format(
        number=number, epoch=moment.epoch + 1, step=step
    )


def latest(record: RunRecord, name: str, at: Moment | None) -> Measured | None:
    """Return what was last said of a number by then; None for `at` is the run's present end."""
    found = list(_by(record.said.get(name, ()), at))
    return found[-1] if found else None


def by_task(record: RunRecord, name: str, at: Moment | None) -> dict[int, Measured]:
    """Return what was last said of a number by then, for every task that it was said of."""
    return {said.task: said for said in _by(record.said.get(name, ()), at)}


def by_pair(record: RunRecord, name: str, at: Moment | None) -> dict[Pair, Measured]:
    """Return what was last said by then of every pair (earlier task, learnt task)."""
    found = _by(record.pairs.get(name, ()), at)
    return {(said.other, said.task): said for said in found if said.other is not None}


def snapshot(record: RunRecord, at: Moment | None) -> Snapshot | None:
    """Return the last snapshot of the kernel by then."""
    found = [one for one in record.snapshots if at is None or moment_of(one) <= at]
    return found[-1] if found else None


def end_of_task(record: RunRecord, at: Moment | None) -> Snapshot | None:
    """Return the last snapshot by then that was taken at the end of a task."""
    ends = {(row.step, row.after_task) for row in record.rows}
    found = [one for one in record.snapshots if (one.step, one.task) in ends]
    found = [one for one in found if at is None or moment_of(one) <= at]
    return found[-1] if found else None


def values(found: dict[Pair, Measured]) -> dict[Pair, float]:
    """Return those that are not absent."""
    return {pair: said.value for pair, said in found.items() if said.value is not None}


def _by(said: Iterable[Measured], at: Moment | None) -> Iterable[Measured]:
    return (one for one in said if at is None or moment_of(one) <= at)
