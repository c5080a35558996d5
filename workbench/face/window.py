"""The main window: toolbar, menus and areas arranged; what it remembers; how it closes."""

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMessageBox,
    QSizePolicy,
    QToolBar,
    QToolButton,
)

from workbench.face.actions import COMMANDS, fill_menus, in_order, make_actions, refresh_actions
from workbench.face.commands import Commands
from workbench.face.desk import Desk
from workbench.face.drop import DropTarget
from workbench.face.features import FEATURES
from workbench.face.hardware import hardware_text, has_gpu_driver
from workbench.session import Session

_LAYOUT_VERSION = 1


class Window(QMainWindow):
    """Arranges; the panels own their widgets and `Commands` what the menus do."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setWindowTitle(self.tr("NTK-CL workbench"))
        self.setMinimumSize(960, 600)
        self.resize(1280, 800)
        self.toolbar = QToolBar(self.tr("Toolbar"), self)
        self.desk = Desk(session, self.toolbar, self)
        self.commands = Commands(self.desk, self)
        self.features = [make(self.desk) for make in FEATURES]
        rows = in_order([*COMMANDS, *(row for each in self.features for row in each.commands)])
        self.commands.all = rows
        areas = {"tasks": self.desk.tasks, "runs": self.desk.history}
        self.actions_by_id = make_actions(rows, [self.commands, *self.features], self, areas)
        self.menus = fill_menus(self.menuBar(), rows, self.actions_by_id)
        self.setCentralWidget(self.desk.whole)
        self._title = QLabel(self)
        self._closing = False
        self._question: QMessageBox | None = None
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
        refresh_actions(self.commands.all, self.actions_by_id, moment)
        self.desk.settings.show_ready(moment.reason)
        hint = moment.reason or self.tr("Train on the tasks at the left (Ctrl+R)")
        self.actions_by_id["train"].setToolTip(hint)
        self._export_button.setEnabled(moment.run)
        self._export_button.setToolTip(
            self.tr("Export the run shown (Ctrl+E)") if moment.run else self.tr("No run yet")
        )
        self._title.setText(self.desk.title())
        self._title.setToolTip(self.desk.title())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask if a run trains; otherwise remember the layout and end every thread."""
        if self.desk.training.state != "idle":
            event.ignore()
            if not self._closing:
                self._ask_before_closing()
            return
        self._remember()
        for feature in self.features:
            feature.shut_down()
        self.desk.shut_down()
        event.accept()

    def stop_and_close(self) -> None:
        """Stop the run, and close once its thread has saved and ended."""
        self._closing = True
        if self.desk.training.state == "idle":
            self.close()
        else:
            self.desk.training.stop()

    def _ask_before_closing(self) -> None:
        if self._question is not None:
            return
        run = self.desk.training.run
        text = self.tr("{run} is still training.").format(run=run.name if run else "")
        box = QMessageBox(
            QMessageBox.Icon.Question, self.windowTitle(), text, QMessageBox.StandardButton.Cancel, self
        )  # fmt: skip
        stop = box.addButton(self.tr("Stop, save and quit"), QMessageBox.ButtonRole.DestructiveRole)
        stop.clicked.connect(self.stop_and_close)
        box.setDefaultButton(stop)
        box.setInformativeText(self.tr("What was learnt up to the last whole task is kept."))
        box.finished.connect(self._question_closed)
        self._question = box
        box.open()

    def _question_closed(self) -> None:
        if self._question is not None:
            self._question.deleteLater()
            self._question = None

    def _run_ended(self) -> None:
        if self._closing:
            self.close()

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
        place.setProperty("muted", "true")
        place.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        place.setIndent(8)
        self.statusBar().addWidget(place, 1)
        hardware = QLabel(hardware_text(driver=has_gpu_driver()), self)
        hardware.setProperty("muted", "true")
        hardware.setContentsMargins(0, 0, 8, 0)
        self.statusBar().addPermanentWidget(hardware)

    def _join(self) -> None:
        desk, commands = self.desk, self.commands
        desk.changed.connect(self.refresh)
        desk.training.ended.connect(self._run_ended)
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
