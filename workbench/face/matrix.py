"""The accuracy matrix R as a heat map: row = after a task, column = on a task, filled as it is measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QToolTip, QWidget

from workbench.events import Evaluated, Event, RunStarted
from workbench.face.legend import shortened
from workbench.face.panel import Panel, Table
from workbench.face.record import RunRecord
from workbench.face.theme import Theme, readable_on, viridis

FORMULA = "R[i, j]: share of the test pictures of task j recognised after task i, all classes seen"
_CENTRE = Qt.AlignmentFlag.AlignCenter
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_APART = 6.0  # pixels between the matrix and the frozen backbone's row
_FLOOR = "frozen backbone"


@dataclass(frozen=True)
class Cells:
    """The matrix as it stands: fractions, None where nothing is measured; the last row is the floor."""

    tasks: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]  # (T + 1, T)
    sizes: tuple[int, ...]  # test pictures a task, 0 while unknown

    def row_name(self, row: int) -> str:
        """Return what the row is called at its left."""
        return self.tasks[row] if row < len(self.tasks) else _FLOOR

    def sentence(self, row: int, column: int) -> str:
        """Return one cell in words."""
        when = f"After {self.row_name(row)}" if row < len(self.tasks) else "Frozen backbone"
        value = self.values[row][column]
        if value is None:
            return f"{when}, on {self.tasks[column]}: not measured."
        return (
            f"{when}, on {self.tasks[column]}: {value:.1%} of {self.sizes[column]} test pictures."
        )


def cells_of(record: RunRecord) -> Cells:
    """Return the matrix of what a run has said so far."""
    count = max(len(record.tasks), len(record.rows))
    empty: tuple[float | None, ...] = (None,) * count
    rows = {row.after_task: _padded(row.accuracy, count) for row in record.rows}
    last = record.rows[-1] if record.rows else None
    floor = _padded(last.baseline, count) if last else empty
    sizes = (*last.sizes, *[0] * count)[:count] if last else (0,) * count
    names = tuple(record.task_label(index) for index in range(count))
    return Cells(names, (*(rows.get(index, empty) for index in range(count)), floor), sizes)


def _padded(values: Sequence[float], count: int) -> tuple[float | None, ...]:
    return (*values, *[None] * (count - len(values)))


@dataclass(frozen=True)
class Layout:
    """Where the cells lie inside `place`: names at the left and above."""

    place: QRectF
    cells: Cells
    font: QFont

    def name_width(self) -> float:
        """Return the width of the row names: at most 30 % of the whole."""
        metrics = QFontMetricsF(self.font)
        names = (*self.cells.tasks, _FLOOR)
        wide = max(metrics.horizontalAdvance(name) for name in names) + 10
        return min(wide, 0.3 * self.place.width())

    def head_height(self) -> float:
        """Return the height of the column names."""
        return QFontMetricsF(self.font).height() + 6

    def box(self, row: int, column: int) -> QRectF:
        """Return a cell's rectangle."""
        count = max(len(self.cells.tasks), 1)
        left, top = self.name_width(), self.head_height()
        wide = (self.place.width() - left) / count
        high = min((self.place.height() - top - _APART) / (count + 1), 64.0)
        y = self.place.top() + top + row * high + (_APART if row == count else 0.0)
        return QRectF(self.place.left() + left + column * wide, y, wide, high)

    def at(self, point: QPointF) -> tuple[int, int] | None:
        """Return row and column under a point."""
        count = len(self.cells.tasks)
        for row in range(count + 1):
            for column in range(count):
                if self.box(row, column).contains(point):
                    return row, column
        return None


def paint_matrix(painter: QPainter, layout: Layout, theme: Theme) -> None:
    """Draw names, cells and numbers on any device."""
    cells, font = layout.cells, layout.font
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    painter.setPen(QColor(theme.muted))
    for column, name in enumerate(cells.tasks):
        box = layout.box(0, column)
        head = QRectF(box.left(), layout.place.top(), box.width(), layout.head_height())
        painter.drawText(head, _CENTRE, shortened(name, box.width() - 1, metrics))
    corner = QRectF(layout.place.topLeft(), QSizeF(layout.name_width(), layout.head_height()))
    painter.drawText(corner, _LEFT, shortened("after ↓  on →", corner.width(), metrics))
    for row in range(len(cells.values)):
        box = layout.box(row, 0)
        wide = layout.name_width()
        side = QRectF(layout.place.left(), box.top(), wide, box.height())
        painter.drawText(side, _LEFT, shortened(cells.row_name(row), wide - 8, metrics))
    number = _number_font(layout)
    for row, values in enumerate(cells.values):
        for column, value in enumerate(values):
            _paint_cell(painter, layout.box(row, column), value, number, theme)


def _paint_cell(
    painter: QPainter, box: QRectF, value: float | None, font: QFont, theme: Theme
) -> None:
    inner = box.adjusted(1, 1, -1, -1)
    if value is None:
        painter.fillRect(inner, QColor(theme.grid if theme.name == "dark" else theme.window))
        return
    colour = viridis(value)
    painter.fillRect(inner, QColor(colour))
    painter.setPen(QColor(readable_on(colour)))
    painter.setFont(font)
    painter.drawText(inner, _CENTRE, f"{value * 100:.0f}")


def _number_font(layout: Layout) -> QFont:
    """Return the font, made smaller until "100" fits a cell, down to 5 points."""
    box, font = layout.box(0, 0), QFont(layout.font)
    while font.pointSizeF() > 5:
        metrics = QFontMetricsF(font)
        if metrics.horizontalAdvance("100") + 4 <= box.width() and metrics.height() <= box.height():
            break
        font.setPointSizeF(font.pointSizeF() - 0.5)
    return font


class MatrixPanel(Panel):
    """Numbers in per cent on viridis; the frozen backbone's row stands below, set apart."""

    def __init__(
        self,
        parent: QWidget | None = None,
        record: RunRecord | None = None,
        theme: Theme | None = None,
    ) -> None:
        super().__init__("Accuracy matrix", parent, theme)
        self._record = record or RunRecord()
        self.grid = _Grid(self)
        self.body.addWidget(self.grid, 1)
        self.setFocusProxy(self.grid)
        self.set_title(self.tr("Accuracy matrix"))
        self.setMinimumSize(160, 120)
        self.refresh()

    def show_news(self, events: Sequence[Event], run: str = "") -> None:
        """Add a run's next events; RunStarted begins a new run. `run` is its name, for the title."""
        self._record.take(events)
        self.follow(events, run)

    def follow(self, events: Sequence[Event], run: str = "") -> None:
        """Draw anew if any of these events, which the record holds by now, changes what is shown."""
        if run:
            self.set_title(self.tr("Accuracy matrix of {run}").format(run=run))
        if any(isinstance(event, (RunStarted, Evaluated)) for event in events):
            self.refresh()

    def clear(self) -> None:
        """Forget the run."""
        self._record.clear()
        self.set_title(self.tr("Accuracy matrix"))
        self.refresh()

    def refresh(self) -> None:
        """Bring the drawing in step with the record."""
        cells = cells_of(self._record)
        self.grid.show_cells(cells)
        rows = self._record.rows
        if not rows:
            self.set_summary(self.tr("Accuracy matrix: appears after the first task."))
            return
        last = rows[-1].after_task
        said = " ".join(cells.sentence(last, column) for column in range(last + 1))
        self.set_summary(said)

    def table(self) -> Table:
        cells = self.grid.cells
        rows = [
            [cells.row_name(row), *("" if v is None else f"{v * 100:.1f} %" for v in values)]
            for row, values in enumerate(cells.values)
        ]
        return [self.tr("after ↓  on →"), *cells.tasks], rows if cells.tasks else []

    def paint(self, painter: QPainter) -> None:
        super().paint(painter)
        layout = Layout(QRectF(self.grid.geometry()), self.grid.cells, self.font())
        paint_matrix(painter, layout, self.theme)

    def set_summary(self, text: str) -> None:
        super().set_summary(text)
        self.grid.setAccessibleName(self.title())
        self.grid.setAccessibleDescription(text)

    def take_theme(self, theme: Theme) -> None:
        super().take_theme(theme)
        self.grid.update()


class _Grid(QWidget):
    """The cells on the screen: arrow keys walk over them, each tells itself in words."""

    def __init__(self, panel: MatrixPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        self.cells = Cells((), ((),), ())
        self.current = (0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_cells(self, cells: Cells) -> None:
        self.cells = cells
        count = len(cells.tasks)
        self.current = (min(self.current[0], count), min(self.current[1], max(count - 1, 0)))
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        theme, layout = self._panel.theme, self._layout()
        if not self.cells.tasks:
            painter.setPen(QColor(theme.muted))
            painter.drawText(QRectF(self.rect()), _CENTRE, self.tr("Appears after the first task"))
        else:
            paint_matrix(painter, layout, theme)
            if self.hasFocus():
                painter.setPen(QPen(QColor(theme.text), 2))
                painter.drawRect(layout.box(*self.current).adjusted(1, 1, -1, -1))
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, count = Qt.Key(event.key()), len(self.cells.tasks)
        moves = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0),
                 Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}  # fmt: skip
        if key not in moves or not count:
            super().keyPressEvent(event)
            return
        row = min(max(self.current[0] + moves[key][0], 0), count)
        column = min(max(self.current[1] + moves[key][1], 0), count - 1)
        self._go_to((row, column))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._layout().at(event.position())
        if found:
            self._go_to(found)
        super().mousePressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            found = self._layout().at(QPointF(event.pos()))
            if found:
                QToolTip.showText(
                    event.globalPos(), f"{self.cells.sentence(*found)}\n{FORMULA}", self
                )
                return True
        return super().event(event)

    def _layout(self) -> Layout:
        return Layout(QRectF(self.rect()), self.cells, self.font())

    def _go_to(self, cell: tuple[int, int]) -> None:
        self.current = cell
        self.setAccessibleDescription(self.cells.sentence(*cell))
        self.update()
