"""Heads that have learnt pictures, class by class."""

from typing import TypeVar

from torch import Tensor

from workbench.core.heads import PrototypeHead

H = TypeVar("H", bound=PrototypeHead)


def taught(head: H, x: Tensor, labels: Tensor) -> H:
    """Let an empty head learn features (n, D) with labels (n,), and settle."""
    head.grow(int(labels.max()) + 1)
    for label in labels.unique().tolist():
        head.learn(label, x[labels == label])
    head.settle()
    return head
