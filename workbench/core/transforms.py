"""Pictures to batches, as in NTK-CL's official data code (arXiv 2407.17120): crops and flips to learn, centre to test.

The only file that imports torchvision. Values stay in [0, 1]; mean and deviation are the model's.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import InterpolationMode, v2

Pixels = NDArray[np.uint8]
SCALE = (0.05, 1.0)  # share of the picture's area that a training crop covers
RATIO = (3 / 4, 4 / 3)  # width to height of a training crop
CROP_SHARE = 224 / 256  # of the resized picture's shorter side that the test crop covers
LONGEST = 4  # times the shorter side; what lies beyond is never in the centre crop


class TrainTransform:
    """Random crop and flip, drawn from torch's global CPU generator (see `device.Stream`)."""

    def __init__(self, size: int, interpolation: str = "bilinear") -> None:
        self._steps = v2.Compose([
            v2.RandomResizedCrop(
                size, scale=SCALE, ratio=RATIO,
                interpolation=InterpolationMode(interpolation), antialias=True,
            ),
            v2.RandomHorizontalFlip(0.5),
        ])  # fmt: skip

    def __call__(self, pictures: Sequence[Pixels]) -> Tensor:
        """Return (B, 3, size, size) float32 in [0, 1] from uint8 arrays (H, W, 3) of any size."""
        return _batch([self._steps(_tensor(picture)) for picture in pictures])


class TestTransform:
    """The centre of the picture, its shorter side resized to size / `crop_share`."""

    __test__ = False  # no test case, whatever pytest makes of the name

    def __init__(self, size: int, crop_share: float = CROP_SHARE) -> None:
        side = max(size, round(size / crop_share))
        self._steps = v2.Compose([
            v2.Resize(side, interpolation=InterpolationMode.BICUBIC, antialias=True),
            v2.CenterCrop(size),
        ])  # fmt: skip

    def __call__(self, pictures: Sequence[Pixels]) -> Tensor:
        """Return (B, 3, size, size) float32 in [0, 1] from uint8 arrays (H, W, 3) of any size."""
        return _batch([self._steps(_tensor(_middle(picture))) for picture in pictures])


def _tensor(picture: Pixels) -> Tensor:
    return torch.tensor(picture).permute(2, 0, 1)  # (3, H, W), a copy: cached arrays are read-only


def _batch(pictures: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(pictures)).to(torch.float32) / 255  # (B, 3, size, size)


def _middle(picture: Pixels) -> Pixels:
    """Cut the ends off a very long picture, which would grow to gigabytes when resized."""
    height, width = picture.shape[:2]
    most = LONGEST * min(height, width)
    top, left = max(0, height - most) // 2, max(0, width - most) // 2
    return picture[top : top + most, left : left + most]
