"""The window looks as it did when somebody looked at it; where not, the difference is kept as a picture.

After a wanted change: `python -m tests.window_pictures tests/data/window`, and look at each of them.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from tests.looking import share_different
from tests.window_pictures import DATA, DOUBLED, PICTURES

TOLERATED = 0.02  # share of pixels that may clearly differ: ages, and another Qt's rounding
KEPT = Path(__file__).parent.parent / "build" / "pictures"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures as the window is now; those of a screen with twice the pixels in a folder below."""
    folder = tmp_path_factory.mktemp("pictures")
    for scale, place in (("1", folder), ("2", folder / "double")):
        ran = subprocess.run(
            [sys.executable, "-m", "tests.window_pictures", str(place)],
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale},
            capture_output=True, text=True, timeout=500, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
    return folder


@pytest.mark.parametrize("name", [*PICTURES, *(f"double/{name}" for name in DOUBLED)])
def test_the_window_looks_as_it_was_found_good(name: str, drawn: Path) -> None:
    now, before = (QImage(str(folder / f"{name}.png")) for folder in (drawn, DATA))
    share = share_different(now, before, KEPT / f"{name}-difference.png")
    if share > TOLERATED:
        now.save(str(KEPT / f"{name}.png"))
    assert share <= TOLERATED, f"{share:.1%} differ; look at {KEPT}/{name}.png"
