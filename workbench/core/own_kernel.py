"""The kernel of the task being learnt: how still it stands, how many directions it has, how its surrogate generalises.

Training logits h of the probe's pictures, K = K_head + K_fusion in closed form, and K_S1 + K_S2 where
the run's plan has them. Formulas in `core.gaps`, `core.complexity` and `core.theory`.
"""

from typing import cast

from torch import Tensor

from workbench.core import complexity, gaps, readings
from workbench.core.fusion import Fusion
from workbench.core.gaps import Value
from workbench.core.jacobian import Rows, gram
from workbench.core.kernel import (
    Spectrum,
    head_kernel,
    proxy_logits,
    proxy_vectors,
    spectrum,
    trace_kernel,
    value_kernel,
)
from workbench.core.probe import View
from workbench.core.readings import (
    Reference,
    Scene,
    kernel_pictures,
    local_labels,
    targets_of,
    why_no_fusion,
)
from workbench.core.theory import extrapolated_error

_STABILITY = ("kernel_drift", "kernel_alignment", "kernel_cka", "kernel_scale")
_SPECTRUM = ("largest", "condition", "effective_rank", "participation")  # of `complexity.Shape`
_SURROGATE = (
    "gap_predicted", "gap_held_out", "loo_error", "error_extrapolated", "effective_dimension", "complexity",
    "complexity_share",
)  # fmt: skip
_BLOCKS = ("head", "fusion", "s1", "s2")
_ALL = (*_STABILITY, *_SPECTRUM, *_SURROGATE, *(f"share_{name}" for name in _BLOCKS))

Sides = tuple[Rows, Rows]  # of the training and of the test pictures


def kernel(scene: Scene, reference: Reference, rows: Sides | None = None) -> dict[str, Value]:
    """Stability, spectrum and blocks of the task's kernel, and what its ridge surrogate says of the task."""
    probe = scene.probes[-1]
    pictures = kernel_pictures(probe)
    train, test = scene.train[-1][:pictures], scene.test[-1][:pictures]
    of_train = rows[0][:pictures] if rows else None
    blocks = blocks_of(scene, train, train, of_train, of_train) if pictures else {}
    found = sum(blocks.values()) if blocks else None
    if not isinstance(found, Tensor) or not found.isfinite().all():
        absent = Value(None, _why_no_kernel(scene, pictures))
        return {f"ntk.{name}": absent for name in _ALL}
    parts, targets = spectrum(found), targets_of(scene, train, probe.train)
    chosen = _begin(reference, found, parts, targets) if reference.kernel is None else {}
    crossed = None
    if len(test.main):
        of_test = rows[1][:pictures] if rows else None
        crossed = sum(blocks_of(scene, test, train, of_test, of_train).values())
    views = (train, test)
    surrogate = _surrogate(scene, reference.ridge, parts, targets, views, cast(Tensor, crossed))
    classes = len(probe.class_ids)
    shape = complexity.shape(spectrum(trace_kernel(found, classes)).values)
    spread = {f"ntk.{name}": getattr(shape, name) for name in _SPECTRUM}
    stability = _stability(found, cast(Tensor, reference.kernel), classes)
    return chosen | stability | spread | surrogate | _shares(scene, blocks)


def _begin(
    reference: Reference, found: Tensor, parts: Spectrum, targets: Tensor
) -> dict[str, Value]:
    """Take the task's first kernel as the one that later ones are compared with, and choose the ridge."""
    reference.kernel = found
    reference.ridge = gaps.choose_ridge(parts, targets)
    return {"ntk.ridge": reference.ridge}


def _stability(found: Tensor, start: Tensor, classes: int) -> dict[str, Value]:
    return {
        "ntk.kernel_drift": gaps.kernel_drift(found, start),
        "ntk.kernel_alignment": gaps.kernel_alignment(found, start),
        "ntk.kernel_cka": gaps.kernel_cka(found, start, classes),
        "ntk.kernel_scale": gaps.kernel_scale(found, start),
    }


def _surrogate(
    scene: Scene,
    ridge: Value,
    parts: Spectrum,
    targets: Tensor,
    views: tuple[View, View],
    crossed: Tensor | None,
) -> dict[str, Value]:
    if ridge.value is None or parts.mean == 0.0:
        absent = Value(None, ridge.reason or "the kernel is zero")
        return {f"ntk.{name}": absent for name in _SURROGATE}
    (train, test), probe, scaled = views, scene.probes[-1], ridge.value * parts.mean
    if crossed is None:
        crossed = parts.vectors.new_zeros(0, len(parts.values))
    gap = gaps.ridge_gap(parts, targets, scaled, crossed, targets_of(scene, test, probe.test))
    outputs = proxy_logits(train.main, *scene.head)
    labels = local_labels(scene, train, probe.train)
    whole = sum(probe.counts[class_id] for class_id in probe.class_ids if class_id in probe.counts)
    values = (
        gap.predicted,
        gap.held_out,
        gaps.loo_error(parts, targets, scaled),
        extrapolated_error(parts, targets, scaled, len(targets), whole),
        gap.effective_dimension,
        complexity.complexity(parts, targets, scaled),
        complexity.complexity_share(parts, labels, outputs, outputs.shape[1], scaled),
    )
    return {f"ntk.{name}": value for name, value in zip(_SURROGATE, values, strict=True)}


def _shares(scene: Scene, blocks: dict[str, Tensor]) -> dict[str, Value]:
    """Return the part of the kernel's trace that each block makes."""
    whole = sum(float(block.trace()) for block in blocks.values())
    shares = {}
    for name in _BLOCKS:
        if name in blocks:
            shares[name] = gaps.ratio(blocks[name].trace(), whole, "the kernel is zero")
        elif name == "fusion" or name not in scene.network.branches:
            shares[name] = Value(None, "this run does not train it")
        else:
            shares[name] = Value(None, "left out of the kernel, which is in closed form alone")
    return {f"ntk.share_{name}": share for name, share in shares.items()}


def training_kernel(
    scene: Scene, a: View, b: View, rows: tuple[Rows, Rows] | None = None
) -> Tensor | None:
    """Return the kernel of the proxy logits of `main` over all blocks there are, or None where there is none."""
    found = sum(blocks_of(scene, a, b, *(rows or (None, None))).values())
    return found if isinstance(found, Tensor) else None


def blocks_of(
    scene: Scene, a: View, b: View, rows_a: Rows | None, rows_b: Rows | None
) -> dict[str, Tensor]:
    """Return each block (n_a C, n_b C): "head" and "fusion" in closed form, the others from their rows.

    Empty where the fusion has no closed form and no rows either: a kernel without it would mislead.
    Without a fusion layer there is no such block.
    """
    fusion = scene.network.fusion
    blocks = gram(rows_a, rows_b) if rows_a is not None and rows_b is not None else {}
    if isinstance(fusion, Fusion):
        q_a, q_b = (proxy_vectors(view.main, *scene.head) for view in (a, b))
        blocks["fusion"] = value_kernel(cast(Tensor, a.s1), q_a, cast(Tensor, b.s1), q_b)
    elif fusion is not None and "fusion" not in blocks:
        return {}
    blocks["head"] = head_kernel(a.main, b.main, *scene.head)
    return blocks


def _why_no_kernel(scene: Scene, pictures: int) -> str:
    if not pictures:
        if not len(scene.probes[-1].train):
            return "the probe has no training pictures of the task"
        return f"the kernel of one picture of {len(scene.probes[-1].class_ids)} classes exceeds {readings.MAX_ROWS} rows"
    if scene.network.fusion is not None and not isinstance(scene.network.fusion, Fusion):
        return why_no_fusion(scene.network)
    return "the kernel is not finite"
