"""One number of several runs or groups as horizontal bars, whiskers for their spread, a line for the baseline."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from workbench.face.compare_lines import style_of
from workbench.face.drawing import Drawing, Place
from workbench.face.language import say
from workbench.face.legend import shortened
from workbench.face.panel import Table
from workbench.session.spread import Spread, spread_of

SIGNS = {"better": "▲", "worse": "▼", "equal": "="}
LEVELS = {"better": "good", "worse": "bad", "equal": "muted"}  # colours of the theme, by verdict
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_HIGHEST = 34.0  # pixels of a row
_GAP = 8.0


@dataclass(frozen=True)
class Bar:
    """One run, or the mean of a group; `verdict` compares it with the baseline."""

    label: str
    values: tuple[float, ...]  # those that were recorded
    verdict: str = ""  # "better", "worse", "equal", "baseline", or "" where there is nothing to say

    @property
    def spread(self) -> Spread:
        """Mean and deviation of what was recorded."""
        return spread_of(self.values)


@dataclass(frozen=True)
class Bars(Drawing):
    """Bars from zero, all on one scale; colours are those of the curves beside."""

    measure: str
    bars: tuple[Bar, ...]
    share: bool  # fractions, shown in per cent
    absent: str  # stands where nothing was recorded
    line: float | None = None  # the baseline's value

    @property
    def shape(self) -> tuple[int, int]:
        return (len(self.bars), 1) if any(bar.values for bar in self.bars) else (0, 0)

    def box(self, row: int, column: int, place: Place) -> QRectF:
        high = min(place.rect.height() / len(self.bars), _HIGHEST)
        return QRectF(place.rect.left(), place.rect.top() + row * high, place.rect.width(), high)

    def sentence(self, row: int, column: int) -> str:
        return say("{label}, {measure}: {text}").format(
            label=self.bars[row].label, measure=self.measure, text=self.text(self.bars[row])
        )

    def table(self) -> Table:
        rows = [[bar.label, self.text(bar), bar.verdict] for bar in self.bars if bar.values]
        return [say("run"), self.measure, say("against the baseline")], rows

    def text(self, bar: Bar) -> str:
        """Return what stands behind a bar."""
        if not bar.values:
            return self.absent
        number = number_text(bar.values, share=self.share)
        return f"{SIGNS[bar.verdict]} {number}" if bar.verdict in SIGNS else number

    def reach(self) -> tuple[float, float]:
        """Return the lowest and the highest value that must fit, 0 among them."""
        ends = [0.0] if self.line is None else [0.0, self.line]
        for bar in self.bars:
            mean, deviation = bar.spread.mean, bar.spread.deviation or 0.0
            if mean is not None:
                ends += [mean - deviation, mean + deviation]
        low, high = min(ends), max(ends)
        return low, high if high > low else low + 1.0

    def track(self, place: Place) -> QRectF:
        """Return the room that bars have, between the names and the numbers."""
        metrics = QFontMetricsF(place.font)
        names = max(metrics.horizontalAdvance(bar.label) for bar in self.bars)
        numbers = max(metrics.horizontalAdvance(self.text(bar)) for bar in self.bars)
        left = min(names, 0.34 * place.rect.width()) + _GAP
        return place.rect.adjusted(left, 0, -numbers - _GAP - 2, 0)

    def x(self, value: float, place: Place) -> float:
        """Return where a value lies."""
        low, high = self.reach()
        track = self.track(place)
        return track.left() + max(track.width(), 1.0) * (value - low) / (high - low)

    def paint(self, painter: QPainter, place: Place) -> None:
        painter.setFont(place.font)
        for row, bar in enumerate(self.bars):
            self._paint_bar(painter, place, row, bar)
        height = self.box(len(self.bars) - 1, 0, place).bottom()
        self._paint_upright(painter, place, 0.0, height, QPen(QColor(place.theme.control), 1))
        if self.line is not None:
            pen = QPen(QColor(place.theme.text), 1.5, Qt.PenStyle.DashLine)
            self._paint_upright(painter, place, self.line, height, pen)

    def _paint_bar(self, painter: QPainter, place: Place, row: int, bar: Bar) -> None:
        box, track = self.box(row, 0, place), self.track(place)
        metrics = QFontMetricsF(place.font)
        painter.setPen(QColor(place.theme.text))
        room = track.left() - _GAP - box.left()
        name = QRectF(box.left(), box.top(), room, box.height())
        painter.drawText(name, _LEFT, shortened(bar.label, room, metrics))
        spread = bar.spread
        if spread.mean is not None:
            ends = sorted((self.x(0.0, place), self.x(spread.mean, place)))
            thick = 0.56 * box.height()
            band = QRectF(ends[0], box.center().y() - thick / 2, ends[1] - ends[0], thick)
            painter.fillRect(band, QColor(style_of(place.theme, row)[0]))
            if spread.deviation is not None:
                self._paint_whisker(painter, place, box, spread.mean, spread.deviation)
        level = LEVELS.get(bar.verdict, "text" if bar.values else "muted")
        painter.setPen(QColor(getattr(place.theme, level)))
        after = QRectF(track.right() + _GAP, box.top(), place.rect.right() - track.right(), box.height())  # fmt: skip
        painter.drawText(after, _LEFT, self.text(bar))

    def _paint_whisker(
        self, painter: QPainter, place: Place, box: QRectF, mean: float, deviation: float
    ) -> None:
        """Draw mean ± deviation, dark on a bright rim so that it is seen on the bar and beside it."""
        left, right = self.x(mean - deviation, place), self.x(mean + deviation, place)
        middle, half = box.center().y(), 0.2 * box.height()
        for colour, width in ((place.theme.base, 4.0), (place.theme.text, 1.6)):
            painter.setPen(QPen(QColor(colour), width))
            painter.drawLine(QPointF(left, middle), QPointF(right, middle))
            for x in (left, right):
                painter.drawLine(QPointF(x, middle - half), QPointF(x, middle + half))

    def _paint_upright(
        self, painter: QPainter, place: Place, value: float, height: float, pen: QPen
    ) -> None:
        painter.setPen(pen)
        x = self.x(value, place)
        painter.drawLine(QPointF(x, place.rect.top()), QPointF(x, height))


def number_text(values: Sequence[float], *, share: bool) -> str:
    """Return one number, or "mean ± deviation (n = 3)" of several."""
    spread = spread_of(values)
    assert spread.mean is not None
    factor, unit = (100, " %") if share else (1, "")
    mean = f"{factor * spread.mean:.1f}" if share else f"{spread.mean:.4g}"
    if spread.deviation is None:
        return f"{mean}{unit}"
    deviation = f"{factor * spread.deviation:.1f}" if share else f"{spread.deviation:.2g}"
    return f"{mean} ± {deviation}{unit} (n = {spread.n})"
