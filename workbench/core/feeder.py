"""Pictures from the cache to the device: plain for looking, augmented for training, cut to size ahead of their use.

On a processor a batch is made when it is asked for: its 0.2 to 1 ms a picture are half a percent of what the
network takes. A GPU would wait for that, so there threads make the next batches while it computes. Chance is drawn
on the caller's thread, batch by batch, so that every number is the same either way.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial

import numpy as np
import torch
from torch import Tensor

from workbench.core.cache import PictureCache
from workbench.core.device import Stream
from workbench.core.kept_features import KeptFeatures
from workbench.core.transforms import Crop, TestTransform, TrainTransform, in_unit_range

AHEAD = 3  # batches that a GPU may find ready
_THREADS = 8  # at most: one makes some 1,000 pictures a second, a GPU wants 1,500


Work = Callable[[], Tensor]  # one picture, (3, size, size) in 0..255


class Feeder:
    """Makes batches (B, 3, size, size) in [0, 1] on the device from indices into the cache.

    Args:
        ahead: batches made before they are asked for; None: as many as the device is worth.

    Attributes:
        kept: the features of these pictures that need not be computed, where a run keeps them.
    """

    kept: KeptFeatures | None = None

    def __init__(
        self,
        cache: PictureCache,
        size: int,
        device: torch.device,
        dtype: torch.dtype,
        augmentation: Stream,
        ahead: int | None = None,
    ) -> None:
        self.cache = cache
        self.device = device
        self.dtype = dtype
        self.augmentation = augmentation
        self._ahead = ahead if ahead is not None else AHEAD * (device.type == "cuda")
        self._train, self._test = TrainTransform(size), TestTransform(size)

    def plain(self, indices: np.ndarray) -> Tensor:
        """The pictures as they are tested: resized, centre crop."""
        return self._on_device([work() for work in self._tested(indices)])

    def plain_pieces(self, indices: np.ndarray, piece: int) -> Generator[Tensor, None, None]:
        """Yield `plain` of so many pictures after so many."""
        parts = (indices[start : start + piece] for start in range(0, len(indices), piece))
        with closing(_made(map(self._tested, parts), self._ahead)) as batches:
            for pictures in batches:
                yield self._on_device(pictures)

    def augmented(self, batches: Iterable[np.ndarray]) -> Generator[Tensor, None, None]:
        """Yield batch after batch as they are trained on: random crop and flip from the augmentation stream.

        Whenever a batch is handed out, the stream stands behind it, whatever has been drawn ahead.
        """
        behind: deque[list[Tensor]] = deque()
        works = self._drawn(batches, behind)
        with closing(_made(works, self._ahead)) as made:
            for pictures in made:
                self.augmentation.states = behind.popleft()
                yield self._on_device(pictures)

    def _drawn(
        self, batches: Iterable[np.ndarray], behind: deque[list[Tensor]]
    ) -> Iterator[list[Work]]:
        """Draw for one batch after another; after each, `behind` gets where the stream stands."""
        states = self.augmentation.states
        for indices in batches:
            self.augmentation.states = states
            with self.augmentation:
                crops = [self._train.draw(self.cache.shape(int(i))) for i in indices]
            states = self.augmentation.states
            behind.append(states)
            pairs = zip(indices, crops, strict=True)
            yield [partial(self._trained_on, int(i), crop) for i, crop in pairs]

    def _tested(self, indices: np.ndarray) -> list[Work]:
        return [partial(self._tested_on, int(i)) for i in indices]

    def _trained_on(self, index: int, crop: Crop) -> Tensor:
        return self._train.apply(self.cache[index], crop)

    def _tested_on(self, index: int) -> Tensor:
        return self._test.apply(self.cache[index])

    def _on_device(self, pictures: Sequence[Tensor]) -> Tensor:
        batch = torch.stack(list(pictures))  # (B, 3, size, size)
        if self.device.type == "cuda":
            # From memory that is pinned the copy waits for nothing that the GPU is at.
            batch = batch.pin_memory().to(self.device, non_blocking=True)
        return in_unit_range(batch).to(self.dtype)


def _made(works: Iterator[list[Work]], ahead: int) -> Generator[list[Tensor], None, None]:
    """Yield what the works of each batch make, with `ahead` batches under way on threads; 0: on this one."""
    if not ahead:
        for batch in works:
            yield [work() for work in batch]
        return
    pool = ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1), thread_name_prefix="feeding")
    under_way: deque[list[Future[Tensor]]] = deque()
    try:
        for batch in works:
            under_way.append([pool.submit(work) for work in batch])
            if len(under_way) > ahead:
                yield [each.result() for each in under_way.popleft()]
        while under_way:
            yield [each.result() for each in under_way.popleft()]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
