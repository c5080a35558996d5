"""The main window: toolbar, menus and areas arranged; what it remembers; how it closes."""

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QSizePolicy,
    QToolBar,
    QToolButton,
)

from workbench.face.actions import COMMANDS, fill_menus, in_order, make_actions, refresh_actions
from workbench.face.background import close_all
from workbench.face.closing import Closing
from workbench.face.commands import Commands
from workbench.face.desk import Desk
from workbench.face.drop import DropTarget, Given
from workbench.face.features import FEATURES
from workbench.face.last_words import LastWords
from workbench.face.messages import DetailBox
from workbench.face.place import FIRST
from workbench.face.single import OnlyWindow
from workbench.face.words import as_written
from workbench.session import Session

_LAYOUT_VERSION = 1


class Window(QMainWindow):
    """Arranges; the panels own their widgets and `Commands` what the menus do."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setWindowTitle(self.tr("NTK-CL workbench"))
        self.setMinimumSize(960, 600)
        self.resize(FIRST)
        self.toolbar = QToolBar(self.tr("Toolbar"), self)
        self.desk = Desk(session, self.toolbar, self)
        self.commands = Commands(self.desk, self)
        self.features = [make(self.desk) for make in FEATURES]
        own = (row for feature in self.features for row in feature.commands)
        self.rows = rows = in_order([*COMMANDS, *own])
        areas = {"tasks": self.desk.tasks, "runs": self.desk.history}
        self.actions_by_id = make_actions(rows, [self.commands, *self.features], self, areas)
        self.menus = fill_menus(self.menuBar(), rows, self.actions_by_id)
        self.setCentralWidget(self.desk.whole)
        self._title = QLabel(self)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self.closing = Closing(self.desk)
        self.closing.ready.connect(self.close)
        self._fill_toolbar()
        self._fill_status_bar()
        self._join()
        self._restore()
        self.refresh()

    def refresh(self) -> None:
        """Draw every command and the title from the present moment."""
        moment = self.desk.moment()
        for feature in self.features:
            moment = feature.refine(moment)
        refresh_actions(self.rows, self.actions_by_id, moment)
        self.desk.settings.show_ready(moment.reason)
        hint = moment.reason or self.tr("Train on the tasks at the left (Ctrl+R)")
        self.actions_by_id["train"].setToolTip(hint)
        self._export_button.setEnabled(moment.run)
        self._export_button.setToolTip(
            self.tr("Export the run shown (Ctrl+E)") if moment.run else self.tr("No run yet")
        )
        self._title.setText(self.desk.title())
        self._title.setToolTip(as_written(self.desk.title()))

    def watch(self, only: OnlyWindow, words: LastWords) -> None:
        """Come forward when a second start asks; tell how the last window ended, and note what this one does."""
        only.asked_for.connect(self._come_forward)
        said = words.before()
        words.begin()
        self._words = words
        if said is not None:
            self._tell_last_end(said)
        self.desk.training.state_changed.connect(self._note_doing)
        self.desk.tabs.currentChanged.connect(self._note_doing)

    def _note_doing(self) -> None:
        tab = self.desk.tabs.tabText(self.desk.tabs.currentIndex())
        run = self.desk.training.run
        training = f", {run.name} {self.desk.training.state}" if run is not None else ""
        self._words.doing(f"tab {tab}{training}")

    def _tell_last_end(self, said: str) -> None:
        """Say that the last window did not end by itself; what is known lies behind Details."""
        what = next((line[7:] for line in said.splitlines() if line.startswith("while: ")), "")
        where = self.tr(" (while: {what})").format(what=what) if what else ""
        sentence = self.tr("The program ended unexpectedly last time{where}. Your runs are safe.")
        text = sentence.format(where=where)
        self.last_end = DetailBox(text, said, self.desk.session.home, self)
        QTimer.singleShot(0, self.last_end, self.last_end.open)

    def _come_forward(self, folders: list[str]) -> None:
        if folders:
            self.commands.take(Given(folders=tuple(folders)))
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def showEvent(self, event: QShowEvent) -> None:
        """Make what the first look does not need once the window is there."""
        super().showEvent(event)
        self.desk.make_rest()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask if a run trains; otherwise remember the layout and end every thread."""
        if self.desk.training.state != "idle":
            event.ignore()
            self.closing.ask()
            return
        self._remember()
        self.shut_down()
        event.accept()

    def shut_down(self) -> bool:
        """End every thread and timer; return whether the run's thread has ended."""
        close_all(self)
        for feature in self.features:
            feature.shut_down()
        return self.desk.shut_down()

    def stop_and_close(self) -> None:
        """Stop the run, and close once its thread has saved and ended."""
        self.closing.stop_and_close()

    def _fill_toolbar(self) -> None:
        bar = self.toolbar
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setIconSize(QSize(16, 16))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        for name, mark in (("train", "▶ "), ("stop", "■ ")):
            action = self.actions_by_id[name]
            action.setIconText(f"{mark} {action.text()}")
            bar.addAction(action)
        bar.addSeparator()
        self._title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._title.setMinimumWidth(80)
        self._title.setContentsMargins(10, 0, 10, 0)
        bar.addWidget(self._title)
        self._export_button = QToolButton(bar)
        self._export_button.setText(self.tr("Export ▾"))
        self._export_button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._export_button.setAccessibleName(self.tr("Export"))
        self._export_button.setMenu(self.menus["File/Export"])
        self._export_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._export_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        bar.addWidget(self._export_button)
        theme = self.actions_by_id["toggle_theme"]
        theme.setIconText(self.tr("☾ / ☀"))
        bar.addAction(theme)
        for name in ("train", "stop", "toggle_theme"):
            button = bar.widgetForAction(self.actions_by_id[name])
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            if isinstance(button, QToolButton):
                button.setAccessibleName(self.actions_by_id[name].text())
        self.addToolBar(bar)

    def _fill_status_bar(self) -> None:
        place = QLabel(self.tr("log: {home}").format(home=self.desk.session.home), self)
        place.setTextFormat(Qt.TextFormat.PlainText)
        place.setProperty("muted", "true")
        place.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        place.setIndent(8)
        self.statusBar().addWidget(place, 1)

    def _join(self) -> None:
        desk, commands = self.desk, self.commands
        desk.changed.connect(self.refresh)
        desk.tasks.add_requested.connect(commands.add_folder)
        desk.tasks.problems_requested.connect(commands.show_task_at)
        desk.settings.train_requested.connect(commands.train)
        desk.page.zone.add_requested.connect(commands.add_folder)
        desk.page.zone.sample_requested.connect(commands.try_sample)
        self._targets: list[DropTarget] = []
        zone, hint = desk.page.zone, desk.tasks.hint
        for widget, lit in ((self, zone), (zone, zone), (desk.tasks, hint)):
            target = DropTarget(widget, lit)
            target.given.connect(commands.take)
            self._targets.append(target)
        names = (
            "show_task",
            "rename_task",
            "merge_tasks",
            "find_folder",
            "move_up",
            "move_down",
            "remove_task",
        )
        for name in names:
            desk.tasks.menu.addAction(self.actions_by_id[name])

    def _restore(self) -> None:
        memory = self.desk.memory
        if str(memory.value("version", "")) != str(_LAYOUT_VERSION):
            return
        for key, restore in (
            ("geometry", self.restoreGeometry),
            ("across", self.desk.across.restoreState),
            ("down", self.desk.down.restoreState),
        ):
            value = memory.value(key)
            if isinstance(value, QByteArray):
                restore(value)

    def _remember(self) -> None:
        memory = self.desk.memory
        memory.setValue("version", _LAYOUT_VERSION)
        memory.setValue("geometry", self.saveGeometry())
        memory.setValue("across", self.desk.across.saveState())
        memory.setValue("down", self.desk.down.saveState())
        memory.sync()
