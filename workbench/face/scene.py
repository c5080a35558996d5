"""A snapshot's arrays as they are drawn: cosines among pictures, blocks by task and class, spectra. Qt-free."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import WorkbenchError
from workbench.face.language import say

Array = NDArray[Any]
_SPECTRUM = "spectrum."


@dataclass(frozen=True)
class Block:
    """Pictures `start` to `stop` (left out) are of one class."""

    start: int
    stop: int
    task: int
    label: int  # global class id


@dataclass(frozen=True)
class Movement:
    """How far old classes moved while a task was learnt: rms of logits, measured and forecast, (C_old,) each."""

    classes: NDArray[np.int64]
    measured: NDArray[np.float64]
    forecast: NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """The kernel at one moment.

    Attributes:
        cosine: (n, n) K_ij / √(K_ii K_jj) among probe pictures, NaN beside a picture with K_ii = 0.
        blocks: classes in the order of the pictures.
        spectra: each task's eigenvalues, falling.
        movement: of old classes, at the end of a task that is not the first.
        alike: mean cosine within a class, between classes of a task, between tasks; None without a pair.
    """

    cosine: NDArray[np.float32]
    blocks: tuple[Block, ...]
    spectra: dict[int, NDArray[np.float64]]
    alike: tuple[float | None, float | None, float | None]
    movement: Movement | None

    def tasks(self) -> dict[int, tuple[int, int]]:
        """Return from where to where (left out) each task's pictures lie."""
        spans: dict[int, tuple[int, int]] = {}
        for block in self.blocks:
            start, _ = spans.get(block.task, (block.start, 0))
            spans[block.task] = (start, block.stop)
        return spans

    def between(self, one: Block, other: Block) -> NDArray[np.float32]:
        """Return the cosines of one class's pictures with another's, none with itself: (k,)."""
        part = self.cosine[one.start : one.stop, other.start : other.stop]
        if one == other:
            part = part[~np.eye(len(part), dtype=bool)]
        return part[np.isfinite(part)].ravel()


def scene_of(arrays: Mapping[str, Array]) -> Scene:
    """Return the scene in a snapshot's arrays.

    Raises:
        WorkbenchError: an array is missing or does not fit the others.
    """
    kernel, tasks, labels = (_wanted(arrays, name) for name in ("kernel", "tasks", "labels"))
    count = len(tasks)
    if kernel.shape != (count, count) or labels.shape != (count,) or not count:
        text = say(
            "The kernel's file is damaged: its arrays do not fit ({kernel}, {tasks}, {labels})."
        )
        shapes = {"kernel": kernel.shape, "tasks": tasks.shape, "labels": labels.shape}
        raise WorkbenchError(text.format(**shapes))
    spectra = {
        int(name.removeprefix(_SPECTRUM)): np.asarray(values, dtype=np.float64)
        for name, values in arrays.items()
        if name.startswith(_SPECTRUM) and name.removeprefix(_SPECTRUM).isdigit()
    }
    cosine = _cosine(kernel)
    return Scene(
        cosine, _blocks(tasks, labels), dict(sorted(spectra.items())),
        _alike(cosine, tasks, labels), _movement(arrays),
    )  # fmt: skip


def effective_rank(eigenvalues: NDArray[np.float64]) -> float | None:
    """Return exp(−Σ p log p) of p = λ/Σλ over positive λ (Roy & Vetterli 2007); None if there is none."""
    positive = eigenvalues[np.isfinite(eigenvalues) & (eigenvalues > 0)]
    if not len(positive):
        return None
    share = positive / positive.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def _movement(arrays: Mapping[str, Array]) -> Movement | None:
    if "classes" not in arrays or not len(arrays["classes"]):
        return None
    classes = arrays["classes"]
    measured, forecast = (
        np.asarray(_wanted(arrays, name), dtype=np.float64)
        for name in ("drift_measured", "drift_forecast")
    )
    if not classes.shape == measured.shape == forecast.shape:
        raise WorkbenchError(
            say("The kernel's file is damaged: its movements of classes do not fit.")
        )
    known = np.isfinite(measured) & np.isfinite(forecast)
    return Movement(classes[known], measured[known], forecast[known]) if known.any() else None


def _wanted(arrays: Mapping[str, Array], name: str) -> Array:
    if name not in arrays:
        text = say("The kernel's file is damaged: it holds no array '{name}'.")
        raise WorkbenchError(text.format(name=name))
    return arrays[name]


def _cosine(kernel: Array) -> NDArray[np.float32]:
    own = np.diag(kernel).astype(np.float64)
    length = np.sqrt(np.where(own > 0, own, np.nan))  # (n,)
    scaled: NDArray[np.float32] = (kernel / length / length[:, None]).astype(np.float32)
    return scaled


def _alike(
    cosine: NDArray[np.float32], tasks: Array, labels: Array
) -> tuple[float | None, float | None, float | None]:
    known = np.isfinite(cosine) & ~np.eye(len(cosine), dtype=bool)
    one_task = tasks[:, None] == tasks
    one_class = one_task & (labels[:, None] == labels)
    within, task, across = (
        float(cosine[pairs].mean(dtype=np.float64)) if pairs.any() else None
        for pairs in (known & one_class, known & one_task & ~one_class, known & ~one_task)
    )
    return within, task, across


def _blocks(tasks: Array, labels: Array) -> tuple[Block, ...]:
    pairs = np.stack([tasks, labels], axis=1)  # (n, 2)
    edges = [0, *(np.flatnonzero((pairs[1:] != pairs[:-1]).any(axis=1)) + 1), len(pairs)]
    return tuple(
        Block(int(start), int(stop), int(tasks[start]), int(labels[start]))
        for start, stop in itertools.pairwise(edges)
    )
