"""Decoded pictures, kept in memory up to a limit and beyond it in one temporary file."""

import contextlib
import errno
import os
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DiskFull, WorkbenchError

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class _Spilled:
    """Where a picture lies in the file."""

    offset: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))


class PictureCache:
    """A growing list of uint8 arrays of any shape; any thread may append or read.

    Args:
        limit_bytes: of pixels in memory; what comes later goes to the file.
        folder: where the file is made; None takes the system's place for such files.
    """

    def __init__(self, limit_bytes: int, folder: str | os.PathLike[str] | None = None) -> None:
        self._room = limit_bytes
        self._folder = folder
        self._items: list[Pixels | _Spilled] = []
        self._file: IO[bytes] | None = None
        self._end = 0
        self._lock = threading.Lock()

    def append(self, pixels: Pixels) -> int:
        """Keep a copy of `pixels` and return its index.

        Raises:
            DiskFull: there is no room for the temporary file; the picture may be given again.
            WorkbenchError: it cannot be written.
        """
        with self._lock:
            if pixels.nbytes <= self._room:
                kept = pixels.copy()
                kept.flags.writeable = False  # every reader gets the same array
                self._items.append(kept)
                self._room -= pixels.nbytes
            else:
                self._room = 0  # small ones after a large one would only scatter reads
                self._items.append(self._spill(pixels))
            return len(self._items) - 1

    def __getitem__(self, index: int) -> Pixels:
        """Return the array, read-only where it is shared memory."""
        item = self._items[index]
        if not isinstance(item, _Spilled):
            return item
        with self._lock:
            if self._file is None:
                raise ValueError("the picture cache is closed")
            self._file.seek(item.offset)
            data = self._file.read(item.size)
        return np.frombuffer(data, np.uint8).reshape(item.shape)

    def shape(self, index: int) -> tuple[int, ...]:
        """Return a picture's (H, W, 3) without reading it."""
        return self._items[index].shape

    def keep(self, order: Sequence[int]) -> None:
        """Keep these pictures alone, in this order: the first one is number 0 from now on."""
        with self._lock:
            self._items = [self._items[index] for index in order]

    def __len__(self) -> int:
        return len(self._items)

    def __enter__(self) -> "PictureCache":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget all pictures and remove the file; a second call does nothing."""
        with self._lock:
            self._items.clear()
            if self._file is not None:
                with contextlib.suppress(OSError):  # a full disk, said when it was met
                    self._file.close()
                self._file = None

    def _spill(self, pixels: Pixels) -> _Spilled:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(  # noqa: SIM115  (closed by close)
                    prefix="workbench-pictures-", dir=self._folder
                )
            self._file.seek(self._end)
            self._file.write(pixels.tobytes())
            self._file.flush()  # a full disk shows itself here, not at some later read
        except OSError as error:
            place = self._folder or tempfile.gettempdir()
            kind = DiskFull if error.errno == errno.ENOSPC else WorkbenchError
            raise kind(
                f"Decoded pictures cannot be kept in {place}: {error.strerror}. "
                "Free some space there, or lower 'Longest side kept'."
            ) from error
        spilled = _Spilled(self._end, pixels.shape)
        self._end += pixels.nbytes
        return spilled
