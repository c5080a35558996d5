"""What a run will need, before it starts: memory and time from a few dry steps and the pictures' counts.

Time is the sum of each kind of work times what one of it was measured to cost. Memory grows along
a line with the batch, through dry steps at two batch sizes, beside the pictures that are kept.
"""

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from pathlib import Path

from workbench.config import RunConfig
from workbench.core.cache import PictureCache
from workbench.core.device import choose_device
from workbench.core.dry_steps import DryRun, measure
from workbench.core.learner import Learner
from workbench.core.precision import STRICT, products_in
from workbench.core.resident import held, room
from workbench.core.steps import inside
from workbench.core.units import Units, largest_batch, total_seconds
from workbench.core.weights import LoadedWeights, load_weights
from workbench.core.workload import Counted, amounts, count, monitor_passes, read_samples
from workbench.events import Note, Stage
from workbench.report import RunEstimate

_RANDOM = "random:"


def estimate(
    config: RunConfig, home: Path, method: Callable[..., Learner] = Learner
) -> Generator[Stage | Note, None, RunEstimate]:
    """Estimate a run of `config`; nothing is downloaded, nothing is kept.

    Raises:
        WorkbenchError: something is missing, or not even a small batch fits; said in a sentence.
    """
    device = choose_device(config.train.device)
    counted = yield from count(config)
    batch = min(config.train.batch_size, counted.largest)
    limit = config.data.cache_megabytes << 20
    with PictureCache(limit) as cache:
        reading = yield from read_samples(counted, config.data.max_side, cache)
        before = held(device)
        weights = yield from _weights(config.model.backbone, home)
        classes = max(len(task) for task in counted.tasks)
        dry = DryRun(config, weights, cache, device, method, classes)
        found = yield from inside(partial(products_in, STRICT), measure(dry, batch, before))
        each = sum(cache[i].nbytes for i in range(len(cache))) / len(cache)
    memory = found.memory
    if device.type == "cpu":  # beside a GPU the pictures are kept in the computer's memory
        kept = min(each * counted.pictures, limit)
        memory = replace(memory, fixed=memory.fixed + kept)
    units = Units(reading, found.frozen, found.looking, found.step, memory)
    seconds = run_seconds(config, counted, dry, units, batch)
    total = room(device)[1]
    fitting = largest_batch(memory, total) if memory.at(batch) > total else batch
    return RunEstimate(
        seconds, memory.at(batch), total, device.type == "cuda", batch, fitting, memory.at(fitting)
    )


def run_seconds(
    config: RunConfig, counted: Counted, dry: DryRun, units: Units, batch: int
) -> float:
    """Return how long the whole run takes with its monitor, as far as that is allowed to go."""
    network = dry.network
    work = amounts(counted.tasks, config, dry.learner)
    looked = work.looked * network.passes_of_look
    passes = work.frozen + work.trained * network.passes_of_step + looked
    monitor = monitor_passes(counted.tasks, config, dry.learner, passes)
    each = units.step.at(batch) / batch / network.passes_of_step
    return total_seconds(work, units, monitor * each)


def _weights(backbone: str, home: Path) -> Generator[Stage, None, LoadedWeights]:
    """Return weights of the right shapes: chance does as well as those that may not be here."""
    if backbone != "sample" and not backbone.startswith(_RANDOM):
        backbone = _RANDOM + backbone
    return (yield from load_weights(backbone, "", home))
