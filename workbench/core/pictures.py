"""Picture files to arrays: read once, hashed and decoded from the same bytes, on many threads if many.

Pillow does the decoding; everything it may say about a damaged file becomes a `PictureError`.
"""

import hashlib
import io
import os
import re
import stat
import struct
import time
import warnings
import zlib
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from workbench.errors import WorkbenchError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "TIFF", "GIF")  # Pillow's names
FORMATS_SHOWN = "PNG, JPEG, WebP, BMP, TIFF, GIF"
EXTENSIONS = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"}
)
MAX_PIXELS = 178_956_970  # Pillow's own limit for a decompression bomb: half a gigabyte as RGB
MAX_BYTES = 1 << 30  # of a file; larger ones are not read at all
TICK_SECONDS = 0.1  # how long `read_all` waits for a slow picture before it lets its caller act
PROGRESS_SECONDS = 0.1
PROGRESS_PICTURES = 200
PER_WORKER = 4  # pictures under way for each thread

# What Pillow's decoders raise on damaged bytes; a wider net would also catch our own mistakes.
DAMAGED = (
    OSError, SyntaxError, ValueError, ArithmeticError, LookupError, EOFError, TypeError,
    RuntimeError, struct.error, zlib.error,
)  # fmt: skip

_QUIET = ("ignore", None, Warning, re.compile(r"PIL\."), 0)  # as `warnings` writes the rule down


class PictureError(WorkbenchError):
    """A picture that cannot be used.

    `kind` is one of unreadable, too_large, not_a_picture, empty_file, no_permission, vanished.
    """

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels (H, W, 3) in 0..255 and the hash of the file they came from."""

    pixels: NDArray[np.uint8]
    sha256: str


def is_picture_name(name: str) -> bool:
    """Return whether a file of this name is taken for a picture."""
    return os.path.splitext(name)[1].lower() in EXTENSIONS


def decode(path: str | os.PathLike[str], max_side: int) -> NDArray[np.uint8]:
    """Return the file's picture (H, W, 3) as a person sees it, the longer side at most `max_side`.

    Transparency lies on white, EXIF orientation is applied, deeper grey is scaled to 0..255.

    Raises:
        PictureError: the file cannot be used; the sentence names it.
    """
    return read(path, max_side).pixels


def read(path: str | os.PathLike[str], max_side: int, name: str = "") -> Picture:
    """Return the picture with its content hash; `name` is how a sentence calls the file.

    Raises:
        PictureError: as `decode`.
    """
    shown = repr(name or Path(path).name)
    data = _bytes_of(path, shown)
    return Picture(_decode_bytes(data, max_side, shown), hashlib.sha256(data).hexdigest())


def read_all(
    files: Iterable[tuple[str, str]], max_side: int, workers: int | None = None
) -> Generator[Picture | PictureError | None, None, None]:
    """Read (path, name) pairs on threads; yield a picture or its error for each, in their order.

    None is yielded every 0.1 s while the next one is not ready, so that a caller may give up.
    Closing the generator waits for the pictures under way and joins the threads.
    """
    threads = workers or min(8, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="pictures")
    under_way: deque[Future[Picture | PictureError]] = deque()
    try:
        for path, name in files:
            under_way.append(pool.submit(_read_or_error, path, max_side, name))
            while len(under_way) >= threads * PER_WORKER:
                yield from _first_of(under_way)
        while under_way:
            yield from _first_of(under_way)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class Cadence:
    """Says when progress is worth telling: every 0.1 s or 200 pictures, whichever comes first."""

    def __init__(self) -> None:
        self._time, self._done = time.monotonic(), 0

    def is_due(self, done: int) -> bool:
        """Return whether to tell of `done` pictures now."""
        now = time.monotonic()
        if now - self._time < PROGRESS_SECONDS and done - self._done < PROGRESS_PICTURES:
            return False
        self._time, self._done = now, done
        return True


def _first_of(
    under_way: deque[Future[Picture | PictureError]],
) -> Generator[Picture | PictureError | None, None, None]:
    while not wait([under_way[0]], timeout=TICK_SECONDS).done:
        yield None
    yield under_way.popleft().result()


def _read_or_error(path: str, max_side: int, name: str) -> Picture | PictureError:
    try:
        return read(path, max_side, name)
    except PictureError as error:
        return error


def _bytes_of(path: str | os.PathLike[str], shown: str) -> bytes:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device would never end
            raise PictureError("not_a_picture", f"{shown} is not an ordinary file.")
        if status.st_size > MAX_BYTES:
            raise PictureError(
                "too_large", f"{shown} is larger than 1 GB. Make it smaller to use it."
            )
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise PictureError("vanished", f"{shown} is no longer there.") from error
    except PermissionError as error:
        raise PictureError(
            "no_permission", f"{shown} could not be opened (no permission)."
        ) from error
    except OSError as error:
        reason = error.strerror or "the system gave no reason"
        raise PictureError("unreadable", f"{shown} could not be opened: {reason}.") from error
    if not data:
        raise PictureError("empty_file", f"{shown} is empty (0 bytes).")
    return data


def _decode_bytes(data: bytes, max_side: int, shown: str) -> NDArray[np.uint8]:
    _ignore_remarks()
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            size = _reduced(image.size, max_side)
            image.draft(None, size)  # JPEG alone: decodes at a half, quarter or eighth
            stored = image.size
            image.load()
            _turn(image)
            return _pixels(image, size if image.size == stored else size[::-1])
    except (Image.DecompressionBombError, MemoryError) as error:
        raise PictureError(
            "too_large", f"{shown} has too many pixels; at most {MAX_PIXELS:,} can be read."
        ) from error
    except UnidentifiedImageError as error:
        raise PictureError(
            "not_a_picture", f"{shown} is not a picture, whatever its name says."
        ) from error
    except DAMAGED as error:
        raise PictureError("unreadable", f"{shown} cannot be read: the file is damaged.") from error


def _ignore_remarks() -> None:
    """Keep Pillow's remarks on odd metadata from the user, who can do nothing about them.

    The filters are one list for all threads, so the rule is added where it is missing and never
    swapped in and out as `warnings.catch_warnings` would.
    """
    if not warnings.filters or warnings.filters[0] != _QUIET:
        warnings.filterwarnings("ignore", module=r"PIL\.")


def _turn(image: Image.Image) -> None:
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except DAMAGED:  # damaged metadata beside good pixels: shown as stored
        return


def _pixels(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    flat = _eight_bit(image) if image.mode.startswith(("I", "F")) else image
    flat = flat.convert("RGBA" if flat.has_transparency_data else "RGB")
    if size != flat.size:
        flat = flat.resize(size, Image.Resampling.BICUBIC)
    if flat.mode == "RGBA":
        flat = Image.alpha_composite(Image.new("RGBA", size, "white"), flat).convert("RGB")
    return np.array(flat)  # (H, W, 3)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Scale deep grey to 0..255: 16 bit by its whole range, other numbers by what they span."""
    values = np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0)  # (H, W)
    low, high = 0.0, 65535.0
    if image.mode == "F" and values.max() <= 1:
        high = 1.0
    elif image.mode == "F" and values.max() <= 255:
        high = 255.0
    if values.min() < low or values.max() > high:
        low, high = float(values.min()), float(values.max())
    return Image.fromarray(
        np.rint((values - low) * (255 / max(high - low, 1e-300))).astype(np.uint8)
    )


def _reduced(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    factor = max_side / max(size)
    if factor >= 1:
        return size
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
