"""Answers of a prediction as cards: the picture small, its best classes as bars."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QFrame, QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from workbench.face.language import say
from workbench.face.small_picture import small_picture
from workbench.face.task_card import AnyIndex
from workbench.face.theme import Theme, current_theme
from workbench.face.words import as_written
from workbench.report import Guess

ANSWER_ROLE = Qt.ItemDataRole.UserRole + 1
NAMES_ROLE = Qt.ItemDataRole.UserRole + 2
LOW_CONFIDENCE = 0.5  # below this the best class is named with a warning
_THUMB = 72
_SHOWN = 3  # classes on a card
_NOWHERE = QModelIndex()


@dataclass(frozen=True)
class Answer:
    """One picture with what was guessed."""

    guess: Guess
    thumbnail: QImage
    other: Guess | None = None  # what a second adapter says

    def note(self) -> str:
        """Return the sentence below the bars: what went wrong, or how unsure the answer is."""
        return note_of(self.guess)

    def spoken(self) -> str:
        """Return the card as a screen reader says it."""
        parts = [Path(self.guess.path).name, *_spoken(self.guess)]
        if self.other is not None:
            parts += ["beside", *_spoken(self.other)]
        return ", ".join(part for part in parts if part)


def note_of(guess: Guess) -> str:
    """Return what went wrong with a picture, or how unsure its answer is."""
    if guess.problem:
        return guess.problem
    best = max(guess.probabilities, default=0.0)
    return (
        say("Low confidence ({share:.0f} %)").format(share=100 * best)
        if best < LOW_CONFIDENCE
        else ""
    )


def _spoken(guess: Guess) -> list[str]:
    pairs = list(zip(guess.classes, guess.probabilities, strict=True))[:_SHOWN]
    return [*(f"{name} {100 * share:.0f} %" for name, share in pairs), note_of(guess)]


def thumbnail_of(path: str) -> QImage:
    """Return the picture for a card; a null image if it cannot be read."""
    return small_picture(path, 2 * _THUMB)


class AnswerModel(QAbstractListModel):
    """Answers in the order they came."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Answer] = []
        self.names = ("", "")  # of the adapters; the second is empty where there is but one
        self._first = 0  # of the answers since the last `begin`
        self._open = 0  # the first answer that the second adapter has not completed

    def begin(self, names: tuple[str, str]) -> None:
        """Name the adapters of the answers that come next; other names begin anew."""
        if names != self.names:
            self.clear()
        self.names = names
        self._first = self._open = len(self.answers)

    def complete(self, guess: Guess) -> None:
        """Put a second adapter's guess beside the first's; both come in the same order."""
        row = self._open
        self._open += 1
        self.answers[row] = replace(self.answers[row], other=guess)
        self.dataChanged.emit(self.index(row), self.index(row))

    def add(self, answer: Answer) -> None:
        """Append one."""
        at = len(self.answers)
        self.beginInsertRows(QModelIndex(), at, at)
        self.answers.append(answer)
        self.endInsertRows()

    def take_back(self) -> None:
        """Forget the answers since the last `begin`."""
        self.beginResetModel()
        del self.answers[self._first :]
        self._open = self._first
        self.endResetModel()

    def clear(self) -> None:
        """Forget all."""
        self.beginResetModel()
        self.answers, self._first, self._open = [], 0, 0
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of answers."""
        return 0 if parent.isValid() else len(self.answers)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the answer, its picture's name, or what is said about it."""
        if not index.isValid():
            return None
        answer = self.answers[index.row()]
        if role == ANSWER_ROLE:
            return answer
        if role == NAMES_ROLE:
            return self.names
        if role == Qt.ItemDataRole.DisplayRole:
            return Path(answer.guess.path).name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return answer.spoken()
        return as_written(answer.guess.path) if role == Qt.ItemDataRole.ToolTipRole else None


class AnswerDelegate(QStyledItemDelegate):
    """Draws an `Answer`: thumbnail at the left, name, bars and note at the right; two adapters side by side."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        """Return the height of a name, three bars and a note, with the adapters' names where there are two."""
        lines = _SHOWN + 2 + bool(index.data(NAMES_ROLE)[1])
        return QSize(280, lines * (option.fontMetrics.height() + 3) + 22)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Draw the card."""
        answer: Answer = index.data(ANSWER_ROLE)
        names: tuple[str, str] = index.data(NAMES_ROLE)
        theme = current_theme()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = option.rect.adjusted(3, 3, -3, -3)
        painter.setPen(QColor(theme.border))
        painter.setBrush(QColor(theme.base))
        painter.drawRoundedRect(box, 7, 7)
        inner = box.adjusted(10, 8, -10, -8)
        self._draw_thumbnail(painter, inner, answer)
        line = option.fontMetrics.height() + 3
        area = inner.adjusted(_THUMB + 12, 0, 0, 0)
        self._draw_name(painter, QRect(area.left(), area.top(), area.width(), line), answer, theme)
        below = area.adjusted(0, line + 2, 0, 0)
        if not names[1]:
            self._draw_guess(painter, below, line, answer.guess, theme)
        else:
            self._draw_both(painter, below, line, answer, names, theme)
        painter.restore()

    def _draw_name(self, painter: QPainter, place: QRect, answer: Answer, theme: Theme) -> None:
        painter.setPen(QColor(theme.text))
        middle = Qt.TextElideMode.ElideMiddle
        name = painter.fontMetrics().elidedText(Path(answer.guess.path).name, middle, place.width())
        painter.drawText(place, 0, name)

    def _draw_both(
        self, painter: QPainter, area: QRect, line: int, answer: Answer, names: tuple[str, str], theme: Theme,
    ) -> None:  # fmt: skip
        half = (area.width() - 16) // 2
        for side, (guess, name) in enumerate(zip((answer.guess, answer.other), names, strict=True)):
            part = QRect(area.left() + side * (half + 16), area.top(), half, area.height())
            cut = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, half)
            painter.setPen(QColor(theme.muted))
            painter.drawText(QRect(part.left(), part.top(), half, line), 0, cut)
            if guess is not None:
                self._draw_guess(painter, part.adjusted(0, line, 0, 0), line, guess, theme)

    def _draw_guess(
        self, painter: QPainter, area: QRect, line: int, guess: Guess, theme: Theme
    ) -> None:
        self._draw_bars(painter, area, line, guess, theme)
        painter.setPen(QColor(theme.warning))
        top = area.top() if guess.problem else area.top() + _SHOWN * line
        note = QRect(area.left(), top, area.width(), area.bottom() - top + 4)
        painter.drawText(note, Qt.TextFlag.TextWordWrap, note_of(guess))

    def _draw_thumbnail(self, painter: QPainter, inner: QRect, answer: Answer) -> None:
        if answer.thumbnail.isNull():
            painter.setPen(QColor(current_theme().muted))
            frame = QRect(inner.left(), inner.top(), _THUMB, _THUMB)
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "—")
            return
        size = answer.thumbnail.size().scaled(_THUMB, _THUMB, Qt.AspectRatioMode.KeepAspectRatio)
        left = inner.left() + (_THUMB - size.width()) // 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRect(left, inner.top(), size.width(), size.height()), answer.thumbnail)

    def _draw_bars(
        self, painter: QPainter, area: QRect, line: int, guess: Guess, theme: Theme
    ) -> None:
        metrics = painter.fontMetrics()
        number = metrics.horizontalAdvance("100 %") + 6
        names = min(area.width() // 2, 150)
        track = QRect(area.left() + names, 0, area.width() - names - number, max(6, line - 9))
        for place, (name, share) in enumerate(
            zip(guess.classes[:_SHOWN], guess.probabilities[:_SHOWN], strict=True)
        ):
            top = area.top() + place * line
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, names - 8)
            painter.setPen(QColor(theme.text if place == 0 else theme.muted))
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRect(area.left(), top, names, line), middle, text)
            track.moveTop(top + (line - track.height()) // 2)
            painter.fillRect(track, QColor(theme.grid))
            filled = QRect(track)
            filled.setWidth(round(track.width() * share))
            painter.fillRect(filled, QColor(theme.accent))
            right = Qt.AlignmentFlag.AlignRight | middle
            painter.drawText(
                QRect(area.right() - number, top, number, line), right, f"{100 * share:.0f} %"
            )


class AnswerList(QListView):
    """Answers one below the other."""

    def __init__(self, model: AnswerModel, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(AnswerDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setAccessibleName(name)
