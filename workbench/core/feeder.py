"""Pictures from the cache to the device: plain for looking, augmented for training."""

import numpy as np
import torch
from torch import Tensor

from workbench.core.cache import PictureCache
from workbench.core.device import Stream
from workbench.core.transforms import TestTransform, TrainTransform


class Feeder:
    """Makes batches (B, 3, size, size) in [0, 1] on the device from indices into the cache."""

    def __init__(
        self,
        cache: PictureCache,
        size: int,
        device: torch.device,
        dtype: torch.dtype,
        augmentation: Stream,
    ) -> None:
        self.cache = cache
        self.device = device
        self.dtype = dtype
        self.augmentation = augmentation
        self._train, self._test = TrainTransform(size), TestTransform(size)

    def plain(self, indices: np.ndarray) -> Tensor:
        """The pictures as they are tested: resized, centre crop."""
        return self._test([self.cache[int(i)] for i in indices]).to(self.device, self.dtype)

    def augmented(self, indices: np.ndarray) -> Tensor:
        """The pictures as they are trained on: random crop and flip from the augmentation stream."""
        with self.augmentation:
            return self._train([self.cache[int(i)] for i in indices]).to(self.device, self.dtype)
