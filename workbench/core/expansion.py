"""The answering head of EASE: class means in the subspace of every task's adapters, synthesised where no picture was there.

Zhou et al. 2024, "Expandable Subspace Ensemble" (CVPR, arXiv 2403.12030): task k's adapters span block k of a feature,
and stay as they are. A class learnt in task o has its mean in the blocks up to o; those after it are made from the
classes that came later, by how alike they are in block o. Nothing here is trained, and no picture is kept.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.core.heads import PrototypeHead
from workbench.core.rules import OwnCosines


class ExpandingHead(PrototypeHead):
    """ℓ_a(m) = cos(m_[o], w_a,[o]) + α / (T − 1) · Σ_{k≠o} cos(m_[k], w_a,[k]), o the task that class a was first learnt in.

    T blocks of width d, one a task. The paper (section 3.3) has α alone before the sum; the official code, which is
    followed, divides by T − 1, so that the other blocks together count α however many they are. `settle` synthesises.
    """

    BY_CLASS = PrototypeHead.BY_CLASS | {"seen": 0, "home": -1}

    def __init__(self, width: int, others: float) -> None:
        super().__init__(width, (1.0,))
        self.others = others  # α
        # pictures in the mean of each block; 0 where it is synthesised or not made yet
        self.register_buffer("seen", torch.zeros(0, 1, dtype=torch.int64))  # (C_seen, T)
        self.register_buffer(
            "home", torch.zeros(0, dtype=torch.int64)
        )  # o, (C_seen,); -1: not learnt

    seen: Tensor
    home: Tensor

    @property
    def tasks(self) -> int:
        """Blocks T."""
        return int(self.seen.shape[1])

    def widen(self, tasks: int) -> None:
        """Add blocks until there are as many as `tasks`; no class has a mean in them yet."""
        C, T, missing = len(self.counts), self.tasks, tasks - self.tasks
        if missing > 0:
            d = self.weight.shape[1] // T
            self.weight = torch.cat([self.weight, self.weight.new_zeros(C, missing * d)], 1)
            self.seen = torch.cat([self.seen, self.seen.new_zeros(C, missing)], 1)

    def learn(self, class_id: int, features: Tensor, stand_for: int | None = None) -> None:
        """Fold the pictures' features (n, T d) into the class's mean in every block."""
        n, T, seen = stand_for or len(features), self.tasks, self.seen[class_id][:, None]
        if not self.counts[class_id]:
            self.home[class_id] = T - 1
        new = features.mean(0).view(T, -1)
        old = self.weight[class_id].view(T, -1)
        mean = torch.where(seen > 0, (seen * old + n * new) / (seen + n), new)
        self.weight[class_id] = mean.flatten()
        self.seen[class_id] += n
        self.counts[class_id] += n

    @torch.no_grad()
    def settle(self) -> None:
        """Synthesise the means that are missing, anew from all that are there."""
        means = self.weight.double().view(len(self.counts), self.tasks, -1)
        self.weight = synthesised(means, self.seen, self.home).flatten(1).to(self.weight)

    def rule(self) -> OwnCosines:
        """Return the rule that answers now."""
        T = self.tasks
        own = self.home[:, None] == torch.arange(T, device=self.home.device)  # (C, T)
        others = self.weight.new_tensor(self.others / max(T - 1, 1))
        return OwnCosines(self.weight, torch.where(own, torch.ones_like(others), others))


def synthesised(means: Tensor, seen: Tensor, home: Tensor) -> Tensor:
    """Return class means (C, T, d) with those synthesised that no picture was there for.

    Equations 7 to 9 of EASE as its code has them with `recalc_sim`. For class a of task o and a block n > o without a
    picture of a, let J be the classes with pictures in both blocks o and n, all that came in task n or later. Then

        s_aj = cos(w_a,[o], w_j,[o]),  w_a,[n] = Σ_{j∈J} softmax_j(s_aj) w_j,[n],

    softmax at temperature 1 over J, the means w_j,[n] as they are, of any length. What was synthesised before takes
    no part, and is made anew as more classes come.

    Args:
        means: (C, T, d); what they hold where none was seen does not matter.
        seen: pictures in each mean, (C, T).
        home: the task o that each class was first learnt in, (C,); -1 for one not learnt, which stays.
    """
    found, unit = means.clone(), F.normalize(means, dim=2)
    for n in range(means.shape[1]):
        there = seen[:, n] > 0
        lacking = ~there & (home >= 0) & (home < n)
        for o in sorted(set(home[lacking].tolist())):
            old, both = lacking & (home == o), there & (seen[:, o] > 0)
            alike = unit[old, o] @ unit[both, o].T  # (C_o, |J|)
            found[old, n] = torch.softmax(alike, 1) @ means[both, n]
    return found
