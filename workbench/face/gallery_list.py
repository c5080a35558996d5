"""A list of pictures as cards: only those that are seen are ever decoded or drawn."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from workbench.face.book import Picture
from workbench.face.task_card import AnyIndex
from workbench.face.theme import Theme, current_theme
from workbench.face.thumbs import Thumbs
from workbench.face.words import as_written

PICTURE_ROLE = Qt.ItemDataRole.UserRole + 1
IMAGE_ROLE = Qt.ItemDataRole.UserRole + 2
SIDE = 96  # pixels of a picture
_WIDE = 148
_CENTRE = Qt.AlignmentFlag.AlignCenter
_NOWHERE = QModelIndex()


class GalleryModel(QAbstractListModel):
    """Pictures and headings in order. `file_of` says where a picture lies now."""

    def __init__(self, thumbs: Thumbs, file_of: Callable[[Picture], str]) -> None:
        super().__init__()
        self.pictures: tuple[Picture, ...] = ()
        self._thumbs = thumbs
        self._file_of = file_of
        self._rows: dict[str, list[int]] = {}  # by file
        thumbs.arrived.connect(self._arrived)

    def show_pictures(self, pictures: Sequence[Picture]) -> None:
        """Show others, or the same at another place."""
        self.beginResetModel()
        self.pictures = tuple(pictures)
        self._rows = {}
        for row, picture in enumerate(self.pictures):
            if not picture.heading:
                self._rows.setdefault(self._file_of(picture), []).append(row)
        self.endResetModel()

    def file(self, index: AnyIndex) -> str:
        """Return where the picture lies; empty for a heading."""
        picture = self.pictures[index.row()]
        return "" if picture.heading else self._file_of(picture)

    def is_missing(self, index: AnyIndex) -> bool:
        """Whether the picture was looked for and is not there."""
        return self._thumbs.is_missing(self.file(index))

    def rowCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of pictures and headings."""
        return 0 if parent.isValid() else len(self.pictures)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the picture, its image as far as it is known, or words for it."""
        if not index.isValid():
            return None
        picture = self.pictures[index.row()]
        if role == PICTURE_ROLE:
            return picture
        if role == Qt.ItemDataRole.DisplayRole:
            return picture.caption
        if picture.heading:
            return picture.caption if role == Qt.ItemDataRole.AccessibleTextRole else None
        if role == IMAGE_ROLE:
            return self._thumbs.get(self._file_of(picture))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (picture.caption, picture.note, Path(picture.path).name, self._lack(index))
            return ", ".join(part for part in parts if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_written(f"{picture.caption} ({picture.note})\n{self._file_of(picture)}")
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        """Let pictures be chosen, and headings not."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        if self.pictures[index.row()].heading:
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def _lack(self, index: AnyIndex) -> str:
        return self.tr("not found") if self.is_missing(index) else ""

    def _arrived(self, path: str) -> None:
        for row in self._rows.get(path, ()):
            place = self.index(row)
            self.dataChanged.emit(place, place)


class CardDelegate(QStyledItemDelegate):
    """Draws a picture over its two lines of words, or a heading across the whole width."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        """Return the size of a card, or of a line across."""
        line = option.fontMetrics.height()
        if index.data(PICTURE_ROLE).heading:
            return QSize(max(self._view.viewport().width() - 4, _WIDE), line + 12)
        return QSize(_WIDE, SIDE + 2 * line + 20)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Draw one item."""
        picture: Picture = index.data(PICTURE_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if picture.heading:
            self._paint_heading(painter, option, picture)
        else:
            self._paint_card(painter, option, index, picture)
        painter.restore()

    def _paint_heading(
        self, painter: QPainter, option: QStyleOptionViewItem, picture: Picture
    ) -> None:
        font = QFont(option.font)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(current_theme().text))
        below = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
        painter.drawText(option.rect.adjusted(6, 0, 0, -3), below, picture.caption)

    def _paint_card(
        self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex, picture: Picture
    ) -> None:
        theme, line = current_theme(), option.fontMetrics.height()
        box = option.rect.adjusted(3, 3, -3, -3)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setPen(QPen(QColor(theme.accent if chosen else theme.border), 2 if chosen else 1))
        painter.setBrush(QColor(theme.base))
        painter.drawRoundedRect(box, 6, 6)
        square = QRect(box.center().x() - SIDE // 2, box.top() + 4, SIDE, SIDE)
        self._paint_image(painter, square.adjusted(0, 2, 0, -2), index, theme)
        words = QRect(box.left() + 5, square.bottom() + 2, box.width() - 10, line)
        for text, colour in ((picture.caption, theme.text), (picture.note, theme.muted)):
            painter.setPen(QColor(colour))
            cut = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideMiddle, words.width())
            painter.drawText(words, _CENTRE, cut)
            words.translate(0, line)

    def _paint_image(self, painter: QPainter, square: QRect, index: AnyIndex, theme: Theme) -> None:
        image: QImage | None = index.data(IMAGE_ROLE)
        if image is None:
            painter.fillRect(square, QColor(theme.grid))
        elif image.isNull():
            self._paint_lack(painter, square.adjusted(-18, 0, 18, 0), index, theme)
        else:
            size = image.size().scaled(square.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(square.topLeft(), size)
            place.moveCenter(square.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, image)

    def _paint_lack(self, painter: QPainter, square: QRect, index: AnyIndex, theme: Theme) -> None:
        name = Path(index.data(PICTURE_ROLE).path).name
        model = index.model()
        missing = isinstance(model, GalleryModel) and model.is_missing(index)
        why = self.tr("not found") if missing else self.tr("cannot be read")
        painter.setPen(QColor(theme.muted))
        flags = _CENTRE | Qt.TextFlag.TextWrapAnywhere
        painter.drawText(square, flags, f"{name}\n{why}")
