"""Forecasts of a run: made, kept in the log, and scored once a later run has learnt what was forecast."""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from workbench import config as configs, paths
from workbench.config import ExtraFolder, RunConfig, TaskFolder
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Measured, Note, Snapshot, Stage, finite, tupled
from workbench.report import (
    ClassForecast,
    Forecast,
    ForecastScore,
    KeptForecast,
    OrderStudy,
    RunDetails,
    TaskForecast,
)
from workbench.session.engine import LOADING, starting

if TYPE_CHECKING:
    from workbench.session.session import Session


_MOVED = (
    "ntk.disturbance_settled"  # with the EMA step and the refit, which a forecast to the end is of
)


def forecast(session: "Session", run: str, folder: TaskFolder) -> Iterator[Stage | Note | Forecast]:
    """Yield progress, and at last the forecast, which is kept if it says anything."""
    details = session.details(run)
    _must_be_learnt(details, folder)
    yield Stage(LOADING)
    with starting():
        from workbench.core.forecast import Learnt, forecast as make

    config = configs.from_dict(details.config)
    learnt = [
        Learnt(task, tuple(known["classes"]), tuple(known["class_ids"]))
        for task, known in zip(config.data.tasks, _done(details), strict=False)
    ]
    source = paths.run_folder(session.home, details.summary.id) / "adapter"
    made = yield from make(source, config, learnt, folder, session.home)
    made = dataclasses.replace(made, run=details.summary.id)
    if any(not task.reason for task in made.tasks):
        with session.log() as log:
            log.keep_forecast(made.run, folder.path, finite(dataclasses.asdict(made)))
    yield made


def order(session: "Session", config: RunConfig, run: str) -> Iterator[Stage | Note | OrderStudy]:
    """Yield progress, and at last the study of the order of the tasks."""
    config, source = session.plug_ins.prepared(config), None
    if run:
        source = paths.run_folder(session.home, session.details(run).summary.id) / "adapter"
    yield Stage(LOADING)
    with starting():
        from workbench.core.order import study

    yield (yield from study(config, session.home, source))


def kept(session: "Session", run: str) -> list[KeptForecast]:
    """Return a run's forecasts, oldest first; those that can be scored by now are."""
    details = session.details(run)
    return [_judged(session, details, item) for item in details.forecasts]


def score_waiting(session: "Session", run: str) -> list[KeptForecast]:
    """Score those of a run's forecasts that have no score yet and can have one; return them."""
    details = session.details(run)
    waiting = (item for item in details.forecasts if item["score"] is None)
    judged = (_judged(session, details, item) for item in waiting)
    return [item for item in judged if item.score is not None]


def _judged(session: "Session", details: RunDetails, item: Mapping[str, Any]) -> KeptForecast:
    found = KeptForecast(item["number"], item["created"], _forecast_of(item))
    if item["score"] is not None:
        return dataclasses.replace(found, score=tupled(ForecastScore, item["score"]))
    later, reason = _later_run(session, details, found)
    if later is None:
        return dataclasses.replace(found, reason=reason)
    try:
        score = _score(session, details, later, found.forecast)
    except WorkbenchError as error:  # the arrays are gone
        return dataclasses.replace(found, reason=str(error))
    if score is None:
        name = later.summary.name
        reason = f"{name} has learnt it, but measured no movement of single tasks or classes"
        return dataclasses.replace(found, reason=reason)
    with session.log() as log:
        log.score_forecast(found.number, finite(dataclasses.asdict(score)))
    return dataclasses.replace(found, score=score)


def _later_run(
    session: "Session", base: RunDetails, item: KeptForecast
) -> tuple[RunDetails | None, str]:
    """Return the first run begun after the forecast that learnt the same tasks and then the candidate."""
    name, reason = item.forecast.candidate.name, ""
    for summary in reversed(session.runs()):
        if summary.created < item.created or summary.id == base.summary.id:
            continue
        later = session.details(summary.id)
        try:
            place = _place_of(item.forecast, later)
            fits = place == base.summary.tasks_done and _same_start(base, later)
        except UsageError:  # settings of another version
            continue
        if place is None:
            continue
        if not fits:
            reason = f"{summary.name} has learnt '{name}', but not right after the same tasks on the same backbone"
        elif summary.tasks_done <= place:
            reason = f"{summary.name} has not come to the end of '{name}'"
        else:
            return later, ""
    return None, reason or f"no later run has learnt these tasks and then '{name}'"


def _score(
    session: "Session", base: RunDetails, later: RunDetails, made: Forecast
) -> ForecastScore | None:
    place, run = base.summary.tasks_done, later.summary.id
    by_task: dict[int, float] = {}
    snapshot = None
    for event in session.events(run):
        if isinstance(event, Measured) and event.name == _MOVED and event.task == place:
            if event.other is not None and event.value is not None:
                by_task[event.other] = event.value
        elif isinstance(event, Snapshot) and event.task == place:
            snapshot = event
    arrays = session.arrays(run, snapshot.path) if snapshot is not None else {}
    by_class: dict[int, float] = {}
    if {"classes", "drift_settled"} <= set(arrays):
        pairs = zip(arrays["classes"].tolist(), arrays["drift_settled"].tolist(), strict=True)
        by_class = dict(pairs)
    if not by_task and not by_class:
        return None
    with starting():
        from workbench.core.hindsight import score

    found = score(made, by_task, by_class)
    reasons = (*found.reasons, *_differences(base, later))
    return dataclasses.replace(found, run=run, run_name=later.summary.name, reasons=reasons)


def _differences(base: RunDetails, later: RunDetails) -> list[str]:
    """Return a sentence if the later run's network was not the one the forecast was made from."""
    settings = []
    for details in (base, later):
        config = configs.from_dict(details.config)
        settings.append({name: value for name, _, value in configs.settings_of(config)})
    other = [
        name
        for name in settings[0]
        if not name.startswith(("name", "monitor.")) and settings[0][name] != settings[1][name]
    ]
    if not other:
        return []
    return [
        f"{later.summary.name} was trained with other settings ({', '.join(other)}), so its network was "
        "not quite the one that the forecast was made from"
    ]


def _must_be_learnt(details: RunDetails, folder: TaskFolder) -> None:
    summary = details.summary
    if summary.state in ("starting", "running", "paused"):
        raise UsageError(
            f"{summary.name} is still training. Forecast from it once it has ended, or stop it."
        )
    if not summary.tasks_done:
        raise UsageError(
            f"{summary.name} has learnt no task, so there is nothing that could be disturbed."
        )
    if configs.from_dict(details.config).data.joint:
        raise UsageError(
            f"{summary.name} learnt all tasks at once, so there is no earlier task to forecast for. "
            "Choose a run that learnt them one after another."
        )
    task = learnt_as(details, folder)
    if task is not None:
        raise UsageError(
            f"{summary.name} has learnt {folder.path} already, as task '{task.name}'. "
            "Choose a folder that is new to it."
        )


def learnt_as(details: RunDetails, folder: TaskFolder) -> TaskFolder | None:
    """Return the run's task that taught classes of this folder, if there is one."""
    data = configs.from_dict(details.config).data
    done = (
        len(data.tasks) if data.joint and details.summary.tasks_done else details.summary.tasks_done
    )
    for task in data.tasks[:done]:
        shared = set(task.classes) & set(folder.classes)
        everything = not task.classes or not folder.classes
        if _same_path(task.path, folder.path) and (shared or everything):
            return task
    return None


def _done(details: RunDetails) -> tuple[Mapping[str, Any], ...]:
    return details.tasks[: details.summary.tasks_done]


def _same_start(base: RunDetails, later: RunDetails) -> bool:
    """Whether the later run begins with the base's learnt tasks, on the same backbone."""
    first, second = (configs.from_dict(details.config) for details in (base, later))
    count = base.summary.tasks_done
    folders = zip(first.data.tasks[:count], second.data.tasks[:count], strict=False)
    return (
        first.model.backbone == second.model.backbone
        and len(later.tasks) > count
        and all(_same_path(a.path, b.path) for a, b in folders)
        and all(
            a["classes"] == b["classes"] for a, b in zip(_done(base), later.tasks, strict=False)
        )
    )


def _place_of(made: Forecast, later: RunDetails) -> int | None:
    """Return where a run learns the candidate, or None."""
    tasks = configs.from_dict(later.config).data.tasks
    for place, (folder, known) in enumerate(zip(tasks, later.tasks, strict=False)):
        if _same_path(folder.path, made.candidate.path):
            pairs = zip(made.new_classes, known["classes"], strict=False)
            if len(made.new_classes) == len(known["classes"]) and all(
                shown == name or shown.startswith(f"{name} (") for name, shown in pairs
            ):
                return place
    return None


def _same_path(a: str, b: str) -> bool:
    return os.path.normcase(os.path.abspath(a)) == os.path.normcase(os.path.abspath(b))


def _forecast_of(item: Mapping[str, Any]) -> Forecast:
    """Rebuild a forecast from its JSON in the log."""
    candidate = item["candidate"]
    also = tuple(tupled(ExtraFolder, extra) for extra in candidate.get("also", ()))
    parts = {
        "candidate": tupled(TaskFolder, {**candidate, "also": also}),
        "tasks": tuple(tupled(TaskForecast, task) for task in item["tasks"]),
        "classes": tuple(tupled(ClassForecast, each) for each in item["classes"]),
    }
    made: Forecast = tupled(Forecast, {**item, **parts})
    return made
