"""What training a picture costs on the processor: the sample's backbone and a ViT-B/16, seconds a picture and epoch.

    python -m tests.benchmarks.bench_processor

Trains one task of few pictures and takes the median time between two steps. The last column is what
1,000 pictures and 20 epochs would take at that rate, without evaluation and the NTK monitor: an estimate.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.pictures import make_task_folders
from workbench.config import RunConfig, TaskFolder, with_values
from workbench.events import EpochEnded, Step
from workbench.session import ThreadEngine

BATCH = 8
BACKBONES = {"sample": 48, "random:vit_base_patch16_224?seed=1": 24}  # name, pictures


def seconds_per_picture(backbone: str, pictures: int, folder: Path) -> float:
    """Return the median time of a step, by pictures."""
    (task,) = make_task_folders(folder, {"one": {"red": pictures, "green": pictures}})
    config = with_values(
        RunConfig(),
        {
            "model.backbone": backbone, "train.epochs": 1, "train.batch_size": BATCH,
            "train.device": "cpu", "monitor.probe_per_task": 2,
        },
    )  # fmt: skip
    tasks = (TaskFolder(task.name, str(task)),)
    config = replace(config, data=replace(config.data, tasks=tasks))
    spent, last = [], 0.0
    for event in ThreadEngine().events(config, folder, folder / "run"):
        if isinstance(event, EpochEnded):
            break
        if isinstance(event, Step):
            now = time.perf_counter()
            if last:
                spent.append(now - last)
            last = now
    return statistics.median(spent) / BATCH


def main() -> None:
    """Print one line a backbone."""
    for backbone, pictures in BACKBONES.items():
        with tempfile.TemporaryDirectory() as folder:
            each = seconds_per_picture(backbone, pictures, Path(folder))
        minutes = each * 1000 * 20 / 60
        sys.stdout.write(
            f"{backbone:36} {each:7.3f} s a picture and epoch  {minutes:8.0f} min for 1,000\n"
        )


if __name__ == "__main__":
    main()
