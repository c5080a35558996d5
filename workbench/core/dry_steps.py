"""A few real steps and looks on the run's own network, timed, with the memory they take; nothing is kept of them.

The first step, on few pictures, warms up and says how much memory a full batch would take; a full
one is only tried where that is free.
"""

import statistics
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch

from workbench.config import RunConfig, effective_switches
from workbench.core.build import build_network
from workbench.core.cache import PictureCache
from workbench.core.device import Stream
from workbench.core.feeder import Feeder
from workbench.core.learner import Learner
from workbench.core.numbers import numbers
from workbench.core.precision import resolve
from workbench.core.resident import Peak, held, room
from workbench.core.units import Line
from workbench.core.weights import LoadedWeights
from workbench.errors import WorkbenchError, is_short_of_memory
from workbench.events import Stage

SMALL = 8  # pictures of the first step, at most
ENOUGH = 0.5  # seconds of steps of one kind, and
MOST = 5  # steps of one kind: then the middle one counts
TEXT = "Trying a few steps"


@dataclass(frozen=True)
class Measured:
    """Seconds a picture when looking, a step's seconds and bytes by batch."""

    frozen: float
    looking: float
    step: Line
    memory: Line


class DryRun:
    """The run's network and learner at the start of a task of so many classes."""

    def __init__(
        self, config: RunConfig, weights: LoadedWeights, cache: PictureCache,
        device: torch.device, method: Callable[..., Learner], classes: int,
    ) -> None:  # fmt: skip
        switches, self.device = effective_switches(config), device
        self._chance = Stream(0, "dry steps", device)
        with self._chance:
            self.network = build_network(config.model, switches, weights, device)
            self.network.backbone.tier = resolve(config, device)
            generator = torch.Generator().manual_seed(0)
            self.learner = method(self.network, config.method, switches, config.train, generator)
            self.learner.begin_task(tuple(range(classes)), config.train.epochs)
        self.learner.begin_epoch(0)
        size = self.network.backbone.image_size
        self.feeder = Feeder(cache, size, device, torch.float32, Stream(0, "augmentation"))
        self._classes = classes

    @property
    def trains(self) -> bool:
        """Whether anything is trained at all."""
        return self.learner.trains(0)

    def step(self, size: int) -> None:
        """Train on so many pictures; where nothing is trained, see them."""
        if not self.trains:
            return self.see_frozen(size)
        self.network.train()
        labels = torch.arange(size) % self._classes
        images = next(self.feeder.augmented([self._pictures(size)]))
        with self._chance:
            batch = self.learner.forward(images, labels)
        terms = self.learner.losses(batch)
        self.learner.backward(terms)
        self.learner.step()
        numbers(terms)

    @torch.no_grad()
    def look(self, size: int) -> None:
        """See so many pictures in evaluation mode, their frozen features known."""
        self.network.eval()
        known = torch.zeros(size, self.network.backbone.width, device=self.device)
        self.network(self.feeder.plain(self._pictures(size)), known)

    @torch.no_grad()
    def see_frozen(self, size: int) -> None:
        """See so many pictures with the frozen backbone alone."""
        backbone = self.network.backbone
        backbone(backbone.stem(self.feeder.plain(self._pictures(size))))

    def _pictures(self, size: int) -> np.ndarray:
        return np.arange(size) % len(self.feeder.cache)


def measure(dry: DryRun, batch: int, before: int) -> Generator[Stage, None, Measured]:
    """Time steps and looks; memory is counted from the `before` bytes held without a network.

    Raises:
        WorkbenchError: not even the first small step fits into memory.
    """
    start, small = held(dry.device), min(SMALL, max(batch // 4, 1))
    yield Stage(TEXT)
    low = _peak_of(dry, small)
    if low is None:
        raise WorkbenchError(
            f"Not even {small} pictures at a time fit into the memory that is free now. "
            "Choose a smaller backbone, or close other programs."
        )
    yield Stage(TEXT)
    slow = yield from _timed(dry, dry.step, small)
    grown = (low - start) / small * batch
    high = _peak_of(dry, batch) if batch > small and grown <= room(dry.device)[0] else None
    step, memory = Line(0.0, slow / small), Line(max(start - before, 0), (low - start) / small)
    if high is not None:
        yield Stage(TEXT)
        whole = yield from _timed(dry, dry.step, batch)
        step = Line.through((small, slow), (batch, whole))
        memory = Line.through((small, low - before), (batch, high - before))
    piece = dry.network.piece
    yield Stage(TEXT)
    looking = yield from _timed(dry, dry.look, piece)
    frozen = yield from _timed(dry, dry.see_frozen, piece)
    return Measured(frozen / piece, looking / piece, step, memory)


def _peak_of(dry: DryRun, size: int) -> int | None:
    """Return the most memory held while training on so many pictures, or None if that does not fit."""
    try:
        with Peak(dry.device) as peak:
            dry.step(size)
    except (RuntimeError, MemoryError) as error:
        if is_short_of_memory(error):
            return None
        raise
    return peak.bytes


def _timed(dry: DryRun, work: Callable[[int], None], size: int) -> Generator[Stage, None, float]:
    """Return the middle of some repetitions' seconds."""
    taken: list[float] = []
    while len(taken) < MOST and (not taken or sum(taken) < ENOUGH):
        _finish(dry.device)
        began = time.perf_counter()
        work(size)
        _finish(dry.device)
        taken.append(time.perf_counter() - began)
        yield Stage(TEXT)
    return statistics.median(taken)


def _finish(device: torch.device) -> None:
    """Wait for the GPU, which works behind the program."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
