"""Where the time of a sample run goes, and what waiting threads cost beside a busy neighbour.

    python -m tests.benchmarks.bench_run [--busy]

Prints seconds by kind of work and the monitor's share of the wall time; with `--busy`, the ratio
of a training step's time with spinning and with sleeping threads while another process computes.
"""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from workbench.core import monitor
from workbench.events import Measured, Pace, Snapshot, Stage, Step
from workbench.session import Session, ThreadEngine

STEP = """
import time, torch
from workbench.config import ModelConfig, RunConfig, effective_switches
from workbench.core.build import build_network
from workbench.core.steps import result_of
from workbench.core.weights import load_weights
from pathlib import Path
weights = result_of(load_weights("sample", "", Path(".")))
network = build_network(ModelConfig(), effective_switches(RunConfig()), weights, torch.device("cpu"))
images = torch.rand(10, 3, 70, 70)
def step(): network(images).main.square().sum().backward()
step()
began = time.perf_counter()
for _ in range(6): step()
print((time.perf_counter() - began) / 60)
"""


def shares() -> dict[str, float]:
    """Return seconds of the quick sample run by what they were spent on."""
    spent: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory() as home:
        session = Session(home, entry_points=False)
        config, kind = session.sample_config(), "start"
        now = time.perf_counter()
        for event in ThreadEngine().events(config, Path(home), Path(home) / "run"):
            spent[kind] += time.perf_counter() - now
            now = time.perf_counter()
            if isinstance(event, Stage):
                kind = (
                    "monitor"
                    if event.text.startswith(monitor.TEXT)
                    else event.text.split(" ")[0].lower()
                )
            elif isinstance(event, Step):
                kind = "task"
            elif not isinstance(event, (Measured, Pace, Snapshot)):
                kind = "other"
        session.close()
    return dict(spent)


def step_seconds(spin: str | None) -> float:
    """Return seconds a picture of a training step, in a process of its own."""
    import os

    environment = {
        k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_NUM_THREADS")
    }
    if spin is not None:
        environment["GOMP_SPINCOUNT"] = spin
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STEP],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main(arguments: list[str]) -> None:
    """Print the table that the arguments ask for."""
    if "--busy" in arguments:
        neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            spinning, sleeping = step_seconds(None), step_seconds("3000")
        finally:
            neighbour.kill()
            neighbour.wait()
        sys.stdout.write(
            f"busy neighbour: {1e3 * spinning:.0f} ms spinning, {1e3 * sleeping:.0f} ms sleeping, "
        )
        sys.stdout.write(f"ratio {spinning / sleeping:.1f}\n")
        return
    spent = shares()
    total = sum(spent.values())
    for kind, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        sys.stdout.write(f"{kind:12} {seconds:7.1f} s {seconds / total:7.1%}\n")
    sys.stdout.write(f"{'total':12} {total:7.1f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
