"""The probe: a fixed, class-balanced handful of pictures that is looked at and never trained on.

Drawn with a seed of its own (NTK-CL monitor; probe sizes as in Bennani et al. 2020,
arXiv 2006.11942). Looking leaves modes, parameters and every random state as they were.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.core.network import Network
from workbench.events import Stage

Pixels = Callable[[NDArray[np.int64]], Tensor]  # picture numbers -> (B, 3, H, W), test transform


@dataclass(frozen=True)
class Part:
    """Pictures by number, with the global id of each one's class."""

    indices: tuple[int, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.indices)


@dataclass(frozen=True)
class View:
    """Pictures as the network sees them in evaluation mode: float64, rows in the part's order."""

    s1: Tensor | None  # c, what the fusion's value layer reads: (n, D)
    main: Tensor  # m, what the heads read: (n, D)

    def __getitem__(self, pictures: slice) -> "View":
        """Return some of the pictures; every prefix of a drawn part is as balanced as it can be."""
        return View(None if self.s1 is None else self.s1[pictures], self.main[pictures])


@dataclass(frozen=True)
class Probed:
    """A task's share of the probe; `counts` are all its training pictures, by class id."""

    class_ids: tuple[int, ...]
    counts: Mapping[int, int]
    train: Part
    test: Part

    @property
    def trained(self) -> int:
        """Training pictures of the task."""
        return sum(self.counts.values())


def draw(part: Part, size: int, seed: Sequence[int]) -> Part:
    """Draw up to `size` pictures, one of each class in turn; fewer if the part has fewer."""
    chance = np.random.default_rng(seed)
    waiting: dict[int, list[int]] = {}
    for row in chance.permutation(len(part)).tolist():
        waiting.setdefault(part.labels[row], []).append(row)
    ranked = [(turn, row) for rows in waiting.values() for turn, row in enumerate(rows)]
    rows = [row for _, row in sorted(ranked, key=lambda item: item[0])[:size]]
    return Part(tuple(part.indices[r] for r in rows), tuple(part.labels[r] for r in rows))


class Eye:
    """Looks at pictures through the network, in pieces, keeping the sections that do not change."""

    def __init__(self, network: Network, pixels: Pixels) -> None:
        self.network = network
        self._pixels = pixels
        self._pretrained: dict[int, Tensor] = {}  # picture -> (d,), fixed for the whole run
        self._frozen: dict[
            int, dict[str, Tensor]
        ] = {}  # picture -> branch -> sections without gradient

    def renew(self) -> None:
        """Forget the sections of the slow copies: they change between tasks, never within one."""
        self._frozen.clear()

    def look(self, parts: Sequence[Part], text: str) -> Generator[Stage, None, list[View]]:
        """Yield progress and return one `View` for each part."""
        indices = [index for part in parts for index in part.indices]
        step = 64 if next(self.network.parameters()).is_cuda else 8
        pieces = []
        for first in range(0, len(indices), step):
            yield Stage(text, first, len(indices))
            pieces.append(self._piece(indices[first : first + step]))
        whole = _joined(pieces)
        ends = np.cumsum([len(part) for part in parts]).tolist()
        return [whole[end - len(part) : end] for part, end in zip(parts, ends, strict=True)]

    @torch.no_grad()
    def _piece(self, indices: Sequence[int]) -> View:
        with undisturbed(self.network):
            tokens = self.network.backbone.embed(self._pixels(np.array(indices)))
            features = self.network.assemble(self._sections(indices, tokens), tokens)
        s1 = None if features.s1 is None else features.s1.double()
        return View(s1, features.main.double())

    def _sections(self, indices: Sequence[int], tokens: Tensor) -> Mapping[str, list[Tensor]]:
        network = self.network
        if any(index not in self._frozen for index in indices):
            known = all(index in self._pretrained for index in indices)
            stored = torch.stack([self._pretrained[i] for i in indices]) if known else None
            sections = network.frozen_sections(tokens, stored)
            for row, index in enumerate(indices):
                self._frozen[index] = {
                    n: torch.cat([z[row] for z in zs]) for n, zs in sections.items()
                }
                if network.use_pretrained:
                    self._pretrained[index] = sections[network.branches[0]][0][row]
        return {n: [torch.stack([self._frozen[i][n] for i in indices])] for n in network.branches}


@contextmanager
def undisturbed(network: Network) -> Iterator[None]:
    """Evaluation mode at full precision inside; outside, every module is as it was before."""
    modes = [(module, module.training) for module in network.modules()]
    autocast = network.backbone.autocast
    network.eval()
    network.backbone.autocast = False
    try:
        yield
    finally:
        network.backbone.autocast = autocast
        for module, training in modes:
            module.training = training


def _joined(pieces: Sequence[View]) -> View:
    firsts = [piece.s1 for piece in pieces if piece.s1 is not None]
    return View(torch.cat(firsts) if firsts else None, torch.cat([piece.main for piece in pieces]))
