"""Painting into a file: PNG at twice the size, SVG and PDF as vectors, swapped in when whole.

Vector pages keep the screen's logical resolution and are sized instead: at another resolution
Qt draws text and curves at two different scales.
"""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRect, QSize, QSizeF
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
)
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QApplication

from workbench.errors import CannotWrite, UsageError, because
from workbench.face.language import say
from workbench.face.whole import write_whole

FORMATS = ("png", "svg", "pdf")
Paint = Callable[[QPainter], None]


def ensure_application() -> QApplication:
    """Return the running application, or make one; without a display, an offscreen one."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        return app
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return QApplication(sys.argv[:1])


def write(path: Path, size: QSize, background: str, title: str, paint: Paint) -> None:
    """Paint `size` logical pixels into `path`; its suffix says the format. All or nothing.

    Raises:
        CannotWrite: the place cannot be written.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in FORMATS:
        raise UsageError(
            say("'{name}': pictures are written as .png, .svg or .pdf.").format(name=path.name)
        )
    painted = {"png": _png, "svg": _svg, "pdf": _pdf}[form](size, background, title, paint)
    try:
        write_whole(path, painted)
    except OSError as error:
        text = say("Could not write to {path}: {reason}. Choose another place.")
        raise CannotWrite(text.format(path=path, reason=because(error))) from error


def svg_element(size: QSize, background: str, title: str, paint: Paint) -> str:
    """Paint `size` logical pixels as one <svg> element that is as wide as the page it stands in."""
    text = _svg(size, background, title, paint).decode()
    opening = f'<svg viewBox="0 0 {size.width()} {size.height()}" role="img">'
    return re.sub(r"\A.*?<svg\b[^>]*>", lambda _: opening, text, count=1, flags=re.DOTALL)


def image(size: QSize, background: str, title: str, paint: Paint) -> QImage:
    """Paint `size` logical pixels at twice the size."""
    made = QImage(size * 2, QImage.Format.Format_ARGB32_Premultiplied)
    made.setDevicePixelRatio(2)
    made.fill(QColor(background))
    made.setText("Title", title)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint(painter)
    painter.end()
    return made


def _png(size: QSize, background: str, title: str, paint: Paint) -> bytes:
    buffer = _buffer()
    image(size, background, title, paint).save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def _svg(size: QSize, background: str, title: str, paint: Paint) -> bytes:
    buffer, device = _buffer(), QSvgGenerator()
    device.setOutputDevice(buffer)
    device.setSize(size)
    device.setViewBox(QRect(0, 0, size.width(), size.height()))
    device.setResolution(_dots())
    device.setTitle(title)
    _paint_on(device, size, background, paint)
    return bytes(buffer.data().data())


def _pdf(size: QSize, background: str, title: str, paint: Paint) -> bytes:
    buffer = _buffer()
    device = QPdfWriter(buffer)
    device.setResolution(_dots())
    points = QSizeF(size) * 72.0 / _dots()
    page = QPageSize(points, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch)
    device.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
    device.setTitle(title)
    _paint_on(device, size, background, paint)
    return bytes(buffer.data().data())


def _buffer() -> QBuffer:
    """Memory to paint into: Qt does not say whether a file took all that it wrote."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return buffer


def _paint_on(
    device: QSvgGenerator | QPdfWriter, size: QSize, background: str, paint: Paint
) -> None:
    painter = QPainter(device)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(QRect(0, 0, size.width(), size.height()), QColor(background))
    paint(painter)
    painter.end()


def _dots() -> int:
    return round(QGuiApplication.primaryScreen().logicalDotsPerInch())
