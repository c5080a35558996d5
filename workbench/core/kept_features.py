"""What the frozen backbone sees of pictures, kept below the home folder so that other runs need not look again.

One SQLite file for each backbone and way from a picture's bytes to its feature; in it a row for each
picture, found by the SHA-256 of its file, with a checksum: what is not read as it was written is never
believed. The file is no more than a saving of time, so that nothing that happens to it ends a run.
"""

import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import PIL
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench import __version__
from workbench.config import RunConfig
from workbench.core.backbone import Backbone
from workbench.core.weights import LoadedWeights
from workbench.errors import because
from workbench.events import Note, Stage
from workbench.paths import PRIVATE, features_folder

LIMIT = 4 * 2**30  # bytes of one file, and of all of them whenever a run begins
WAIT_SECONDS = 10.0  # for another run that is writing
_AT_ONCE = 4096  # pictures looked up between two chances to stop
# What is no fault of the file's content.
_OUTSIDE = (
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM,
)  # fmt: skip

T = TypeVar("T")
Places = NDArray[np.int64]


@contextmanager
def kept_below(
    home: Path,
    config: RunConfig,
    weights: LoadedWeights,
    backbone: Backbone,
    hashes: Sequence[str],
) -> Iterator["KeptFeatures | None"]:
    """Give a run its kept features while it is inside; None where the configuration keeps none."""
    if not config.data.keep_features:
        yield None
        return
    identity = identity_of(weights, backbone, config.data.max_side)
    kept = KeptFeatures(features_folder(home), identity, backbone.width, hashes)
    with closing(kept):
        yield kept


def identity_of(weights: LoadedWeights, backbone: Backbone, max_side: int) -> str:
    """Return as JSON all that decides a feature beside the picture's bytes and, in the last digits, its batch."""
    mean, std = cast(Tensor, backbone.mean), cast(Tensor, backbone.std)
    values = {
        "weights": weights.sha256, "model": weights.model_name, "arguments": weights.create_kwargs,
        "size": backbone.image_size, "mean": mean.flatten().tolist(), "std": std.flatten().tolist(),
        "max_side": max_side, "precision": backbone.tier, "device": mean.device.type,
        "made by": [__version__, torch.__version__, PIL.__version__],
    }  # fmt: skip
    return json.dumps(values, sort_keys=True, default=str)


class KeptFeatures:
    """Features (d,) in float32 of the pictures of one cache.

    Args:
        folder: of all such files; made if need be.
        identity: what `identity_of` says; features of another one are in another file.
        width: d.
        hashes: SHA-256 of each picture's file in hexadecimal, by its index in the cache.
    """

    def __init__(self, folder: Path, identity: str, width: int, hashes: Sequence[str]) -> None:
        self.path = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.db"
        self._identity, self._width, self._hashes = identity, width, hashes
        self._db: sqlite3.Connection | None = None
        self._usable, self._growing = True, True
        self._notes: list[Note] = []

    def read(
        self, indices: Places, text: str
    ) -> Generator[Stage, None, tuple[Tensor, NDArray[np.bool_]]]:
        """Return features (n, d) on the processor, and of which of the n pictures they are known (n,)."""
        features = np.zeros((len(indices), self._width), "<f4")
        known = np.zeros(len(indices), np.bool_)
        for start in range(0, len(indices), _AT_ONCE):
            yield Stage(text, start, len(indices))
            rows = slice(start, start + _AT_ONCE)
            found = self._with_file(partial(self._rows, indices[rows])) or {}
            for place, feature in found.items():
                features[start + place], known[start + place] = feature, True
        return torch.from_numpy(features.astype(np.float32, copy=False)), known

    def add(self, indices: Places, features: Tensor) -> None:
        """Keep the features (n, d) of n pictures, all or none of them."""
        if self._growing:
            self._with_file(partial(self._put, indices, features.cpu().numpy().astype("<f4")))

    def notes(self) -> list[Note]:
        """Return what there is to say since the last time."""
        said, self._notes = self._notes, []
        return said

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _rows(self, indices: Places, db: sqlite3.Connection) -> dict[int, NDArray[np.float32]]:
        found = {}
        for place, index in enumerate(indices):
            picture = bytes.fromhex(self._hashes[index])
            row = db.execute(
                "SELECT feature, checksum FROM feature WHERE picture = ?", [picture]
            ).fetchone()
            if row is not None:
                found[place] = self._checked(picture, *row)
        return found

    def _checked(self, picture: bytes, feature: object, checksum: object) -> NDArray[np.float32]:
        if not isinstance(feature, bytes) or len(feature) != 4 * self._width:
            raise sqlite3.DatabaseError("a row is no feature of this backbone")
        if zlib.crc32(picture + feature) != checksum:
            raise sqlite3.DatabaseError("a row is not as it was written")
        return np.frombuffer(feature, "<f4")

    def _put(self, indices: Places, features: NDArray[np.float32], db: sqlite3.Connection) -> None:
        pictures = [bytes.fromhex(self._hashes[index]) for index in indices]
        blobs = [feature.tobytes() for feature in features]
        with db:  # one transaction: of a run that is killed here nothing is kept
            db.executemany(
                "INSERT OR IGNORE INTO feature VALUES (?, ?, ?)",
                [(p, f, zlib.crc32(p + f)) for p, f in zip(pictures, blobs, strict=True)],
            )
        if self.path.stat().st_size >= LIMIT:
            self._growing = False
            self._say(f"The frozen features kept in '{self.path}' have reached {LIMIT >> 30} GB. No more are kept.", "info")  # fmt: skip

    def _with_file(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file, made anew if it is damaged; None where it cannot be used any more."""
        for attempt in range(2):
            if not self._usable:
                break
            try:
                return work(self._opened())
            except (sqlite3.Error, OSError) as error:
                self.close()
                if attempt or not _is_damage(error) or not _removed(self.path):
                    self._give_up(error)
                else:
                    self._say(f"The frozen features kept in '{self.path}' were damaged. They are made anew.", "info")  # fmt: skip
        return None

    def _opened(self) -> sqlite3.Connection:
        if self._db is not None:
            return self._db
        folder = self.path.parent
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        make_room(folder, self.path)
        # A run may be driven by one thread and ended by another, never by two at once.
        db = sqlite3.connect(self.path, timeout=WAIT_SECONDS, check_same_thread=False)
        try:
            self._prepare_patiently(db)
        except BaseException:
            db.close()
            raise
        self._growing = self.path.stat().st_size < LIMIT
        self._db = db
        return db

    def _prepare_patiently(self, db: sqlite3.Connection) -> None:
        """Try again while another run opens the file too: SQLite does not wait where it changes the journal."""
        patience = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self._prepare(db)
                return
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() >= patience:
                    raise
            time.sleep(0.02)

    def _prepare(self, db: sqlite3.Connection) -> None:
        # Of a new file: in a page of 4096 bytes a feature of 768 numbers would stand alone.
        db.execute("PRAGMA page_size = 16384")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("CREATE TABLE IF NOT EXISTS about (identity TEXT PRIMARY KEY)")
        db.execute(
            "CREATE TABLE IF NOT EXISTS feature (picture BLOB PRIMARY KEY, feature BLOB NOT NULL, "
            "checksum INTEGER NOT NULL)"
        )
        with db:
            db.execute("INSERT OR IGNORE INTO about VALUES (?)", [self._identity])
        if db.execute("SELECT identity FROM about").fetchall() != [(self._identity,)]:
            raise sqlite3.DatabaseError("it holds features of another backbone")
        with suppress(OSError):
            os.utime(self.path)  # used now

    def _give_up(self, error: Exception) -> None:
        self._usable = False
        reason = because(error) if isinstance(error, OSError) else str(error)
        self._say(f"Frozen features cannot be kept in '{self.path.parent}' ({reason}). This run goes on without.", "warning")  # fmt: skip

    def _say(self, sentence: str, level: str) -> None:
        self._notes.append(Note(sentence, level))


def make_room(folder: Path, own: Path) -> None:
    """Delete the files that were not used for longest, but not `own`, until all have no more than `LIMIT` bytes."""
    known = []
    for path in folder.glob("*.db"):
        with suppress(OSError):  # another run deletes too
            known.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in known)
    for _, size, path in sorted(known):
        if total > LIMIT and path != own and _removed(path):
            total -= size


def _removed(path: Path) -> bool:
    """Delete a file and SQLite's two beside it; False where that is not possible."""
    try:
        for end in ("-wal", "-shm", ""):
            path.with_name(path.name + end).unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _is_damage(error: Exception) -> bool:
    # Complaints that are not SQLite's, ours and those of text that is none, bring no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return isinstance(error, sqlite3.Error) and code & 0xFF not in _OUTSIDE
