"""A tiny network with every trainable tensor random, and a learner whose loss has no anchor."""

import torch

from tests.small import switches, vit
from workbench.config import MethodConfig, ModelConfig, TrainConfig
from workbench.core.backbone import Backbone
from workbench.core.learner import Learner
from workbench.core.network import Network


def tiny_network(
    branches: str = "both",
    fusion: str = "linear",
    *,
    dropout: float = 0.0,
    answers: str = "cosines",
) -> Network:
    """Return `small.vit` in float64 with adapters that are past their start."""
    model = ModelConfig(
        branches=branches, bottleneck=4, prompt_tokens=3, dropout=dropout, projection=60
    )
    network = Network(Backbone(vit()), model, switches(fusion=fusion, answers=answers)).double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if not name.startswith("backbone."):
                parameter.normal_(0.0, 0.2)
    return network


def tiny_learner(network: Network, **training: float) -> Learner:
    """Return a learner with momentum and weight decay, but without the L2 anchor."""
    values = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-2, **training}
    method = MethodConfig(weight_regularisation=0.0)
    chance = torch.Generator().manual_seed(3)
    return Learner(network, method, switches(), TrainConfig(**values), chance)
