"""What a plot is made of and how one moves about in it by mouse, keys and menu."""

from abc import abstractmethod
from time import perf_counter

from PySide6.QtCore import QPoint, QPointF, QSize, QTimer, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QPainter, QShowEvent
from PySide6.QtWidgets import QMenu, QWidget

from workbench.face import x_view
from workbench.face.legend import Legend
from workbench.face.numbers import Numbers, NumbersModel
from workbench.face.panel import Panel, TableWindow
from workbench.face.plot_line import Found, PlotLine
from workbench.face.pointer import Pointer
from workbench.face.sheet import Sheet
from workbench.face.theme import Theme
from workbench.face.x_view import Span, XView

REDRAW_MS = 34
_SLOW_MS, _LONGEST_MS = 25.0, 250  # of a drawing, and of the pause before the next
_STEP = 0.25  # share of what is shown that a key moves by


class PlotBase(Panel):
    """Legend, sheet and pointer; `view` decides which part of x is seen."""

    def __init__(self, title: str, parent: QWidget | None, theme: Theme | None) -> None:
        super().__init__(title, parent, theme)
        self.view = XView()
        self._log, self._log_possible, self._setting = False, True, False
        self._dirty = True
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REDRAW_MS)
        self._timer.timeout.connect(self.draw_now)
        self._legend = Legend(self.theme, self)
        self._sheet = Sheet(self)
        self._pointer = Pointer(self, self._sheet, self._legend)
        self.body.addWidget(self._legend)
        self.body.addWidget(self._sheet, 1)
        self.setFocusProxy(self._sheet)
        self._legend.toggled.connect(self.toggle)
        self._sheet.customContextMenuRequested.connect(self._menu_wanted)
        self._sheet.zoomed.connect(self._zoomed)
        self._sheet.x_changed.connect(self._x_changed)
        self._sheet.double_clicked.connect(self.fit)
        self._add_moves()
        self._dress_parts()

    @abstractmethod
    def lines(self) -> list[PlotLine]:
        """Return the lines from the lowest to the topmost."""

    @abstractmethod
    def starts(self) -> list[float]:
        """Return the x at which tasks begin."""

    @abstractmethod
    def everything(self) -> Span:
        """Return the range of x that shows all there is."""

    @abstractmethod
    def readout(self, x: float, at: Found | None = None) -> str:
        """Return what is said of x, and of a point."""

    @abstractmethod
    def numbers(self) -> Numbers:
        """Return every number that is shown, at full resolution."""

    @abstractmethod
    def toggle(self, key: str) -> None:
        """Hide a line or group, or show it again."""

    def changed(self) -> None:
        """Draw soon: within one frame if the plot is seen, otherwise when it is seen again."""
        self._dirty = True
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    @abstractmethod
    def hand_over(self) -> None:
        """Hand every line's points to the screen, and fit the ranges."""

    @Slot()
    def draw_now(self) -> None:
        """Draw; where that takes long, the next drawing comes later, so that the window stays free."""
        self._dirty = False
        began = perf_counter()
        self.hand_over()
        took = 1000 * (perf_counter() - began) + self._sheet.painting_ms
        self._timer.setInterval(pause_after(took, self._timer.interval()))

    @property
    def log(self) -> bool:
        """Whether y is drawn logarithmically."""
        return self._log and self._log_possible

    @Slot(bool)
    def set_log(self, log: bool) -> None:
        """Show y logarithmically where that makes sense; values of 0 and below become gaps."""
        self._log = log
        self._show_log()

    def set_log_possible(self, possible: bool) -> None:
        """Say whether a logarithmic axis makes sense for what is shown."""
        self._log_possible = possible
        self._show_log()

    def set_following(self, following: bool) -> None:
        """Where only a part is shown, keep the newest point in it."""
        self.view.following = following
        self.changed()

    def set_summary(self, text: str) -> None:
        super().set_summary(text)
        self._sheet.setAccessibleName(self.title())
        self._sheet.setAccessibleDescription(text)

    @Slot()
    def fit(self) -> None:
        """Show everything, and go on doing so as it grows."""
        self.view.fit()
        self.changed()

    @Slot()
    def zoom_in(self) -> None:
        """Show the middle half of x."""
        self.show_span(x_view.zoomed(self._sheet.x_range(), 0.5))

    @Slot()
    def zoom_out(self) -> None:
        """Show twice as much of x."""
        self.show_span(x_view.zoomed(self._sheet.x_range(), 2.0))

    @Slot()
    def move_left(self) -> None:
        """Show what lies before."""
        self.show_span(x_view.moved(self._sheet.x_range(), -_STEP))

    @Slot()
    def move_right(self) -> None:
        """Show what lies behind."""
        self.show_span(x_view.moved(self._sheet.x_range(), _STEP))

    @Slot()
    def previous_task(self) -> None:
        """Show the task before the one in the middle."""
        self._show_neighbour(-1)

    @Slot()
    def next_task(self) -> None:
        """Show the task after the one in the middle."""
        self._show_neighbour(1)

    def show_task(self, index: int) -> None:
        """Show one task alone."""
        self.show_span(x_view.task_span(self.starts(), index, self.everything()[1]))

    def show_span(self, span: Span) -> None:
        """Show this part of x."""
        self.view.hold()
        self._sheet.set_ranges(span)
        self.changed()

    def set_ranges(self, x: Span, y: Span) -> None:
        """Set what is seen without taking it for a zoom by hand."""
        self._setting = True
        self._sheet.set_ranges(x, y)
        self._setting = False

    @Slot()
    def show_table(self) -> None:
        """Open all numbers in a window of their own."""
        TableWindow(self.title(), NumbersModel(self.numbers(), self), self.tabbed, self).open()

    def tabbed(self) -> str:
        """Return all numbers as lines of cells with tabs between."""
        return self.numbers().tabbed()

    @Slot()
    def copy_data(self) -> None:
        """Put all numbers on the clipboard, as spreadsheets take them."""
        QGuiApplication.clipboard().setText(self.tabbed())

    def menu(self) -> QMenu:
        menu = super().menu()
        menu.addSeparator()
        menu.addActions(self._sheet.actions())
        if self._legend.entries:
            shown = menu.addMenu(self.tr("Lines"))
            for entry in self._legend.entries:
                action = shown.addAction(entry.label)
                action.setCheckable(True)
                action.setChecked(entry.shown)
                action.setData(entry.key)
            shown.triggered.connect(self._line_chosen)
        return menu

    def lay_out(self, size: QSize) -> None:
        """Draw at this size without being shown: for a picture made in one go."""
        self.resize(size)
        self.grab()
        self.draw_now()
        self._sheet.settle()
        self.draw_now()

    def paint(self, painter: QPainter) -> None:
        super().paint(painter)
        self._legend.paint_on(painter, self._legend.geometry().topLeft())
        self._sheet.paint_on(painter, QPointF(self._sheet.mapTo(self, QPoint(0, 0))))

    def take_theme(self, theme: Theme) -> None:
        super().take_theme(theme)
        self._dress_parts()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._dirty:
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        self._pointer.leave()
        super().hideEvent(event)

    def _dress_parts(self) -> None:
        self._sheet.colour(self.theme)
        self._legend.theme = self.theme
        self._legend.update()
        self._pointer.readout.colour(self.theme, card=True)

    def _add_moves(self) -> None:
        """Keys that a list beside the title needs itself work on the sheet alone."""
        self.log_action = self.add_action(self.tr("Logarithmic"), "L", self.set_log, self._sheet)
        self.log_action.setCheckable(True)
        for text, keys, slot in (
            (self.tr("Fit"), "Home", self.fit),
            (self.tr("Zoom in"), "+", self.zoom_in),
            (self.tr("Zoom out"), "-", self.zoom_out),
            (self.tr("Move left"), "Left", self.move_left),
            (self.tr("Move right"), "Right", self.move_right),
            (self.tr("Previous task"), "PgUp", self.previous_task),
            (self.tr("Next task"), "PgDown", self.next_task),
        ):
            self.add_action(text, keys, slot, self._sheet)

    def _show_log(self) -> None:
        self.log_action.setEnabled(self._log_possible)
        self.log_action.setChecked(self.log)
        self._sheet.set_log(self.log)
        self.changed()

    def _show_neighbour(self, step: int) -> None:
        starts = self.starts()
        if starts:
            now = self._sheet.x_range()
            first = 0 if step > 0 else len(starts) - 1
            self.show_task(first if self.view.whole else x_view.neighbour(starts, now, step))

    @Slot(object)
    def _line_chosen(self, action: object) -> None:
        self.toggle(action.data())  # type: ignore[attr-defined]

    @Slot()
    def _zoomed(self) -> None:
        self.view.hold()
        self.changed()

    @Slot()
    def _x_changed(self) -> None:
        if not self._setting:
            self.changed()

    @Slot(QPoint)
    def _menu_wanted(self, place: QPoint) -> None:
        self.show_menu(self._sheet.mapToGlobal(place))


def pause_after(took: float, pause: int) -> int:
    """Return the pause in ms before the next drawing: after a slow one twice the last, else the shortest."""
    return min(2 * pause, _LONGEST_MS) if took > _SLOW_MS else REDRAW_MS
