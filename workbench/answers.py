"""What a run answered on every single test picture after a task, and the numbers that follow from it.

Rows are pictures: task by task, within a task in the order of its list of pictures. The accuracy
matrix is the mean over rows; confusion, precision and recall, what was forgotten are sums over them.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Numbers = NDArray[np.float32]
Mask = NDArray[np.bool_]
MOST = 5  # classes kept of each picture
TOO_MANY = 100_000  # classes; a table of all by all would fill the memory
Z = 1.959963984540054  # of 95 %


@dataclass(frozen=True, eq=False)
class Answers:
    """One row a test picture of the tasks seen. Classes are global numbers, scores are probabilities."""

    task: Integers  # (n,) 0-based, the task the picture belongs to
    label: Integers  # (n,) its true class
    predicted: Integers  # (n,) among all classes seen
    given_task: Integers  # (n,) the answer where the task is told
    baseline: Integers  # (n,) of the frozen backbone's nearest class mean
    score: Numbers  # (n,) of the predicted class
    score_true: Numbers  # (n,) of the true class
    best: Integers  # (n, k) the k classes with the highest score, best first
    best_scores: Numbers  # (n, k)

    def __len__(self) -> int:
        return len(self.label)

    @property
    def right(self) -> Mask:
        """Which pictures were recognised."""
        return np.asarray(self.predicted == self.label)

    @property
    def tasks(self) -> int:
        """How many tasks were seen."""
        return int(self.task.max()) + 1 if len(self) else 0

    @cached_property
    def places(self) -> Integers:
        """Each picture's place in its task's list of pictures."""
        starts = np.searchsorted(self.task, self.task)
        return np.arange(len(self.task)) - starts

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays of a file by name, whole numbers as short as they fit."""
        found = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        return {
            name: array.astype(np.int32) if array.dtype.kind == "i" else array
            for name, array in found.items()
        }


def answers_of(arrays: Mapping[str, NDArray[np.generic]]) -> Answers:
    """Build answers from the arrays of a file.

    Raises:
        KeyError: one is not there.
        ValueError: they are not of the same pictures, or name a class or task that none can be.
    """
    kinds = {item.name: item.type for item in dataclasses.fields(Answers)}
    values: dict[str, Any] = {
        name: arrays[name].astype(np.float32 if kind is Numbers else np.int64)
        for name, kind in kinds.items()
    }
    for name, array in values.items():
        ways = 2 if name.startswith("best") else 1
        if array.ndim != ways or len(array) != len(values["label"]):
            raise ValueError(f"{name} has shape {array.shape}")
        if (
            array.dtype.kind == "i"
            and array.size
            and not -1 <= array.min() <= array.max() < TOO_MANY
        ):
            raise ValueError(f"{name} holds numbers from {array.min()} to {array.max()}")
    if values["best"].shape != values["best_scores"].shape or (np.diff(values["task"]) < 0).any():
        raise ValueError("the rows are not in the order of the tasks")
    return Answers(**values)


def joined(parts: Sequence[Answers]) -> Answers:
    """Return the pictures of several tasks as one; lists of best classes as long as the longest."""
    most = max(part.best.shape[1] for part in parts)
    columns: dict[str, NDArray[np.generic]] = {}
    for item in dataclasses.fields(Answers):
        arrays = [getattr(part, item.name) for part in parts]
        if arrays[0].ndim == 2:
            arrays = [np.pad(a, ((0, 0), (0, most - a.shape[1]))) for a in arrays]
        columns[item.name] = np.concatenate(arrays)
    return answers_of(columns)


def accuracy_row(answers: Answers) -> tuple[float, ...]:
    """Return the class-incremental accuracy on each task: a row of the accuracy matrix."""
    return tuple(float(np.mean(answers.right[answers.task == t])) for t in range(answers.tasks))


def confusion(answers: Answers, classes: int) -> Integers:
    """Return how many pictures of class i (row) were taken for class j (column): (classes, classes)."""
    flat = answers.label * classes + answers.predicted
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def by_owner(counts: Integers, owner: Sequence[int], owners: int) -> Integers:
    """Return the confusion matrix summed over the tasks that own its classes: (owners, owners)."""
    indicator = np.zeros((owners, len(owner)), np.int64)
    indicator[np.asarray(owner, np.int64), np.arange(len(owner))] = 1
    return np.asarray(indicator @ counts @ indicator.T)


@dataclass(frozen=True)
class ClassScore:
    """One class of a confusion matrix; None where nothing is there to be counted."""

    label: int
    pictures: int  # of the class
    answers: int  # pictures taken for it
    right: int
    mistaken_for: int | None  # the class most often answered wrongly

    @property
    def recall(self) -> float | None:
        """The share of its pictures that were recognised."""
        return self.right / self.pictures if self.pictures else None

    @property
    def precision(self) -> float | None:
        """The share of pictures taken for it that are of it."""
        return self.right / self.answers if self.answers else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall: 2 right / (pictures + answers)."""
        both = self.pictures + self.answers
        return 2 * self.right / both if both else None


def class_scores(counts: Integers) -> list[ClassScore]:
    """Return the scores of every class of a confusion matrix."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    return [
        ClassScore(
            label, int(counts[label].sum()), int(counts[:, label].sum()), int(counts[label, label]),
            int(wrong[label].argmax()) if wrong[label].any() else None,
        )
        for label in range(len(counts))
    ]  # fmt: skip


def wilson(right: int, total: int) -> tuple[float, float] | None:
    """Return the 95 % interval of a share by E. B. Wilson (1927); None for none.

    (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)
    """
    if not total:
        return None
    p, n = right / total, total
    middle, width = p + Z * Z / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    low, high = ((middle + sign * width) / (1 + Z * Z / n) for sign in (-1, 1))
    return max(low, 0.0), min(high, 1.0)


def worst(answers: Answers) -> Integers:
    """Return the rows answered wrongly, the surest first."""
    wrong = np.flatnonzero(~answers.right)
    return np.asarray(wrong[np.argsort(-answers.score[wrong], kind="stable")])


@dataclass(frozen=True, eq=False)
class Forgotten:
    """What became of the pictures recognised right after their own task, by the last moment looked at."""

    rows: Integers  # in the last answers: recognised then, wrong now
    lost_after: Integers  # for each, the first task after which it was wrong
    recovered: int  # wrong at some time since, right now
    kept: int  # recognised right after their task, and now


def forgotten(history: Sequence[Answers]) -> Forgotten:
    """Compare the answers after task 0, 1, …, now; `history[t]` are those after task t."""
    now = history[-1]
    never = len(history)
    first = np.full(len(now), never, np.int64)  # when first wrong after its own task
    learnt = np.zeros(len(now), bool)
    for after, then in enumerate(history):
        known = len(then)  # tasks only join at the end, so rows stay where they are
        wrong = ~then.right
        own = then.task == after
        learnt[:known][own] = ~wrong[own]
        first[:known] = np.where(wrong & ~own & (first[:known] == never), after, first[:known])
    lost = np.flatnonzero(learnt & ~now.right)
    fallen = learnt & (first < never)
    return Forgotten(
        lost, first[lost], int((fallen & now.right).sum()), int((learnt & now.right).sum())
    )
