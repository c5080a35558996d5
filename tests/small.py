"""A two-block timm ViT with random weights, and a network and learner for any profile and switches."""

from typing import Any

import timm
import torch

from workbench.config import (
    MethodConfig,
    ModelConfig,
    RunConfig,
    SwitchConfig,
    TrainConfig,
    effective_switches,
)
from workbench.core.backbone import Backbone
from workbench.core.learner import Learner
from workbench.core.network import Network

SIZE, WIDTH = 32, 32


def vit(**changes: Any) -> torch.nn.Module:
    """A ViT of 2 blocks, 32 wide, 16 patches of 8 x 8; `changes` go to timm."""
    arguments = {"img_size": SIZE, "patch_size": 8, "embed_dim": WIDTH, "depth": 2, "num_heads": 4}
    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", num_classes=0, **(arguments | changes))
    for parameter in model.parameters():  # timm starts biases at zero, which would hide mistakes
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def switches(profile: str = "repaired", **chosen: str) -> dict[str, str]:
    method, choice = MethodConfig(profile=profile), SwitchConfig(**chosen)
    return effective_switches(RunConfig(method=method, switches=choice))


def network(profile: str = "repaired", model: ModelConfig | None = None, **chosen: str) -> Network:
    """A float64 network around `vit()`, dropout off unless the model says otherwise."""
    model = model or ModelConfig(bottleneck=4, prompt_tokens=3, dropout=0.0)
    return Network(Backbone(vit()), model, switches(profile, **chosen)).double()


def learner(profile: str = "repaired", *, made: Network | None = None, **chosen: Any) -> Learner:
    """A learner at a rate that moves a tiny network; keywords are switches or MethodConfig's."""
    fields = {k: chosen.pop(k) for k in list(chosen) if k in MethodConfig.__dataclass_fields__}
    method = MethodConfig(profile=profile, **fields)
    training = TrainConfig(learning_rate=0.05, weight_decay=0.0)
    chance = torch.Generator().manual_seed(0)
    vector = switches(profile, **chosen)
    return Learner(made or network(profile, **chosen), method, vector, training, chance)


def pictures(n: int, seed: int = 0) -> torch.Tensor:
    """Random pixels (n, 3, 32, 32) in [0, 1], float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, 3, SIZE, SIZE, generator=generator, dtype=torch.float64)
