"""How the window speaks: a strip that stays, a toast that goes, a box with details to copy."""

import platform
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, QUrl, Signal, SignalInstance
from PySide6.QtGui import QDesktopServices, QFontDatabase, QGuiApplication, QHideEvent, QResizeEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.face.box_help import let_f1_help
from workbench.face.language import say
from workbench.face.question import Answer

TOAST_MILLISECONDS = 7000
_ROOM = 250  # pixels of the window's height for each strip that is shown, two at least
_GRAVITY = {"info": 0, "warning": 1, "error": 2}
_SIGNS = {"info": "ℹ", "warning": "⚠", "error": "✕"}


class Strip(QFrame):
    """One sentence across a panel that stays until it is closed or solved."""

    closed = Signal()

    def __init__(
        self, text: str, level: str, answers: Sequence[Answer] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("card", "true")
        self.label = QLabel(f"{_SIGNS[level]}  {text}", self)
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setProperty("level", level)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QToolButton(self)
        close.setText("×")
        close.setAutoRaise(True)
        close.setAccessibleName(self.tr("Close this message"))
        close.setToolTip(self.tr("Close this message"))
        close.clicked.connect(self.closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 4, 4)
        row.addWidget(self.label, 1)
        self.buttons: dict[str, QPushButton] = {}
        for title, call in answers:
            button = self.buttons[title] = QPushButton(title, self)
            button.clicked.connect(call)
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.setAccessibleName(text)


class Strips(QWidget):
    """A stack of strips, one for each subject; a new one about the same subject replaces the old."""

    said = Signal(str, str)  # the sentence, its level

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strips: dict[str, Strip] = {}
        self._unfolded = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 8, 8, 0)
        self._column.setSpacing(4)
        self.more = QToolButton(self)
        self.more.setAutoRaise(True)
        self.more.setAccessibleName(self.tr("More messages"))
        self.more.hide()
        self.more.clicked.connect(self._fold)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.more)
        self._column.addLayout(foot)
        self.hide()

    def show_strip(
        self, subject: str, text: str, level: str = "warning", answers: Sequence[Answer] = ()
    ) -> None:
        """Show a sentence about `subject`, with buttons; level is info, warning or error."""
        self.clear_strip(subject)
        strip = Strip(text, level, answers, self)
        strip.setProperty("subject", subject)
        strip.closed.connect(self._close_sender)
        self._strips[subject] = strip
        self._column.insertWidget(len(self._strips) - 1, strip)
        self._arrange()
        self.said.emit(text, level)

    def clear_strip(self, subject: str) -> None:
        """Take away the strip about `subject`, if there is one."""
        strip = self._strips.pop(subject, None)
        if strip is not None:
            self._column.removeWidget(strip)
            strip.hide()
            strip.deleteLater()
        self._arrange()

    def strip(self, subject: str) -> Strip:
        """Return the strip about `subject`."""
        return self._strips[subject]

    def texts(self) -> dict[str, str]:
        """Return what is shown now, by subject."""
        return {subject: strip.accessibleName() for subject, strip in self._strips.items()}

    def levels(self) -> list[tuple[str, str]]:
        """Return each sentence shown now with its level."""
        return [(s.accessibleName(), s.label.property("level")) for s in self._strips.values()]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A higher window has room for more."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Leave the window its room: show the gravest, among equals the newest; the others on demand."""
        most = max(2, self.window().height() // _ROOM)
        newest_first = list(self._strips.values())[::-1]
        ranked = sorted(newest_first, key=lambda s: -_GRAVITY[s.label.property("level")])
        shown = ranked if self._unfolded else ranked[:most]
        for strip in ranked:
            strip.setVisible(strip in shown)
        folded = len(ranked) - most
        self._unfolded = self._unfolded and folded > 0
        text = self.tr("1 more message") if folded == 1 else self.tr("{n} more messages")
        self.more.setText(self.tr("Fewer messages") if self._unfolded else text.format(n=folded))
        self.more.setAccessibleName(self.more.text())
        self.more.setVisible(folded > 0)
        self.setVisible(bool(ranked))

    def _fold(self) -> None:
        self._unfolded = not self._unfolded
        self._arrange()

    def _close_sender(self) -> None:
        self.clear_strip(self.sender().property("subject"))


class Toast(QFrame):
    """A sentence over the foot of its parent that goes by itself, with at most one button."""

    said = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setProperty("card", "true")
        self._call: Callable[[], object] | None = None
        self._until: SignalInstance | None = None
        self.label = QLabel(self)
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton(self)
        self.button.clicked.connect(self._act)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 10, 8)
        row.addWidget(self.label, 1)
        row.addWidget(self.button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    def say(
        self,
        text: str,
        button: str = "",
        call: Callable[[], object] | None = None,
        *,
        until: SignalInstance | None = None,
    ) -> None:
        """Show `text` for 7 s, or until that signal; `button` runs `call` and closes."""
        self._forget()
        if until is not None:
            self._until = until
            until.connect(self.hide)
        self.label.setText(text)
        self.setAccessibleName(text)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self._call = call
        self._place()
        self.show()
        self.raise_()
        self._timer.start(TOAST_MILLISECONDS)
        self.said.emit(text)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the clock with the toast, however it went."""
        self._timer.stop()
        self._forget()
        super().hideEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the foot when the parent is resized; stop with it when it closes."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        elif event.type() in (QEvent.Type.Close, QEvent.Type.Hide):
            self._timer.stop()
        return super().eventFilter(watched, event)

    def _forget(self) -> None:
        if self._until is not None:
            self._until.disconnect(self.hide)
            self._until = None

    def _act(self) -> None:
        call, self._call = self._call, None
        self.hide()
        if call is not None:
            call()

    def _place(self) -> None:
        parent = self._over
        wanted = self.label.fontMetrics().horizontalAdvance(self.label.text()) + 60
        wanted += self.button.sizeHint().width() if self.button.text() else 0
        width = min(wanted, parent.width() - 80)
        height = max(self.sizeHint().height(), self.heightForWidth(width))
        self.setGeometry(
            (parent.width() - width) // 2, parent.height() - height - 40, width, height
        )


class DetailBox(QDialog):
    """A sentence, its details folded away, and the two ways to pass them on."""

    def __init__(
        self, sentence: str, detail: str, log_folder: Path, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("NTK-CL workbench"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        let_f1_help(self, "trouble")
        self.setMinimumWidth(560)
        self._log_folder = log_folder
        label = QLabel(sentence, self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setAccessibleName(sentence)
        self.details = QPlainTextEdit(f"{sentence}\n\n{detail}\n{versions_text()}", self)
        self.details.setReadOnly(True)
        self.details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.details.setAccessibleName(self.tr("Details"))
        self.details.setMinimumHeight(220)
        self.details.hide()
        self.details_button = self._button(self.tr("Details ▸"), self._fold)
        buttons = QHBoxLayout()
        buttons.addWidget(self.details_button)
        buttons.addWidget(self._button(self.tr("Copy"), self.copy))
        buttons.addWidget(self._button(self.tr("Open log folder"), self._open_folder))
        buttons.addStretch(1)
        close = self._button(self.tr("Close"), self.close)
        close.setDefault(True)
        buttons.addWidget(close)
        self.column = QVBoxLayout(self)
        self.column.addWidget(label)
        self.column.addWidget(self.details, 1)
        self.column.addLayout(buttons)

    def copy(self) -> None:
        """Put sentence, traceback and versions on the clipboard."""
        QGuiApplication.clipboard().setText(self.details.toPlainText())

    def _button(self, text: str, slot: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.clicked.connect(slot)
        return button

    def _fold(self) -> None:
        shown = self.details.isHidden()
        self.details.setVisible(shown)
        self.details_button.setText(self.tr("Details ▾") if shown else self.tr("Details ▸"))
        self.adjustSize()
        high = self.column.totalHeightForWidth(self.width())  # of a sentence of several lines
        self.resize(self.width(), max(self.height(), high))

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._log_folder)))


def versions_text() -> str:
    """Return one line a package, read from what is installed: nothing is imported for it."""
    lines = [
        f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}"
    ]
    for name in ("ntkcl-workbench", "PySide6-Essentials", "pyqtgraph", "torch", "timm"):
        try:
            lines.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            lines.append(say("{name} not installed").format(name=name))
    return "\n".join(lines)


class BugReporter(QObject):
    """Brings an exception from any thread to a box in the window."""

    raised = Signal(str, str)  # what, traceback

    def __init__(self, log_folder: Path, window: QWidget) -> None:
        super().__init__(window)
        self._log_folder = log_folder
        self._window = window
        self.box: DetailBox | None = None
        self.raised.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def _show(self, what: str, detail: str) -> None:
        sentence = self.tr(
            "Something in the program went wrong: {what}. Your runs are safe in the log; "
            "if the window behaves oddly, close it and start again."
        )
        self.box = DetailBox(sentence.format(what=what), detail, self._log_folder, self._window)
        self.box.open()
