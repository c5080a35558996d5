"""Fetching weight files: over HTTP with progress, resumed where it broke off, cancelled by closing.

The standard library's client is used because huggingface_hub reports its progress to a terminal bar
only, cannot be stopped between two chunks, and keeps files in a cache of its own. An unfinished
file stays as `NAME.part` beside the tag of its version, and the next attempt asks for the rest.
"""

import hashlib
import http
import http.client
import os
import re
import shutil
import time
import urllib.error
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from workbench.core.connection import Hops, connect, sha256_in
from workbench.core.stored import part_of, record_of, recorded_sha256, stored_file, version_of
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Stage
from workbench.paths import weights_folder

CHUNK = 1 << 18  # bytes
TICK_SECONDS = 0.1  # at most ten stages a second
ATTEMPTS = 3  # in a row without a new byte
_HUB = "https://huggingface.co"
_BROKEN = (OSError, http.client.HTTPException)  # a connection that fails or ends too soon


@dataclass(frozen=True)
class Weights:
    """What to fetch: the name a person knows it by, and the addresses it may have, best first."""

    name: str
    urls: tuple[str, ...]


def hub_urls(repository: str, filename: str = "") -> tuple[str, ...]:
    """Return the addresses of a repository's weight file at HF_ENDPOINT, the safe format first."""
    names = ("model.safetensors", "pytorch_model.bin")
    if filename:
        stem = filename.rpartition(".")[0].replace("pytorch_model", "model")
        names = (f"{stem}.safetensors", filename)
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or _HUB
    if not re.fullmatch(
        r"https?://([\w.-]+|\[[0-9a-f:.]+\])(:\d+)?(/[\w./~%-]*)?", endpoint, re.ASCII
    ):
        raise UsageError(f"HF_ENDPOINT is {endpoint!r}, which is not a web address (https://…).")
    return tuple(f"{endpoint}/{repository}/resolve/main/{name}" for name in dict.fromkeys(names))


def fetch(weights: Weights, home: Path) -> Generator[Stage, None, Path]:
    """Return the file of the weights, downloaded first if it is not there; stages count megabytes.

    Raises:
        WorkbenchError: the hub cannot be reached or refuses, the disk is full, the file is damaged.
    """
    found = stored_file(weights.name, home)
    if found is None:
        found = yield from _download(weights, weights_folder(home))
    return found


def checked_sha256(path: Path) -> Generator[Stage, None, str]:
    """Return the file's SHA-256, compared with the one recorded when it was downloaded.

    Raises:
        WorkbenchError: the file is not what was downloaded, or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            size, next_tick = os.fstat(file.fileno()).st_size, time.monotonic()
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                if time.monotonic() >= next_tick:
                    yield Stage(f"Checking {path.name} (MB)", *_megabytes(file.tell(), size))
                    next_tick = time.monotonic() + TICK_SECONDS
    except OSError as error:
        raise WorkbenchError(f"'{path}' cannot be read: {error.strerror}.") from error
    recorded = recorded_sha256(path)
    if recorded not in ("", digest.hexdigest()):
        raise WorkbenchError(
            f"'{path}' is not the file that was downloaded: its hash differs from '{record_of(path).name}'. "
            "Delete both to download it again."
        )
    return digest.hexdigest()


def _download(weights: Weights, folder: Path) -> Generator[Stage, None, Path]:
    _make(folder)
    for url in weights.urls:
        place = folder / f"{weights.name}{os.path.splitext(url)[1]}"
        hops = Hops()
        if (yield from _download_from(url, weights.name, place, hops)):
            record_of(place).unlink(missing_ok=True)  # of a file that was deleted since
            sha256 = yield from checked_sha256(part_of(place))
            if hops.sha256 not in ("", sha256):
                part_of(place).unlink()
                raise WorkbenchError(
                    f"The weights of {weights.name} came damaged: their SHA-256 is {sha256[:12]}…, and the hub "
                    f"names {hops.sha256[:12]}…. They were deleted; start again."
                )
            record_of(place).write_text(sha256 + "\n", encoding="utf-8")
            os.replace(part_of(place), place)
            version_of(place).unlink(missing_ok=True)
            return place
    asked = " or ".join(weights.urls) or "any hub"
    raise WorkbenchError(
        f"The weights of {weights.name} were not found at {asked}. {_by_hand(folder, weights.name)}"
    )


def _download_from(url: str, name: str, place: Path, hops: Hops) -> Generator[Stage, None, bool]:
    """Fill the part file from `url`, over several connections if they break; False if it is not there."""
    part, failures, was_reached = part_of(place), 0, False
    while failures < ATTEMPTS:
        size = _size(part)
        yield Stage(f"Connecting for the weights of {name}")
        try:
            with closing(connect(url, _size(part), _version_text(place), hops)) as answer:
                was_reached = True
                hops.sha256 = sha256_in(answer.headers) or hops.sha256
                total = _accept(answer, name, place)
                yield from _receive(answer, name, part, total)
            if _size(part) == total or not total:
                return True
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (404, 410):
                return False
            if error.code != 416:
                raise WorkbenchError(_refusal(error.code, name, place.parent)) from error
            if error.headers.get("Content-Range") == f"bytes */{size}":
                return True  # nothing was left to ask for
            part.unlink(missing_ok=True)  # longer than the file: begin again
        except _BROKEN as error:
            if not was_reached:
                raise WorkbenchError(_offline(error, name, place.parent)) from error
        failures = 0 if _size(part) > size else failures + 1
    raise WorkbenchError(
        f"The connection broke while the weights of {name} were downloaded. "
        f"{_size(part) / 1e6:,.0f} MB are kept; start again to get the rest."
    )


def _accept(answer: http.client.HTTPResponse, name: str, place: Path) -> int:
    """Prepare the part file for what is coming and return the whole file's bytes, 0 if not told."""
    folder, part = place.parent, part_of(place)
    if answer.headers.get_content_type() == "text/html":
        raise WorkbenchError(
            f"{answer.url} answered with a web page instead of weights; perhaps this network asks for "
            f"a login first. {_by_hand(folder, name)}"
        )
    length = answer.headers.get("Content-Length", "")
    left = int(length) if length.isdecimal() else 0
    begins = f"bytes {_size(part)}-"
    if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
        if not answer.headers.get("Content-Range", begins).startswith(begins):
            part.unlink(missing_ok=True)
            raise http.client.HTTPException("another part than the one asked for")
    else:
        _write(part, b"", "wb")
        tag = answer.headers.get("ETag", "")
        version = (
            answer.headers.get("Last-Modified", "") if tag.startswith("W/") or not tag else tag
        )
        version_of(place).unlink(missing_ok=True)
        if version:
            _write(version_of(place), version.encode(), "wb")
    free = shutil.disk_usage(folder).free
    if left > free:
        raise WorkbenchError(
            f"The weights of {name} need {left / 1e6:,.0f} MB more; {free / 1e6:,.0f} MB are free in "
            f"{folder}. Free some space there."
        ).or_elsewhere()
    return _size(part) + left if left else 0


def _receive(
    answer: http.client.HTTPResponse, name: str, part: Path, total: int
) -> Generator[Stage, None, None]:
    next_tick = 0.0
    while chunk := answer.read1(CHUNK):
        _write(part, chunk, "ab")
        if time.monotonic() >= next_tick:
            text = f"Downloading the weights of {name} (MB)"
            yield Stage(text, *_megabytes(_size(part), total))
            next_tick = time.monotonic() + TICK_SECONDS


def _write(path: Path, data: bytes, mode: str) -> None:
    try:
        with path.open(mode) as file:
            file.write(data)
    except OSError as error:
        raise WorkbenchError(
            f"'{path}' could not be written: {error.strerror}. What was downloaded is kept; "
            "free some space and start again."
        ).or_elsewhere() from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkbenchError(f"The folder {folder} could not be made: {error.strerror}.") from error


def _version_text(place: Path) -> str:
    """Return the version as it may stand in a header, or an empty string."""
    try:
        text = version_of(place).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return text if text.isprintable() else ""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _megabytes(done: int, total: int) -> tuple[int, int]:
    return done // 1_000_000, -(-total // 1_000_000)


def _by_hand(folder: Path, name: str) -> str:
    return f"Put the file into {folder} as '{name}.safetensors', or choose a weights file."


def _offline(error: Exception, name: str, folder: Path) -> str:
    reason = getattr(error, "reason", error)
    return (
        f"The weights of {name} are not on this computer and the hub cannot be reached ({reason}). "
        f"{_by_hand(folder, name)}"
    )


def _refusal(code: int, name: str, folder: Path) -> str:
    if code in (401, 403):
        return (
            f"The hub does not hand out the weights of {name} without an account (HTTP {code}). "
            f"Download them in a browser. {_by_hand(folder, name)}"
        )
    return (
        f"The hub answered with an error (HTTP {code}) for the weights of {name}. Try again later."
    )
