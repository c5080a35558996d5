"""The answering head of RanPAC: ridge regression on one-hot targets from many fixed random directions of the features.

McDonnell et al. 2023 (arXiv 2307.02251): h(m) = ReLU(Pᵀ m) with Gaussian P tells apart what no plane in the features
does, and W = (G + λI)⁻¹ S needs nothing but sums over all pictures, G = Σ h hᵀ and S_c = Σ_c h, so that none is kept and
the order of tasks does not matter. The paper chooses λ on a part of the training pictures; here it is the risk estimate
KARE of this very regression (Jacot et al. 2020, arXiv 2006.09796) that does, from the sums, as in `core.discriminant`.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.core.heads import PrototypeHead
from workbench.core.ridge import least_kare, ridge_solution
from workbench.core.rules import Linear, Projected

_USUAL = 0.1  # of the mean eigenvalue


class ProjectedRidgeHead(PrototypeHead):
    """ℓ_a(m) = w_aᵀ ReLU(Pᵀ m), W = (G + λI)⁻¹ S; a class with more pictures has more say, as in the paper.

    Class means stay beside it: they are what training knows of old classes, and what drift compensation moves.
    P (D, M) comes from torch's global stream. `settle` makes the rule from the sums.
    """

    # no answer before it is learnt
    BY_CLASS = PrototypeHead.BY_CLASS | {"sums": 0, "rows": 0, "offsets": -torch.inf}
    # Solved with G of before, which has not seen the directions of a new class, its row would outshout all others.
    OWN = ("weight", "sums", "rows", "offsets")

    def __init__(self, width: int, votes: tuple[float, ...], directions: int) -> None:
        super().__init__(width, votes)
        M, wide = directions, torch.float64
        self.register_buffer("directions", torch.randn(width, M))  # P, (D, M)
        self.register_buffer("gram", torch.zeros(M, M, dtype=wide))  # G, (M, M)
        self.register_buffer("sums", torch.zeros(0, M, dtype=wide))  # S, (C_seen, M)
        self.register_buffer("ridge", torch.zeros((), dtype=wide))  # λ
        self.register_buffer("rows", torch.zeros(0, M))  # Wᵀ, (C_seen, M)
        self.register_buffer("offsets", torch.zeros(0))  # (C_seen,)

    directions: Tensor
    gram: Tensor
    sums: Tensor
    ridge: Tensor
    rows: Tensor
    offsets: Tensor

    def learn(self, class_id: int, features: Tensor, stand_for: int | None = None) -> None:
        """Fold the pictures' features (n, D) into the sums, and into the class's mean."""
        h = self._projected(features)
        share = (stand_for or len(h)) / len(h)
        self.gram.addmm_(h.T, h, alpha=share)
        self.sums[class_id] += share * h.sum(0)
        super().learn(class_id, features, stand_for)

    @torch.no_grad()
    def settle(self) -> None:
        """Make the rule from the sums as they are now."""
        known = torch.nonzero(self.counts > 0).flatten()
        n = float(self.counts.sum())
        # every picture's target is of length 1
        self.ridge.fill_(least_kare(self.gram.cpu(), self.sums[known].cpu().T, n, n, 0))
        self.solve_for(known)

    def settle_roughly(self) -> None:
        """As `settle`, but with the ridge of before, or a usual one: to choose it takes seconds with many directions."""
        if not self.ridge:
            self.ridge.fill_(_USUAL * float(self.gram.trace()) / len(self.gram) or 1.0)
        self.solve_for(torch.nonzero(self.counts > 0).flatten())

    @torch.no_grad()
    def solve_for(self, places: Tensor) -> None:
        """Solve for the rows of the classes at these places (k,) from their sums, with G and λ as they were settled."""
        rows = self._solved(self.sums[places].cpu().T).T  # (k, M)
        self.rows[places], self.offsets[places] = rows.to(self.rows), 0.0

    def spread(self) -> dict[str, Tensor]:
        """Return G, S and λ."""
        return {"gram": self.gram, "sums": self.sums, "ridge": self.ridge}

    def rule(self) -> Projected:
        """Return the rule that answers now."""
        return self.rule_of(self.rows, self.offsets)

    def rule_of(self, rows: Tensor, offsets: Tensor) -> Projected:
        """Return the rule with these rows (C, M) and offsets (C,) on the same directions."""
        return Projected(self.directions, Linear(rows, offsets))

    @torch.no_grad()
    def left_out(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the logits (n, C) of learnt pictures (n, D), global labels (n,), each as if it had not been learnt.

        With its leverage h_ii = hᵀ (G + λI)⁻¹ h they are (ŷ_i − h_ii y_i) / (1 − h_ii). The ridge stays.
        """
        h = self._projected(features).cpu()  # (n, M)
        solved = self._solved(h.T).T
        own = F.one_hot(labels.cpu(), len(self.counts)).double()
        leverage = (h * solved).sum(1, keepdim=True)  # (n, 1)
        # below 1 for any λ > 0, but for rounding
        rest = (1 - leverage).clamp_min(torch.finfo(torch.float64).eps)
        logits = (solved @ self.sums.cpu().T - leverage * own) / rest
        logits[:, self.counts.cpu() == 0] = -torch.inf
        return logits.to(features)

    def _projected(self, features: Tensor) -> Tensor:
        """Return h (n, M) of features (n, D), in float64."""
        return F.relu(features.detach().double() @ self.directions.double())

    def _solved(self, right: Tensor) -> Tensor:
        """Return (G + λI)⁻¹ of columns (M, k), on the processor: the same on every machine with a GPU or without."""
        return ridge_solution(self.gram.cpu(), float(self.ridge), right)
