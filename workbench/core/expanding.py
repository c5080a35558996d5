"""A network that grows: adapters of its own for every task, their features side by side, as in EASE.

Zhou et al. 2024 (CVPR, arXiv 2403.12030). A task's adapters are trained on its pictures alone and never again, so
that nothing an earlier task's answers are read from moves; memory and the cost of an answer grow with the tasks.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from workbench.config import ModelConfig
from workbench.core.adapters import Adapter, adapted
from workbench.core.backbone import Backbone, Stem
from workbench.core.expansion import ExpandingHead
from workbench.core.network import Features, Network
from workbench.errors import UsageError

_NEEDED = {"answers": "cosines", "prototype_drift": "stale"}
_WAY_OUT = "Set method.name=ease, which sets all that goes with it, or take other model.branches."


class ExpandingNetwork(Network):
    """Backbone and T sets of S1's adapters, each beside every block's MLP; in evaluation a feature is (B, T d).

    In training it is (B, d) of the newest adapters, the only ones that learn: cross-entropy is of them alone. There
    are no slow copies, no fusion and no frozen section.

    Raises:
        UsageError: a setting asks for what such a network does not have.
    """

    grows = True
    prototypes: ExpandingHead

    def __init__(self, backbone: Backbone, model: ModelConfig, switches: Mapping[str, str]) -> None:
        _check(model, switches)
        super().__init__(backbone, replace(model, branches="none"), switches)
        self.branches, self.use_pretrained = ("s1",), False
        self._model = model
        self.adapters = nn.ModuleList([self._adapters()])
        self.prototypes = ExpandingHead(backbone.width, model.others)

    def expand(self, tasks: int) -> None:
        """Have adapters for so many tasks; those there were are frozen, new ones come from torch's global stream."""
        while len(self.adapters) < tasks:
            self.adapters.requires_grad_(False)
            self.adapters.append(self._adapters().to(self.prototypes.weight))
        self.prototypes.widen(tasks)

    @property
    def training_width(self) -> int:
        """Length d of a feature in training, of the newest adapters."""
        return self.backbone.width

    @property
    def passes_of_look(self) -> int:
        """A pass through each task's adapters."""
        return len(self.adapters)

    @property
    def passes_of_step(self) -> int:
        """Through the newest adapters alone; backward counts as two."""
        return 3

    @property
    def why_no_kernel(self) -> str:
        """Why there is no kernel for the monitor."""
        return (
            "each task has adapters of its own, which stay as they are, so what is learnt later moves "
            "no feature of an earlier task"
        )

    def forward(self, images: Tensor, pretrained: Tensor | None = None) -> Features:
        """Pixels (B, 3, H, W) in [0, 1] -> features; the frozen ones (B, d) are not needed."""
        with torch.no_grad():
            stem = self.backbone.stem(images)
            older = range(0 if self.training else len(self.adapters) - 1)
            blocks = [self._block(task, stem) for task in older]
        return self.fuse(torch.cat([*blocks, self._block(-1, stem)], 1), None)

    def _block(self, task: int, stem: Stem) -> Tensor:
        """Return the feature (B, d) that a task's adapters make."""
        return adapted(self.backbone, cast(nn.ModuleList, self.adapters[task]), stem)

    def _adapters(self) -> nn.ModuleList:
        model, width = self._model, self.backbone.width
        return nn.ModuleList(
            Adapter(width, model.bottleneck, model.adapter_scale, model.dropout)
            for _ in range(self.backbone.depth)
        )

    def _pairs(self) -> list[nn.ModuleDict]:
        return []


def _check(model: ModelConfig, switches: Mapping[str, str]) -> None:
    """Raise UsageError for a setting that does not go with adapters of each task's own."""
    asked: list[tuple[str, object, object]] = [
        (f"switches.{name}", switches[name], value) for name, value in _NEEDED.items()
    ]
    asked.append(("model.use_pretrained_section", model.use_pretrained_section, False))
    for key, found, needed in asked:
        if found != needed:
            raise UsageError(
                f"{key} is {found!r}, and with model.branches=expanding it can only be {needed!r}. {_WAY_OUT}"
            )
