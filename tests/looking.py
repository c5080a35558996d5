"""What a test can see of a window: controls without a name, texts that are cut, pictures that changed."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, Qt, QTranslator
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QApplication,
    QLabel,
    QLineEdit,
    QMenu,
    QScrollBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from workbench.face.theme import apply_theme

W = TypeVar("W", bound=QWidget)
_DIFFERENT = 40  # of 255, in any channel: less is the smoothing of an edge
_ACCENTS = str.maketrans("aeiouyAEIOUYn", "äéîöüÿÄÉÎÖÜŸñ")


class LongerLanguage(QTranslator):
    """A language that is 40 % longer than English, with accents: what it cuts a real one would cut."""

    def translate(
        self, context: str, text: str, disambiguation: str | None = None, n: int = -1
    ) -> str:
        """Return `text` stretched; what stands in braces or is markup stays as it is."""
        if not text or "<" in text:
            return text
        parts = text.split("{")
        stretched = parts[0].translate(_ACCENTS)
        for part in parts[1:]:
            inside, _, rest = part.partition("}")
            stretched += "{" + inside + "}" + rest.translate(_ACCENTS)
        more = max(1, round(0.4 * len(text)))
        if more <= 20:
            return stretched + "~" * more
        return stretched + ("~~~~~~~~ " * more)[: more - 1].rstrip() + "~"  # words, not one of them

    def isEmpty(self) -> bool:  # noqa: N802  (Qt's name)
        """Return that there is something in here."""
        return False


def visible(root: QWidget) -> Iterator[QWidget]:
    """Yield the widgets inside `root` that can be seen, without Qt's own inner ones."""
    for widget in root.findChildren(QWidget):
        if widget.isVisible() and not widget.objectName().startswith("qt_"):
            yield widget


def nameless(root: QWidget) -> list[str]:
    """Return the controls that a screen reader would have no name for."""
    found = []
    for widget in visible(root):
        takes_keys = bool(widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value)
        inner = isinstance(widget, (QScrollBar, QMenu)) or widget.parent() is None
        inner = inner or isinstance(widget.parent(), QAbstractScrollArea)
        inner = inner or type(widget).__name__ == "QExpandingLineEdit"
        if takes_keys and not inner and not _name_of(widget):
            found.append(f"{type(widget).__name__} {widget.objectName()!r} in {widget.parent()!r}")
    return found


def _name_of(widget: QWidget) -> str:
    if widget.accessibleName():
        return widget.accessibleName()
    if isinstance(widget, QAbstractButton) and widget.text().strip():
        return widget.text()
    if isinstance(widget, QLineEdit) and isinstance(widget.parent(), QWidget):
        parent = widget.parentWidget()
        if parent.accessibleName():  # the line of an editable list or number
            return parent.accessibleName()
    window = widget.window()
    buddies = [label.text() for label in window.findChildren(QLabel) if label.buddy() is widget]
    return buddies[0] if buddies else ""


def cut(root: QWidget) -> list[str]:
    """Return what has less room than its text needs: buttons, and labels that neither wrap nor elide."""
    found = []
    for widget in visible(root):
        if isinstance(widget, QAbstractItemView) or not isinstance(
            widget, (QAbstractButton, QLabel)
        ):
            continue
        text = widget.text()
        if not text or "<" in text or widget.property("elided"):
            continue
        if isinstance(widget, QLabel) and (widget.wordWrap() or not widget.pixmap().isNull()):
            short = (
                widget.wordWrap() and widget.heightForWidth(widget.width()) > widget.height() + 2
            )
            if short:
                found.append(
                    f"{text!r}: {widget.heightForWidth(widget.width())} high in {widget.height()}"
                )
            continue
        needs = widget.minimumSizeHint().width()
        if isinstance(widget, QLabel):
            needs = widget.fontMetrics().horizontalAdvance(text.splitlines()[0])
        if needs > widget.width() + 1:
            found.append(f"{text!r}: needs {needs}, has {widget.width()}")
    return found


def array_of(picture: QImage) -> NDArray[np.uint8]:
    """Return a picture as (height, width, 3)."""
    plain = picture.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3).copy()


def share_different(one: QImage, other: QImage, difference: Path) -> float:
    """Return the share of pixels that clearly differ; a picture of where goes to `difference`."""
    if one.size() != other.size():
        return 1.0
    apart = np.abs(array_of(one).astype(int) - array_of(other).astype(int)).max(axis=2)
    clear = apart > _DIFFERENT
    if clear.any():
        difference.parent.mkdir(parents=True, exist_ok=True)
        grey = np.ascontiguousarray(np.where(clear, 0, 235).astype(np.uint8))
        h, w = grey.shape
        QImage(grey.data, w, h, w, QImage.Format.Format_Grayscale8).save(str(difference))
    return float(clear.mean())


def in_longer_language(app: QApplication) -> LongerLanguage:
    """Speak the longer language from now on; give it to `QCoreApplication.removeTranslator` afterwards."""
    language = LongerLanguage(app)
    QCoreApplication.installTranslator(language)
    return language


def shown(qtbot: QtBot, widget: W, width: int, height: int) -> W:
    """Show the widget at this size in the light theme; it is closed with the test."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, "light")
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    return widget
