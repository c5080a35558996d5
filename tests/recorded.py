"""Recorded-looking runs: realistic event lists made by formula, for tests that need no training."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from workbench.events import (
    Evaluated,
    Event,
    Failed,
    Finished,
    Measured,
    Note,
    Pace,
    RunStarted,
    Snapshot,
    Stage,
    Step,
    Stopped,
    TaskEnded,
    TaskInfo,
    TaskStarted,
)

NAMES = ("finches", "gulls", "owls", "ducks", "waders", "crows", "terns", "larks")


def recorded_run(
    tasks: int = 5,
    *,
    classes: int = 4,
    epochs: int = 4,
    steps: int = 6,
    seed: int = 0,
    ending: str = "finished",
    live: bool = False,
    kernel: bool = False,
) -> list[Event]:
    """Return the events of one made-up run of `tasks` tasks; `live` adds Stage and Pace.

    `kernel` adds what is measured of pairs of tasks, and snapshots whose files `write_kernels` makes.

    `ending` is finished, stopped, failed, or running (the last task ends in its middle).
    """
    rng = np.random.default_rng(seed)
    infos = tuple(_task(index, classes) for index in range(tasks))
    events: list[Event] = [Stage("Loading the backbone", 1, 3)] if live else []
    events.append(
        RunStarted(
            tasks=infos,
            switches={"s2_init": "kaiming", "mutual_information": "supcon"},
            backbone="sample",
            weights_sha256="ab" * 32,
            feature_width=192,
            trainable_parameters=123_456,
            device="cpu",
            sequence="closed",
        )
    )
    rows: list[tuple[float, ...]] = []
    for task in range(tasks):
        cut = ending == "running" and task == tasks - 1
        before = task * epochs * steps
        if kernel:
            events += _forecast(task, before) + [_snapshot(task, 0, before)]
        events += _training(task, epochs // 2 if cut else epochs, epochs, steps, tasks, rng, live)
        if not cut:
            if kernel:
                events += _of_pairs(task, epochs - 1, before + epochs * steps)
                events.append(_snapshot(task, epochs - 1, before + epochs * steps))
            events += _after_task(task, epochs, (task + 1) * epochs * steps, infos, rows, rng)
    return events + _ending(ending, tasks * epochs * steps)


def accuracy_after(task: int, on: int) -> float:
    """Return the noiseless accuracy on task `on` after task `task`."""
    return max(0.05, 0.94 - 0.02 * on - 0.055 * (task - on))


def _task(index: int, classes: int) -> TaskInfo:
    name = NAMES[index] if index < len(NAMES) else f"task {index + 1}"
    return TaskInfo(
        name=name,
        class_names=tuple(f"{name} {letter + 1}" for letter in range(classes)),
        class_ids=tuple(range(index * classes, (index + 1) * classes)),
        train_counts=(24,) * classes,
        test_counts=(6 + index,) * classes,
        fingerprint=f"{index:064x}",
    )


def _training(
    task: int, run: int, epochs: int, steps: int, tasks: int, rng: np.random.Generator, live: bool
) -> list[Event]:
    before = task * epochs * steps
    events: list[Event] = [TaskStarted(task, before, epochs, epochs * steps)]
    for epoch in range(run):
        for inner in range(steps):
            step = before + epoch * steps + inner + 1
            events.append(Step(task, epoch, step, 0.025, _terms(step - before, task, rng)))
            if live:
                whole = tasks * epochs * steps
                pace = Pace(112.0, 0.1 * (whole - step), step, whole, work=step / whole)
                events.append(pace)
        events += _epoch_end(task, epoch, before + (epoch + 1) * steps, (epoch + 1) / epochs, rng)
    return events


def _terms(inside: int, task: int, rng: np.random.Generator) -> dict[str, float]:
    fall = math.exp(-inside / 8)
    terms = {
        "cross_entropy_s1": 0.2 + 1.1 * fall + 0.05 * float(rng.random()),
        "cross_entropy_s2": 0.25 + 1.2 * fall + 0.05 * float(rng.random()),
        "cross_entropy_hybrid": 0.18 + 1.0 * fall + 0.05 * float(rng.random()),
        "mutual_information": 0.9 + 0.3 * fall,
    }
    if task:
        terms["orthogonality"] = 0.02 + 0.05 * fall
        terms["regularisation"] = 1e-4 * inside
    return {**terms, "total": sum(terms.values())}


def _epoch_end(
    task: int, epoch: int, step: int, part: float, rng: np.random.Generator
) -> list[Event]:
    moved = 0.3 * part * task / (task + 1)
    noise = 0.02 * float(rng.random())
    old = task > 0
    reason = "" if old else "there is no earlier task yet"
    values = {
        "ntk.interplay_measured": (moved * 1.25 + noise) if old else None,
        "ntk.interplay_predicted": moved if old else None,
        "ntk.interplay_replayed": moved * 1.1 if old and epoch != 1 else None,
        "ntk.interplay_full": moved * 1.2 if old and part == 1 else None,
        "ntk.drift_cosine": 0.6 + 0.3 * part if old else None,
        "ntk.share_head": 0.3 - 0.1 * part,
        "ntk.share_fusion": 0.7 + 0.1 * part,
        "ntk.gap_predicted": 0.08 - 0.03 * part + noise,
        "ntk.gap_held_out": 0.1 - 0.03 * part + noise,
        "ntk.complexity": 2 - part + noise,
        "ntk.complexity_share": 0.9 - 0.4 * part + noise,
        "ntk.effective_rank": 9 - 2 * part,
        "ntk.participation": 5 - part,
        "ntk.effective_dimension": 20 + 6 * part,
        "ntk.kernel_drift": 0.4 * part,
        "ntk.kernel_cka": 1 - 0.12 * part,
        "ntk.linearity": (0.9 if task == 2 else 0.2) if old and part == 1 else None,
        "probe_accuracy": min(1.0, accuracy_after(task, task) - 0.2 * (1 - part) + noise),
    }
    return [
        Measured(name, task, epoch, step, value, "" if value is not None else reason or "Skipped.")
        for name, value in values.items()
    ]


def _forecast(task: int, step: int) -> list[Event]:
    value = 0.36 * task / (task + 1) if task else None
    reason = "" if task else "there is no earlier task yet"
    pairs = [
        Measured("ntk.disturbance_forecast", task, 0, step, disturbance(old, task) * 1.3, other=old)
        for old in range(task)
    ]
    return [Measured("ntk.forecast", task, 0, step, value, reason), *pairs]


def overlap(old: int, task: int) -> float:
    """Return the overlap of two tasks: neighbours share most."""
    return 0.08 + 0.46 / (task - old) ** 0.8 - 0.03 * old


def disturbance(old: int, task: int) -> float:
    """Return how far learning `task` moved the earlier task `old`."""
    return 0.5 * overlap(old, task) + 0.02


def lost_parts(old: int, task: int) -> dict[str, float]:
    """Return the four parts of what the earlier task `old` lost by the end of `task`."""
    apart = task - old
    return {
        "lost.competition": 0.03 * apart,
        "lost.training": 0.025 * apart + 0.004 * task,
        "lost.ema": 0.006 if apart % 2 else -0.005,
        "lost.corrections": -0.012 * apart,
    }


def _of_pairs(task: int, epoch: int, step: int) -> list[Event]:
    events: list[Event] = []
    for old in range(task):
        parts = lost_parts(old, task)
        values: dict[str, float | None] = {
            "ntk.overlap": overlap(old, task),
            "ntk.overlap_chance": 0.02,
            "ntk.angle_max": 0.95 - 0.04 * (task - old),
            "ntk.angle_mean": 0.41,
            "ntk.disturbance": disturbance(old, task),
            "ntk.disturbance_settled": disturbance(old, task) * 1.1,
            "ntk.vulnerable_rank": 3.0 + old,
            "ntk.vulnerable_expected": 12.0,
            "ntk.old_drift": 0.16 * (task - old) + 0.02 * old,
            "ntk.old_cka": 1 - 0.05 * (task - old),
            **parts,
            "lost.total": sum(parts.values()),
        }
        events += [Measured(name, task, epoch, step, v, other=old) for name, v in values.items()]
    whole = [lost_parts(old, task) for old in range(task)]
    for name in lost_parts(0, 1):
        mean = float(np.mean([parts[name] for parts in whole])) if task else None
        events.append(
            Measured(name, task, epoch, step, mean, "" if task else "there is no earlier task yet")
        )
    rank = 0.83 if task else None
    events.append(
        Measured(
            "ntk.forecast_rank",
            task,
            epoch,
            step,
            rank,
            "" if task else "there is no earlier task yet",
        )
    )
    total = float(np.mean([sum(parts.values()) for parts in whole])) if task else None
    events.append(
        Measured(
            "lost.total", task, epoch, step, total, "" if task else "there is no earlier task yet"
        )
    )
    return events


def _snapshot(task: int, epoch: int, step: int) -> Snapshot:
    method = "Head and fusion in closed form, adapters left out."
    return Snapshot(task, epoch, step, f"kernel/{task:02d}-{step:06d}.safetensors", method)


def write_kernels(
    folder: Path, events: Sequence[Event], *, classes: int = 4, pictures: int = 6
) -> None:
    """Write the files of every snapshot among `events` below a run's folder."""
    for event in events:
        if isinstance(event, Snapshot):
            path = folder / event.path
            path.parent.mkdir(parents=True, exist_ok=True)
            arrays = kernel_arrays(event.task + 1, classes, pictures, event.step)
            end = TaskEnded(event.task, event.step) in events
            moved = moved_arrays(event.task, classes) if end and event.task else {}
            save_file(arrays | moved, path)


def moved_arrays(task: int, classes: int = 4) -> dict[str, NDArray[np.generic]]:
    """Return how far each old class moved while `task` was learnt, measured and forecast."""
    rng = np.random.default_rng(task)
    forecast = 0.2 + 0.6 * rng.random(task * classes)
    measured = forecast * 0.8 + 0.12 * rng.random(task * classes)
    labels = np.arange(task * classes, dtype=np.int64)
    return {"classes": labels, "drift_measured": measured, "drift_forecast": forecast}


def kernel_arrays(
    tasks: int, classes: int = 4, pictures: int = 6, step: int = 0
) -> dict[str, NDArray[np.generic]]:
    """Return a snapshot's arrays: features of task, class and picture, and their Gram matrix."""
    rng = np.random.default_rng(7)
    labels = np.repeat(np.arange(tasks * classes), pictures)
    owner = labels // classes
    drift = 0.3 + 0.002 * step
    shared = rng.standard_normal(48)
    of_task = rng.standard_normal((tasks, 48))
    of_class = rng.standard_normal((tasks * classes, 48))
    noise = rng.standard_normal((len(labels), 48))
    features = 0.7 * shared + of_task[owner] * (0.6 + drift) + 1.1 * of_class[labels] + 0.8 * noise
    kernel = features @ features.T
    arrays: dict[str, NDArray[np.generic]] = {
        "kernel": kernel.astype(np.float32),
        "tasks": owner.astype(np.int64),
        "labels": labels.astype(np.int64),
    }
    for task in range(tasks):
        own = kernel[np.ix_(owner == task, owner == task)]
        arrays[f"spectrum.{task}"] = np.linalg.eigvalsh(own)[::-1].copy()
    return arrays


def _after_task(
    task: int,
    epochs: int,
    step: int,
    infos: tuple[TaskInfo, ...],
    rows: list[tuple[float, ...]],
    rng: np.random.Generator,
) -> list[Event]:
    sizes = tuple(sum(info.test_counts) for info in infos[: task + 1])
    exact = [
        accuracy_after(task, on) + 0.01 * float(rng.standard_normal()) for on in range(task + 1)
    ]
    row = tuple(round(min(1.0, a) * size) / size for a, size in zip(exact, sizes, strict=True))
    rows.append(row)
    floor = tuple(0.78 - 0.03 * task + 0.01 * on for on in range(task + 1))
    given = tuple(min(1.0, a + 0.04) for a in row)
    evaluated = Evaluated(
        task, step, row, given, tuple(min(1.0, a + 0.02) for a in row), floor, sizes
    )
    seen = float(np.average(row, weights=sizes))
    values: dict[str, float | None] = {
        "accuracy_seen": seen,
        "baseline_seen": float(np.average(floor, weights=sizes)),
        "forgetting": forgetting(rows) if task else None,
    }
    measured: list[Event] = [
        Measured(name, task, epochs - 1, step, value, "" if value is not None else "One task only.")
        for name, value in values.items()
    ]
    return [evaluated, *measured, TaskEnded(task, step)]


def forgetting(rows: list[tuple[float, ...]]) -> float:
    """Return F_t of the accuracy matrix `rows` (Chaudhry et al. 2018)."""
    last = len(rows) - 1
    falls = [max(row[j] for row in rows[j:last]) - rows[last][j] for j in range(last)]
    return sum(falls) / last


def _ending(ending: str, step: int) -> list[Event]:
    if ending == "running":
        return []
    if ending == "failed":
        return [Note("The loss is not finite.", "warning"), Failed("The loss became NaN.")]
    return [Stopped(step) if ending == "stopped" else Finished(step)]
