"""The kernel's arrays at one moment, in a file below the run's folder: what heat map and spectrum draw.

A safetensors file of `kernel` (n, n) float32, the trace kernel of the inference logits among probe
pictures of all tasks so far; `tasks` (n,) and `labels` (n,), the task and the global class of each, in
order; `spectrum.<t>`, the falling eigenvalues of task t's block; and after a task `classes`, with `drift_measured`,
`drift_forecast` and `drift_settled`: how far training moved each old class, was said to move it, and
how far it had come when the task was done (rms, logits).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workbench.core.files import packed, write_whole
from workbench.core.kernel import spectrum
from workbench.core.probe import Part
from workbench.errors import WorkbenchError

MOST = 128  # pictures of a heat map
FOLDER = "kernel"


def shown(parts: Sequence[Part]) -> list[list[int]]:
    """Return which pictures of each task's part (places in it) are in the heat map, class by class.

    A prefix of a drawn part is as balanced as it can be.
    """
    each = max(1, MOST // max(len(parts), 1))
    places = [range(min(len(part), each)) for part in parts]
    return [
        sorted(rows, key=lambda row: (part.labels[row], row))
        for rows, part in zip(places, parts, strict=True)
    ]


def arrays_of(kernel: Tensor, parts: Sequence[Part]) -> dict[str, np.ndarray]:
    """Return the file's arrays for the trace kernel (n, n) among the pictures that are `shown`."""
    chosen = shown(parts)
    tasks = np.repeat(np.arange(len(parts)), [len(rows) for rows in chosen])
    labels = [part.labels[row] for part, rows in zip(parts, chosen, strict=True) for row in rows]
    arrays = {
        "kernel": kernel.float().cpu().numpy(),
        "tasks": tasks.astype(np.int64),
        "labels": np.array(labels, np.int64),
    }
    for task in range(len(parts)):
        at = torch.from_numpy(np.flatnonzero(tasks == task)).to(kernel.device)
        values = spectrum(kernel[at][:, at]).values.flip(0)
        arrays[f"spectrum.{task}"] = values.cpu().numpy()
    return arrays


def class_arrays(
    measured: Mapping[int, float], forecast: Mapping[int, float], settled: Mapping[int, float]
) -> dict[str, np.ndarray]:
    """Return the arrays about old classes; NaN where nothing was forecast or is not finite."""
    ids = sorted(measured)
    return {
        "classes": np.array(ids, np.int64),
        "drift_measured": np.array([measured[i] for i in ids]),
        "drift_forecast": np.array([forecast.get(i, np.nan) for i in ids]),
        "drift_settled": np.array([settled.get(i, np.nan) for i in ids]),
    }


def write(folder: Path, name: str, arrays: Mapping[str, np.ndarray]) -> str:
    """Write the arrays whole or not at all; return the file's path below `folder`.

    Raises:
        WorkbenchError: the disk is full or the folder cannot be written.
    """
    path = f"{FOLDER}/{name}.safetensors"
    try:
        write_whole(folder / path, packed(arrays))
    except OSError as error:
        raise WorkbenchError(
            f"The kernel's arrays could not be written to {folder / path}: {error.strerror}. Free some space, "
            "or set monitor.budget to 0 to train without the monitor."
        ) from error
    return path
