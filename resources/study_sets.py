"""Make the folders that the studies in resources/studies read: `python resources/study_sets.py TO [FASHION]`.

TO gets `styles` (the sample's pictures sorted by drawing style: each style a task with all 20 classes), `digits` (scikit-learn's
1,797 digits, BSD-3, where `pip install scikit-learn` has been done; two thirds to train on) and, from FASHION, the folder
that `resources/fashion_mnist.py` made, `fashion` with the first 1,000 training and 100 test pictures of each class, and
`fashion-5000` with 5,000 and 100 of the first four classes.
Nothing is downloaded. The studies look for TO at `~/ntk-cl-sets`.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SAMPLE = Path(__file__).resolve().parent / "sample" / "emoji"
STYLES = ("noto", "fluent", "twemoji")
FASHION = {
    "fashion": (10, 1000),
    "fashion-5000": (4, 5000),
}  # classes, and training pictures of each
TESTS = 100  # of a class


def styles(target: Path) -> None:
    """Copy the sample's pictures into one task folder a style, in the order of `STYLES`."""
    for number, style in enumerate(STYLES, 1):
        for picture in sorted(SAMPLE.glob(f"*/*/*/*-{style}.png")):
            _, part, name = picture.relative_to(SAMPLE).parts[:3]
            place = target / f"{number}-{style}" / part / name
            place.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(picture, place / picture.name)


def digits(target: Path) -> None:
    """Write scikit-learn's digits as pictures; every third of a class is kept for testing."""
    from sklearn.datasets import load_digits

    found = load_digits()
    for digit in range(10):
        for number, values in enumerate(found.images[found.target == digit]):
            place = target / ("test" if number % 3 == 2 else "train") / str(digit)
            place.mkdir(parents=True, exist_ok=True)
            pixels = np.round(values * 255 / 16).astype(np.uint8)  # (8, 8), 0 to 16 in steps of one
            Image.fromarray(pixels).save(place / f"{number:03}.png")


def fashion(source: Path, target: Path, classes: int, train: int) -> None:
    """Copy the first pictures of the first classes of each part."""
    for part, most in (("train", train), ("test", TESTS)):
        for folder in sorted((source / part).iterdir())[:classes]:
            place = target / part / folder.name
            place.mkdir(parents=True, exist_ok=True)
            for picture in sorted(folder.iterdir())[:most]:
                shutil.copyfile(picture, place / picture.name)


def main(words: list[str]) -> int:
    """Make what can be made, and say what was left out."""
    if len(words) not in (1, 2):
        sys.stderr.write((__doc__ or "") + "\n")
        return 2
    target = Path(words[0]).expanduser()
    styles(target / "styles")
    try:
        digits(target / "digits")
    except ImportError:
        sys.stderr.write("digits left out: 'pip install scikit-learn' brings them.\n")
    if len(words) == 2:
        for name, (classes, train) in FASHION.items():
            fashion(Path(words[1]), target / name, classes, train)
    else:
        sys.stderr.write(
            "fashion left out: give the folder that resources/fashion_mnist.py made.\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
