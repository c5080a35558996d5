"""A large folder scanned while the window is used: how often its event loop turns, files a second, memory.

    python -m tests.benchmarks.bench_scan [--files 20000] [--seconds 20]

Prints the timer-gap p99 of the idle window, that of the same window while it scans, pictures a second
and the resident memory before, at the peak and after. Each picture is a PNG of its own content.
"""

import argparse
import os
import resource
import statistics
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from workbench.face.drop import Given
from workbench.face.theme import apply_theme
from workbench.face.window import Window
from workbench.session import Session

TICK = 5  # ms
CLASSES = 20


def png(number: int, side: int = 32) -> bytes:
    """Return a small PNG that no other number gives, without a library in between."""
    line = b"\0" + bytes((number * 7 + i * 3) & 255 for i in range(side))
    rows = line * (side - 1) + b"\0" + number.to_bytes(4, "big").ljust(side, b"\1")

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + check

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows, 1)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def fill(root: Path, files: int) -> None:
    """Write that many pictures into class folders."""
    for name in range(CLASSES):
        (root / f"class {name:02}").mkdir(parents=True)
    for number in range(files):
        (root / f"class {number % CLASSES:02}" / f"{number:06}.png").write_bytes(png(number))


class Gaps:
    """The times between the turns of a timer that should fire every 5 ms."""

    def __init__(self) -> None:
        self.found: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._turn)
        self._timer.start()

    def _turn(self) -> None:
        now = time.perf_counter()
        self.found.append(1000 * (now - self._last))
        self._last = now

    def take(self) -> tuple[float, float, float]:
        """Return median, p99 and the largest in ms since the last call."""
        found, self.found = sorted(self.found), []
        return statistics.median(found), found[int(0.99 * len(found))], found[-1]


def say(line: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{line}\n")


def resident() -> float:
    """Return the memory in use in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    app = QApplication([])
    apply_theme(app, "light")
    with tempfile.TemporaryDirectory() as place:
        fill(Path(place) / "large", chosen.files)
        window = Window(Session(Path(place) / "home"))
        window.show()
        gaps = Gaps()
        wait(app, chosen.seconds)
        gaps.take()
        wait(app, chosen.seconds)
        say("idle       median {:.1f} ms, p99 {:.1f} ms, largest {:.1f} ms".format(*gaps.take()))
        before = resident()
        began = time.perf_counter()
        window.desk.adder.ended.connect(app.quit)
        window.desk.adder.take(Given(folders=(str(Path(place) / "large"),)))
        app.exec()
        took = time.perf_counter() - began
        say("scanning   median {:.1f} ms, p99 {:.1f} ms, largest {:.1f} ms".format(*gaps.take()))
        say(f"{chosen.files} pictures in {took:.1f} s, {chosen.files / took:.0f} a second")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        say(f"resident   {before:.0f} MB before, {resident():.0f} MB after, {peak:.0f} MB at most")
        sheet = window.desk.adder.sheet
        if sheet is not None:
            sheet.reject()
        window.close()


def wait(app: QApplication, seconds: float) -> None:
    """Let the window live for a while."""
    QTimer.singleShot(int(1000 * seconds), app.quit)
    app.exec()


if __name__ == "__main__":
    main()
