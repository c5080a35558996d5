"""What learning a task does to each earlier one: forecast before it, overlap, and the movement it made.

A is an old task's probe seen through the inference logits g of the old classes, the rule that answers
held fixed; B the new task's seen through its training logits h: forgetting concerns g, training moves h,
so K_AB = J_A^g (J_B^h)ᵀ, over the blocks that g and h share (the head is none of g's). Overlap and
angles: Doan et al. 2021 (arXiv 2010.04003); the forecast and the rank of forgetting: Hidekel &
Raviv 2026 (arXiv 2606.18024). Formulas in `core.overlap`, `core.newcomer`, `core.vulnerable`, `core.scores`.
"""

import math
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from workbench.core import gaps, overlap, readings
from workbench.core.fusion import Fusion
from workbench.core.gaps import Value
from workbench.core.glimpse import Glimpse
from workbench.core.jacobian import Rows, columns_of, gram
from workbench.core.kernel import proxy_vectors, spectrum, value_kernel
from workbench.core.learner import Learner
from workbench.core.newcomer import movement, new_task, planned, why_not
from workbench.core.probe import View
from workbench.core.readings import Reference, Scene, local_labels, moved, moved_of, why_no_fusion
from workbench.core.scores import class_movement, rank_correlation
from workbench.core.vulnerable import expected_rank, vulnerable_rank

MAX_ROWS = 256  # of a pair's kernels: their eigenvalues take some hundredths of a second
_SCORES = ("forecast_cosine", "forecast_error", "forecast_rank")
_CLOSED = ("angle_max", "angle_mean", "vulnerable_rank", "vulnerable_expected")


@dataclass(frozen=True)
class Drawn:
    """Rows of adapters and prompts along random output vectors (O, m)."""

    rows: Rows
    vectors: Tensor


def forecast(
    scene: Scene, reference: Reference, learner: Learner
) -> tuple[dict[str, Value], list[Value]]:
    """Return what the kernel says before training: the gap, and each old task's disturbance.

    For the training planned, s steps of mean size η along the push u = ∂L/∂m of the whole loss on the
    new task's probe: Δ̂_A = −η s ( K_AB-block of u + ω J_A θ ), the first order in η s of gradient
    descent with weight decay ω. It is kept in `reference.forecast`, to be scored when the task is
    learnt. To the end: ridge regression, as `core.newcomer` has it.
    """
    old, reason = scene.train[:-1], _why_no_forecast(scene)
    names = ("ntk.forecast", "ntk.forecast_ridge")
    if reason:
        absent = Value(None, reason)
        return dict.fromkeys(names, absent), [absent] * len(old)
    seen = _glimpse(scene)
    rate, steps = planned(learner.training, seen.pictures)
    reference.forecast = _pushed(scene, reference, learner, rate * steps)
    new = new_task(seen, rate, steps)
    found = [movement(view, reference.rule, new).ridge for view in old]
    ends = [moved for moved in found if moved is not None]
    to_the_end = Value(None, new.ridge.reason)
    if len(ends) == len(old):
        to_the_end = gaps.interplay(ends, reference.logits)
    gap = gaps.interplay(reference.forecast, reference.logits)
    values = dict(zip(names, (gap, to_the_end), strict=True))
    return values, disturbances(reference.forecast, reference)


def _pushed(scene: Scene, reference: Reference, learner: Learner, way: float) -> list[Tensor]:
    """Return −`way` J_A (∂L/∂θ + ω θ) of the fusion's value layer for each old task: (n, C_old)."""
    fusion, view = cast(Fusion, scene.network.fusion), scene.train[-1]
    push = learner.push(view.main, local_labels(scene, view, scene.probes[-1].train))  # (n, D)
    decay = learner.training.weight_decay
    weight, bias = (p.detach().double() for p in (fusion.value.weight, fusion.value.bias))
    toward = 0.5 * push.T @ cast(Tensor, view.s1) + decay * weight  # (D, D)
    shift = 0.5 * push.sum(0) + decay * bias  # (D,)
    ahead = replace(reference.start, weight=weight - way * toward, bias=bias - way * shift)
    return readings.movement(reference.start, ahead, reference.rule)


def _glimpse(scene: Scene) -> Glimpse:
    """The probe of the task that begins, as a forecast wants it."""
    probe, train, test = scene.probes[-1], scene.train[-1], scene.test[-1]
    return Glimpse(
        tuple(map(str, probe.class_ids)),
        train,
        local_labels(scene, train, probe.train),
        test,
        local_labels(scene, test, probe.test),
        sum(probe.counts.values()),
    )


def disturbances(movement: list[Tensor], reference: Reference) -> list[Value]:
    """Return ‖Δ_τ‖² / (n C V_τ) of each old task."""
    pairs = zip(movement, reference.logits, strict=True)
    return [gaps.interplay([moved], [logits]) for moved, logits in pairs]


def scores(scene: Scene, reference: Reference) -> dict[str, Value]:
    """Return how well the forecast did, now that the task is learnt."""
    if not reference.forecast:
        absent = Value(None, _why_no_forecast(scene) or "nothing was forecast")
        return {f"ntk.{name}": absent for name in _SCORES}
    measured = moved(scene, reference)
    cosine = gaps.drift_cosine(reference.forecast, measured)
    error = cosine
    if cosine.value is not None:
        error = Value(math.sqrt(max(0.0, 1.0 - max(cosine.value, 0.0) ** 2)))
    said, was = (by_class(scene, deltas) for deltas in (reference.forecast, measured))
    both = sorted(said.keys() & was.keys())
    rank = rank_correlation([said[i] for i in both], [was[i] for i in both])
    return dict(zip((f"ntk.{name}" for name in _SCORES), (cosine, error, rank), strict=True))


def by_class(scene: Scene, movement: list[Tensor]) -> dict[int, float]:
    """Return each old class's rms movement on its own pictures, by global class id."""
    return class_movement(movement, [probe.train.labels for probe in scene.probes[:-1]])


def pair(
    scene: Scene, reference: Reference, task: int, drawn: tuple[Drawn, Drawn] | None = None
) -> dict[str, Value]:
    """Return overlap, angles and vulnerable rank of one old task and the one that was learnt.

    With `drawn` (of A and B) the overlap has adapters and prompts in it; angles and rank are the fusion's alone.
    """
    if not isinstance(scene.network.fusion, Fusion) and drawn is None:
        absent = Value(None, why_no_fusion(scene.network))
        return {f"ntk.{name}": absent for name in ("overlap", "overlap_chance", *_CLOSED)}
    values = _closed(scene, reference, task)
    return values | (_along_vectors(scene, reference, task, *drawn) if drawn else {})


def _closed(scene: Scene, reference: Reference, task: int) -> dict[str, Value]:
    if not isinstance(scene.network.fusion, Fusion):
        return {f"ntk.{name}": Value(None, why_no_fusion(scene.network)) for name in _CLOSED}
    classes, D = len(reference.rule), reference.rule.width
    a = scene.train[task][: MAX_ROWS // classes]
    b = scene.train[-1][: MAX_ROWS // len(scene.probes[-1].class_ids)]
    if not len(a.main) or not len(b.main):
        absent = Value(None, f"one picture of so many classes exceeds {MAX_ROWS} rows")
        return {f"ntk.{name}": absent for name in ("overlap", "overlap_chance", *_CLOSED)}
    q_a, q_b = reference.rule.slopes(a.main), proxy_vectors(b.main, *scene.head)
    c_a, c_b = cast(Tensor, a.s1), cast(Tensor, b.s1)
    k_aa, k_bb = value_kernel(c_a, q_a, c_a, q_a), value_kernel(c_b, q_b, c_b, q_b)
    k_ab = value_kernel(c_a, q_a, c_b, q_b)
    if not all(kernel.isfinite().all() for kernel in (k_aa, k_bb, k_ab)):
        absent = Value(None, "the kernel is not finite")
        return {f"ntk.{name}": absent for name in ("overlap", "overlap_chance", *_CLOSED)}
    parts = spectrum(k_aa)
    largest, mean = overlap.angles(k_ab, parts, spectrum(k_bb))
    return {
        "ntk.overlap": overlap.overlap(k_ab, k_aa, k_bb),
        "ntk.overlap_chance": overlap.chance_overlap(len(k_aa), len(k_bb), D * D + D),
        "ntk.angle_max": largest,
        "ntk.angle_mean": mean,
        "ntk.vulnerable_rank": vulnerable_rank(
            parts, moved_of(scene, reference, task)[: len(a.main)]
        ),
        "ntk.vulnerable_expected": expected_rank(a.main, classes),
    }


def _along_vectors(
    scene: Scene, reference: Reference, task: int, a: Drawn, b: Drawn
) -> dict[str, Value]:
    q_a = reference.rule.slopes(scene.train[task].main)
    q_b = proxy_vectors(scene.train[-1].main, *scene.head)
    side_a, side_b = (scene.train[task], q_a, a), (scene.train[-1], q_b, b)
    p_ab = _products(scene, side_a, side_b)
    p_aa, p_bb = (_products(scene, side, side) for side in (side_a, side_b))
    m, D = a.vectors.shape[1], scene.network.width
    closed = D * D + D if isinstance(scene.network.fusion, Fusion) else 0
    parameters = closed + sum(columns_of(scene.network).values())
    rows_a, rows_b = (math.prod(q.shape[:2]) for q in (q_a, q_b))
    return {
        "ntk.overlap": overlap.overlap_of_vectors(p_ab, p_aa, p_bb, m),
        "ntk.overlap_chance": overlap.chance_overlap(rows_a, rows_b, parameters),
    }


def _products(scene: Scene, a: tuple[View, Tensor, Drawn], b: tuple[View, Tensor, Drawn]) -> Tensor:
    """Return (Jᵀv)·(J'ᵀv') over all shared blocks, (n_a m, n_b m)."""
    total = sum(gram(a[2].rows, b[2].rows).values())
    if isinstance(scene.network.fusion, Fusion):
        (c_a, q_a), (c_b, q_b) = ((view.s1, _along(q, drawn.vectors)) for view, q, drawn in (a, b))
        total = total + value_kernel(cast(Tensor, c_a), q_a, cast(Tensor, c_b), q_b)
    return cast(Tensor, total)


def _along(q: Tensor, vectors: Tensor) -> Tensor:
    """Return Σ_a v_a q_ia of each vector: (n, m, D) from q (n, C, D) and vectors (C, m)."""
    return torch.einsum("ncd,cm->nmd", q, vectors.to(q))


def _why_no_forecast(scene: Scene) -> str:
    if not scene.train[:-1]:
        return "there is no earlier task yet"
    if not isinstance(scene.network.fusion, Fusion):
        return why_no_fusion(scene.network)
    return why_not(_glimpse(scene))
