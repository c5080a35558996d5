"""A network from loaded weights: for training, and from an adapter's card for answering."""

from collections.abc import Mapping
from typing import Any

import torch

from workbench.config import ModelConfig
from workbench.core.backbone import Backbone, create
from workbench.core.expanding import ExpandingNetwork
from workbench.core.network import Network
from workbench.core.weights import LoadedWeights


def build_network(
    model: ModelConfig, switches: Mapping[str, str], weights: LoadedWeights, device: torch.device
) -> Network:
    """Build the network around the weights; what is random at the start comes from torch's global stream."""
    vit = create(weights.model_name, weights.state, **weights.create_kwargs)
    kind = ExpandingNetwork if model.branches == "expanding" else Network
    return kind(Backbone(vit, **pixel_scale(switches, weights)), model, switches).to(device)


def pixel_scale(switches: Mapping[str, str], weights: LoadedWeights) -> dict[str, Any]:
    """Return the mean and deviation that pixels in [0, 1] are normalised by; none for the official scale."""
    return {"mean": weights.mean, "std": weights.std} if switches["pixel_scale"] == "model" else {}
