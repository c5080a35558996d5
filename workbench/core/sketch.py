"""Rows too long to keep, folded to a fixed number of columns that keep their inner products on average.

Count sketch (Charikar, Chen & Farach-Colton 2002; feature hashing, Weinberger et al. 2009): every
coordinate is given a sign and a column by lot and added there, each column taking equally many. E⟨Sx, Sy⟩ = ⟨x, y⟩, and the
error of a kernel falls as 1/√k, as with a dense Gaussian projection, at a cost that does not grow with k.
"""

import zlib

import torch
from torch import Tensor


class Sketch:
    """Folds gradients tensor by tensor to `columns`; the same name and length are folded the same way for ever."""

    def __init__(self, columns: int, seed: int = 0) -> None:
        self.columns = columns
        self._seed = seed
        self._lots: dict[tuple[str, int, torch.device], tuple[Tensor, Tensor]] = {}

    def fold(self, name: str, rows: Tensor) -> Tensor:
        """Return (n, columns) from the rows (n, P) of the tensor `name`; sums over tensors are sketches too."""
        places, signs = self._lot(name, rows.shape[1], rows.device)
        padded = rows.new_zeros(len(rows), len(places))
        padded[:, : rows.shape[1]] = rows * signs.to(rows.dtype)
        folded: Tensor = padded[:, places].reshape(len(rows), -1, self.columns).sum(1)
        return folded

    def _lot(self, name: str, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the order (P rounded up to whole columns,) and the signs (P,) of a tensor."""
        key = (name, length, device)
        if key not in self._lots:
            chance = torch.Generator().manual_seed(zlib.crc32(name.encode()) ^ self._seed)
            whole = -(-length // self.columns) * self.columns
            order = torch.randperm(whole, generator=chance)
            signs = 2 * torch.randint(2, (length,), generator=chance, dtype=torch.int8) - 1
            self._lots[key] = order.to(device), signs.to(device)
        return self._lots[key]
