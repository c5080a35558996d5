"""What answers best from frozen features: the program's heads on the same pictures, nothing trained.

    python -m tests.benchmarks.bench_heads [--per-class N ...] [--seeds S] DIR ...

DIR are task folders with train/ and test/; without any, the sample's. For each N training pictures a class (0: all)
and each of S seeds, which draw the pictures, every head learns the tasks one after the other; printed are accuracy over all
test pictures, in per cent, with its sample standard deviation, and the seconds a head took. The answer is chosen among
all classes. Features are those of the sample backbone in bf16.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch

from workbench.config import (
    DataConfig,
    RunConfig,
    SeedConfig,
    TaskFolder,
    effective_switches,
    with_values,
)
from workbench.core.build import build_network
from workbench.core.device import Stream
from workbench.core.evaluate import frozen_features, set_prototypes
from workbench.core.feeder import Feeder
from workbench.core.network import Network
from workbench.core.steps import result_of
from workbench.core.tasks import TaskLoader, TaskSet
from workbench.core.weights import LoadedWeights, load_weights
from workbench.session.sample import configuration

ANSWERS = ("cosines", "discriminant", "random_projection", "ensemble")


def network_of(weights: LoadedWeights, answers: str) -> Network:
    """A network without a branch, whose head answers so."""
    config = with_values(RunConfig(), {"model.branches": "none", "switches.answers": answers})
    network = build_network(config.model, effective_switches(config), weights, torch.device("cpu"))
    network.backbone.tier = "bf16"
    return network.eval()


def accuracies(tasks: TaskSet, networks: dict[str, Network]) -> dict[str, tuple[float, float]]:
    """Return each head's accuracy over all test pictures, and the seconds that it took."""
    seeing = next(iter(networks.values()))
    feeder = Feeder(tasks.cache, seeing.backbone.image_size, torch.device("cpu"), torch.float32, Stream(0))  # fmt: skip
    parts = [
        [result_of(frozen_features(seeing, feeder, side, "")) for side in (task.train, task.test)]
        for task in tasks.tasks
    ]
    tests = torch.cat([test for _, test in parts])
    truth = np.concatenate([task.test_labels for task in tasks.tasks])
    found = {}
    for name, network in networks.items():
        began = time.perf_counter()
        for task, (train, _) in zip(tasks.tasks, parts, strict=True):
            set_prototypes(network.prototypes, task, train)
        answers = network.prototypes(tests).argmax(1).numpy()
        found[name] = (100 * float((answers == truth).mean()), time.perf_counter() - began)
    return found


def main(arguments: Sequence[str]) -> None:
    """Print a line for each number of pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR")
    parser.add_argument("--per-class", nargs="+", type=int, default=[8, 0], metavar="N")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    base = configuration().data
    if options.folders:
        found = tuple(TaskFolder(folder.name, str(folder)) for folder in options.folders)
        base = DataConfig(tasks=found)
    with tempfile.TemporaryDirectory() as home:
        weights = result_of(load_weights("sample", "", Path(home)))
    for number in options.per_class:
        rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for seed in range(options.seeds):
            config = with_values(RunConfig(data=base), {"data.train_per_class": number, "data.test_per_class": 0})  # fmt: skip
            seeds = SeedConfig(*[seed] * len(SeedConfig.__dataclass_fields__))
            with closing(TaskLoader(config.data, seeds)) as loader:
                tasks = result_of(loader.load())
                networks = {answers: network_of(weights, answers) for answers in ANSWERS}
                for name, row in accuracies(tasks, networks).items():
                    rows[name].append(row)
        say(number, rows)


def say(number: int, rows: dict[str, list[tuple[float, float]]]) -> None:
    """Print what the heads reached with so many pictures a class."""
    cells = []
    for name, found in rows.items():
        right, seconds = zip(*found, strict=True)
        spread = statistics.stdev(right) if len(right) > 1 else 0.0
        cells.append(f"{name} {statistics.mean(right):.1f} ± {spread:.1f} ({statistics.mean(seconds):.2f} s)")  # fmt: skip
    sys.stdout.write(f"{number or 'all'} a class: {', '.join(cells)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
