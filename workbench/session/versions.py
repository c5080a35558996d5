"""The versions that bear on a run's numbers."""

import platform
from importlib import metadata

from workbench import __version__


def versions() -> dict[str, str]:
    """Return the versions that bear on a run's numbers, without importing the libraries."""
    found = {
        "workbench": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    for package in ("torch", "torchvision", "timm", "numpy", "Pillow", "PySide6-Essentials"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
