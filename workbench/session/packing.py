"""Bytes of a bundle on their way into a file, in pieces: counted, summed, and told of."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from workbench.events import Stage
from workbench.tell import Tell

_PIECE = 1 << 20  # bytes between two moments at which the work can be given up


class Amount:
    """How many of the bytes have been copied, over several files."""

    def __init__(self, text: str, total: int, tell: Tell) -> None:
        self._text, self._total, self._tell = text, total, tell
        self._done = 0

    def copy(self, source: IO[bytes], sink: IO[bytes]) -> str:
        """Copy a file to its end and return its SHA-256; tells after each piece."""
        digest = hashlib.sha256()
        while piece := source.read(_PIECE):
            sink.write(piece)
            digest.update(piece)
            self._done += len(piece)
            self._tell(Stage(self._text, self._done >> 20, max(self._total >> 20, 1)))
        return digest.hexdigest()


def pack(
    made: zipfile.ZipFile, sources: Mapping[str, Path], name: str, tell: Tell
) -> dict[str, str]:
    """Write files into an archive by their names in it; return their SHA-256, also by name."""
    total = sum(path.stat().st_size for path in sources.values())
    amount = Amount(f"Megabytes of {name}", total, tell)
    sums = {}
    for member, path in sources.items():
        about = zipfile.ZipInfo.from_file(path, member, strict_timestamps=False)
        about.compress_type = made.compression
        with path.open("rb") as source, made.open(about, "w") as sink:
            sums[member] = amount.copy(source, sink)
    return sums
