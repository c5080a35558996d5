"""The kernel among pictures of all tasks, as arrays for a file: a heat map and the spectra of its blocks."""

from collections.abc import Sequence

import numpy as np

from workbench.core import snapshot
from workbench.core.old_kernels import trace_of_all
from workbench.core.pairs import Drawn
from workbench.core.probe import Part, View
from workbench.core.readings import Scene
from workbench.core.rules import Rule


def picked(parts: Sequence[Part]) -> Part:
    """Return the pictures of the heat map, task by task and class by class."""
    chosen = [
        (part.indices[row], part.labels[row])
        for part, rows in zip(parts, snapshot.shown(parts), strict=True)
        for row in rows
    ]
    return Part(tuple(index for index, _ in chosen), tuple(label for _, label in chosen))


def arrays(scene: Scene, rule: Rule, drawn: Drawn | None) -> dict[str, np.ndarray]:
    """Return the arrays of the trace kernel over all classes of a rule; empty where there is none.

    `drawn` are the rows of the `picked` pictures along random output vectors, in a plan that has them.
    """
    parts = [probe.train for probe in scene.probes]
    views = zip(scene.train, snapshot.shown(parts), strict=True)
    view = View.joined([each[rows] for each, rows in views])
    kernel = trace_of_all(scene.network, view, rule, drawn.rows if drawn else None)
    if kernel is None or not len(kernel) or not kernel.isfinite().all():
        return {}
    return snapshot.arrays_of(kernel, parts)
