"""Pictures that a cloud drive shows in a folder and fetches only when they are read (Windows)."""

import os
from pathlib import Path

from workbench.core.listing import Listing
from workbench.core.walk import counted
from workbench.report import Problem

RECALL_ON_DATA_ACCESS = 0x400000  # FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS


def attributes(path: Path) -> int:
    """Return Windows' attributes of a file; 0 elsewhere, and where it cannot be asked."""
    try:
        return int(getattr(os.stat(path), "st_file_attributes", 0))
    except OSError:  # reading it will say why
        return 0


def to_fetch(listings: list[Listing]) -> Problem | None:
    """Return what to ask before pictures are read that are not on this computer, or None."""
    number = sum(
        bool(attributes(listing.path / path) & RECALL_ON_DATA_ACCESS)
        for listing in listings
        for path in listing.files
    )
    if not number:
        return None
    is_are = "is" if number == 1 else "are"
    it_they = "It" if number == 1 else "They"
    sentence = (
        f"{counted(number, 'picture')} {is_are} not on this computer yet (OneDrive). "
        f"{it_they} will be fetched while reading."
    )
    return Problem(str(listings[0].path), "cloud", sentence)
