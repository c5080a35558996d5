"""Turn Fashion-MNIST's four IDX files into folders of pictures: `python resources/fashion_mnist.py FROM TO`.

Xiao et al., arXiv 1708.07747. The files, packed or not, are those that github.com/zalandoresearch/fashion-mnist
and Debian's package dataset-fashion-mnist bring; nothing is downloaded. IDX: a magic number whose
last byte is the number of dimensions, the dimensions as big-endian 32-bit numbers, then bytes.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CLASSES = (
    "T-shirt or top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
PARTS = {"train": "train", "test": "t10k"}


def read_idx(folder: Path, name: str) -> NDArray[np.uint8]:
    """Return the array in `folder`/`name`, or in `name`.gz beside it."""
    packed = folder / f"{name}.gz"
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()
    if data[:3] != b"\0\0\x08":
        raise ValueError(f"{folder / name} is not an IDX file of bytes.")
    shape = np.frombuffer(data, ">i4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def unpack(source: Path, target: Path) -> int:
    """Write `target`/{train,test}/CLASS/NUMBER.png and return how many pictures there are."""
    count = 0
    for part, prefix in PARTS.items():
        images = read_idx(source, f"{prefix}-images-idx3-ubyte")  # (n, 28, 28)
        labels = read_idx(source, f"{prefix}-labels-idx1-ubyte")  # (n,)
        for name in CLASSES:
            (target / part / name).mkdir(parents=True, exist_ok=True)
        for i, (image, label) in enumerate(zip(images, labels, strict=True)):
            Image.fromarray(image).save(target / part / CLASSES[label] / f"{i:05}.png")
        count += len(labels)
    return count


def main(arguments: list[str]) -> str:
    """Do as the command line says and return the sentence to show."""
    if len(arguments) != 2:
        return (
            "Two folders are needed: the one with the IDX files, and the one to write pictures to."
        )
    source, target = map(Path, arguments)
    try:
        return f"{unpack(source, target):,} pictures are in {target}."
    except (OSError, ValueError) as error:
        return f"Fashion-MNIST could not be unpacked: {error}"


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]) + "\n")
