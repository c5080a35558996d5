"""A handful of a task's pictures, seen through a network that is not being trained.

Only what is looked at is decoded: class-balanced pictures drawn with the seeds of the configuration.
"""

import math
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workbench.config import RunConfig, TaskFolder
from workbench.core.device import Stream
from workbench.core.feeder import Feeder
from workbench.core.network import Network
from workbench.core.probe import Eye, Part, View, draw
from workbench.core.tasks import TaskData, load_tasks, outline
from workbench.events import Note, Stage

PICTURES = 32  # of each part of a task, unless the configuration's probe is larger


@dataclass(frozen=True)
class Glimpse:
    """What was seen of a task; labels are places in `classes`, (n,) of int64."""

    classes: tuple[str, ...]
    train: View
    train_labels: Tensor
    test: View
    test_labels: Tensor
    pictures: int  # training pictures the whole task has


def look_at(
    network: Network,
    folder: TaskFolder,
    config: RunConfig,
    size: int,
    number: int,
    *,
    tests: bool = True,
) -> Generator[Stage | Note, None, Glimpse]:
    """Look at up to `size` training and, with `tests`, as many test pictures; `number` seeds the draw.

    At least two pictures of each class are looked at where there are two.

    Raises:
        WorkbenchError: the folder is gone, or holds nothing that can be learnt.
    """
    counts = yield from outline(folder, config.data)
    size = max(size, 2 * len(counts))
    each = max(math.ceil(size / max(1, len(counts))), config.data.folds)
    data = replace(
        config.data, tasks=(folder,), first_classes=0, increment=0,
        train_per_class=_least(each, config.data.train_per_class),
        test_per_class=_least(each if tests else 1, config.data.test_per_class),
    )  # fmt: skip
    found = yield from load_tasks(data, config.seeds)
    (task,) = found.tasks
    with closing(found.cache):
        device = network.prototypes.weight.device
        feeder = Feeder(found.cache, network.backbone.image_size, device, torch.float32, Stream(0))
        parts = _drawn(task, (size, size if tests else 0), (config.seeds.probe, number))
        text = f"Looking at '{folder.name}'"
        train, test = yield from Eye(network, feeder.plain).look(parts, text)
    labels = (torch.tensor(part.labels, dtype=torch.int64, device=device) for part in parts)
    return Glimpse(
        task.info.class_names, train, next(labels), test, next(labels), sum(counts.values())
    )


def _drawn(task: TaskData, sizes: tuple[int, int], seed: tuple[int, int]) -> Sequence[Part]:
    sides = ((task.train, task.train_labels), (task.test, task.test_labels))
    return [
        draw(Part(tuple(i.tolist()), tuple(y.tolist())), sizes[side], (*seed, side))
        for side, (i, y) in enumerate(sides)
    ]


def _least(wanted: int, allowed: int) -> int:
    """Return `wanted`, but no more than the run itself takes of a class; 0 allows all."""
    return min(wanted, allowed) if allowed else wanted
