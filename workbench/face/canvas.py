"""Painting into a file: PNG at twice the size, SVG and PDF as vectors, swapped in when whole.

Vector pages keep the screen's logical resolution and are sized instead: at another resolution
Qt draws text and curves at two different scales.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMarginsF, QRect, QSize, QSizeF
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

from workbench.errors import UsageError, WorkbenchError
from workbench.face.language import say

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
    """Paint `size` logical pixels into `path`; its suffix says the format. All or nothing."""
    form = path.suffix.lower().lstrip(".")
    if form not in FORMATS:
        raise UsageError(
            say("'{name}': pictures are written as .png, .svg or .pdf.").format(name=path.name)
        )
    part = path.with_name(path.name + ".part")
    try:
        {"png": _png, "svg": _svg, "pdf": _pdf}[form](part, size, background, title, paint)
        os.replace(part, path)
    except OSError as error:
        raise WorkbenchError(
            say("Could not write '{path}': {reason}.").format(
                path=path, reason=error.strerror or error
            )
        ) from error
    finally:
        part.unlink(missing_ok=True)


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


def _png(part: Path, size: QSize, background: str, title: str, paint: Paint) -> None:
    if not image(size, background, title, paint).save(str(part), "PNG"):  # type: ignore[call-overload]
        raise OSError(say("the picture could not be saved"))


def _svg(part: Path, size: QSize, background: str, title: str, paint: Paint) -> None:
    device = QSvgGenerator()
    device.setFileName(str(part))
    device.setSize(size)
    device.setViewBox(QRect(0, 0, size.width(), size.height()))
    device.setResolution(_dots())
    device.setTitle(title)
    _paint_on(device, size, background, paint)


def _pdf(part: Path, size: QSize, background: str, title: str, paint: Paint) -> None:
    device = QPdfWriter(str(part))
    device.setResolution(_dots())
    points = QSizeF(size) * 72.0 / _dots()
    page = QPageSize(points, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch)
    device.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
    device.setTitle(title)
    _paint_on(device, size, background, paint)


def _paint_on(
    device: QSvgGenerator | QPdfWriter, size: QSize, background: str, paint: Paint
) -> None:
    painter = QPainter()
    if not painter.begin(device):
        raise OSError(say("the file cannot be opened for writing"))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(QRect(0, 0, size.width(), size.height()), QColor(background))
    paint(painter)
    painter.end()


def _dots() -> int:
    return round(QGuiApplication.primaryScreen().logicalDotsPerInch())
