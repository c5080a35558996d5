"""What training will run on, in words, told before torch is loaded: it looks for the driver only."""

import shutil
import sys
from pathlib import Path

from workbench.face.language import say

_DRIVER = Path("/proc/driver/nvidia/version")
_DEVICE = Path("/dev/nvidiactl")


def has_gpu_driver() -> bool:
    """Return whether an NVIDIA driver is installed here; whether torch can use it shows at the start."""
    if sys.platform == "darwin":
        return False
    return _DRIVER.exists() or _DEVICE.exists() or shutil.which("nvidia-smi") is not None


def hardware_sentence(*, driver: bool) -> str:
    """Return what to expect without a GPU, or an empty string where there is one.

    For 20 epochs on two cores: `tests/benchmarks/bench_processor.py` and RESULTS.md.
    """
    if driver:
        return ""
    return say(
        "No NVIDIA GPU was found, so training uses the processor. The sample takes a minute or two; 1,000 pictures take about 45 minutes with the sample's small backbone, a day or more with ViT-B/16."
    )
