"""The bands of one plot, and handing them to its sheet."""

from collections.abc import Collection, Iterator

import numpy as np

from workbench.face.shading import Band
from workbench.face.sheet import Sheet
from workbench.face.x_view import Span


class BandLayer:
    """Bands by key, drawn behind the lines."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._bands: dict[str, Band] = {}

    def __iter__(self) -> Iterator[Band]:
        return iter(self._bands.values())

    def put(self, key: str, band: Band) -> None:
        """Add a band, or put it in another's place."""
        self._bands[key] = band

    def remove(self, key: str) -> bool:
        """Take a band away; return whether there was one."""
        there = self._bands.pop(key, None) is not None
        if there:
            self._sheet.remove_band(key)
        return there

    def keys(self) -> list[str]:
        """Return the keys of all bands."""
        return list(self._bands)

    def draw(self, span: Span, columns: int, hidden: Collection[str], *, log: bool) -> list[float]:
        """Draw what is seen of every band; return the y that must be in view (logarithms if so drawn)."""
        seen = [np.empty(0)]
        for key, band in self._bands.items():
            corners = [] if key in hidden else band.seen(*span, columns)
            self._sheet.draw_band(key, band.color, corners)
            seen += [edge for corner in corners for edge in (corner[1], corner[3])]
        y = np.concatenate(seen)
        y = np.log10(y[y > 0]) if log else y
        return [float(y.min()), float(y.max())] if len(y) else []
