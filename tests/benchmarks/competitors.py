"""What the throughput benchmark compares: backbones with batches, and ways of training on them.

A new way of training is a line in `TIERS`; a new backbone or batch one in `CELLS`.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tests.benchmarks.official import official_loop
from tests.benchmarks.plain_step import PlainStep
from workbench.config import MethodConfig, ModelConfig, RunConfig, TrainConfig, effective_switches
from workbench.core.backbone import Backbone, create
from workbench.core.cache import PictureCache
from workbench.core.device import Stream
from workbench.core.feeder import Feeder
from workbench.core.learner import Learner
from workbench.core.network import Network
from workbench.core.numbers import Watch, numbers

KNOWN, NEW = 50, 10  # classes: the sixth of ten tasks of ten
SIDE = 224
STEPS = {"cpu": 1, "cuda": 10}  # of one tier before it is the next one's turn
STORED = 256  # side of the stored pictures that batches are cut from, where they are
Batch = tuple[
    Tensor, Tensor
]  # pixels (B, 3, H, W) in [0, 1] on the device, global class ids (B,) on the processor


@dataclass(frozen=True)
class Cell:
    """A backbone and a batch; `pretrained`: the backbone's own feature is a section, which costs a pass."""

    name: str
    architecture: str
    batch: int
    pretrained: bool
    depth: int = 12

    @property
    def label(self) -> str:
        """What the table calls it."""
        blocks = "" if self.depth == 12 else f", {self.depth} blocks"
        word = "with" if self.pretrained else "without"
        return f"{self.name}{blocks}, batch {self.batch}, {word} the pretrained section"

    def learner(self, device: torch.device) -> Learner:
        """Our learner in the midst of its tasks; all weights are random, the same for every tier."""
        torch.manual_seed(0)
        method = MethodConfig(profile="paper")
        switches = effective_switches(RunConfig(method=method))
        model = ModelConfig(use_pretrained_section=self.pretrained)
        backbone = Backbone(create(self.architecture, None, depth=self.depth))
        network = Network(backbone, model, switches).to(device)
        network.prototypes.grow(KNOWN)
        network.prototypes.weight.normal_()
        network.prototypes.counts.fill_(1)
        training = TrainConfig(batch_size=self.batch)
        learner = Learner(network, method, switches, training, torch.Generator())
        learner.begin_task(tuple(range(KNOWN, KNOWN + NEW)), training.epochs)
        return learner

    def batches(self, device: torch.device) -> list[Batch]:
        """Pictures of noise for one turn, on the device."""
        made = torch.Generator().manual_seed(0)
        found = []
        for _ in range(STEPS[device.type]):
            shape = (self.batch, 3, SIDE, SIDE)
            pixels = torch.randint(0, 256, shape, generator=made, dtype=torch.uint8)
            ids = torch.randint(KNOWN, KNOWN + NEW, (self.batch,), generator=made)
            found.append((pixels.to(device) / 255, ids))
        return found

    def waits(self, device: torch.device, train: Callable[[Sequence[Batch]], None]) -> list[float]:
        """Return the seconds that some steps waited for their pictures, cut from stored ones as a run does it."""
        noise, steps = np.random.default_rng(0), STEPS[device.type] + 2
        ids = torch.full((self.batch,), KNOWN)
        with PictureCache(1 << 30) as cache:
            for _ in range(2 * self.batch):
                cache.append(noise.integers(0, 256, (STORED, STORED, 3), dtype=np.uint8))
            feeder = Feeder(cache, SIDE, device, torch.float32, Stream(0, "augmentation"))
            chosen = [noise.permutation(len(cache))[: self.batch] for _ in range(steps)]
            waited = []
            with closing(feeder.augmented(chosen)) as feeding:
                for _ in chosen:
                    began = time.perf_counter()
                    images = next(feeding)
                    waited.append(time.perf_counter() - began)
                    train([(images, ids)])
        return waited[1:]  # the first one fills the pipe


CELLS = {
    "cpu": [Cell("ViT-Tiny/16", "vit_tiny_patch16_224", 16, p) for p in (False, True)],
    "cuda": [
        Cell("ViT-B/16", "vit_base_patch16_224", batch, p)
        for batch in (16, 96)
        for p in (False, True)
    ],
}


@dataclass(frozen=True)
class Competitor:
    """Something that trains on batches, and the decomposition that each of its steps makes, if it does."""

    train: Callable[[Sequence[Batch]], None]
    decompose: Callable[[], object] | None = None
    fed: bool = False  # whether our feeder cuts its pictures


def plain(learner: Learner) -> Competitor:
    """The plain formulation of the official step."""
    step = PlainStep(learner)

    def train(batches: Sequence[Batch]) -> None:
        for images, ids in batches:
            step.step(images, ids.to(images.device))

    return Competitor(train, step.directions)


def ours(learner: Learner) -> Competitor:
    """Our step as `core.loop` does it: dropout from a stream of its own, every term read for the log."""
    dropout = Stream(0, "dropout", learner.network.prototypes.weight.device)
    watch = Watch()

    def train(batches: Sequence[Batch]) -> None:
        for images, ids in batches:
            with dropout:
                batch = learner.forward(images, ids - KNOWN)
            terms = learner.losses(batch)
            watch.see(learner.task, numbers(terms))
            learner.backward(terms)
            learner.step()

    return Competitor(train, fed=True)


def ours_in(tier: str, learner: Learner) -> Competitor:
    """Our step with this `train.precision`; as in a run, the backbone alone is in the tier."""
    learner.network.backbone.tier = tier
    return ours(learner)


def official(place: Path, learner: Learner) -> Competitor:
    """The official code's own loop, with random weights."""
    return Competitor(official_loop(place, learner), PlainStep(learner).directions)


@dataclass(frozen=True)
class Tier:
    """One row of each cell.

    Attributes:
        precision: of the backbone's matmuls: strict, tf32 or bf16.
        switch: what torch is switched to around the whole step; our network switches the backbone's part by itself.
    """

    name: str
    precision: str
    devices: tuple[str, ...]
    build: Callable[[Learner], Competitor]
    switch: str = "strict"

    @property
    def label(self) -> str:
        """What the table calls it."""
        return f"{self.name} {self.precision}"


# Every way of training that is compared. The first is what the others are divided by; a new way is a line here.
TIERS = [
    Tier("plain", "strict", ("cpu", "cuda"), plain),
    Tier("plain", "tf32", ("cuda",), plain, switch="tf32"),
    Tier("ours", "strict", ("cpu", "cuda"), ours),
    Tier("ours", "tf32", ("cuda",), partial(ours_in, "tf32")),
    Tier("ours", "bf16", ("cpu", "cuda"), partial(ours_in, "bf16")),
]
