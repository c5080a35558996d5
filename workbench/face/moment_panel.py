"""What every drawing of the tab "NTK" has: a moment it shows, a sentence that says it, a list to choose from."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from workbench.face import kernel_words as words
from workbench.face.curves import CurvePanel
from workbench.face.drawing import Drawing, DrawingPanel
from workbench.face.editors import CalmComboBox
from workbench.face.known import Moment
from workbench.face.record import Axis, RunRecord
from workbench.face.scene import Scene
from workbench.face.theme import Theme
from workbench.face.views import summary


@dataclass(frozen=True)
class Shown:
    """What the tab shows: a run, a moment of it (None: its present end), and the kernel then."""

    record: RunRecord = field(default_factory=RunRecord)
    at: Moment | None = None
    scene: Scene | None = None
    trouble: str = ""  # why there is no scene though there should be
    ended: Scene | None = None  # the kernel at the last end of a task
    ended_trouble: str = ""


class KernelCurves(CurvePanel):
    """Curves with a line at the moment looked at."""

    told = Signal(str)
    _at: Moment | None = None

    def set_x_axis(self, axis: Axis) -> None:
        super().set_x_axis(axis)
        self._mark()

    def _mark(self) -> None:
        at = self._at
        self.set_marker(None if at is None else self._record.place(at.step, self._axis))

    def show_moment(self, shown: Shown) -> None:
        """Mark the moment and say what the curves show."""
        self._at = shown.at
        self._mark()
        key = self._view_of.key
        if key == "ntk_gap":
            text = words.between(shown.record, shown.at)
        elif key == "generalisation_gap":
            text = words.within(shown.record, shown.at)
        else:
            text = summary(
                self._view_of, shown.record, self._view_of.lines(shown.record, self.theme)
            )
        self.told.emit(text)


class MomentPanel(DrawingPanel):
    """A drawing made anew from what is shown; with a list at its right, of what is chosen there."""

    told = Signal(str)

    def __init__(
        self, title: str, choices: Sequence[tuple[str, object]] = (),
        parent: QWidget | None = None, theme: Theme | None = None,
    ) -> None:  # fmt: skip
        super().__init__(title, parent, theme)
        self._shown = Shown()
        self.choice = CalmComboBox(self)
        self.choice.setSizeAdjustPolicy(CalmComboBox.SizeAdjustPolicy.AdjustToContents)
        least = 10 * self.choice.fontMetrics().averageCharWidth()  # it gives way to the title
        self.choice.setMinimumWidth(least)
        self.choice.setAccessibleName(self.tr("What {title} shows").format(title=title))
        self.choice.setVisible(len(choices) > 0)
        self.offer(choices)
        self.choice.currentIndexChanged.connect(self._chosen)
        self.header.addWidget(self.choice)

    def offer(self, choices: Sequence[tuple[str, object]]) -> None:
        """Offer these names with what they stand for; the choice stays."""
        names = [self.choice.itemText(index) for index in range(self.choice.count())]
        if names == [name for name, _ in choices]:
            return
        chosen = self.choice.currentData()
        self.choice.blockSignals(True)
        self.choice.clear()
        for name, data in choices:
            self.choice.addItem(name, data)
        self.choice.setCurrentIndex(max(self.choice.findData(chosen), 0))
        self.choice.blockSignals(False)

    def choose(self, data: object) -> None:
        """Choose from the list what stands for `data`."""
        self.choice.setCurrentIndex(self.choice.findData(data))

    def hide_choice(self) -> None:
        """Show no list: for a picture, where nothing can be chosen."""
        self.choice.hide()

    def show_moment(self, shown: Shown) -> None:
        """Draw what was known then."""
        self._shown = shown
        self.refresh()

    @abstractmethod
    def refresh(self) -> None:
        """Draw anew."""

    def tell(self, drawing: Drawing | None, text: str) -> None:
        """Show a drawing and its sentence; without a drawing the sentence stands in its place."""
        self.show_drawing(drawing, text, empty=text)
        self.told.emit(text if self.drawing is not None else "")

    def take_theme(self, theme: Theme) -> None:
        super().take_theme(theme)
        self.refresh()

    def _chosen(self, _: int) -> None:
        self.refresh()
