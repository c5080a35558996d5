"""How large a checkpoint is and how long it takes to write: `python -m tests.benchmarks.bench_checkpoint [BACKBONE]`.

Three tasks of two classes, one epoch; timed is the gap between a checkpoint's event and the one before. A real
backbone's size needs `random:vit_base_patch16_224?img_size=224&depth=12&patch_size=16&seed=1`.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.resumed import small_config
from workbench.core.train import Training
from workbench.events import Checkpointed


def main(backbone: str) -> None:
    """Print megabytes and seconds, the median over all checkpoints of the run."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        config = small_config(home / "pictures", **{"model.backbone": backbone, "train.epochs": 1})
        training, sizes, seconds = Training(config, home, home / "run"), [], []
        began = time.perf_counter()
        for event in training.events():
            if isinstance(event, Checkpointed):
                seconds.append(time.perf_counter() - began)
                path = home / "run" / event.path
                sizes.append((path.stat().st_size + path.with_suffix(".json").stat().st_size) / 1e6)
            began = time.perf_counter()
        print(  # noqa: T201
            f"{len(sizes)} checkpoints: {statistics.median(sizes):.2f} MB (most {max(sizes):.2f}), "
            f"{statistics.median(seconds):.3f} s (most {max(seconds):.3f})"
        )


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["random:vit_tiny_patch16_224?img_size=32&depth=2&patch_size=8&seed=1"]))
