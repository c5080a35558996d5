"""The loop within a task: begin it, train its epochs, settle, test. It goes on from wherever `run.place` says."""

import math
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from typing import cast

import torch
from torch import Tensor

from workbench.core import answering
from workbench.core.card import save_run_adapter
from workbench.core.evaluate import Seen, fuse, see
from workbench.core.fitting import gradients
from workbench.core.heads import drift_of
from workbench.core.holding import settle_change
from workbench.core.learner import Learner
from workbench.core.length import judging
from workbench.core.numbers import numbers
from workbench.core.pace import tested
from workbench.core.resident import peak_so_far
from workbench.core.running import Place, Running
from workbench.core.stopping import look, old_answers
from workbench.core.tasks import TaskData
from workbench.events import (
    Answered,
    EpochEnded,
    Event,
    Measured,
    Note,
    Stage,
    Step,
    TaskEnded,
    TaskStarted,
)


def learn(run: Running, task: TaskData) -> Iterator[Event]:
    """Learn a task, or the rest of it from `run.place` on."""
    place = run.place
    number, epochs = place.task, run.learner.length(place.task, task.info.train_counts).epochs
    if not place.begun:
        yield from _begin(run, task)
    measuring, monitor = run.pacer.measuring, run.monitor
    for epoch in range(place.epoch, epochs):
        if place.is_trained:
            break
        yield from _epoch(run, task, number, epoch)
        place.over = place.over or epoch == epochs - 1
        yield from measuring(monitor.measure(epoch, run.step, at_end=place.over))
        place.epoch, place.rest = epoch + 1, None
        yield EpochEnded(number, epoch, run.step)
    if not epochs:  # to learn classes without training is a step too: curves go on by it
        run.step += 1
        yield from run.pacer.did(0, steps=1)
    yield from _skipped_terms(run.learner)
    before = run.learner.before() if epochs else {}
    averaged = run.learner.average(is_last=_is_last(run))
    seen, back = None, False
    if before:
        seen, back = yield from settle_change(run, task, before)
        if not run.learner.sees_all(number, len(task.train)):
            yield from run.pacer.did(run.network.passes_of_look * len(task.train))
    yield from measuring(monitor.averaged(changed=averaged or back, drawn_back=back))
    yield from _set_prototypes(run, task, seen)
    run.learner.end_task()
    yield from measuring(monitor.settled(place.epoch - 1, run.step))
    yield from _examine(run, number)
    if run.folder is not None:
        files = answering.keep(run.folder, number, run.examiner.answers, task)
        yield Answered(number, run.step, *files)
        save_run_adapter(run.folder, run.config, run.weights, run.network, run.examiner)
    run.place = Place(number + 1)
    yield TaskEnded(number, run.step, *run.network.kept, peak_so_far(run.feeder.device))


def _begin(run: Running, task: TaskData) -> Iterator[Event]:
    """Look at the task's pictures, prepare the learner for it, and forecast."""
    place, length = run.place, run.learner.length(run.place.task, task.info.train_counts)
    place.frozen = yield from run.examiner.admit(task)
    yield from run.pacer.did(len(task.train) + len(task.test))
    place.before = yield from _features_before(run, task, place.frozen)
    with run.initialisation:
        run.learner.begin_task(task.info.class_ids, max(length.epochs, 1))
    place.first = run.step
    run.before = None
    # Where no other classes are known there are no answers to be moved.
    if run.learner.may_stop(place.task) and len(run.learner.learnt):
        whole = run.learner.sees_all(place.task, len(task.train))
        place.start, seen = yield from old_answers(run, task, planned=whole)
        run.before = seen if whole else None
    start = run.monitor.start_task(run.network, run.learner, run.feeder, task, run.step)
    yield from run.pacer.measuring(start)
    place.begun = True
    yield TaskStarted(place.task, run.step, length.epochs, max(length.steps, 1))


def _epoch(run: Running, task: TaskData, number: int, epoch: int) -> Iterator[Event]:
    """Train on the epoch's pictures, or on what is left of them."""
    place, size = run.place, run.config.train.batch_size
    labels, counts = task.local_labels, task.info.train_counts
    length = run.learner.length(number, counts)
    if place.rest is None:
        place.lr = run.learner.begin_epoch(epoch)
        left = max(length.steps - (run.step - place.first), 0)
        place.rest = _drawn(run, task)[: left * size]
        if epoch >= run.learner.likely_length(number, counts).epochs:
            more = len(place.rest)
            run.pacer.expect(run.network.passes_of_step * more, math.ceil(more / size))
    run.network.train()
    run.pacer.restart_clock_of_images()
    yield Stage(
        f"Task {number + 1} of {len(run.tasks.tasks)}, epoch {epoch + 1} of {length.epochs}"
    )
    batches = [part.numpy() for part in torch.split(place.rest, size) if len(part)]
    feeding = run.feeder.augmented(task.train[at] for at in batches)
    with closing(feeding):
        for at, images in zip(batches, feeding, strict=True):
            values = yield from _learn_from(run, images, torch.from_numpy(labels[at]))
            # whoever leaves at the step finds it counted
            run.step, place.rest = run.step + 1, place.rest[len(at) :]
            paces = run.pacer.did(run.network.passes_of_step * len(at), len(at), 1)
            yield from look(run, task, is_last=_is_last(run))
            yield Step(number, epoch, run.step - 1, place.lr, values)
            yield from paces
            if place.over:
                break
    run.watch.see_all()


def _drawn(run: Running, task: TaskData) -> Tensor:
    """Return the places (n,) of the training pictures to be trained on, shuffled."""
    places = torch.arange(len(task.train))
    if run.learner.judges(run.place.task):
        places = places[torch.from_numpy(~judging(task.train_labels))]
    return places[torch.randperm(len(places), generator=run.order)]


def _is_last(run: Running) -> bool:
    """Whether no task is to follow the one under way."""
    closed = run.config.method.sequence == "closed"
    return closed and run.place.task == len(run.tasks.tasks) - 1


def _learn_from(
    run: Running, images: Tensor, labels: Tensor
) -> Generator[Note, None, Mapping[str, float]]:
    """Make one step, and return its terms; what is known not to be finite is said before anything is changed."""
    terms = yield from gradients(run, images, labels)
    values = numbers(terms)
    run.watch.see(run.learner.task, values)
    run.learner.step()
    return values


def _features_before(
    run: Running, task: TaskData, frozen: Tensor
) -> Generator[Stage, None, Tensor | None]:
    """Return features (n, D) of the task's pictures before it is learnt, if drift is to be estimated from them."""
    if run.switches["prototype_drift"] != "compensated" or not len(run.network.prototypes.counts):
        return None
    text = f"Looking at '{task.info.name}' before learning it"
    seen = yield from see(run.network, run.feeder, task.train, frozen, text)
    return fuse(run.network, seen).main


def _set_prototypes(run: Running, task: TaskData, seen: Seen | None) -> Iterator[Event]:
    """Let the head learn the task's training pictures, as they were `seen` if they were since the last change."""
    frozen, before = cast(Tensor, run.place.frozen), run.place.before
    if seen is None:
        text = f"Making prototypes of '{task.info.name}'"
        seen = yield from see(run.network, run.feeder, task.train, frozen, text)
    yield from run.pacer.did(run.network.passes_of_look * len(task.train))
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
    labels = torch.tensor(task.local_labels, device=seen.s1.device)
    run.learner.refit_fusion(seen.s1, seen.s2, labels, run.order)


def _examine(run: Running, number: int) -> Iterator[Event]:
    row = yield from run.examiner.examine(run.step, run.seen)
    yield row
    passes, looked = run.network.passes_of_look, run.examiner.looked
    run.pacer.expect(passes * (looked - tested(row.sizes, number, run.learner)), 0)
    yield from run.pacer.did(passes * looked)
    last = max(run.place.epoch - 1, 0)
    for name, value in run.examiner.summary().items():
        reason = "" if value is not None else "needs more than one task"
        yield Measured(name, number, last, run.step, value, reason)


def _skipped_terms(learner: Learner) -> Iterator[Note]:
    if learner.skipped:
        yield Note(
            f"Task {learner.task + 1}: {learner.skipped} auxiliary loss terms were left out, because their batch "
            "had no two pictures of one class or nothing was learnt before."
        )
