"""A run with everything loaded, and where in it the loop stands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from workbench.config import RunConfig, effective_switches
from workbench.core.build import build_network
from workbench.core.device import Stream, device_name, unused_gpu
from workbench.core.evaluate import Examiner, Seen
from workbench.core.feeder import Feeder
from workbench.core.learner import Learner
from workbench.core.monitor import Monitor
from workbench.core.network import Network
from workbench.core.numbers import Watch
from workbench.core.pace import Pacer, looks
from workbench.core.precision import oddity, resolve
from workbench.core.tasks import TaskSet
from workbench.core.weights import LoadedWeights
from workbench.events import RunStarted


@dataclass
class Place:
    """Where the loop stands, and what it holds there: at the start of a task, or in it once `begun`.

    Attributes:
        epoch: to be gone on with; the number of those trained once all are done.
        rest: pictures of the epoch still to come, as drawn; None before the epoch.
        lr: the epoch's learning rate.
        frozen: the task's training pictures as the frozen backbone sees them (n, d).
        before: their features (n, D) before the task, where drift is estimated from them.
        first: steps of the run before the task.
        start: old classes' logits (m, C) on some of them before the task, where it may stop early.
        over: whether its last step is done, for whatever reason.
    """

    task: int = 0
    begun: bool = False
    epoch: int = 0
    rest: Tensor | None = None
    lr: float = 0.0
    frozen: Tensor | None = None
    before: Tensor | None = None
    first: int = 0
    start: Tensor | None = None
    over: bool = False

    @property
    def is_trained(self) -> bool:
        """Whether the last epoch is behind, too."""
        return self.over and self.rest is None


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
    folder: Path | None
    step: int = 0
    place: Place = field(default_factory=Place)
    # In no checkpoint: test pictures, by task; and the task's training pictures before it, where all were looked at.
    seen: dict[int, Seen] = field(default_factory=dict)
    before: Seen | None = None
    watch: Watch = field(default_factory=Watch)


def assemble(
    config: RunConfig,
    weights: LoadedWeights,
    tasks: TaskSet,
    device: torch.device,
    folder: Path | None,
    clock: Callable[[], float],
    method: Callable[..., Learner],
) -> Running:
    """Build everything that the run needs around weights and tasks."""
    switches, seeds = effective_switches(config), config.seeds
    initialisation = Stream(seeds.initialisation, "initialisation")
    dropout, augmentation = (
        Stream(seeds.dropout, "dropout", device),
        Stream(seeds.augmentation, "augmentation"),
    )
    with initialisation:
        network = build_network(config.model, switches, weights, device)
        network.backbone.tier = resolve(config, device)
    chance, order = (torch.Generator().manual_seed(seeds.data_order + salt) for salt in (0x5EED, 0))
    learner = method(network, config.method, switches, config.train, chance)
    pacer = pacer_of(config, learner, tasks, clock)
    size = network.backbone.image_size
    feeder = Feeder(tasks.cache, size, device, torch.float32, augmentation)
    return Running(
        config, switches, weights, tasks, network, learner, feeder,
        Examiner(network, feeder, switches["task_mask"]),
        Monitor(config.monitor, seeds.probe, pacer, folder), pacer, initialisation, dropout, order, folder,
    )  # fmt: skip


def started(run: Running) -> RunStarted:
    """Return the run's first event."""
    trainable = sum(p.numel() for p in run.network.live_parameters().values())
    return RunStarted(
        tasks=tuple(task.info for task in run.tasks.tasks), switches=run.switches,
        backbone=run.config.model.backbone, weights_sha256=run.weights.sha256,
        feature_width=run.network.training_width, trainable_parameters=trainable,
        device=device_name(run.feeder.device), sequence=run.config.method.sequence,
        backbone_parameters=sum(p.numel() for p in run.network.backbone.parameters()),
        precision=run.network.backbone.tier,
    )  # fmt: skip


def oddities(run: Running) -> Iterator[str]:
    """Yield what is odd about where the run is computed, and how; "" where nothing is."""
    device, settings = run.feeder.device, run.config.train
    yield unused_gpu(settings.device, device)
    yield oddity(settings.precision, device)
    data = run.config.data
    if data.folds:
        yield (
            f"Tested on part {data.fold} of {data.folds} of the training pictures, to choose settings by; "
            "the test part is not read."
        )


def pacer_of(
    config: RunConfig, learner: Learner, tasks: TaskSet, clock: Callable[[], float]
) -> Pacer:
    """Return the pacer that knows the run's whole work."""
    network, counts = learner.network, [len(task.train) for task in tasks.tasks]
    lengths = [learner.likely_length(i, t.info.train_counts) for i, t in enumerate(tasks.tasks)]
    trained = sum(length.pictures for length in lengths)
    tests = [len(task.test) for task in tasks.tasks]
    looked = looks(counts, tests, learner)
    once = sum(len(task.train) + len(task.test) for task in tasks.tasks)
    passes = once + trained * network.passes_of_step + network.passes_of_look * looked
    steps = sum(max(length.steps, 1) for length in lengths)
    return Pacer(steps, passes, clock)
