"""Weight files on this computer: where one lies, what was recorded of it, how it goes. No network is needed for that.

Apart from `core.hub`, which fetches them: the window asks at its start which weights are there, and
the clients of HTTP and TLS take a hundredth of a second to import.
"""

from pathlib import Path

from workbench.paths import weights_folder

SUFFIXES = (".safetensors", ".bin", ".pth", ".pt")


def stored_file(name: str, home: Path) -> Path | None:
    """Return the file that holds the weights called `name`, or None if they are not on this computer."""
    places = (weights_folder(home) / f"{name}{suffix}" for suffix in SUFFIXES)
    return next((place for place in places if place.is_file()), None)


def recorded_sha256(path: Path) -> str:
    """Return the SHA-256 recorded when the file was downloaded, "" if it was not or cannot be read."""
    try:
        return record_of(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def remove(name: str, home: Path) -> None:
    """Delete the weights called `name`, begun downloads of them included; what is not there is no fault."""
    for suffix in SUFFIXES:
        place = weights_folder(home) / f"{name}{suffix}"
        for path in (place, record_of(place), part_of(place), version_of(place)):
            path.unlink(missing_ok=True)


def part_of(place: Path) -> Path:
    """Return the file of a download that is not at its end."""
    return place.with_name(f"{place.name}.part")


def version_of(place: Path) -> Path:
    """Return the file that holds the ETag or date of what the part file is a part of."""
    return place.with_name(f"{place.name}.part.version")


def record_of(path: Path) -> Path:
    """Return the file that holds the SHA-256 of what was downloaded."""
    return path.with_name(f"{path.name.removesuffix('.part')}.sha256")
