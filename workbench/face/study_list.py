"""The studies of the log as cards: name, how it stands, how far it is."""

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from workbench.face import study_words as words
from workbench.face.task_card import AnyIndex
from workbench.face.theme import current_theme
from workbench.face.words import as_written
from workbench.session.study_state import StudyState

STATE_ROLE = Qt.ItemDataRole.UserRole + 1
_MARGIN = 8
_BAR = 4
_LEVELS = {"done": "good", "halted": "warning"}  # colours of the theme, by stage
_MARKS = {"done": "✓", "halted": "■"}
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def card_height(metrics: QFontMetrics) -> int:
    """Return the height of three lines and a bar."""
    return 3 * (metrics.height() + 2) + _BAR + 3 * _MARGIN


class StudyCards(QStyledItemDelegate):
    """Draws a `StudyState` from the item's STATE_ROLE."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        """Return the size of a card."""
        return QSize(150, card_height(option.fontMetrics))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Draw the card."""
        state: StudyState = index.data(STATE_ROLE)
        theme = current_theme()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(2, 3, -2, -3)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setPen(QPen(QColor(theme.accent if chosen else theme.border), 1.6 if chosen else 1.0))  # fmt: skip
        painter.setBrush(QColor(theme.base))
        painter.drawRoundedRect(box, 7, 7)
        inner = box.adjusted(_MARGIN + 2, _MARGIN - 2, -_MARGIN - 2, -_MARGIN)
        self._draw_lines(painter, inner, state)
        self._draw_bar(painter, inner, state)
        painter.restore()

    def _draw_lines(self, painter: QPainter, inner: QRect, state: StudyState) -> None:
        theme, line = current_theme(), painter.fontMetrics().height() + 2
        mark = f"{_MARKS[state.stage]} " if state.stage in _MARKS else ""
        stage, progress = words.card_texts(state)
        level = "bad" if state.failed else _LEVELS.get(state.stage, "accent")
        lines = (
            (state.study.name, theme.text), (f"{mark}{stage}", getattr(theme, level)),
            (progress, theme.muted),
        )  # fmt: skip
        for place, (text, colour) in enumerate(lines):
            font = painter.font()
            font.setBold(place == 0)
            painter.setFont(font)
            painter.setPen(QColor(colour))
            row = QRect(inner.left(), inner.top() + place * line, inner.width(), line)
            cut = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, row.width())
            painter.drawText(row, _LEFT, cut)

    def _draw_bar(self, painter: QPainter, inner: QRect, state: StudyState) -> None:
        theme = current_theme()
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(inner.left(), inner.bottom() - _BAR + 1, inner.width(), _BAR)
        painter.setBrush(QColor(theme.grid))
        painter.drawRoundedRect(whole, 2, 2)
        done = QRectF(whole)
        done.setWidth(words.share_done(state) * whole.width())
        painter.setBrush(QColor(theme.accent))
        painter.drawRoundedRect(done, 2, 2)


class StudyList(QListWidget):
    """Newest first; the chosen one stays chosen while the others move."""

    chosen = Signal(str)  # id of a study that was chosen by hand

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Studies of this log, newest first"))
        self.setItemDelegate(StudyCards(self))
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentRowChanged.connect(self._row_changed)

    def show_states(self, states: Sequence[StudyState], chosen: str) -> None:
        """Show these studies, with one of them chosen."""
        self.blockSignals(True)
        while self.count() > len(states):
            self.takeItem(self.count() - 1)
        while self.count() < len(states):
            self.addItem(QListWidgetItem())
        for row, state in enumerate(states):
            item = self.item(row)
            item.setData(STATE_ROLE, state)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words.spoken(state))
            item.setToolTip(as_written(words.spoken(state)))
            if state.id == chosen:
                self.setCurrentRow(row)
        self.blockSignals(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the chosen one in sight: beside a narrow page only one card is."""
        super().resizeEvent(event)
        if self.currentItem() is not None:
            self.scrollToItem(self.currentItem())

    def _row_changed(self, row: int) -> None:
        if row >= 0:
            self.chosen.emit(self.item(row).data(STATE_ROLE).id)
