"""What a run says: frozen dataclasses of plain values, never a tensor.

An event is the log's row is the plotted point. Everything but `Pace`, `Checkpointed`, `Paused`, `Resumed` and
`Interrupted` is a function of configuration and seeds alone; those, and fields that are no part of what an event says
(`time`, `TaskEnded.peak_bytes`), carry what clock, machine and user say.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from workbench.errors import WorkbenchError
from workbench.fits import misfit


@dataclass(frozen=True)
class Event:
    """Anything a run says.

    `time` is when it was said, in unix seconds: no part of what was said, so that events said at
    other times are equal, and kept by the log in a column of its own.
    """

    time: float | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class TaskInfo:
    """One task as it is learnt: `class_ids[i]` is the global number of `class_names[i]`."""

    name: str
    class_names: tuple[str, ...]
    class_ids: tuple[int, ...]
    train_counts: tuple[int, ...]  # pictures per class
    test_counts: tuple[int, ...]
    fingerprint: str  # hash of the pictures' contents, to tell later whether they changed


@dataclass(frozen=True)
class RunStarted(Event):
    """Everything is loaded; the first task comes next."""

    tasks: tuple[TaskInfo, ...]
    switches: Mapping[str, str]
    backbone: str  # timm name with tag, or "sample"
    weights_sha256: str
    feature_width: int
    trainable_parameters: int
    device: str  # as a person says it: "cpu" or the GPU's name
    sequence: str  # "closed" or "open"
    backbone_parameters: int = 0  # 0: not recorded
    precision: str = ""  # the tier that it is trained in, see `core.precision`; "": not recorded


@dataclass(frozen=True)
class Stage(Event):
    """What is being done right now, and how much of it (`total` 0: unknown)."""

    text: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Pace(Event):
    """How fast it goes: the only event that depends on the clock."""

    images_per_second: float
    seconds_left: float | None
    done: int  # training steps so far, of `total` in the whole run
    total: int
    monitor: float = 0.0  # the NTK monitor's share of the time so far
    work: float = 0.0  # share of the whole run's work that is done: steps, looks and tests


@dataclass(frozen=True)
class TaskStarted(Event):
    """A task's training begins."""

    task: int  # 0-based
    step: int  # steps of the run before it
    epochs: int
    steps: int  # steps this task will take


@dataclass(frozen=True)
class Step(Event):
    """One optimiser step; `terms` are the unweighted losses before the step, and their `total`."""

    task: int
    epoch: int
    step: int  # counted over the whole run
    lr: float
    terms: Mapping[str, float]


@dataclass(frozen=True)
class Evaluated(Event):
    """A row of the accuracy matrix: fractions on the test part of each task seen so far."""

    after_task: int
    step: int
    accuracy: tuple[float, ...]  # class-incremental
    task_incremental: tuple[float, ...]  # the task given
    task_id: tuple[float, ...]  # fraction assigned to the right task
    baseline: tuple[float, ...]  # frozen backbone, nearest class mean
    sizes: tuple[int, ...]  # test pictures


@dataclass(frozen=True)
class Measured(Event):
    """One number; `name` is explained in `workbench.measures`. Absent values carry their reason.

    A number about a pair says what learning `task` did to the earlier task `other`.
    """

    name: str
    task: int
    epoch: int
    step: int
    value: float | None
    reason: str = ""
    other: int | None = None


@dataclass(frozen=True)
class Snapshot(Event):
    """The kernel's arrays at one moment lie in a file; `core.snapshot` says what is in it."""

    task: int
    epoch: int
    step: int
    path: str  # below the run's folder, POSIX
    method: str  # how the kernel was computed, in words


@dataclass(frozen=True)
class Answered(Event):
    """What was answered on every test picture after a task lies in a file; see `workbench.answers`."""

    after_task: int
    step: int
    path: str  # of the arrays, below the run's folder, POSIX
    pictures: str  # of the list of this task's test pictures


@dataclass(frozen=True)
class TaskEnded(Event):
    """A task is learnt, evaluated, and its adapter saved in the run's folder; None: not recorded."""

    task: int
    step: int
    kept_values: int | None = None  # beside the backbone, see `core.network.Network.kept`
    kept_bytes: int | None = None
    peak_bytes: int | None = field(default=None, compare=False)  # of memory so far


@dataclass(frozen=True)
class EpochEnded(Event):
    """An epoch is over, and what is measured at its end has been."""

    task: int
    epoch: int
    step: int


@dataclass(frozen=True)
class Checkpointed(Event):
    """What is needed to go on from here lies in a file: said by the clock and the user, not by the seeds."""

    task: int  # to be gone on with
    epoch: int  # likewise; that of the task's end is the number of its epochs
    step: int  # steps of the run before it
    path: str  # below the run's folder, POSIX


@dataclass(frozen=True)
class Paused(Event):
    """The run waits, with everything in memory; `task` is the one just learnt if it waits between two."""

    step: int
    task: int | None = None


@dataclass(frozen=True)
class Blocked(Event):
    """Something outside keeps the run from going on; it waits, and tries again when it is let go on."""

    sentence: str
    folder: str = ""  # of pictures, that is looked for


@dataclass(frozen=True)
class Resumed(Event):
    """The run goes on where it waited."""

    step: int


@dataclass(frozen=True)
class Note(Event):
    """Something worth knowing; the run goes on."""

    text: str
    level: str = "info"  # or "warning"


@dataclass(frozen=True)
class Finished(Event):
    """All tasks are learnt."""

    step: int


@dataclass(frozen=True)
class Stopped(Event):
    """The user stopped the run; what was learnt up to the last whole task is kept."""

    step: int


@dataclass(frozen=True)
class Failed(Event):
    """The run ended with an error: one sentence for the user, a traceback if it is a bug."""

    sentence: str
    detail: str = ""
    cause: str = (
        ""  # "memory", "not finite" or "pictures", where there is a way out that can be offered
    )


@dataclass(frozen=True)
class Interrupted(Event):
    """The run was cut off: what trained died, and whoever watched over it says so; or its owner did, and it says so."""

    step: int  # steps that it was heard to have done
    sentence: str
    detail: str = ""  # the last that it printed


KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__subclasses__()}


def to_json(event: Event) -> str:
    """Return the event's fields but its time as strict JSON; a non-finite number becomes null."""
    values = dataclasses.asdict(event)
    del values["time"]
    return json.dumps(finite(values), ensure_ascii=False, allow_nan=False)


def from_json(kind: str, text: str, time: float | None = None) -> Event:
    """Rebuild the event of class name `kind` from its JSON, said at `time`.

    Raises:
        WorkbenchError: this version knows no such event, or its JSON is damaged.
    """
    if kind not in KINDS:
        raise WorkbenchError(
            f"The log holds an event {kind!r}, which this version does not know. Update the workbench."
        )
    try:
        values = json.loads(text)
        if kind == "RunStarted":
            values["tasks"] = tuple(tupled(TaskInfo, task) for task in values["tasks"])
        event: Event = tupled(KINDS[kind], values | {"time": time})
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _damaged(kind, str(error)) from error
    return checked(event)


def checked(event: Event) -> Event:
    """Return an event that came from a file; raises WorkbenchError if a value is of another type."""
    problem = misfit(event)
    if problem:
        raise _damaged(type(event).__name__, problem)
    return event


def _damaged(kind: str, reason: str) -> WorkbenchError:
    return WorkbenchError(
        f"An event {kind!r} is damaged ({reason}): the run cannot be shown. Bring its log from a copy."
    )


def tupled(kind: type[Any], values: Mapping[str, Any]) -> Any:
    """Build a dataclass from its plain values, lists as tuples; names it does not know are left out."""
    known = {item.name for item in fields(kind)}
    return kind(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
    )


def finite(value: Any) -> Any:
    """Return plain values with None for every number that is not finite: strict JSON has no other word."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [finite(inner) for inner in value]
    return value
