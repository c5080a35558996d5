"""Methods beside NTK-CL: plain fine-tuning, which is also the base of what plug-ins bring, and those that train less.

A method decides what is minimised, and what is done at the start and the end of a task. Network,
prototypes and adapter file stay as they are, so that an adapter answers without the plug-in.
"""

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.core.learner import Batch, Learner
from workbench.core.network import Features


class Method(Learner):
    """Cross-entropy of every branch, and the `terms` of a subclass with their `term_weights`.

    A subclass overrides what it needs: `trains`, `begin_task`, `begin_epoch`, `terms`, `step`, `end_task`.
    It finds `network`, `proxy` (the training head), `optimiser`, `task` (0-based), `class_ids`. One
    that keeps objects of its own also overrides `state_dict` and `load_state_dict`, to have checkpoints.
    """

    term_weights: ClassVar[dict[str, float]] = {}
    cautious: ClassVar[bool] = False  # what it has learnt stays as it is
    averages = False  # whether the slow copies take the mean of the parameters after each task

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """Return scalar terms to minimise beside the cross-entropies."""
        return {}

    def weights(self) -> dict[str, float]:
        """Return the subclass's weights."""
        return self.term_weights

    def auxiliary(self, batch: Batch) -> dict[str, Tensor]:
        """Return the subclass's terms."""
        return self.terms(batch)

    def average(self, *, is_last: bool) -> bool:
        """Average the slow copies where the method does so; return whether it was done."""
        return self.averages and super().average(is_last=is_last)

    def push(self, m: Tensor, labels: Tensor) -> Tensor:
        """Return ∂L/∂m (n, D) of cross-entropy and terms at features m (n, D), for the monitor's forecast."""
        with torch.enable_grad():
            leaf = m.detach().to(self.proxy.weight).requires_grad_()
            batch = self.batch(Features(None, None, leaf), labels, self.old_ids)
            total = F.cross_entropy(self.proxy(leaf), batch.labels)
            for name, term in self.terms(batch).items():
                total = total + self.weights().get(name, 1.0) * term
            (found,) = torch.autograd.grad(total, leaf)
        return found.double()


class FirstSession(Method):
    """The adapters learn the first task and stay as they are: APER of Zhou et al., arXiv 2303.07338.

    There the cosine is that of both features joined; here, as everywhere in this program, each section votes.
    """

    def trains(self, task: int) -> bool:
        """Return whether it is the first task."""
        return task == 0 and super().trains(task)
