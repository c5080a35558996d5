"""How one task looks in the list: order, name, size, class counts as bars, what became of it."""

from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from workbench.face.language import say
from workbench.face.theme import current_theme
from workbench.face.words import bare_name, counted
from workbench.report import TaskReport

CARD_ROLE = Qt.ItemDataRole.UserRole + 1
_MARGIN = 8

AnyIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Card:
    """Everything drawn on one card."""

    number: int  # 1-based place in the order
    report: TaskReport
    learnt: bool = False
    running: bool = False
    accuracy: float | None = None  # fraction, latest on this task
    gone: bool = False  # a folder of it is not there

    def size_text(self) -> str:
        """Return "4 classes · 120 + 48": the pictures trained on, and those tested on."""
        if self.gone:
            return say("The folder is not there. Find it…")
        if not self.report.classes:
            return say("not counted yet")
        train, test = self.pictures()
        classes = counted(len(self.report.classes), "class", "classes")
        return f"{classes} · {train:,} + {test:,}"

    def pictures(self) -> tuple[int, int]:
        """Return how many pictures are trained on, and how many tested on."""
        classes = self.report.classes
        return sum(item.train for item in classes), sum(item.test for item in classes)

    def size_sentence(self) -> str:
        """Return the size in whole words."""
        if self.gone:
            return say("The folder is not there. Press Ctrl+Shift+F to find it.")
        if not self.report.classes:
            return say("Classes and pictures are counted when training starts.")
        train, test = self.pictures()
        classes = counted(len(self.report.classes), "class", "classes")
        return say("{classes}, {pictures} to learn from, {test:,} to test").format(
            classes=classes, pictures=counted(train, "picture", "pictures"), test=test
        )

    def status_text(self) -> str:
        """Return the mark at the right: running, learnt, or how many problems there are."""
        share = "" if self.accuracy is None else f" {100 * self.accuracy:.0f} %"
        if self.running:
            return f"●{share}"
        if self.learnt:
            return f"✓{share}"
        return f"⚠ {len(self.report.problems)}" if self.report.problems else ""

    def spoken(self) -> str:
        """Return the card as a screen reader says it."""
        state = say("is being learnt") if self.running else say("learnt") if self.learnt else ""
        if self.accuracy is not None:
            share = say("accuracy {share:.0f} %").format(share=100 * self.accuracy)
            state = f"{state}, {share}"
        problems = len(self.report.problems)
        warning = counted(problems, "problem", "problems") if problems else ""
        parts = (
            say("Task {number}, {name}").format(number=self.number, name=self.report.folder.name),
            self.size_sentence(),
            state,
            warning,
        )
        return ", ".join(part for part in parts if part)


class CardDelegate(QStyledItemDelegate):
    """Draws a `Card` from the model's CARD_ROLE."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        """Return the height of two lines of text and a row of bars."""
        return QSize(160, 2 * option.fontMetrics.height() + 16 + 4 * _MARGIN)

    def updateEditorGeometry(
        self, editor: object, option: QStyleOptionViewItem, index: AnyIndex
    ) -> None:
        """Put the name's editor over the name."""
        height = option.fontMetrics.height() + 8
        rect = option.rect.adjusted(_MARGIN + 24, _MARGIN, -_MARGIN, 0)
        rect.setHeight(height)
        editor.setGeometry(rect)  # type: ignore[attr-defined]

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Draw the card."""
        card: Card = index.data(CARD_ROLE)
        theme = current_theme()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(2, 3, -2, -3)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setPen(
            QPen(QColor(theme.accent if chosen else theme.border), 1.6 if chosen else 1.0)
        )
        painter.setBrush(QColor(theme.base))
        painter.drawRoundedRect(box, 7, 7)
        inner = box.adjusted(_MARGIN, _MARGIN - 2, -_MARGIN, -_MARGIN)
        self._draw_lines(painter, inner, option, card)
        bars = QRect(inner.left() + 24, inner.bottom() - 14, inner.width() - 24, 14)
        draw_class_bars(painter, bars, card.report, QColor(theme.accent))
        painter.restore()

    def _draw_lines(
        self, painter: QPainter, inner: QRect, option: QStyleOptionViewItem, card: Card
    ) -> None:
        theme = current_theme()
        line = option.fontMetrics.height() + 2
        first = QRect(inner.left(), inner.top(), inner.width(), line)
        status = card.status_text()
        width = option.fontMetrics.horizontalAdvance(status) + 2
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        warned = bool(card.report.problems) and not card.learnt and not card.running
        painter.setPen(QColor(theme.warning if warned else theme.good))
        painter.drawText(first, right, status)
        painter.setPen(QColor(theme.muted))
        painter.drawText(first, left, str(card.number))
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(theme.text))
        name = first.adjusted(24, 0, -width - 6, 0)
        elide = Qt.TextElideMode.ElideRight
        title = bare_name(card.number, card.report.folder.name)
        text = painter.fontMetrics().elidedText(title, elide, name.width())
        painter.drawText(name, left, text)
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(QColor(theme.bad if card.gone else theme.muted))
        second = QRect(inner.left() + 24, inner.top() + line, inner.width() - 24, line)
        size = painter.fontMetrics().elidedText(card.size_text(), elide, second.width())
        painter.drawText(second, left, size)


class BarDelegate(QStyledItemDelegate):
    """Draws a share in 0 to 1 (the item's UserRole) as a bar."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Draw the bar, if the item has a share."""
        super().paint(painter, option, index)
        share = index.data(Qt.ItemDataRole.UserRole)
        if share is not None:
            rect = option.rect.adjusted(4, 5, -4, -5)
            rect.setWidth(max(2, round(rect.width() * share)))
            painter.fillRect(rect, QColor(current_theme().accent))


def draw_class_bars(painter: QPainter, area: QRect, report: TaskReport, colour: QColor) -> None:
    """Draw one bar a class, its height the class's share of the largest; wide rows are thinned."""
    counts = [item.train + item.test for item in report.classes]
    if not counts or max(counts) == 0:
        return
    shown = min(len(counts), max(1, area.width() // 4))
    width = min(16.0, area.width() / shown)
    faded = QColor(colour)
    faded.setAlpha(150)
    for place in range(shown):
        count = counts[place * len(counts) // shown]
        height = max(1, round(area.height() * count / max(counts)))
        left = area.left() + round(place * width)
        bar = QRect(left, area.bottom() - height + 1, max(1, round(width) - 2), height)
        painter.fillRect(bar, faded)
