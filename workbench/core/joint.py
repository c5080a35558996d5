"""All tasks learnt at once, as one: the joint reference that learning one after another is read against.

The same network and method are given every class from the start, for as many passes over each
picture. Pooled over all test pictures, its accuracy is the same measure as A_T of the run in tasks.
It is called an upper bound by custom, not by proof: a run in tasks may pass it.
"""

import os
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from workbench.core import metrics
from workbench.core.evaluate import Examiner, fuse, see
from workbench.core.tasks import Integers, TaskData, TaskSet
from workbench.events import Measured, Stage, TaskInfo

NAME = "all tasks"
PART = "joint_part_accuracy"


def joined(tasks: TaskSet, folders: Sequence[str]) -> TaskSet:
    """Return the same pictures as one task; a class that several tasks share is one class.

    `folders` are those of the tasks; every picture is then named relative to the first.
    """
    ids = tuple(dict.fromkeys(number for task in tasks.tasks for number in task.info.class_ids))
    names = {n: name for t in tasks.tasks for n, name in zip(t.info.class_ids, t.info.class_names, strict=True)}  # fmt: skip
    train, train_labels, _ = _by_class(
        ids, [(task.train, task.train_labels) for task in tasks.tasks]
    )
    test, test_labels, order = _by_class(
        ids, [(task.test, task.test_labels) for task in tasks.tasks]
    )
    paths = [
        _seen_from(folders[0], folder, path)
        for folder, task in zip(folders, tasks.tasks, strict=True)
        for path in task.test_paths
    ]
    test_paths = tuple(paths[place] for place in order) if paths else ()
    info = TaskInfo(
        name=NAME,
        class_names=tuple(names[number] for number in ids),
        class_ids=ids,
        train_counts=tuple(int((train_labels == number).sum()) for number in ids),
        test_counts=tuple(int((test_labels == number).sum()) for number in ids),
        fingerprint="+".join(task.info.fingerprint for task in tasks.tasks),
    )
    whole = TaskData(info, train, train_labels, test, test_labels, test_paths)
    return TaskSet(tasks.cache, (whole,), hashes=tasks.hashes)


def accuracy_of_parts(
    examiner: Examiner, parts: Sequence[TaskData], epoch: int, step: int
) -> Generator[Stage | Measured, None, None]:
    """Say the accuracy on each task's own test pictures, of a network that learnt all tasks as one."""
    whole, frozen = examiner.tests[0]
    row_of = {int(index): row for row, index in enumerate(whole.test)}
    for number, part in enumerate(parts):
        text = f"Testing the pictures of '{part.info.name}'"
        rows = [row_of[int(index)] for index in part.test]
        seen = yield from see(examiner.network, examiner.feeder, part.test, frozen[rows], text)
        logits = examiner.network.prototypes(fuse(examiner.network, seen).main)
        value = metrics.class_incremental(logits.detach().cpu().numpy(), part.test_labels)
        yield Measured(PART, number, epoch, step, value, "" if value is not None else "no pictures")


def _seen_from(first: str, folder: str, path: str) -> str:
    """Return a picture's POSIX path relative to the first folder, or the whole one on another drive."""
    whole = Path(folder) / path
    try:
        return Path(os.path.relpath(whole, first)).as_posix()
    except ValueError:
        return whole.as_posix()


def _by_class(
    ids: Sequence[int], parts: Sequence[tuple[Integers, Integers]]
) -> tuple[Integers, Integers, Integers]:
    """Return indices and labels, class by class in the order of `ids`, and that order."""
    indices = np.concatenate([index for index, _ in parts])
    labels = np.concatenate([label for _, label in parts])
    order = np.concatenate([np.flatnonzero(labels == number) for number in ids])
    return indices[order], labels[order], order
