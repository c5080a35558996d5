"""What training will run on, in words, told before torch is loaded; and what a run did run on."""

from importlib import metadata

from workbench.face.language import say
from workbench.paths import has_gpu_driver

_NO_CUDA = "+cpu"  # how a torch that is built for the processor alone ends its version


def hardware_sentence() -> str:
    """Return what to expect without a GPU that can be used, or an empty string where there may be one.

    For 20 epochs of one task on two cores, of which a later task seldom takes all: `tests/benchmarks/bench_processor.py` and RESULTS.md.
    """
    if not has_gpu_driver():
        return say(
            "No NVIDIA GPU was found, so training uses the processor. The sample takes a minute or two; 1,000 pictures take up to 45 minutes with the sample's small backbone, and up to a day or more with ViT-B/16."
        )
    torch = torch_version()
    if torch.endswith(_NO_CUDA):
        return say(
            "An NVIDIA driver is here, but the installed PyTorch ({version}) is built for the processor alone, so training uses the processor."
        ).format(version=torch)
    return ""


def torch_version() -> str:
    """Return the installed torch's version without loading it, or an empty string."""
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""


def trained_on(device: str, precision: str) -> str:
    """Return "on the processor" or "on" the GPU's name, and in which tier if known; "" for a run that has not begun."""
    if not device:
        return ""
    place = say("on the processor") if device == "cpu" else say("on {gpu}").format(gpu=device)
    return f"{place}, {precision}" if precision else place
