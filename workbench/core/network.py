"""NTK-CL's network: one frozen backbone seen through S1, S2 and their slow copies, and the fusion.

A feature is S sections of width d side by side, D = S · d: [pretrained], EMA copy, current
(arXiv 2407.17120; section order as in the official code).
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from workbench.config import ModelConfig
from workbench.core.adapters import Adapter, Prompt, adapted, prompted, prompts_needed
from workbench.core.backbone import Backbone, Stem
from workbench.core.discriminant import DiscriminantHead
from workbench.core.ensemble import EnsembleHead
from workbench.core.fusion import Fusion, SectionAttention
from workbench.core.heads import PrototypeHead
from workbench.core.projection import ProjectedRidgeHead

_BRANCHES = {"both": ("s1", "s2"), "none": ()}
# Floating-point operations between two chances to stop: a third of a second of two cores without wide vectors, and of a
# GPU that reaches 90 TFLOP/s.
_WORK, _WORK_OF_GPU = 3 * 10**10, 3 * 10**13
_MOST, _MOST_OF_GPU = 32, 512  # pictures; more are not seen faster
_PART = 16  # of a GPU's memory that a look may take: one in so many


@dataclass(frozen=True)
class Features:
    """A batch seen three ways, each (B, D) or None where the branch is not learnt; the `frozen` way where none is."""

    s1: Tensor | None
    s2: Tensor | None
    hybrid: Tensor | None
    frozen: Tensor | None = None

    @property
    def main(self) -> Tensor:
        """The representation that prototypes and answers use."""
        ways = (self.hybrid, self.s1, self.s2, self.frozen)
        chosen = next(z for z in ways if z is not None)
        return chosen

    def each(self) -> Iterator[tuple[str, Tensor]]:
        """Yield (name, features) of those that are learnt, in the order s1, s2, hybrid."""
        for name in ("s1", "s2", "hybrid"):
            z = getattr(self, name)
            if z is not None:
                yield name, z


class Network(nn.Module):
    """Backbone, subnetworks and prototype head; the proxy head is the learner's, new for each task.

    Attributes:
        grows: whether each task adds subnetworks, so that a look at a picture costs more with each.
        holds: how many pictures memory was found to hold at a time in a look.
    """

    grows = False
    holds = _MOST_OF_GPU

    def __init__(self, backbone: Backbone, model: ModelConfig, switches: Mapping[str, str]) -> None:
        super().__init__()
        self.backbone = backbone
        self.branches = _BRANCHES.get(model.branches, (model.branches,))
        self.use_pretrained = model.use_pretrained_section
        self.prompt_scale = model.adapter_scale
        self.ema_drops = switches["ema_dropout"] == "on"
        votes: tuple[float, ...] = (1.0,)  # of the frozen feature alone
        if self.branches:
            votes = (model.beta,) * self.use_pretrained + (model.gamma, model.alpha)
        D = len(votes) * backbone.width
        if "s1" in self.branches:
            self.s1 = _with_copy([
                Adapter(backbone.width, model.bottleneck, model.adapter_scale, model.dropout)
                for _ in range(backbone.depth)
            ])  # fmt: skip
        if "s2" in self.branches:
            init = switches["s2_init"]
            self.s2 = _with_copy([
                Prompt(backbone.width, backbone.tokens, model.prompt_tokens, init)
                for _ in range(prompts_needed(backbone.depth, init))
            ])  # fmt: skip
        self.fusion: nn.Module | None = None
        if model.branches == "both":
            if switches["fusion"] == "section_attention":
                self.fusion = SectionAttention(D, len(votes), model.dropout)
            else:
                self.fusion = Fusion(D, switches["fusion"], model.dropout)
        # drawn last, so that all else starts as it does with another head
        self.prototypes = _head(switches["answers"], D, votes, model.projection)
        self.train(self.training)

    @property
    def width(self) -> int:
        """Length D of a feature, all sections."""
        return int(self.prototypes.weight.shape[1])

    @property
    def training_width(self) -> int:
        """Length of the features that training sees."""
        return self.width

    def expand(self, tasks: int) -> None:
        """Be told for how many tasks there are to be subnetworks; here all tasks share them."""

    def train(self, mode: bool = True) -> "Network":
        """Switch dropout; the slow copies follow only under the official switch."""
        super().train(mode)
        for pair in self._pairs():
            pair["ema"].train(mode and self.ema_drops)
        return self

    @property
    def piece(self) -> int:
        """How many pictures to look at in one go: what a stop can wait for, and memory holds.

        On a processor, eight pictures of the sample at once are seen as fast as 26.
        """
        weight, work, most = self.prototypes.weight, _WORK, _MOST
        if weight.is_cuda:
            memory = torch.cuda.get_device_properties(weight.device).total_memory
            work, most = _WORK_OF_GPU, min(_MOST_OF_GPU, memory // _PART // self.backbone.bytes_of_look)  # fmt: skip
        passes = 1 + self.passes_of_look
        return max(min(work // (passes * self.backbone.operations), most, self.holds), 1)

    @property
    def passes_of_look(self) -> int:
        """Passes a picture costs in evaluation, beside the frozen section's, which is kept."""
        return 2 * len(self.branches)

    @property
    def passes_of_step(self) -> int:
        """Passes a training picture costs: frozen sections once, current ones thrice (backward counts as two)."""
        return max(self.use_pretrained + 4 * len(self.branches), 1)

    @property
    def why_no_kernel(self) -> str:
        """Why there is no kernel for the monitor, or an empty string."""
        return "" if self.branches else "nothing is trained, so there is no kernel of training"

    def live_parameters(self) -> dict[str, nn.Parameter]:
        """Return the trainable parameters by name, without the proxy head."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    @property
    def unread(self) -> list[nn.Module]:
        """The last block's prompts, under the official start: no attention follows them and nobody pools them."""
        prompts = [*self.s2["current"].children()] if "s2" in self.branches else []
        return prompts[self.backbone.depth - 1 :]

    def adapter_state(self) -> dict[str, Tensor]:
        """Return every tensor that answering needs and that is not the backbone's: what an adapter file holds."""
        needless = {f"prototypes.{name}" for name in self.prototypes.spread()}
        return {
            name: tensor
            for name, tensor in self.state_dict().items()
            if not name.startswith("backbone.") and name not in needless
        }

    @property
    def kept(self) -> tuple[int, int]:
        """Numbers, and their bytes, that stay beside the backbone: what answers, and what the head needs for more classes.

        A learner's own memory, such as the examples a plug-in keeps, is not among them.
        """
        tensors = [*self.adapter_state().values(), *self.prototypes.spread().values()]
        return sum(each.numel() for each in tensors), sum(each.nbytes for each in tensors)

    def branch(self, name: str, copy_name: str, stem: Stem) -> Tensor:
        """One pass of S1 or S2, `copy_name` "current" or "ema": (B, d)."""
        modules = getattr(self, name)[copy_name]
        if name == "s1":
            return adapted(self.backbone, modules, stem)
        return prompted(self.backbone, modules, stem, self.prompt_scale)

    def frozen_sections(
        self, stem: Stem, pretrained: Tensor | None = None
    ) -> dict[str, list[Tensor]]:
        """For each branch, the sections (B, d) that get no gradient: [pretrained], EMA copy."""
        with torch.no_grad():
            first = []
            if self.use_pretrained:
                first = [self.backbone(stem) if pretrained is None else pretrained]
            return {name: [*first, self.branch(name, "ema", stem)] for name in self.branches}

    def assemble(self, frozen: Mapping[str, list[Tensor]], stem: Stem) -> Features:
        """Put the current sections beside the frozen ones and fuse."""
        z = {n: torch.cat([*frozen[n], self.branch(n, "current", stem)], 1) for n in self.branches}
        return self.fuse(z.get("s1"), z.get("s2"))

    def fuse(self, s1: Tensor | None, s2: Tensor | None, frozen: Tensor | None = None) -> Features:
        """Add the hybrid to S1 and S2 features (B, D), where both are learnt; where none is, take the `frozen` (B, d)."""
        hybrid = self.fusion(s1, s2) if self.fusion is not None else None
        return Features(s1, s2, hybrid, None if self.branches else frozen)

    def forward(self, images: Tensor, pretrained: Tensor | None = None) -> Features:
        """Pixels (B, 3, H, W) in [0, 1] -> features; `pretrained` (B, d) may be given if it is known."""
        with torch.no_grad():
            stem = self.backbone.stem(images)
            if not self.branches:
                return self.fuse(
                    None, None, self.backbone(stem) if pretrained is None else pretrained
                )
        return self.assemble(self.frozen_sections(stem, pretrained), stem)

    def forward_in_pieces(self, images: Tensor, size: int) -> Features:
        """Like `forward`, with only `size` pictures' activations in memory: made again when the gradient needs them.

        The features, and so the step, are those of the whole batch, whatever the loss compares in it;
        dropout draws piece by piece.
        """
        pieces = [
            checkpoint(self, piece, use_reentrant=False, preserve_rng_state=True)
            for piece in torch.split(images, size)
        ]
        each = zip(*((z.s1, z.s2, z.hybrid) for z in pieces), strict=True)
        return Features(*(None if parts[0] is None else torch.cat(parts) for parts in each))

    @torch.no_grad()
    def average_into_copies(self, task: int) -> None:
        """The EMA step after task t (0-based): ema ← t/(t+1) · ema + 1/(t+1) · current, S1 and S2.

        After task t the copy is the arithmetic mean of the parameters after tasks 0…t.
        """
        for pair in self._pairs():
            for slow, now in zip(
                pair["ema"].parameters(), pair["current"].parameters(), strict=True
            ):
                slow.mul_(task / (task + 1)).add_(now, alpha=1 / (task + 1))

    def _pairs(self) -> list[nn.ModuleDict]:
        """Return each branch's current subnetwork with its slow copy."""
        return [getattr(self, name) for name in self.branches]


def _head(answers: str, width: int, votes: tuple[float, ...], projection: int) -> PrototypeHead:
    if answers in ("random_projection", "ensemble"):
        projecting = EnsembleHead if answers == "ensemble" else ProjectedRidgeHead
        return projecting(width, votes, projection)
    return (DiscriminantHead if answers == "discriminant" else PrototypeHead)(width, votes)


def _with_copy(modules: list[nn.Module]) -> nn.ModuleDict:
    current = nn.ModuleList(modules)
    return nn.ModuleDict({"current": current, "ema": copy.deepcopy(current).requires_grad_(False)})
