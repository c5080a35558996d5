"""NTK-CL as a learner: what happens at a task's start, in a step and at its end. No loop, no pictures.

Liu et al., arXiv 2407.17120, after the official code (Programmergg/NTK-CL, MIT); each departure
is one of the named switches of `config.SwitchConfig`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.config import MethodConfig, TrainConfig
from workbench.core import losses
from workbench.core.heads import ProxyHead
from workbench.core.length import NONE, Length, length_of, taught
from workbench.core.network import Features, Network

AUXILIARY = ("mutual_information", "orthogonality", "regularisation")
_CONTRAST = {"paper": losses.official_mutual_information, "supcon": losses.supervised_contrast}


@dataclass(frozen=True)
class Batch:
    """A forward pass in training: features, the task's own labels, and the class ids of old prototypes drawn.

    The features and `labels` are on the device. What a loss decides by classes it decides by `ids` and
    `old`, which are on the processor: a GPU is not waited for.
    """

    features: Features
    labels: Tensor  # (B,) local, 0…C_t−1
    ids: Tensor  # (B,) global class ids
    old: Tensor  # (R,) global class ids


LOOKED_AT = 64  # of a task's pictures, at most, to see whether it is to stop


class Learner:
    """The method's state beside the network: proxy head, optimiser, anchors, protected directions.

    Args:
        network: the network, on its device.
        chance: draws the old prototypes of each step; on the CPU.

    Attributes:
        cautious: whether what tasks change is looked at, as the switches say, and may be stopped, drawn or taken back.
    """

    cautious: ClassVar[bool] = True

    def __init__(
        self,
        network: Network,
        method: MethodConfig,
        switches: Mapping[str, str],
        training: TrainConfig,
        chance: torch.Generator,
    ) -> None:
        self.network = network
        self.method = method
        self.switches = switches
        self.training = training
        self.chance = chance
        self.task = -1
        self.class_ids: tuple[int, ...] = ()
        self.skipped = 0  # auxiliary terms not defined for their batch, this task
        self.fits = 0  # pictures at a time that memory was found to hold; 0: nothing was found out

    @property
    def at_once(self) -> int:
        """How many pictures of a batch are in memory at a time; 0: all."""
        return min((most for most in (self.training.at_once, self.fits) if most), default=0)

    def trains(self, task: int) -> bool:
        """Return whether a 0-based task is trained on; else its classes are only added to those that are answered."""
        return bool(self.network.branches)

    def judges(self, task: int) -> bool:
        """Return whether what a 0-based task changes is judged, by pictures that its training leaves out."""
        return self.cautious and self.trains(task) and self.switches["change"] == "judged"

    def compares(self, task: int) -> bool:
        """Return whether what a 0-based task changes is compared with what was, and may be drawn or taken back."""
        limited = self.cautious and self.trains(task) and task > 0
        return self.judges(task) or (limited and self.switches["interplay"] == "limited")

    def may_stop(self, task: int) -> bool:
        """Return whether a 0-based task's training may end early, once it has moved old answers too far."""
        later = self.cautious and self.trains(task) and task > 0
        return later and self.switches["early_stopping"] == "interplay"

    def sees_all(self, task: int, pictures: int) -> bool:
        """Return whether what tells if a 0-based task is to stop shows all its training pictures as they were before it, so
        that what is to `compare` need not look.
        """
        return self.may_stop(task) and self.compares(task) and pictures <= LOOKED_AT

    def length(self, task: int, counts: Sequence[int], epochs: int | None = None) -> Length:
        """Return how long a 0-based task with so many training pictures in each class is trained, at most."""
        if not self.trains(task):
            return NONE
        training = self.training if epochs is None else replace(self.training, epochs=epochs)
        return length_of(training, taught(counts) if self.judges(task) else sum(counts))

    def likely_length(self, task: int, counts: Sequence[int]) -> Length:
        """Return how long it is likely trained: one that may stop seldom sees a second epoch."""
        return self.length(task, counts, 1 if self.may_stop(task) else None)

    def begin_task(self, class_ids: tuple[int, ...], epochs: int) -> None:
        """Prepare for a task whose local label i is the global class `class_ids[i]`."""
        network = self.network
        self.task += 1
        self.skipped = 0
        self.class_ids = class_ids
        self.epochs = epochs
        network.expand(self.task + 1)
        weight = network.prototypes.weight
        known = torch.nonzero(network.prototypes.counts.cpu() > 0).flatten()
        self._learnt = known[~torch.isin(known, torch.tensor(class_ids))]
        network.prototypes.grow(max(class_ids) + 1)
        self.old_ids = self._old_ids()
        self.start = self._start()
        self.proxy = ProxyHead(network.training_width, len(class_ids)).to(weight)
        self.anchors = self._anchors()
        self.basis = losses.leading_directions(
            network.prototypes.weight
            if self.switches["orthogonality_basis"] == "all_rows"
            else weight[self._learnt],
            self.method.orthogonality_rank,
            all_rows=self.switches["orthogonality_basis"] == "all_rows",
        )
        self.optimiser = torch.optim.SGD(
            [*network.live_parameters().values(), *self.proxy.parameters()],
            lr=self.training.learning_rate,
            momentum=self.training.momentum,
            weight_decay=self.training.weight_decay,
        )
        network.train()

    def begin_epoch(self, epoch: int) -> float:
        """Set and return the learning rate of a 0-based epoch: cosine from the start value towards 0."""
        lr = 0.5 * self.training.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs))
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        return lr

    def draw_old(self, batch: int) -> Tensor:
        """Draw min(batch, number of old classes) old class ids without replacement."""
        return self.old_ids[torch.randperm(len(self.old_ids), generator=self.chance)[:batch]]

    def forward(self, images: Tensor, labels: Tensor, old: Tensor | None = None) -> Batch:
        """Pixels (B, 3, H, W) on the device and local labels (B,) on the processor -> what the losses need."""
        size = self.at_once
        whole = not 0 < size < len(images)
        features = self.network(images) if whole else self.network.forward_in_pieces(images, size)
        return self.batch(features, labels, self.draw_old(len(labels)) if old is None else old)

    def batch(self, features: Features, labels: Tensor, old: Tensor) -> Batch:
        """Put together what the losses need: features (B, D), local labels (B,) and old class ids (R,), both anywhere."""
        labels, device = labels.cpu(), features.main.device
        ids = torch.tensor(self.class_ids)[labels]
        return Batch(features, labels.to(device, non_blocking=True), ids, old.cpu())

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the unweighted terms that are defined, and their weighted `total`."""
        terms = {
            f"cross_entropy_{name}": F.cross_entropy(self.proxy(z), batch.labels)
            for name, z in batch.features.each()
        }
        terms.update(self.auxiliary(batch))
        weights = self.weights()
        terms["total"] = torch.stack(
            [weights.get(name, 1.0) * term for name, term in terms.items()]
        ).sum()
        return terms

    def weights(self) -> dict[str, float]:
        """Return the weight of each term in the total; those not named count once."""
        return {name: getattr(self.method, f"weight_{name}") for name in AUXILIARY}

    def push(self, m: Tensor, labels: Tensor) -> Tensor:
        """Return ∂L/∂m (n, D) of the weighted loss at hybrid features m (n, D) with local labels (n,).

        What training pulls the hybrid by: its cross-entropy and the auxiliary terms on it, every old
        prototype taking part. Draws nothing and changes nothing.
        """
        with torch.enable_grad():
            leaf = m.detach().to(self.proxy.weight).requires_grad_()
            batch = self.batch(Features(None, None, leaf), labels, self.old_ids)
            total = F.cross_entropy(self.proxy(leaf), batch.labels)
            if self.switches["mutual_information"] != "off":
                contrast = self._mutual_information(batch)
                if contrast is not None and torch.isfinite(contrast):
                    total = total + self.method.weight_mutual_information * contrast
            if self.switches["orthogonality"] == "projection" and self.basis.shape[1]:
                projection = losses.projection_energy([leaf], self.basis)
                total = total + self.method.weight_orthogonality * projection
            (found,) = torch.autograd.grad(total, leaf)
        return found.double()

    def backward(self, terms: Mapping[str, Tensor]) -> None:
        """Set the gradients of the total; nothing else is changed."""
        self.optimiser.zero_grad()
        terms["total"].backward()  # type: ignore[no-untyped-call]
        # They get no gradient, but the official optimiser decays them all the same.
        for parameter in (p for module in self.network.unread for p in module.parameters()):
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)

    def step(self) -> None:
        """One optimiser step along the gradients."""
        self.optimiser.step()

    def average(self, *, is_last: bool) -> bool:
        """The EMA step; the official code leaves it out after the last task. Returns whether it was done.

        With the switch `ema` off, the copies become the parameters as they are: nothing older is kept.
        """
        if self.switches["ema"] == "off":
            self.network.average_into_copies(0)
            return True
        if is_last and self.switches["ema_last_task"] == "skip":
            return False
        self.network.average_into_copies(self.task)
        return True

    @property
    def learnt(self) -> Tensor:
        """The class ids (R,) that earlier tasks have taught, on the processor."""
        return self._learnt

    def before(self) -> dict[str, Tensor]:
        """Return what `core.holding` may draw the task back to, by the names of parameters: live ones as the task began,
        slow copies as they are, before the EMA step. Nothing where it need not.
        """
        slow = {n: p.detach().clone() for n, p in self.network.named_parameters() if ".ema." in n}
        return {**self.start, **slow} if self.start else {}

    def _start(self) -> dict[str, Tensor]:
        if not self.compares(self.task):
            return {}
        return {n: p.detach().clone() for n, p in self.network.live_parameters().items()}

    def end_task(self) -> None:
        """Do what the method does once the prototypes are made and before the tests; NTK-CL: nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint is to hold of attributes that it cannot hold as they are, by their names.

        Tensors, numbers, texts, generators and optimisers of torch, modules of `torch.nn`, and lists,
        dicts and sets of these are held without a word; a method needs this for objects of its own.
        """
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Bring those attributes to what `state_dict` returned; they are as `__init__` made them."""

    def refit_fusion(self, s1: Tensor, s2: Tensor, labels: Tensor, order: torch.Generator) -> None:
        """Fit fusion and proxy again to features (n, D) that hold the averaged section, with local labels.

        The features are fixed, so a pass costs no pass through the backbone. Anchored like the
        training itself, and at a tenth of its learning rate: the aim is a small correction.
        """
        fusion = self.network.fusion
        assert fusion is not None
        start = {name: p.detach().clone() for name, p in fusion.named_parameters()}
        parameters = [*fusion.parameters(), *self.proxy.parameters()]
        size = self.training.batch_size
        optimiser = torch.optim.SGD(
            parameters, lr=self.training.learning_rate / 10, momentum=self.training.momentum
        )
        for _ in range(self.method.refit_epochs):
            for chosen in torch.split(torch.randperm(len(labels), generator=order), size):
                at = chosen.to(labels.device)
                hybrid = fusion(s1[at], s2[at])
                distance = losses.squared_distance(dict(fusion.named_parameters()), start)
                loss = (
                    F.cross_entropy(self.proxy(hybrid), labels[at])
                    + self.method.weight_regularisation * distance
                )
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()

    def auxiliary(self, batch: Batch) -> dict[str, Tensor]:
        """Return the terms beside the cross-entropies, unweighted; without a hybrid there are none."""
        if self.network.fusion is None:
            return {}
        found: dict[str, Tensor | None] = {}
        if self.switches["mutual_information"] != "off":
            found["mutual_information"] = self._mutual_information(batch)
        if self.switches["orthogonality"] != "off":
            found["orthogonality"] = self._orthogonality(batch.features)
        found["regularisation"] = self._regularisation()
        if self.switches["non_finite"] == "zero":
            zero = self.proxy.weight.new_zeros(())
            # Finite features give finite terms, unless a sum of squares overflows: its slope is finite then.
            return {n: zero if t is None else t.where(t.isfinite(), zero) for n, t in found.items()}
        self.skipped += sum(term is None for term in found.values())
        return {name: term for name, term in found.items() if term is not None}

    def _mutual_information(self, batch: Batch) -> Tensor | None:
        return _CONTRAST[self.switches["mutual_information"]](
            batch.features.main,
            batch.ids,
            self.network.prototypes.weight[batch.old],
            batch.old,
            self.method.mi_temperature,
        )

    def _orthogonality(self, features: Features) -> Tensor | None:
        if self.switches["orthogonality"] == "signed_residual":
            return losses.signed_residual(
                (z for n, z in features.each() if n != "hybrid"), self.basis
            )
        if not self.basis.shape[1]:
            return None
        return losses.projection_energy((z for _, z in features.each()), self.basis)

    def _regularisation(self) -> Tensor | None:
        if not self.anchors:
            return None
        return losses.squared_distance(dict(self.network.live_parameters()), self.anchors)

    def _anchors(self) -> dict[str, Tensor]:
        live = self.network.live_parameters()
        if self.switches["regulariser"] == "weights":
            return {n: p.detach().clone() for n, p in live.items() if n.endswith("weight")}
        if self.task == 0:
            return {}  # there is no previous task to stay near
        dead = ("fusion.query", "fusion.key") if self.switches["fusion"] == "paper" else ()
        return {n: p.detach().clone() for n, p in live.items() if not n.startswith(dead or ("\0",))}

    def _old_ids(self) -> Tensor:
        if self.switches["old_prototypes"] == "known":
            return self._learnt
        increment = self.method.fixed_increment or len(self.class_ids)
        rows = len(self.network.prototypes.weight)
        return torch.arange(max(rows - increment, 0))
