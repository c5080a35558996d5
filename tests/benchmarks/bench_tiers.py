"""Whether a precision changes what the sample comes out at, and what it saves.

    python -m tests.benchmarks.bench_tiers [SEEDS]

Trains the quick sample in each precision with 1 to SEEDS (5) as every seed, one after the other in
turn; tf32 on a GPU that knows it. Prints accuracy and seconds of each run, and means with sample standard deviations. Wants the
machine to itself.
"""

import dataclasses
import statistics
import sys
import tempfile
import time
from pathlib import Path

from workbench.config import RunConfig, SeedConfig, with_values
from workbench.core.device import choose_device
from workbench.core.precision import has_tf32
from workbench.events import Measured
from workbench.session import Session, ThreadEngine

TIERS = ("strict", "tf32", "bf16")
MEASURES = ("average_accuracy", "accuracy_seen")
"""Of the run's last row: A-bar, the mean of A_1 … A_T, and A_T."""


def trained(session: Session, config: RunConfig) -> tuple[float, ...]:
    """Train, and return the measures in per cent and the seconds that it took."""
    measured: dict[str, float] = {}
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for event in ThreadEngine().events(config, session.home, Path(folder)):
            if isinstance(event, Measured) and event.value is not None:
                measured[event.name] = event.value
    seconds = time.perf_counter() - began
    return (*(100 * measured[name] for name in MEASURES), seconds)


def main(arguments: list[str]) -> None:
    """Print a line for each run, then the means."""
    seeds = int(arguments[0]) if arguments else 5
    device = choose_device("auto")
    tiers = [tier for tier in TIERS if tier != "tf32" or has_tf32(device)]
    found: dict[str, list[tuple[float, ...]]] = {tier: [] for tier in tiers}
    with tempfile.TemporaryDirectory() as home:
        session = Session(home, entry_points=False)
        for seed in range(seeds):
            every = SeedConfig(*[seed] * len(dataclasses.fields(SeedConfig)))
            for tier in tiers:
                config = with_values(session.sample_config(), {"train.precision": tier})
                found[tier].append(trained(session, dataclasses.replace(config, seeds=every)))
                numbers = " ".join(f"{value:6.1f}" for value in found[tier][-1])
                sys.stdout.write(f"seed {seed} {tier}: {numbers}\n")
                sys.stdout.flush()
        session.close()
    for tier, rows in found.items():
        for name, values in zip((*MEASURES, "seconds"), zip(*rows, strict=True), strict=True):
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            sys.stdout.write(f"{tier} {name}: {statistics.mean(values):.2f} ± {spread:.2f}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
