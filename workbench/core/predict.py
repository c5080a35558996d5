"""Answers on new pictures from an adapter."""

import os
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import torch

from workbench.config import DataConfig
from workbench.core.adapter_file import AdapterCard
from workbench.core.card import load_network
from workbench.core.device import choose_device
from workbench.core.network import Network
from workbench.core.pictures import PictureError, decode, is_picture_name
from workbench.core.precision import STRICT, products_in
from workbench.core.transforms import TestTransform
from workbench.errors import UsageError
from workbench.events import Stage
from workbench.report import Guess


def predict(
    source: Path,
    pictures: Sequence[str],
    home: Path,
    *,
    device: str = "auto",
    any_weights: bool = False,
) -> Generator[Stage | Guess, None, None]:
    """Yield one Guess for each picture, in order; a folder stands for the pictures in it.

    Raises:
        UsageError: the adapter cannot be used, or there is no picture.
        WeightsDiffer: the backbone is not the adapter's, and `any_weights` does not allow it.
    """
    paths = list(_expand(pictures))
    if not paths:
        raise UsageError(
            f"No pictures in {', '.join(pictures)}. Looked for PNG, JPEG, WebP, BMP, TIFF, GIF."
        )
    place = choose_device(device)
    network, card = yield from load_network(source, home, place, any_weights=any_weights)
    steps = card.preprocessing
    transform = TestTransform(steps.size, steps.size / steps.resize)
    for start in range(0, len(paths), network.piece):
        yield Stage("Looking at pictures", start, len(paths))
        piece = paths[start : start + network.piece]
        yield from _answer(network, card, transform, piece, place)


def _answer(
    network: Network,
    card: AdapterCard,
    transform: TestTransform,
    paths: Sequence[str],
    device: torch.device,
) -> Generator[Guess, None, None]:
    side = max(DataConfig.max_side, 2 * card.preprocessing.size)
    decoded: list[np.ndarray | str] = []
    for path in paths:
        try:
            decoded.append(decode(path, side))
        except PictureError as error:
            decoded.append(_refusal(path, error))
    readable = [pixels for pixels in decoded if not isinstance(pixels, str)]
    shares = iter(_shares(network, card, transform, readable, device) if readable else ())
    for path, item in zip(paths, decoded, strict=True):
        yield (
            Guess(path, (), (), (), item)
            if isinstance(item, str)
            else _guess(path, card, next(shares))
        )


def _refusal(path: str, error: PictureError) -> str:
    if error.kind == "not_a_picture" and not is_picture_name(path):
        name = os.path.basename(path)
        return f"This format cannot be read: {name}. JPEG, PNG, WebP, TIFF can."
    return str(error)


@torch.no_grad()
def _shares(
    network: Network,
    card: AdapterCard,
    transform: TestTransform,
    pictures: Sequence[np.ndarray],
    device: torch.device,
) -> np.ndarray:
    """Answer in strict, whatever the adapter was trained in: the same answers on every device, but for rounding."""
    with products_in(STRICT):
        logits = network.prototypes(network(transform(pictures).to(device)).main)  # (B, C)
    shares: np.ndarray = torch.softmax(logits / card.temperature, 1).cpu().numpy()
    return shares


def _guess(path: str, card: AdapterCard, shares: np.ndarray) -> Guess:
    best = np.argsort(-shares, kind="stable")
    classes = [card.classes[i] for i in best]
    return Guess(
        path, tuple(c.name for c in classes), tuple(card.tasks[c.task] for c in classes),
        tuple(float(shares[i]) for i in best),
    )  # fmt: skip


def _expand(pictures: Sequence[str]) -> Generator[str, None, None]:
    for path in pictures:
        if not os.path.isdir(path):
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (
                os.path.join(folder, name) for name in sorted(names) if is_picture_name(name)
            )
