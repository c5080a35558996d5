"""The probe: a fixed, class-balanced handful of pictures that is looked at and never trained on.

Drawn with a seed of its own (NTK-CL monitor; probe sizes as in Bennani et al. 2020,
arXiv 2006.11942). Looking leaves modes, parameters and every random state as they were.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.core.network import Network
from workbench.events import Stage

Pixels = Callable[[NDArray[np.int64]], Tensor]  # picture numbers -> (B, 3, H, W), test transform
Known = dict[int, Tensor]  # picture number -> a section (d,)


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
    """Looks at pictures through the network, in pieces, keeping the sections that have not changed."""

    def __init__(self, network: Network, pixels: Pixels) -> None:
        self.network = network
        self._pixels = pixels
        self._pretrained: Known = {}  # fixed for the whole run
        self._slow: dict[str, Known] = {}  # by branch, fixed within a task
        self._current: dict[str, Known] = {}  # by branch, fixed while nothing trains

    def elsewhere(self) -> "Eye":
        """Return an eye for displaced parameters: it shares what does not depend on them."""
        other = Eye(self.network, self._pixels)
        other._pretrained, other._slow = self._pretrained, self._slow
        return other

    def renew(self) -> None:
        """Forget the sections of the slow copies: they change between tasks, never within one."""
        self._slow.clear()

    def look(
        self, parts: Sequence[Part], text: str, *, moved: bool = True
    ) -> Generator[Stage, None, list[View]]:
        """Yield progress and return one `View` for each part.

        `moved`: whether the current subnetworks may have changed since the last look.
        """
        if moved:
            self._current.clear()
        indices = [index for part in parts for index in part.indices]
        pieces, step = [], self.network.piece
        for first in range(0, len(indices), step):
            yield Stage(text, first, len(indices))
            pieces.append(self._piece(indices[first : first + step]))
        whole = _joined(pieces)
        ends = np.cumsum([len(part) for part in parts]).tolist()
        return [whole[end - len(part) : end] for part, end in zip(parts, ends, strict=True)]

    @torch.no_grad()
    def _piece(self, indices: Sequence[int]) -> View:
        network = self.network
        with undisturbed(network):
            tokens = network.backbone.embed(self._pixels(np.array(indices)))
            z = {name: self._feature(name, indices, tokens) for name in network.branches}
            features = network.fuse(z.get("s1"), z.get("s2"))
        s1 = None if features.s1 is None else features.s1.double()
        return View(s1, features.main.double())

    def _feature(self, branch: str, indices: Sequence[int], tokens: Tensor) -> Tensor:
        """Return a branch's features (B, D) in the order of sections of `Network.assemble`."""
        network = self.network
        sections = []
        if network.use_pretrained:
            sections = [_kept(self._pretrained, indices, tokens, network.backbone)]
        for copy, store in (("ema", self._slow), ("current", self._current)):
            look = partial(network.branch, branch, copy)
            sections.append(_kept(store.setdefault(branch, {}), indices, tokens, look))
        return torch.cat(sections, 1)


def _kept(
    known: Known, indices: Sequence[int], tokens: Tensor, look: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return a section (B, d) of the pictures, looking only at those that are not known yet."""
    fresh = [row for row, index in enumerate(indices) if index not in known]
    if fresh:
        known.update(zip((indices[row] for row in fresh), look(tokens[fresh]), strict=True))
    return torch.stack([known[index] for index in indices])


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
