"""How good a forecast was, and the network's own generalisation gap.

Spearman 1904 for the rank correlation. Tensors are float64. A number that cannot be said is absent with
its reason.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.core.gaps import Value, ratio


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> Value:
    """Return Spearman's ρ, the correlation of ranks, ties taking their mean rank: −1 to 1."""
    if len(a) < 3:
        return Value(None, "an order needs at least three values")
    if not all(map(math.isfinite, [*a, *b])):
        return Value(None, "some of the values are not finite")
    ranks = [_ranks(torch.tensor(side, dtype=torch.float64)) for side in (a, b)]
    first, second = (side - side.mean() for side in ranks)
    return ratio(first @ second, first.norm() * second.norm(), "the values are all the same")


def _ranks(values: Tensor) -> Tensor:
    """Return the ranks of values (k,), from 0; equal values take their mean rank."""
    below, same = values[:, None] > values, values[:, None] == values  # (k, k)
    ranks: Tensor = below.double().sum(1) + 0.5 * same.double().sum(1) - 0.5
    return ranks


def class_movement(movement: Sequence[Tensor], labels: Sequence[Sequence[int]]) -> dict[int, float]:
    """Return the root mean square movement of each class's own pictures, by class id, in logits.

    `movement` is (n, C) for each old task and `labels` the class ids of its n pictures. A class of
    several tasks is pooled; a class whose movement is not finite is left out.
    """
    squares = defaultdict(list)
    for moved, task_labels in zip(movement, labels, strict=True):
        means = moved.square().mean(1).tolist()  # (n,)
        for label, square in zip(task_labels, means, strict=True):
            squares[label].append(square)
    roots = {label: math.sqrt(math.fsum(s) / len(s)) for label, s in sorted(squares.items())}
    return {label: root for label, root in roots.items() if math.isfinite(root)}


@dataclass(frozen=True)
class NetworkGap:
    """How much worse the network is on test pictures than on training pictures."""

    nats: Value  # cross-entropy, test − train
    brier: Value  # mean ‖softmax(h) − y‖², test − train; −2 to 2
    accuracy: Value  # train − test, a fraction


def network_gap(
    train_logits: Tensor, train_labels: Tensor, test_logits: Tensor, test_labels: Tensor
) -> NetworkGap:
    """Return the gap of logits (n, C) with local labels (n,), 0 to C − 1, between training and test."""
    reason = _why_no_gap(train_logits, test_logits)
    if reason:
        absent = Value(None, reason)
        return NetworkGap(absent, absent, absent)
    train, test = _risks(train_logits, train_labels), _risks(test_logits, test_labels)
    nats, brier = (ratio(test[i] - train[i], 1.0, "") for i in (0, 1))
    return NetworkGap(nats, brier, Value(train[2] - test[2]))


def _why_no_gap(train: Tensor, test: Tensor) -> str:
    if not len(train):
        return "the task has no training pictures in the probe"
    if not len(test):
        return "the task has no test pictures in the probe"
    if train.shape[1] < 2:
        return "with one class every answer is right"
    if not (train.isfinite().all() and test.isfinite().all()):
        return "the logits are not finite"
    return ""


def _risks(logits: Tensor, labels: Tensor) -> tuple[float, float, float]:
    """Return cross-entropy, Brier score and accuracy."""
    wanted = F.one_hot(labels, logits.shape[1])
    brier = (logits.softmax(1) - wanted).square().sum(1).mean()
    right = (logits.argmax(1) == labels).double().mean()
    return float(F.cross_entropy(logits, labels)), float(brier), float(right)
