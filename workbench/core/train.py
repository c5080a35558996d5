"""The only loop: a configuration in, a run's events out, as a generator that can be left at any yield.

Not asking for the next event is a pause, closing the generator is a stop; nothing in here knows of
either. The same configuration and seeds give the same events to the bit on one CPU, but for `Pace`
and `Stage`, which the clock paces.
"""

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workbench.config import RunConfig, check, effective_switches
from workbench.core import answering
from workbench.core.build import build_network
from workbench.core.card import save_run_adapter
from workbench.core.device import Stream, choose_device, device_name
from workbench.core.evaluate import Examiner, Seen, fuse, see
from workbench.core.feeder import Feeder
from workbench.core.heads import drift_of
from workbench.core.joint import accuracy_of_parts, joined
from workbench.core.learner import Learner
from workbench.core.manifest import write_manifest
from workbench.core.monitor import Monitor
from workbench.core.network import Network
from workbench.core.pace import Pacer
from workbench.core.tasks import TaskData, TaskSet, load_tasks
from workbench.core.weights import LoadedWeights, load_weights
from workbench.errors import UsageError
from workbench.events import (
    Answered,
    EpochEnded,
    Event,
    Finished,
    Measured,
    Note,
    RunStarted,
    Stage,
    Step,
    TaskEnded,
    TaskStarted,
)


@dataclass
class Running:
    """A run with everything loaded; `step` counts optimiser steps."""

    config: RunConfig
    switches: dict[str, str]
    weights: LoadedWeights
    tasks: TaskSet
    network: Network
    learner: Learner
    feeder: Feeder
    examiner: Examiner
    monitor: Monitor
    pacer: Pacer
    initialisation: Stream
    dropout: Stream
    order: torch.Generator
    step: int = 0


def train(
    config: RunConfig,
    home: Path,
    folder: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
    method: Callable[..., Learner] = Learner,
) -> Generator[Event, None, None]:
    """Train through all tasks of `config`; weights are kept below `home`, the adapter is saved in `folder`.

    The pace is measured on `clock`, which stands still while nobody asks for events; `method` makes
    the learner from what `Learner` itself takes.

    Raises:
        WorkbenchError: something outside the program is wrong, said in a sentence.
    """
    check(config)
    if not config.data.tasks:
        raise UsageError("There is no task to learn. Add a folder whose sub-folders are classes.")
    device = choose_device(config.train.device)
    yield Stage("Loading the backbone's weights")
    weights = yield from load_weights(config.model.backbone, config.model.weights, home)
    tasks = yield from load_tasks(config.data, config.seeds)
    with closing(tasks.cache):
        if folder is not None:
            write_manifest(folder, tasks.contents)
        parts = tasks.tasks
        if config.data.joint:
            tasks = joined(tasks, [folder.path for folder in config.data.tasks])
        run = _assemble(config, weights, tasks, device, folder, clock, method)
        yield _started(run, device)
        yield from run.monitor.plan(run.network, tasks.tasks)
        for task in tasks.tasks:
            yield from _learn(run, task, folder)
        if config.data.joint:
            yield from accuracy_of_parts(run.examiner, parts, config.train.epochs - 1, run.step)
        yield Finished(run.step)


def _assemble(
    config: RunConfig,
    weights: LoadedWeights,
    tasks: TaskSet,
    device: torch.device,
    folder: Path | None,
    clock: Callable[[], float],
    method: Callable[..., Learner],
) -> Running:
    switches, seeds = effective_switches(config), config.seeds
    initialisation = Stream(seeds.initialisation, "initialisation")
    dropout, augmentation = (
        Stream(seeds.dropout, "dropout", device),
        Stream(seeds.augmentation, "augmentation"),
    )
    with initialisation:
        network = build_network(config.model, switches, weights, device)
        network.backbone.autocast = config.train.precision == "bf16"
    chance, order = (torch.Generator().manual_seed(seeds.data_order + salt) for salt in (0x5EED, 0))
    learner = method(network, config.method, switches, config.train, chance)
    pacer = _pacer(config, network, tasks, clock)
    size = network.backbone.image_size
    feeder = Feeder(tasks.cache, size, device, torch.float32, augmentation)
    return Running(
        config, switches, weights, tasks, network, learner, feeder,
        Examiner(network, feeder, switches["task_mask"]),
        Monitor(config.monitor, seeds.probe, pacer, folder), pacer, initialisation, dropout, order,
    )  # fmt: skip


def _started(run: Running, device: torch.device) -> RunStarted:
    trainable = sum(p.numel() for p in run.network.live_parameters().values())
    return RunStarted(
        tasks=tuple(task.info for task in run.tasks.tasks), switches=run.switches,
        backbone=run.config.model.backbone, weights_sha256=run.weights.sha256,
        feature_width=run.network.width, trainable_parameters=trainable,
        device=device_name(device), sequence=run.config.method.sequence,
        backbone_parameters=sum(p.numel() for p in run.network.backbone.parameters()),
    )  # fmt: skip


def _learn(run: Running, task: TaskData, folder: Path | None) -> Iterator[Event]:
    number = run.learner.task + 1
    is_last = run.config.method.sequence == "closed" and number == len(run.tasks.tasks) - 1
    epochs = run.config.train.epochs
    frozen = yield from run.examiner.admit(task)
    yield from run.pacer.did(len(task.train) + len(task.test))
    before = yield from _features_before(run, task, frozen)
    with run.initialisation:
        run.learner.begin_task(task.info.class_ids, epochs)
    measuring, monitor = run.pacer.measuring, run.monitor
    yield from measuring(monitor.start_task(run.network, run.learner, run.feeder, task, run.step))
    yield TaskStarted(number, run.step, epochs, epochs * _steps(run.config, task))
    for epoch in range(epochs):
        yield from _epoch(run, task, number, epoch)
        yield from measuring(monitor.measure(epoch, run.step, at_end=epoch == epochs - 1))
        yield EpochEnded(number, epoch, run.step)
    yield from _skipped_terms(run.learner)
    averaged = run.learner.average(is_last=is_last)
    yield from measuring(monitor.averaged(changed=averaged))
    yield from _set_prototypes(run, task, frozen, before)
    run.learner.end_task()
    yield from measuring(monitor.settled(epochs - 1, run.step))
    yield from _examine(run, number)
    if folder is not None:
        files = answering.keep(folder, number, run.examiner.answers, task)
        yield Answered(number, run.step, *files)
        save_run_adapter(folder, run.config, run.weights, run.network, run.examiner)
    yield TaskEnded(number, run.step)


def _epoch(run: Running, task: TaskData, number: int, epoch: int) -> Iterator[Event]:
    lr = run.learner.begin_epoch(epoch)
    local = {class_id: i for i, class_id in enumerate(task.info.class_ids)}
    labels = np.array([local[int(label)] for label in task.train_labels])
    run.network.train()
    run.pacer.restart_clock_of_images()
    size = run.config.train.batch_size
    yield Stage(
        f"Task {number + 1} of {len(run.tasks.tasks)}, epoch {epoch + 1} of {run.config.train.epochs}"
    )
    for chosen in torch.split(torch.randperm(len(labels), generator=run.order), size):
        at = chosen.numpy()
        images = run.feeder.augmented(task.train[at])
        y = torch.from_numpy(labels[at]).to(run.feeder.device)
        with run.dropout:
            batch = run.learner.forward(images, y)
        terms = run.learner.losses(batch)
        run.learner.step(terms)
        values = {name: float(term.detach()) for name, term in terms.items()}
        yield Step(number, epoch, run.step, lr, values)
        run.step += 1
        yield from run.pacer.did(run.network.passes_of_step * len(at), len(at), 1)


def _features_before(
    run: Running, task: TaskData, frozen: Tensor
) -> Generator[Stage, None, Tensor | None]:
    """Return features (n, D) of the task's pictures before it is learnt, if drift is to be estimated from them."""
    if run.switches["prototype_drift"] != "compensated" or not len(run.network.prototypes.counts):
        return None
    text = f"Looking at '{task.info.name}' before learning it"
    seen = yield from see(run.network, run.feeder, task.train, frozen, text)
    return fuse(run.network, seen).main


def _set_prototypes(
    run: Running, task: TaskData, frozen: Tensor, before: Tensor | None
) -> Iterator[Event]:
    text = f"Making prototypes of '{task.info.name}'"
    seen = yield from see(run.network, run.feeder, task.train, frozen, text)
    yield from run.pacer.did(2 * len(run.network.branches) * len(task.train))
    if run.network.fusion is not None and run.switches["fusion_refit"] == "cached":
        _refit(run, task, seen)
    features = fuse(run.network, seen).main
    if before is not None:
        old = run.network.prototypes.weight
        learnt = run.network.prototypes.counts > 0
        old[learnt] += drift_of(old[learnt], before, features)
    run.examiner.learnt(task, features)


def _refit(run: Running, task: TaskData, seen: Seen) -> None:
    assert seen.s1 is not None
    assert seen.s2 is not None
    local = {class_id: i for i, class_id in enumerate(task.info.class_ids)}
    labels = torch.tensor([local[int(label)] for label in task.train_labels], device=seen.s1.device)
    run.learner.refit_fusion(seen.s1, seen.s2, labels, run.order)


def _examine(run: Running, number: int) -> Iterator[Event]:
    row = yield from run.examiner.examine(run.step)
    yield row
    yield from run.pacer.did(2 * len(run.network.branches) * sum(row.sizes))
    last = run.config.train.epochs - 1
    for name, value in run.examiner.summary().items():
        reason = "" if value is not None else "needs more than one task"
        yield Measured(name, number, last, run.step, value, reason)


def _skipped_terms(learner: Learner) -> Iterator[Note]:
    if learner.skipped:
        yield Note(
            f"Task {learner.task + 1}: {learner.skipped} auxiliary loss terms were left out, because their batch "
            "had no two pictures of one class or nothing was learnt before."
        )


def _steps(config: RunConfig, task: TaskData) -> int:
    return math.ceil(len(task.train) / config.train.batch_size)


def _pacer(
    config: RunConfig, network: Network, tasks: TaskSet, clock: Callable[[], float]
) -> Pacer:
    look = 2 * len(network.branches)  # beside the frozen section, which is kept
    trained = sum(len(task.train) for task in tasks.tasks)
    tested = sum(len(task.test) * (len(tasks.tasks) - i) for i, task in enumerate(tasks.tasks))
    once = sum(len(task.train) + len(task.test) for task in tasks.tasks)
    passes = once + trained * (config.train.epochs * network.passes_of_step + look) + look * tested
    steps = config.train.epochs * sum(_steps(config, task) for task in tasks.tasks)
    return Pacer(steps, passes, clock)
