"""Figures for paper: drawn anew at their own size in a light theme, never a picture of the window."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter

from workbench.events import Event, RunStarted
from workbench.face import canvas
from workbench.face.canvas import ensure_application
from workbench.face.matrix import MatrixPanel
from workbench.face.panel import Panel
from workbench.face.plot import LivePlot
from workbench.face.record import RunRecord
from workbench.face.theme import DARK, LIGHT, Theme
from workbench.face.views import VIEWS, View

_SIZE = QSize(720, 440)
_CAPTION = 22  # height of the line that says which run this is


def export_plots(
    events: Sequence[Event],
    folder: str | Path,
    *,
    title: str,
    formats: Sequence[str] = ("png", "svg", "pdf"),
    theme: str = "light",
) -> list[Path]:
    """Draw a run's plots into `folder` and return the files; plots without a point are left out.

    `title` stands on every figure, say the run's name and profile; the switches' fingerprint
    is added to it.
    """
    ensure_application()
    colours = {"light": LIGHT, "dark": DARK}[theme]
    record = RunRecord()
    record.take(events)
    title = " · ".join(part for part in (title, switches_of(events)) if part)
    Path(folder).mkdir(parents=True, exist_ok=True)
    panels: list[tuple[str, Panel]] = [
        (key, _plot_of(VIEWS[key], record, colours))
        for key in VIEWS
        if _has_points(VIEWS[key], record, colours)
    ]
    if record.rows:
        panels.append(("accuracy_matrix", _matrix_of(record, colours)))
    written = []
    for key, panel in panels:
        for form in formats:
            path = Path(folder) / f"{key}.{form}"
            _write(path, panel, title, colours)
            written.append(path)
    return written


def switches_of(events: Sequence[Event]) -> str:
    """Return a short fingerprint of the run's switches: equal ones have equal fingerprints."""
    for event in events:
        if isinstance(event, RunStarted):
            text = json.dumps(dict(event.switches), sort_keys=True)
            return f"switches {hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return ""


def write_view(path: Path, view: View, record: RunRecord, *, title: str) -> None:
    """Write one view as a light figure; the suffix says the format."""
    _write(path, _plot_of(view, record, LIGHT), title, LIGHT)


def _write(path: Path, panel: Panel, title: str, theme: Theme) -> None:
    size = QSize(panel.width(), panel.height() + (_CAPTION if title else 0))

    def paint(painter: QPainter) -> None:
        panel.paint(painter)
        painter.setPen(QColor(theme.muted))
        font = QFont(panel.font())
        font.setPointSizeF(0.85 * font.pointSizeF())
        painter.setFont(font)
        line = QRect(10, panel.height(), panel.width() - 20, _CAPTION - 6)
        text = QFontMetrics(font).elidedText(title, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    canvas.write(path, size, theme.base, f"{panel.title()}: {title}", paint)


def _has_points(view: View, record: RunRecord, theme: Theme) -> bool:
    return any(record.last(line.key) is not None for line in view.lines(record, theme))


def _plot_of(view: View, record: RunRecord, theme: Theme) -> LivePlot:
    plot = LivePlot(view.title, y=view.y, theme=theme)
    for line in view.lines(record, theme):
        if record.last(line.key) is not None:
            plot.set_line(
                line.key, line.label, line.color, line.dash, line.width, line.points, line.group
            )
            plot.set_points(line.key, record.curve(line.key))
    plot.set_boundaries(record.boundaries(by_task=False))
    plot.lay_out(_SIZE)
    return plot


def _matrix_of(record: RunRecord, theme: Theme) -> MatrixPanel:
    panel = MatrixPanel(record=record, theme=theme)
    panel.resize(_SIZE)
    panel.grab()  # a panel that is never shown has no layout before its first drawing
    return panel
