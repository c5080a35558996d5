"""Files below a run's folder, written whole or not at all."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save


def write_whole(place: Path, content: bytes) -> None:
    """Write beside the place and move there; the folder is made. Raises OSError if it cannot be."""
    part = place.with_name(f"{place.name}.part")
    place.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    os.replace(part, place)


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the arrays as a safetensors file."""
    return save({key: np.ascontiguousarray(value) for key, value in arrays.items()})
