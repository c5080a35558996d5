"""Pictures to batches, as in NTK-CL's official data code (arXiv 2407.17120): crops and flips to learn, centre to test.

The only file that imports torchvision. Values stay in [0, 1]; mean and deviation are the model's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import InterpolationMode, v2

Pixels = NDArray[np.uint8]
SCALE = (0.05, 1.0)  # share of the picture's area that a training crop covers
RATIO = (3 / 4, 4 / 3)  # width to height of a training crop
FLIPPED = 0.5  # share of training crops
CROP_SHARE = 224 / 256  # of the resized picture's shorter side that the test crop covers
LONGEST = 4  # times the shorter side; what lies beyond is never in the centre crop


@dataclass(frozen=True)
class Crop:
    """What chance says of one picture: the box (top, left, height, width) that is cut out, and whether it is flipped."""

    box: tuple[int, int, int, int]
    flipped: bool


class TrainTransform:
    """Random crop and flip. What is drawn and what is then computed are apart, so that other threads can compute."""

    def __init__(self, size: int, interpolation: str = "bilinear") -> None:
        self._size = size
        self._interpolation = InterpolationMode(interpolation)
        self._crop = v2.RandomResizedCrop(size, scale=SCALE, ratio=RATIO)

    def draw(self, shape: Sequence[int]) -> Crop:
        """Draw for a picture (H, W, …) from torch's global CPU generator (see `device.Stream`)."""
        stand_in = torch.empty(1, 1, 1).expand(1, *shape[:2])
        drawn = self._crop.make_params([stand_in])
        box = (drawn["top"], drawn["left"], drawn["height"], drawn["width"])
        return Crop(box, bool(torch.rand(1) < FLIPPED))

    def apply(self, picture: Pixels, crop: Crop) -> Tensor:
        """Return uint8 (3, size, size) from a uint8 array (H, W, 3) of the shape that was drawn for."""
        cut: Tensor = v2.functional.resized_crop(
            _tensor(picture),
            *crop.box,
            [self._size, self._size],
            self._interpolation,
            antialias=True,
        )
        return cut.flip(-1) if crop.flipped else cut


class TestTransform:
    """The centre of the picture, its shorter side resized to size / `crop_share`."""

    __test__ = False  # no test case, whatever pytest makes of the name

    def __init__(self, size: int, crop_share: float = CROP_SHARE) -> None:
        side = max(size, round(size / crop_share))
        self._steps = v2.Compose([
            v2.Resize(side, interpolation=InterpolationMode.BICUBIC, antialias=True),
            v2.CenterCrop(size),
        ])  # fmt: skip

    def apply(self, picture: Pixels) -> Tensor:
        """Return uint8 (3, size, size) from a uint8 array (H, W, 3) of any size."""
        cut: Tensor = self._steps(_tensor(_middle(picture)))
        return cut

    def __call__(self, pictures: Sequence[Pixels]) -> Tensor:
        """Return (B, 3, size, size) float32 in [0, 1] from uint8 arrays (H, W, 3) of any size."""
        return in_unit_range(torch.stack([self.apply(picture) for picture in pictures]))


def _tensor(picture: Pixels) -> Tensor:
    return torch.tensor(picture).permute(2, 0, 1)  # (3, H, W), a copy: cached arrays are read-only


def in_unit_range(batch: Tensor) -> Tensor:
    """Return float32 in [0, 1] from uint8, on whichever device."""
    return batch.to(torch.float32) / 255


def _middle(picture: Pixels) -> Pixels:
    """Cut the ends off a very long picture, which would grow to gigabytes when resized."""
    height, width = picture.shape[:2]
    most = LONGEST * min(height, width)
    top, left = max(0, height - most) // 2, max(0, width - most) // 2
    return picture[top : top + most, left : left + most]
