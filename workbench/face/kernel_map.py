"""The kernel among probe pictures as a heat map, every entry a square, with lines around tasks and classes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from workbench.face.drawing import Drawing, Place
from workbench.face.language import say
from workbench.face.legend import beside_each_other, shortened
from workbench.face.panel import Table
from workbench.face.scene import Scene
from workbench.face.theme import viridis

_CENTRE = Qt.AlignmentFlag.AlignCenter
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_ROOMY = 9.0  # pixels of a class from which lines take nothing away
_BAR = 10.0  # pixels: width of the colour scale
_FORMULA = "K_ij / √(K_ii K_jj): the cosine of two pictures' gradients; below 0 is drawn as 0"


@dataclass(frozen=True)
class KernelMap(Drawing):
    """Rows and columns are classes, in the order of the probe's pictures.

    `classes` names each block of the scene and `tasks` each task, for the words beside them.
    """

    scene: Scene
    classes: tuple[str, ...]  # a block each
    tasks: dict[int, str]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.scene.blocks), len(self.scene.blocks)

    def square(self, place: Place) -> QRectF:
        """Return where the kernel itself lies: the largest square beside names and colour scale."""
        metrics = QFontMetricsF(place.font)
        left, top = self._name_width(place), metrics.height() + 6
        right = _BAR + 12 + metrics.horizontalAdvance("≤ 0")
        side = min(place.rect.width() - left - right, place.rect.height() - top - 2)
        free = place.rect.width() - left - right - side
        corner = place.rect.topLeft() + QPointF(left + free / 2, top)
        return QRectF(corner.x(), corner.y(), max(side, 1.0), max(side, 1.0))

    def box(self, row: int, column: int, place: Place) -> QRectF:
        one, other = self.scene.blocks[row], self.scene.blocks[column]
        return self._part(place, (one.start, one.stop), (other.start, other.stop))

    def at(self, point: QPointF, place: Place) -> tuple[int, int] | None:
        found = self._pictures(point, place)
        if found is None:
            return None
        starts = [block.start for block in self.scene.blocks]
        row, column = (int(np.searchsorted(starts, one, "right")) - 1 for one in found)
        return row, column

    def sentence(self, row: int, column: int) -> str:
        one, other = self.scene.blocks[row], self.scene.blocks[column]
        found = self.scene.between(one, other)
        names = say("{one} with {other}").format(one=self._whole(row), other=self._whole(column))
        if not len(found):
            return say("{names}: no two pictures to compare.").format(names=names)
        low, mean, high = (float(f(found)) for f in (np.min, np.mean, np.max))
        return say("{names}: mean cosine {mean:.2f}, from {low:.2f} to {high:.2f}.").format(
            names=names, mean=mean, low=low, high=high
        )

    def hint(self, row: int, column: int, point: QPointF, place: Place) -> str:
        found = self._pictures(point, place)
        value = (
            ""
            if found is None
            else "\n"
            + say("These two pictures: {cosine:.3f}.").format(cosine=self.scene.cosine[found])
        )
        return f"{self.sentence(row, column)}{value}\n{_FORMULA}"

    def table(self) -> Table:
        """Return the mean cosine of every two classes."""
        blocks = self.scene.blocks
        rows = []
        for name, one in zip(self.classes, blocks, strict=True):
            found = [self.scene.between(one, other) for other in blocks]
            rows.append([name, *(f"{part.mean():.3f}" if len(part) else "" for part in found)])
        return [say("mean cosine"), *self.classes], rows

    def paint(self, painter: QPainter, place: Place) -> None:
        square = self.square(place)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
        painter.drawImage(square, self._image)
        self._paint_lines(painter, place)
        self._paint_names(painter, place)
        self._paint_scale(painter, place)

    @cached_property
    def _image(self) -> QImage:
        """The kernel, one pixel an entry; a picture without a gradient is grey."""
        steps = [QColor(viridis(share)) for share in np.linspace(0, 1, 256)]
        colours = np.array([(c.red(), c.green(), c.blue()) for c in steps], dtype=np.uint8)
        shares = np.clip(np.nan_to_num(self.scene.cosine), 0, 1)
        pixels = np.full((*shares.shape, 4), 255, dtype=np.uint8)  # (n, n, 4)
        pixels[..., :3] = colours[np.rint(shares * 255).astype(np.int64)]
        pixels[~np.isfinite(self.scene.cosine), :3] = 128
        high, wide = shares.shape
        return QImage(pixels.tobytes(), wide, high, 4 * wide, QImage.Format.Format_RGBA8888).copy()

    def _paint_lines(self, painter: QPainter, place: Place) -> None:
        square, spans = self.square(place), self.scene.tasks()
        edges = {stop for _, stop in spans.values()} - {len(self.scene.cosine)}
        inner = {block.stop for block in self.scene.blocks} - edges - {len(self.scene.cosine)}
        each = square.width() / max(len(self.scene.blocks), 1)  # pixels of a class
        faint = QPen(QColor(255, 255, 255, 70 if each > _ROOMY else 0), 1)
        strong = QPen(QColor("#ffffff"), 2 if each > _ROOMY / 2 else 1)
        for places, pen in ((inner, faint), (edges, strong)):
            painter.setPen(pen)
            for edge in sorted(places):
                along = square.width() * edge / len(self.scene.cosine)
                x, y = square.left() + along, square.top() + along
                painter.drawLine(QLineF(x, square.top(), x, square.bottom()))
                painter.drawLine(QLineF(square.left(), y, square.right(), y))

    def _paint_names(self, painter: QPainter, place: Place) -> None:
        metrics = QFontMetricsF(place.font)
        square, high = self.square(place), metrics.height()
        painter.setFont(place.font)
        painter.setPen(QColor(place.theme.muted))
        parts = [self._part(place, span, span) for span in self.scene.tasks().values()]
        names = [self.tasks[task] for task in self.scene.tasks()]
        wide, room = self._name_width(place) - 8, min(part.width() for part in parts)
        for name, part in zip(beside_each_other(names, room - 2, metrics), parts, strict=True):
            head = QRectF(part.left() - 20, square.top() - high - 4, part.width() + 40, high)
            painter.drawText(head, _CENTRE, name)
        every = math.ceil((high - 2) / room)
        for name, part in list(zip(names, parts, strict=True))[::every]:
            side = QRectF(square.left() - wide - 8, part.center().y() - high / 2, wide, high)
            painter.drawText(side, _RIGHT, shortened(name, wide, metrics))

    def _paint_scale(self, painter: QPainter, place: Place) -> None:
        square = self.square(place)
        bar = QRectF(square.right() + 8, square.top(), _BAR, square.height())
        count = 48
        for index in range(count):
            y = bar.bottom() - bar.height() * (index + 1) / count
            part = QRectF(bar.left(), y, _BAR, bar.height() / count + 0.6)
            painter.fillRect(part, QColor(viridis(index / (count - 1))))
        painter.setPen(QColor(place.theme.muted))
        high = QFontMetricsF(place.font).height()
        for text, y in (("1", bar.top()), ("≤ 0", bar.bottom() - high)):
            painter.drawText(QRectF(bar.right() + 4, y, 40, high), _LEFT, text)

    def _name_width(self, place: Place) -> float:
        metrics = QFontMetricsF(place.font)
        wide = max(metrics.horizontalAdvance(name) for name in self.tasks.values()) + 10
        return float(min(wide, 0.25 * place.rect.width()))

    def _part(self, place: Place, rows: Sequence[int], columns: Sequence[int]) -> QRectF:
        square = self.square(place)
        each = square.width() / len(self.scene.cosine)
        return QRectF(
            square.left() + columns[0] * each, square.top() + rows[0] * each,
            (columns[1] - columns[0]) * each, (rows[1] - rows[0]) * each,
        )  # fmt: skip

    def _pictures(self, point: QPointF, place: Place) -> tuple[int, int] | None:
        square, count = self.square(place), len(self.scene.cosine)
        if not square.contains(point):
            return None
        row = int((point.y() - square.top()) / square.height() * count)
        column = int((point.x() - square.left()) / square.width() * count)
        return min(row, count - 1), min(column, count - 1)

    def _whole(self, index: int) -> str:
        task = self.scene.blocks[index].task
        return say("{name} (task {task})").format(name=self.classes[index], task=task + 1)
