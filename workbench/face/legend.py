"""The names of lines beside their strokes, in rows above a plot, where they cover no data."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QLineF, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.face.theme import Theme

DASHES = {
    "solid": Qt.PenStyle.SolidLine,
    "dash": Qt.PenStyle.DashLine,
    "dot": Qt.PenStyle.DotLine,
    "dashdot": Qt.PenStyle.DashDotLine,
}
_STROKE, _GAP, _SPACE = 26, 6, 16  # pixels: sample, sample to text, text to next sample
_LEAST = 4  # letters of a cut name, with its ellipsis, that still tell something


@dataclass(frozen=True)
class Entry:
    """One name; several colours are drawn side by side, for lines that form an ordered group."""

    key: str
    label: str
    colors: tuple[str, ...]
    dash: str
    width: float
    shown: bool = True


def shortened(name: str, room: float, metrics: QFontMetricsF) -> str:
    """Return "2 gulls" cut to a width: whole, "2 gul…", "2", or nothing if that is too wide too."""
    text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
    if len(text) >= min(len(name), 5):
        return text
    number = name.split(" ")[0]
    return number if metrics.horizontalAdvance(number) <= room else ""


def beside_each_other(names: Sequence[str], room: float, metrics: QFontMetricsF) -> list[str]:
    """Return what to write of names that have `room` each: all cut alike, else numbers, some left out."""
    cut = [shortened(name, room, metrics) for name in names]
    numbers = [name.split(" ")[0] for name in names]
    if all(
        text == name or len(text) > len(number)
        for text, name, number in zip(cut, names, numbers, strict=True)
    ):
        return cut
    wide = max(metrics.horizontalAdvance(number) for number in numbers) + 4
    every = math.ceil(wide / max(room, 1.0))
    return [number if index % every == 0 else "" for index, number in enumerate(numbers)]


def places(
    entries: Sequence[Entry], font: QFont, width: int, most_rows: int = 99
) -> list[tuple[QRect, str]]:
    """Return a rectangle and a label (cut to fit) for the entries, row by row within `width`.

    Where `most_rows` are full, one more name is cut to what room is left, and the rest have no place.
    """
    metrics = QFontMetrics(font)
    height = metrics.height() + 2
    room = max(width - _STROKE - _GAP - 2, 10)
    found, x, y = [], 0, 0
    for entry in entries:
        label = metrics.elidedText(entry.label, Qt.TextElideMode.ElideMiddle, room)
        wide = _STROKE + _GAP + metrics.horizontalAdvance(label) + 2
        if x and x + wide > width and y + height < most_rows * height:
            x, y = 0, y + height
        elif x and x + wide > width:
            label = metrics.elidedText(
                entry.label, Qt.TextElideMode.ElideRight, width - x - _STROKE - _GAP - 2
            )
            if len(label) >= _LEAST:
                found.append((QRect(x, y, width - x, height), label))
            break
        found.append((QRect(x, y, wide, height), label))
        x += wide + _SPACE
    return found


def paint_legend(painter: QPainter, corner: QPoint, legend: "Legend") -> None:
    """Draw a legend's entries with their upper left corner at `corner`."""
    theme = legend.theme
    painter.setFont(legend.font())
    for entry, (box, label) in zip(legend.entries, legend.places(), strict=False):
        place = box.translated(corner)
        count = len(entry.colors)
        for index, color in enumerate(entry.colors):
            start = place.left() + _STROKE * index / count
            width = entry.width if count == 1 else max(entry.width, 3)
            pen = QPen(QColor(color if entry.shown else theme.border), width)
            pen.setStyle(DASHES[entry.dash])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            middle = place.center().y() + 0.5
            painter.drawLine(QLineF(start, middle, start + _STROKE / count, middle))
        painter.setPen(QColor(theme.text if entry.shown else theme.muted))
        text = place.adjusted(_STROKE + _GAP, 0, 2, 0)
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, label)


class Legend(QWidget):
    """Rows of entries; a click on one asks to hide or show its line, the mouse over it to lift it."""

    toggled = Signal(str)
    pointed = Signal(str)  # "" none

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.entries: tuple[Entry, ...] = ()
        self._most_rows = 99
        self._pointed = ""
        self.setMouseTracking(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these names instead of those before."""
        if tuple(entries) != self.entries:
            self.entries = tuple(entries)
            self.updateGeometry()
            self.update()

    def set_most_rows(self, rows: int) -> None:
        """Give up the last entries rather than take more than this many rows."""
        if rows != self._most_rows:
            self._most_rows = rows
            self.updateGeometry()
            self.update()

    def places(self) -> list[tuple[QRect, str]]:
        """Return where each entry that has room is drawn, and its label."""
        return places(self.entries, self.font(), self.width(), self._most_rows)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        boxes = places(self.entries, self.font(), width, self._most_rows)
        return boxes[-1][0].bottom() + 1 if boxes else 0

    def sizeHint(self) -> QSize:
        width = max(self.width(), 200)
        return QSize(width, self.heightForWidth(width))

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_on(painter, QPoint(0, 0))
        painter.end()

    def paint_on(self, painter: QPainter, corner: QPoint) -> None:
        """Draw the legend on any device."""
        paint_legend(painter, corner, self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        key = self._key_at(event.position().toPoint())
        if key:
            self.toggled.emit(key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self._key_at(event.position().toPoint()))

    def leaveEvent(self, _: QEvent) -> None:
        self._point_at("")

    def _key_at(self, place: QPoint) -> str:
        pairs = zip(self.entries, self.places(), strict=False)
        return next((entry.key for entry, (box, _) in pairs if box.contains(place)), "")

    def _point_at(self, key: str) -> None:
        if key != self._pointed:
            self._pointed = key
            self.pointed.emit(key)
