"""The data sets of the program: the sample, and Fashion-MNIST unpacked from files that the user has."""

import runpy
from pathlib import Path

from workbench.errors import UsageError
from workbench.paths import resource


def sample(place: Path, given: Path | None) -> list[Path]:
    """Return the folders of the sample's tasks; nothing is written."""
    return sorted(folder for folder in resource("sample/emoji").iterdir() if folder.is_dir())


def fashion_mnist(place: Path, given: Path | None) -> list[Path]:
    """Unpack the four files in `given` below `place`, once, and return the folder of pictures.

    Raises:
        UsageError: the files are not there or not Fashion-MNIST's.
    """
    done = place / "fashion-mnist"
    if done.is_dir():
        return [done]
    script = runpy.run_path(str(resource("fashion_mnist.py")))
    part = place / "fashion-mnist.part"
    try:
        script["unpack"](given, part)
        part.rename(done)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"Fashion-MNIST could not be unpacked from {given}: {error}. Choose the folder with its four IDX files."
        ) from error
    return [done]
