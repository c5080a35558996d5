"""What a run is extended with, and from which of its checkpoints.

A finished run goes on behind its last task; one that was stopped right after a task goes on behind
that one, with other tasks than those it had still before it.
"""

import typing
from collections.abc import Sequence
from dataclasses import replace

from workbench import config as configs, paths
from workbench.config import RunConfig, TaskFolder
from workbench.core.length import length_of, taught
from workbench.errors import UsageError
from workbench.events import EpochEnded, Event, Step, TaskEnded
from workbench.log import resume as log_resume
from workbench.log.resume import LoggedCheckpoint
from workbench.report import RunDetails, RunSummary
from workbench.session.checkpoint_files import is_whole
from workbench.session.checks import must_be_startable
from workbench.tell import Tell, silent

if typing.TYPE_CHECKING:
    from workbench.session.session import Session

BEFORE = (
    "A closed sequence leaves the averaging out after its last task. With a further folder the end of "
    "{task} is done again with it, as long as the checkpoint behind its last epoch is there."
)
DONE_AGAIN = (
    "A closed sequence leaves the averaging out after its last task. {task} is not the last one any "
    "more, so its end is done again from its last epoch: averaging, prototypes and tests."
)
LEFT_OUT = (
    "A closed sequence leaves the averaging out after its last task. The checkpoint behind the last epoch "
    "of {task} is not there any more, so one step of the averaging stays left out in the middle of this run."
)


def leaves_averaging_out(config: RunConfig) -> bool:
    """Whether the run left the averaging out after its last task."""
    switches = configs.effective_switches(config)
    closed = config.method.sequence == "closed"
    return closed and switches["ema"] != "off" and switches["ema_last_task"] == "skip"


def before_extending(details: RunDetails) -> str:
    """Return what is to be known before the run is given another task; mostly nothing. Cheap."""
    config = configs.from_dict(details.config)
    if details.summary.state != "finished" or not leaves_averaging_out(config):
        return ""
    return BEFORE.format(task=repr(config.data.tasks[-1].name))


def may_extend(run: RunSummary) -> bool:
    """Whether a run is one that can be extended: finished, or stopped behind a task. Cheap."""
    return run.state == "finished" or (run.state == "stopped" and run.tasks_done > 0)


def to_come(details: RunDetails) -> tuple[TaskFolder, ...]:
    """Return the tasks of a stopped run that it has not learnt."""
    tasks = configs.from_dict(details.config).data.tasks
    return tasks[len(_learnt(details)) :]


def _learnt(details: RunDetails) -> tuple[TaskFolder, ...]:
    """Return the tasks that the run has learnt whole."""
    tasks = configs.from_dict(details.config).data.tasks
    return tasks if details.summary.state == "finished" else tasks[: details.summary.tasks_done]


def extended(
    session: "Session", details: RunDetails, tasks: Sequence[TaskFolder], epochs: int
) -> RunConfig:
    """Return the child's configuration: what was learnt, then `tasks`.

    Raises:
        UsageError: nothing to add, or both; the run is not one to extend, or something is missing.
    """
    name, state = details.summary.name, details.summary.state
    if not may_extend(details.summary) or (epochs and state != "finished"):
        raise UsageError(
            f"{name} is {state}; only a finished run can be extended, and by folders one that was "
            "stopped right after a task. Resume it first."
        )
    if bool(tasks) == bool(epochs) or epochs < 0:
        raise UsageError(f"Extend {name} either by further folders or by a number of epochs.")
    config = configs.from_dict(details.config)
    if tasks and config.data.joint:
        raise UsageError(f"{name} learnt all its tasks at once, so it cannot take another one.")
    if epochs and _at_most_steps(details, config):
        raise UsageError(
            f"train.max_steps: {_learnt(details)[-1].name!r} was trained for {config.train.max_steps:,} steps, the most that {name} gives "
            "a task, so more epochs would add none. Start a new run with more steps, or with 0, which sets no limit."
        )
    data = replace(config.data, tasks=(*_learnt(details), *tasks))
    train = replace(config.train, epochs=config.train.epochs + epochs)
    added = ", ".join(task.name for task in tasks) or f"{epochs} epochs"
    config = replace(config, data=data, train=train, name=f"{name} + {added}")
    config = session.plug_ins.prepared(config)
    must_be_startable(config)
    session.backbones.require(config.model.backbone, config.model.weights)
    return config


def _at_most_steps(details: RunDetails, config: RunConfig) -> bool:
    """Whether it was the limit of steps that ended the last task."""
    most, counts = config.train.max_steps, details.tasks[-1]["counts"]["train"]
    judged = details.switches["change"] == "judged" and config.method.name == "ntk-cl"
    pictures = taught(counts) if judged else sum(counts)
    return most > 0 and length_of(config.train, pictures).steps == most


def end_point(
    session: "Session", details: RunDetails, epochs: bool, tell: Tell = silent
) -> tuple[LoggedCheckpoint, str]:
    """Return the checkpoint behind the last task's end, and what is to be said of it.

    It is the one behind the last epoch if epochs are added, or if the end is to be done otherwise now
    that the task is not the last.

    Raises:
        UsageError: the run kept no such checkpoint, or it is damaged.
    """
    config, task = configs.from_dict(details.config), repr(_learnt(details)[-1].name)
    skipped = details.summary.state == "finished" and leaves_averaging_out(config)
    if not epochs and skipped:
        point, _ = _found(session, details, tell, behind_epoch=True)
        if point is not None:
            return point, DONE_AGAIN.format(task=task)
    point, why = _found(session, details, tell, behind_epoch=epochs)
    if point is None and details.summary.state != "finished":
        raise UsageError(
            f"{details.summary.name} was stopped within a task, or what it kept of {task} is damaged: "
            f"{why}. Resume it, and stop it after the task."
        )
    if point is None:
        where = "last epoch" if epochs else "last task"
        raise UsageError(
            f"{details.summary.name} cannot be extended from the end of its {where}: {why}. "
            "Run it again with what is to be added."
        )
    return point, LEFT_OUT.format(task=task) if skipped and not epochs else ""


def _found(
    session: "Session", details: RunDetails, tell: Tell, *, behind_epoch: bool
) -> tuple[LoggedCheckpoint | None, str]:
    """Return the whole checkpoint there, or None and why there is none."""
    run = details.summary.id
    said = session.events(run, tell)
    with session.log() as log, log.snapshot() as db:
        logged = log_resume.checkpoints(db, run)
    folder = paths.run_folder(session.home, run)
    fits = [point for point in logged if _is_end(said, point, epochs=behind_epoch)]
    whole = next((point for point in fits if is_whole(folder, point.event.path)), None)
    why = "its checkpoint there is damaged" if fits else "it kept no checkpoint there"
    return whole, why


def _is_end(said: Sequence[Event], point: LoggedCheckpoint, *, epochs: bool) -> bool:
    """Whether a checkpoint stands behind the last task's end or, if epochs are wanted, just before it."""
    before, after = said[: point.n - 1], said[point.n :]
    if any(isinstance(event, (Step, EpochEnded)) for event in after):
        return False
    if epochs:
        return any(isinstance(event, TaskEnded) for event in after)
    learnt = [event for event in before if isinstance(event, (Step, TaskEnded))]
    return bool(learnt) and isinstance(learnt[-1], TaskEnded)
