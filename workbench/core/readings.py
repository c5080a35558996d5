"""What the monitor reads off one look at the probe: movement of old tasks, provisional accuracy, the network's own gap.

Movement of old logits by the fusion's value layer is J (θ − θ_start), and, renewed, Σ_e J_e (θ_{e+1} − θ_e).
The latter is SGD replayed in function space with momentum and weight decay, v ← μ v + K r + ω J θ: since
K r = J ∂loss/∂θ, its steps add up to J times the displacement. Formulas in `core.gaps`.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.core import gaps, metrics, scores
from workbench.core.fusion import Fusion
from workbench.core.gaps import Value
from workbench.core.heads import ProxyHead
from workbench.core.kernel import proxy_logits
from workbench.core.network import Network
from workbench.core.probe import Part, Probed, View
from workbench.core.rules import Rule

MAX_ROWS = 1024  # rows of a kernel: its eigenvalues take about a second on two cores


@dataclass(frozen=True)
class Scene:
    """One look at the whole probe; the last task is the one being learnt."""

    network: Network
    proxy: ProxyHead
    probes: Sequence[Probed]
    train: Sequence[View]
    test: Sequence[View]

    @property
    def head(self) -> tuple[Tensor, float]:
        """The proxy head's weight (C, D) and scale."""
        return self.proxy.weight.detach().double(), float(self.proxy.sigma.detach())


@dataclass(frozen=True)
class Moment:
    """The old tasks' views and the value layer, from which movement is predicted."""

    old: Sequence[View]
    weight: Tensor | None  # V, (D, D); None where the closed form does not hold
    bias: Tensor | None  # (D,)


@dataclass
class Reference:
    """The start of a task, which its measurements are compared with."""

    start: Moment
    last: Moment  # the latest measurement
    rule: Rule  # that answers for the old classes, held fixed
    logits: list[Tensor]  # g(X_τ; θ_start) of each old task, (n, C_old)
    replayed: list[Tensor]  # Σ_e J_e (θ_{e+1} − θ_e), (n, C_old)
    kernel: Tensor | None = None
    ridge: Value = field(default_factory=lambda: Value(None, "not chosen yet"))
    forecast: list[Tensor] = field(default_factory=list)  # Δ̂ of each old task, (n, C_old)


def kernel_pictures(probe: Probed) -> int:
    """Return how many of the task's probe pictures a kernel of at most MAX_ROWS rows takes."""
    return min(len(probe.train), MAX_ROWS // len(probe.class_ids))


def refer(scene: Scene) -> Reference:
    """Take the references of a task that starts now."""
    rule, moment = known_rule(scene.network), _moment(scene)
    logits = [rule(view.main) for view in moment.old]
    return Reference(moment, moment, rule, logits, [torch.zeros_like(g) for g in logits])


def interplay(scene: Scene, reference: Reference) -> dict[str, Value]:
    """How far this task moved the old tasks' logits: measured, and as the value layer's kernel says."""
    now, logits, measured = _moment(scene), reference.logits, moved(scene, reference)
    values = {"ntk.interplay_measured": gaps.interplay(measured, logits)}
    if now.weight is None:
        absent = Value(None, why_no_fusion(scene.network))
        names = ("interplay_predicted", "interplay_replayed", "drift_cosine", "drift_error")
        return values | {f"ntk.{name}": absent for name in names}
    predicted = movement(reference.start, now, reference.rule)
    further = movement(reference.last, now, reference.rule)
    reference.replayed = [a + b for a, b in zip(reference.replayed, further, strict=True)]
    reference.last = now
    return values | {
        "ntk.interplay_predicted": gaps.interplay(predicted, logits),
        "ntk.interplay_replayed": gaps.interplay(reference.replayed, logits),
        "ntk.drift_cosine": gaps.drift_cosine(predicted, measured),
        "ntk.drift_error": gaps.drift_error(predicted, measured),
    }


def moved(scene: Scene, reference: Reference) -> list[Tensor]:
    """Return how far each old task's logits have come since the reference, (n, C_old)."""
    return [moved_of(scene, reference, task) for task in range(len(reference.logits))]


def moved_of(scene: Scene, reference: Reference, task: int) -> Tensor:
    """Return how far one old task's logits have come since the reference, (n, C_old)."""
    return reference.rule(scene.train[task].main) - reference.logits[task]


def movement(start: Moment, now: Moment, rule: Rule) -> list[Tensor]:
    """Return J_τ (θ_now − θ_start) of the value layer for each old task, J at `start`: (n, C_old)."""
    weight = cast(Tensor, now.weight) - cast(Tensor, start.weight)
    bias = cast(Tensor, now.bias) - cast(Tensor, start.bias)
    ways = (gaps.displacement(cast(Tensor, view.s1), weight, bias) for view in start.old)
    return [rule.along(view.main, way) for view, way in zip(start.old, ways, strict=True)]


def accuracy(scene: Scene, rule: Rule) -> dict[str, Value]:
    """Class-incremental accuracy on the test probe by a `provisional` rule."""
    probe, head = scene.probes[-1], scene.network.prototypes
    seen = set(probe.train.labels)
    if any(c not in seen and not head.counts[c] for c in probe.class_ids):
        return {"probe_accuracy": Value(None, "the probe lacks pictures of some of the classes")}
    truth = np.array([label for item in scene.probes for label in item.test.labels], dtype=np.int64)
    if not len(truth):
        return {"probe_accuracy": Value(None, "the probe has no test pictures")}
    features = torch.cat([view.main for view in scene.test])
    logits = rule(features)
    unknown = [c for c in range(logits.shape[1]) if not head.counts[c] and c not in seen]
    logits[:, unknown] = -torch.inf
    return {"probe_accuracy": Value(metrics.class_incremental(logits.cpu().numpy(), truth))}


def network_gap(scene: Scene) -> dict[str, Value]:
    """How much worse the training head is on the task's test pictures than on those it learns."""
    probe, sides = scene.probes[-1], []
    for view, part in ((scene.train[-1], probe.train), (scene.test[-1], probe.test)):
        sides += [proxy_logits(view.main, *scene.head), local_labels(scene, view, part)]
    gap = scores.network_gap(*sides)
    return {f"ntk.gap_{name}": getattr(gap, name) for name in ("nats", "brier", "accuracy")}


def provisional(scene: Scene) -> Rule:
    """Return the rule that would answer if the task's classes were learnt from the probe, which stands for all pictures."""
    probe, features = scene.probes[-1], scene.train[-1].main
    head = copy.deepcopy(scene.network.prototypes).double()
    labels = torch.tensor(probe.train.labels, device=features.device)
    for label in sorted(set(probe.train.labels)):
        head.learn(label, features[labels == label], probe.counts[label])
    head.settle_roughly()
    return head.rule()


def _moment(scene: Scene) -> Moment:
    old, fusion = scene.train[:-1], scene.network.fusion
    if not isinstance(fusion, Fusion):
        return Moment(old, None, None)
    value = fusion.value
    return Moment(old, value.weight.detach().double().clone(), value.bias.detach().double().clone())


def targets_of(scene: Scene, view: View, part: Part) -> Tensor:
    """Ỹ = onehot − f(X; θ) on the task's own classes, (n, C)."""
    labels = local_labels(scene, view, part)
    return F.one_hot(labels, len(scene.probes[-1].class_ids)) - proxy_logits(view.main, *scene.head)


def local_labels(scene: Scene, view: View, part: Part) -> Tensor:
    """Return the places of the pictures' classes in the task being learnt, (n,)."""
    class_ids = scene.probes[-1].class_ids
    local = [class_ids.index(label) for label in part.labels[: len(view.main)]]
    return torch.tensor(local, dtype=torch.int64, device=view.main.device)


def known_rule(network: Network) -> Rule:
    """Return the rule that answers now, of the classes learnt, in float64; it stays as it is."""
    head = network.prototypes
    return head.rule().of(torch.nonzero(head.counts > 0).flatten().tolist()).double()


def why_no_fusion(network: Network) -> str:
    """Return why the closed form of the fusion's block does not hold here."""
    if network.grows:
        return "each task has adapters of its own, so there is no fusion layer"
    if network.fusion is None:
        return "only one branch is learnt, so there is no fusion layer"
    return "the closed form holds for one value layer, not for attention over sections"
