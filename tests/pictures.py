"""Small folders of pictures for tests: each class has a colour and a stripe of its own, each picture its own noise."""

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def make_picture(
    class_name: str, number: int, *, size: int = 24, seed: int = 0
) -> NDArray[np.uint8]:
    """Return a picture (size, size, 3) that can be told from other classes and is never the same twice."""
    look = np.random.default_rng(zlib.crc32(class_name.encode()))
    chance = np.random.default_rng([zlib.crc32(class_name.encode()), number, seed])
    colour, stripe = look.integers(40, 216, 3), look.integers(40, 216, 3)
    period, across = look.integers(3, 9), look.integers(0, 2)
    place = np.indices((size, size))[across] + chance.integers(0, period)  # (size, size)
    pixels = np.where((place // period % 2 == 0)[:, :, None], colour, stripe)  # (size, size, 3)
    noisy = pixels + chance.normal(0, 12, pixels.shape)
    return noisy.clip(0, 255).astype(np.uint8)


def make_class_folders(
    root: Path, classes: Mapping[str, int], *, size: int = 24, seed: int = 0
) -> Path:
    """Fill `root` with one folder a class, holding that many PNG files; return `root`."""
    for name, count in classes.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = make_picture(name, number, size=size, seed=seed)
            Image.fromarray(pixels).save(folder / f"{number:04d}.png")
    return root


def make_split_folders(
    root: Path,
    classes: Mapping[str, tuple[int, int]],
    *,
    size: int = 24,
    seed: int = 0,
    test_name: str = "test",
) -> Path:
    """Fill `root` with `train/` and `test/`, each class with (train, test) pictures; return `root`."""
    trains = {name: counts[0] for name, counts in classes.items()}
    tests = {name: counts[1] for name, counts in classes.items()}
    make_class_folders(root / "train", trains, size=size, seed=seed)
    make_class_folders(root / test_name, tests, size=size, seed=seed + 1_000_003)
    return root


def make_task_folders(
    root: Path, tasks: Mapping[str, Mapping[str, int]], *, size: int = 24, seed: int = 0
) -> list[Path]:
    """Make one folder of class folders a task below `root`; return the task folders in that order."""
    return [
        make_class_folders(root / name, classes, size=size, seed=seed + number)
        for number, (name, classes) in enumerate(tasks.items())
    ]
