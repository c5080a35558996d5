"""The accuracy family, from the accuracy matrix R and from logits; fractions, None where undefined.

`rows[t][j]` is the accuracy on task j's test part after task t (j ≤ t) and `sizes[t][j]` its number
of pictures. Forgetting: Chaudhry et al. 2018 (arXiv 1801.10112), the best taken from the task's own
row on. Backward transfer: Lopez-Paz & Ranzato 2017 (arXiv 1706.08840).
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Rows = Sequence[Sequence[float]]
Sizes = Sequence[Sequence[int]]
Logits = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]


def accuracy_seen(row: Sequence[float], sizes: Sequence[int]) -> float | None:
    """Return the accuracy pooled over all test pictures of the tasks seen."""
    total = sum(sizes)
    if not total:
        return None
    return math.fsum(a * n for a, n in zip(row, sizes, strict=True)) / total


def accuracy_unweighted(row: Sequence[float]) -> float | None:
    """Return the mean over tasks, each counting the same."""
    return math.fsum(row) / len(row) if row else None


def average_accuracy(rows: Rows, sizes: Sizes) -> float | None:
    """Return the mean of the pooled accuracy over the tasks learnt so far."""
    pooled = [accuracy_seen(row, counts) for row, counts in zip(rows, sizes, strict=True)]
    known = [value for value in pooled if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(pooled) else None


def forgetting_per_task(rows: Rows) -> tuple[float, ...]:
    """Return, for each task but the last, its best accuracy since it was learnt minus its present one."""
    last = len(rows) - 1
    return tuple(
        max(rows[learnt][task] for learnt in range(task, last)) - rows[last][task]
        for task in range(last)
    )


def forgetting(rows: Rows) -> float | None:
    """Return the mean forgetting of the earlier tasks; undefined after one task."""
    return accuracy_unweighted(forgetting_per_task(rows))


def backward_transfer(rows: Rows) -> float | None:
    """Return how the earlier tasks changed since each was learnt; undefined after one task."""
    return accuracy_unweighted([rows[-1][j] - rows[j][j] for j in range(len(rows) - 1)])


def learning_accuracy(rows: Rows) -> float | None:
    """Return the mean accuracy on each task right after it was learnt."""
    return accuracy_unweighted([row[task] for task, row in enumerate(rows)])


def class_incremental(logits: Logits, labels: Labels) -> float | None:
    """Return the fraction of pictures whose largest logit (n, C) is their label's; None for none."""
    return _mean(logits.argmax(axis=1) == labels) if len(labels) else None


def task_incremental(
    logits: Logits, labels: Labels, own: Mask, mask: Literal["zero", "minus_infinity"]
) -> float | None:
    """Return the accuracy with the task given.

    `own` (n, C) marks the classes of each picture's own task; the other logits become `mask`. With
    "zero" a foreign class wins where every own logit is negative, as in the official code.
    """
    return class_incremental(told_task(logits, own, mask), labels)


def told_task(logits: Logits, own: Mask, mask: Literal["zero", "minus_infinity"]) -> Logits:
    """Return the logits with those of foreign classes hidden by `mask`."""
    return np.where(own, logits, 0.0 if mask == "zero" else -np.inf)


def task_id(logits: Logits, own: Mask) -> float | None:
    """Return the fraction of pictures whose largest logit belongs to a class of their own task."""
    if not len(logits):
        return None
    return _mean(np.take_along_axis(own, logits.argmax(axis=1)[:, None], axis=1))


def summary(
    rows: Rows, sizes: Sizes, task_incremental_rows: Rows, task_id_rows: Rows, baseline_rows: Rows
) -> dict[str, float | None]:
    """Return every accuracy measure after the last row, by its name in `workbench.measures`.

    All matrices have the same shape; at least one row.
    """
    last, counts = rows[-1], sizes[-1]
    return {
        "accuracy_seen": accuracy_seen(last, counts),
        "accuracy_unweighted": accuracy_unweighted(last),
        "average_accuracy": average_accuracy(rows, sizes),
        "forgetting": forgetting(rows),
        "backward_transfer": backward_transfer(rows),
        "learning_accuracy": learning_accuracy(rows),
        "task_incremental_accuracy": accuracy_seen(task_incremental_rows[-1], counts),
        "task_id_accuracy": accuracy_seen(task_id_rows[-1], counts),
        "baseline_seen": accuracy_seen(baseline_rows[-1], counts),
        "baseline_average": average_accuracy(baseline_rows, sizes),
    }


def _mean(hits: Mask) -> float:
    return float(np.mean(hits))
