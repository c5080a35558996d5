"""The status bar's two lists: what goes on in the background, and what has been said in this session."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QMainWindow,
    QProgressBar,
    QPushButton,
    QWidget,
)

from workbench.events import Event, Note
from workbench.face.actions import Command
from workbench.face.activities import Activity
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.popover import Popover, status_button
from workbench.face.said import Conversation, Said
from workbench.face.words import duration

_REDRAW_MS = 200


class ActivityRow(QWidget):
    """One activity: its title, how far it is, how long it still takes, and Cancel."""

    def __init__(self, activity: Activity, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.activity = activity
        title = QLabel(activity.title, self)
        title.setTextFormat(Qt.TextFormat.PlainText)
        self.detail = QLabel(self)
        self.detail.setProperty("muted", "true")
        self.detail.setTextFormat(Qt.TextFormat.PlainText)
        for label in (title, self.detail):
            label.setWordWrap(True)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of {title}").format(title=activity.title))
        self.cancel_button = QPushButton(self.tr("Stopping…"), self)
        self.cancel_button.ensurePolished()
        self.cancel_button.setMinimumWidth(self.cancel_button.sizeHint().width())  # the longer text
        self.cancel_button.clicked.connect(activity.cancel)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        grid.addWidget(title, 0, 0)
        grid.addWidget(self.bar, 1, 0)
        grid.addWidget(self.detail, 2, 0)
        grid.addWidget(self.cancel_button, 0, 1, 3, 1)
        self.refresh()

    def refresh(self) -> None:
        """Draw where the activity is now."""
        activity = self.activity
        self.bar.setRange(0, activity.total)
        self.bar.setValue(activity.done)
        self.detail.setText(self._words())
        text = self.tr("Stopping…") if activity.cancelled else self.tr("Cancel")
        self.cancel_button.setText(text)
        self.cancel_button.setEnabled(activity.can_cancel)
        name = self.tr("{action} {title}").format(action=text, title=activity.title)
        self.cancel_button.setAccessibleName(name)
        if not activity.can_cancel and not activity.cancelled:
            self.cancel_button.setToolTip(self.tr("This is short and cannot be given up."))

    def _words(self) -> str:
        activity = self.activity
        parts = [text for text in (activity.detail, activity.counted) if text]
        if activity.seconds_left is not None:
            left = duration(activity.seconds_left)
            parts.append(self.tr("about {time} left").format(time=left))
        return " · ".join(parts)


class StatusLists(Feature):
    """Keeps both buttons of the status bar and the lists they open."""

    commands = (
        Command("show_activities", "View", "Activities…", ("Ctrl+Shift+B",),
                help="What goes on in the background, to follow or to cancel", apart=True),
        Command("show_messages", "View", "Messages of this session…", ("Ctrl+Shift+M",),
                help="Every sentence the window has said since it was opened"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.conversation = Conversation(self)
        window = desk.window
        self.activities_button = status_button(self.tr("Activities"), window)
        self.messages_button = status_button(self.tr("Messages of this session"), window)
        self.activities = Popover(self.tr("Activities"), window)
        self.messages = Popover(self.tr("Messages of this session"), window)
        self.activities_button.clicked.connect(self.show_activities)
        self.messages_button.clicked.connect(self.show_messages)
        if isinstance(window, QMainWindow):
            window.statusBar().addPermanentWidget(self.activities_button)
            window.statusBar().addPermanentWidget(self.messages_button)
        self._rows: list[ActivityRow] = []
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(_REDRAW_MS)
        self._redraw.timeout.connect(self._refresh_rows)
        desk.activities.changed.connect(self._list_changed)
        desk.activities.progressed.connect(self._moved)
        desk.activities.wanted.connect(self.show_activities)
        desk.strips.said.connect(self.conversation.add)
        desk.toast.said.connect(self.conversation.add)
        desk.training.news.connect(self._take_notes)
        self.conversation.changed.connect(self._count_messages)
        for text, level in desk.strips.levels():
            self.conversation.add(text, level)
        self._list_changed()
        self._count_messages()

    def shut_down(self) -> None:
        """Stop redrawing."""
        self._redraw.stop()

    def show_activities(self) -> None:
        """Open the list of what goes on."""
        self._fill_activities()
        self.activities.open_over(self.activities_button)

    def show_messages(self) -> None:
        """Open the list of what was said, newest first."""
        sentences = self.conversation.sentences()
        none = [self._label(self.tr("Nothing has been said yet."))]
        self.messages.show_rows([self._row_of(said) for said in reversed(sentences)] or none)
        self.messages.open_over(self.messages_button)

    def _fill_activities(self) -> None:
        self._rows = [ActivityRow(activity) for activity in self.desk.activities.under_way()]
        none = [self._label(self.tr("Nothing goes on in the background."))]
        self.activities.show_rows([*self._rows] or none)

    def _list_changed(self) -> None:
        count = len(self.desk.activities.under_way())
        one, many = self.tr("1 activity ▴"), self.tr("{count} activities ▴")
        self.activities_button.setText(one if count == 1 else many.format(count=count))
        self.activities_button.setVisible(count > 0)
        if self.activities.isVisible():
            self.show_activities()

    def _moved(self) -> None:
        if self.activities.isVisible() and not self._redraw.isActive():
            self._redraw.start()

    def _refresh_rows(self) -> None:
        if self.activities.isVisible():  # its rows are gone once it is closed
            for row in self._rows:
                row.refresh()

    def _count_messages(self) -> None:
        count = len(self.conversation.sentences())
        one, many = self.tr("1 message ▴"), self.tr("{count} messages ▴")
        self.messages_button.setText(one if count == 1 else many.format(count=count))
        self.messages_button.setVisible(count > 0)

    def _take_notes(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Note) and event.level != "warning":  # the strip says those
                self.conversation.add(event.text, event.level)

    def _row_of(self, said: Said) -> QLabel:
        row = self._label(f"{said.time:%H:%M}  {said.text}")
        row.setProperty("level", said.level)
        row.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return row

    def _label(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        return label
