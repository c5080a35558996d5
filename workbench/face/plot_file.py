"""One drawing as a file of its own: light or dark as asked, with a line below that says which run it is."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter

from workbench.face import canvas
from workbench.face.curve_lines import Beside, draw_curves
from workbench.face.language import say
from workbench.face.panel import Panel
from workbench.face.plot import LivePlot
from workbench.face.record import Axis, RunRecord
from workbench.face.theme import LIGHT, Theme
from workbench.face.views import View

SIZE = QSize(720, 440)
_CAPTION = 22  # height of the line that says which run this is


@dataclass(frozen=True)
class Look:
    """How curves are drawn: over what, whether logarithmic, averaged over how many points."""

    axis: Axis = "task"
    x_label: str = "tasks learnt"
    log: bool = False
    smoothing: float = 1.0
    hidden: frozenset[str] = frozenset()  # entries of the legend
    span: tuple[float, float] | None = None  # the part of x that is seen; None: everything


def write_view(
    path: Path,
    view: View,
    record: RunRecord,
    *,
    title: str,
    look: Look | None = None,
    beside: Beside | None = None,
) -> None:
    """Write one view as a light figure; the suffix says the format."""
    write_panel(path, plot_of(view, record, LIGHT, look, beside), title, LIGHT)


def write_panel(path: Path, panel: Panel, title: str, theme: Theme) -> None:
    """Write a panel that has been laid out, with `title` below it; the suffix says the format."""
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


def svg_of(panel: Panel) -> str:
    """Return a light panel that has been laid out as an <svg> element for a page that says whose it is."""
    return canvas.svg_element(panel.size(), LIGHT.base, panel.title(), panel.paint)


def laid_out(panel: Panel, size: QSize = SIZE) -> Panel:
    """Give a panel that is never shown its size and its layout."""
    panel.resize(size)
    panel.grab()  # there is no layout before its first drawing
    return panel


def plot_of(
    view: View,
    record: RunRecord,
    theme: Theme,
    look: Look | None = None,
    beside: Beside | None = None,
) -> LivePlot:
    """Return a plot of one view and of what stands beside it, laid out for a file.

    It is over the run's steps, and shows everything, unless `look` says more.
    """
    look = look or Look()
    plot = LivePlot(say(view.title), y=view.y, theme=theme)
    plot.set_x_label(look.x_label, clock=look.axis == "time")
    plot.set_log(look.log)
    plot.set_smoothing(look.smoothing)
    draw_curves(plot, view, record, beside or Beside(), look.axis)
    for key in look.hidden:
        plot.toggle(key)
    if look.span is not None:
        plot.show_span(look.span)
    plot.lay_out(SIZE)
    return plot
