"""A task that is about to be learnt, as the kernel sees it, and how learning it moves old logits.

Old logits g move with the fusion layer that the new task's training logits h move: Δ̂ = K_AB f(K_BB)
Ỹ with K_AB = J_A^g (J_B^h)ᵀ in closed form (Hidekel & Raviv 2026, arXiv 2606.18024). Learnt to the end,
f is (K_BB + λI)⁻¹ and Ỹ = Y − h; for the steps planned, f is gradient descent's and Ỹ = Y − softmax(h),
the push cross-entropy begins with. The head that training would draw by lot is taken as the unit
class means instead: on two sequences of the shipped sample, heads drawn by lot ranked old tasks and classes
worse, from cosine −0.76 to 0.90 by the draw, and squared error's push for the steps planned ranked no better.
Against the movement then measured (`tests.benchmarks.bench_forecast`), four sequences of five tasks
gave for the steps planned cosines of 0.94 to 1.00 and rank correlations of 1.0, 1.0, 1.0 and −0.2 over the four
old tasks and 0.33 to 0.94 over the 16 old classes; sizes were up to four times too large.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.config import TrainConfig
from workbench.core import gaps
from workbench.core.gaps import Value
from workbench.core.glimpse import Glimpse
from workbench.core.kernel import (
    CHUNK_ELEMENTS,
    Spectrum,
    proxy_kernel,
    proxy_logits,
    proxy_vectors,
    spectrum,
    unit_rows,
    value_kernel,
)
from workbench.core.length import length_of
from workbench.core.probe import View
from workbench.core.readings import MAX_ROWS
from workbench.core.ridge import finite_movement, ridge_movement
from workbench.core.rules import Rule

STABLE = 2.0  # ηΛ_max/n above which gradient descent grows without bound


@dataclass(frozen=True)
class NewTask:
    """The candidate as its training would begin: N = n C rows, sample-major."""

    s1: Tensor  # c, (n, D)
    q: Tensor  # ∂h/∂m, (n, C, D)
    own: Tensor  # K_BB, head and fusion, (N, N)
    parts: Spectrum  # of it
    outputs: Tensor  # h, (n, C)
    residual: Tensor  # Y − h, (n, C)
    push: Tensor  # Y − softmax(h), (n, C)
    ridge: Value  # λ / (tr K / N)
    rate: float
    steps: int

    @property
    def stable(self) -> bool:
        """Whether steps of the planned size do not grow without bound."""
        return self.rate * float(self.parts.values[-1]) / len(self.residual) <= STABLE


@dataclass(frozen=True)
class Movement:
    """How far old logits (n, C_old) would move; None where that cannot be said."""

    planned: Tensor | None
    ridge: Tensor | None

    @property
    def main(self) -> Tensor | None:
        """The one that ranks: for the steps planned, else to the end."""
        return self.ridge if self.planned is None else self.planned


def why_not(seen: Glimpse) -> str:
    """Return why a task cannot be forecast from what was seen of it, or an empty string."""
    classes, pictures = len(seen.classes), taken(seen)
    if classes < 2:
        return "with one class there is nothing to be told apart, so nothing is trained"
    if seen.pictures < 2 * classes:
        return f"it has {seen.pictures} training pictures for {classes} classes; two of each are needed"
    if pictures < classes:
        return f"the kernel of one picture of each of its {classes} classes exceeds {MAX_ROWS} rows"
    main = seen.train.main
    if not main.isfinite().all():
        return "its features are not finite"
    if float((main - main[0]).abs().max()) <= 1e-9 * float(main.abs().max()):
        return "its pictures all look the same to the network"
    return ""


def planned(training: TrainConfig, pictures: int) -> tuple[float, int]:
    """Return the mean step size, momentum included, and the number of steps of the training planned."""
    length = length_of(training, pictures)
    # the mean of the cosine from the start value over epochs 0 … E − 1
    mean = 0.5 * training.learning_rate * (1 + 1 / max(length.epochs, 1))
    return mean / (1 - training.momentum), length.steps


def new_task(seen: Glimpse, rate: float, steps: int) -> NewTask:
    """Return the candidate with its kernel decomposed and its ridge chosen by leave-one-picture-out."""
    pictures = taken(seen)
    view, labels = seen.train[:pictures], seen.train_labels[:pictures]
    head = mean_head(view.main, labels, len(seen.classes))
    outputs = proxy_logits(view.main, head, 1.0)
    wanted = F.one_hot(labels, len(head)).double()
    s1 = cast(Tensor, view.s1)
    own = proxy_kernel((s1, view.main), (s1, view.main), head, 1.0)
    parts = spectrum(own)
    residual = wanted - outputs
    return NewTask(
        s1, proxy_vectors(view.main, head, 1.0), own, parts, outputs, residual,
        wanted - outputs.softmax(1), gaps.choose_ridge(parts, residual), rate, steps,
    )  # fmt: skip


def mean_head(main: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return the unit mean direction of each class, (C, D), from features (n, D) and local labels."""
    unit, _ = unit_rows(main)
    means = torch.stack([unit[labels == place].mean(0) for place in range(classes)])
    return unit_rows(means)[0]


def movement(old: View, rule: Rule, new: NewTask) -> Movement:
    """Return how learning the new task moves the logits by which some pictures are answered, in strips of them."""
    rows = len(rule)
    strip = max(1, CHUNK_ELEMENTS // max(1, rows * max(old.main.shape[1], new.residual.numel())))
    ends, steps = [], []
    for first in range(0, len(old.main), strip):
        some = old[first : first + strip]
        q = rule.slopes(some.main)
        k_ab = value_kernel(cast(Tensor, some.s1), q, new.s1, new.q)
        if new.ridge.value is not None:
            ridge = new.ridge.value * new.parts.mean
            ends.append(ridge_movement(k_ab, new.parts, new.residual, ridge).reshape(-1, rows))
        if new.stable:
            moved = finite_movement(k_ab, new.parts, new.push, new.rate, new.steps)
            steps.append(moved.reshape(-1, rows))
    return Movement(torch.cat(steps) if steps else None, torch.cat(ends) if ends else None)


def taken(seen: Glimpse) -> int:
    """Return how many pictures a kernel of at most MAX_ROWS rows takes; a drawn prefix is balanced."""
    return min(len(seen.train_labels), MAX_ROWS // len(seen.classes))
