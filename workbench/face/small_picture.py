"""A picture read small: for lists, galleries and cards, away from the window's own thread."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QImageReader

_MOST_MEGABYTES = (
    512  # that a picture may take decoded: a format that cannot be read at a smaller size
)


def small_picture(path: str, side: int) -> QImage:
    """Return a picture at most `side` long, as a person sees it; a null image if it cannot be read."""
    reader = QImageReader(path)
    reader.setAutoTransform(True)
    reader.setDecideFormatFromContent(True)
    QImageReader.setAllocationLimit(_MOST_MEGABYTES)
    size, most = reader.size(), QSize(side, side)
    if size.isValid() and max(size.width(), size.height()) > side:
        reader.setScaledSize(size.scaled(most, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if max(image.width(), image.height()) > side:  # the format did not say its size
        smooth = Qt.TransformationMode.SmoothTransformation
        image = image.scaled(most, Qt.AspectRatioMode.KeepAspectRatio, smooth)
    return image
