"""The probe: a fixed, class-balanced handful of pictures that is looked at and never trained on.

Drawn with a seed of its own (NTK-CL monitor; probe sizes as in Bennani et al. 2020,
arXiv 2006.11942). Looking leaves modes, parameters and every random state as they were.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.core.backbone import Stem
from workbench.core.jacobian import Outputs, Rows, gradients, joined
from workbench.core.network import Network
from workbench.core.precision import STRICT, products_in
from workbench.core.sketch import Sketch
from workbench.core.tasks import TaskData
from workbench.events import Stage

Pixels = Callable[[NDArray[np.int64]], Tensor]  # picture numbers -> (B, 3, H, W), test transform
Stems = Callable[[], Stem]
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

    def __getitem__(self, pictures: slice | list[int]) -> "View":
        """Return some of the pictures; every prefix of a drawn part is as balanced as it can be."""
        return View(None if self.s1 is None else self.s1[pictures], self.main[pictures])

    @staticmethod
    def joined(pieces: Sequence["View"]) -> "View":
        """Return the views of several sets of pictures as one."""
        firsts = [piece.s1 for piece in pieces if piece.s1 is not None]
        main = torch.cat([piece.main for piece in pieces])
        return View(torch.cat(firsts) if firsts else None, main)


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


def draw_task(task: TaskData, number: int, size: int, seed: int) -> Probed:
    """Draw a task's probe of up to `size` training and as many test pictures, with a seed of its own."""
    sides = ((task.train, task.train_labels), (task.test, task.test_labels))
    train, test = (
        draw(Part(tuple(i.tolist()), tuple(y.tolist())), size, (seed, number, side))
        for side, (i, y) in enumerate(sides)
    )
    classes, counts = np.unique(task.train_labels, return_counts=True)
    known = dict(zip(classes.tolist(), counts.tolist(), strict=True))
    return Probed(task.info.class_ids, known, train, test)


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
        whole = View.joined(pieces)
        ends = np.cumsum([len(part) for part in parts]).tolist()
        return [whole[end - len(part) : end] for part, end in zip(parts, ends, strict=True)]

    def rows(
        self,
        part: Part,
        outputs: Outputs,
        piece: int,
        vectors: Tensor | None = None,
        sketch: Sketch | None = None,
    ) -> Generator[Stage, None, Rows]:
        """Yield progress and return the rows of a part that was looked at last, `piece` pictures at a time.

        `outputs`, `vectors` and `sketch` are those of `jacobian.gradients`.
        """
        found = []
        for first in range(0, len(part), piece):
            yield Stage("Measuring the NTK gap, gradients", first, len(part))
            with undisturbed(self.network):
                stem, z = self._sections(part.indices[first : first + piece])
                found.append(gradients(self.network, stem(), z, outputs, vectors, sketch))
        return joined(found)

    @torch.no_grad()
    def _sections(self, indices: Sequence[int]) -> tuple[Stems, dict[str, Tensor]]:
        """Return what makes the pictures' stem, once if somebody asks, and each branch's features (B, D)."""

        @cache
        @torch.no_grad()
        def stem() -> Stem:
            return self.network.backbone.stem(self._pixels(np.array(indices)))

        return stem, {n: self._feature(n, indices, stem) for n in self.network.branches}

    @torch.no_grad()
    def _piece(self, indices: Sequence[int]) -> View:
        with undisturbed(self.network):
            _, z = self._sections(indices)
            features = self.network.fuse(z.get("s1"), z.get("s2"))
        s1 = None if features.s1 is None else features.s1.double()
        return View(s1, features.main.double())

    def _feature(self, branch: str, indices: Sequence[int], stem: Stems) -> Tensor:
        """Return a branch's features (B, D) in the order of sections of `Network.assemble`."""
        network = self.network
        sections = []
        if network.use_pretrained:
            sections = [_kept(self._pretrained, indices, stem, network.backbone)]
        for copy, store in (("ema", self._slow), ("current", self._current)):
            look = partial(network.branch, branch, copy)
            sections.append(_kept(store.setdefault(branch, {}), indices, stem, look))
        return torch.cat(sections, 1)


def _kept(
    known: Known, indices: Sequence[int], stem: Stems, look: Callable[[Stem], Tensor]
) -> Tensor:
    """Return a section (B, d) of the pictures, looking only at those that are not known yet."""
    fresh = [row for row, index in enumerate(indices) if index not in known]
    if fresh:
        known.update(zip((indices[row] for row in fresh), look(stem()[fresh]), strict=True))
    return torch.stack([known[index] for index in indices])


@contextmanager
def undisturbed(network: Network) -> Iterator[None]:
    """Evaluation mode at full precision inside; outside, every module is as it was before."""
    modes = [(module, module.training) for module in network.modules()]
    tier = network.backbone.tier
    network.eval()
    network.backbone.tier = STRICT
    try:
        with products_in(STRICT):
            yield
    finally:
        network.backbone.tier = tier
        for module, training in modes:
            module.training = training
