"""The plot of accuracy against cost, with what is chosen above it: the set of pictures, and which cost."""

from collections.abc import Iterator

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QWidget

from workbench.face.cost_plane import CostPlane, CostPoint
from workbench.face.drawing import DrawingPanel
from workbench.face.language import say
from workbench.face.plot_file import laid_out
from workbench.face.theme import LIGHT
from workbench.face.words import joined
from workbench.session.study_results import DataTable, StudyResults

SECONDS, VALUES = "seconds", "values"  # fields of a method's row
_LEAST = 230  # pixels of height


class CostPanel(DrawingPanel):
    """A_T of each method against seconds, or against numbers kept, on one set of pictures at a time."""

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(say("Accuracy against cost"), parent)
        self._found = StudyResults((), (), ())
        self.setMinimumHeight(_LEAST)
        self.data = QComboBox(self)
        self.data.setAccessibleName(self.tr("Set of pictures that the plot shows"))
        self.cost = QComboBox(self)
        self.cost.setAccessibleName(self.tr("Which cost the plot shows"))
        self.cost.addItem(self.tr("against seconds"), SECONDS)
        self.cost.addItem(self.tr("against numbers kept"), VALUES)
        for box in (self.data, self.cost):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            self.header.addWidget(box)
            box.currentIndexChanged.connect(self._draw)
        self.missing = QLabel(self)
        self.missing.setTextFormat(Qt.TextFormat.PlainText)
        self.missing.setWordWrap(True)
        self.missing.setProperty("muted", "true")
        self.body.addWidget(self.missing)

    def show_results(self, found: StudyResults) -> None:
        """Show what a study has found; the set that was looked at stays where it is there."""
        self._found = found
        names, now = [table.data for table in found.tables], self.data.currentText()
        if names != [self.data.itemText(place) for place in range(self.data.count())]:
            self.data.blockSignals(True)
            self.data.clear()
            self.data.addItems(names)
            self.data.setCurrentIndex(max(self.data.findText(now), 0))
            self.data.blockSignals(False)
        self.data.setVisible(len(names) > 1)
        self._draw()

    def figures(self) -> Iterator[tuple[str, DrawingPanel]]:
        """Draw each set of pictures against either cost as a light figure, each when it is asked for."""
        for number, table in enumerate(self._found.tables, 1):
            for cost in (SECONDS, VALUES):
                plane = plane_of(table, cost)
                if plane is not None:
                    title = say("{data}: accuracy against cost").format(data=table.data)
                    panel = DrawingPanel(title, theme=LIGHT)
                    panel.show_drawing(plane, "", empty="")
                    laid_out(panel)
                    yield f"accuracy_by_{cost}-{number}", panel

    def _draw(self) -> None:
        place = self.data.currentIndex()
        known = 0 <= place < len(self._found.tables)
        table = self._found.tables[place] if known else DataTable("", ())
        plane = plane_of(table, str(self.cost.currentData()))
        said = "; ".join(plane.sentence(row, 0) for row in range(len(plane.points))) if plane else ""  # fmt: skip
        empty = self.tr("A method appears here once a run of it has been tested.")
        self.show_drawing(plane, said, empty=empty)
        drawn = {point.label for point in plane.points} if plane else set()
        lacking = [row.method for row in table.rows if row.n and row.method not in drawn]
        text = self.tr("Not drawn, as this cost of it is 0 or not known: {methods}.")
        self.missing.setText(text.format(methods=joined(lacking)) if lacking else "")
        self.missing.setVisible(bool(lacking))


def plane_of(table: DataTable, cost: str) -> CostPlane | None:
    """Return the drawing of one set of pictures against seconds or values; None where there is no point."""
    points = []
    for place, row in enumerate(table.rows):
        paid = row.seconds.mean if cost == SECONDS else row.values.mean
        if row.final.mean is not None and paid:
            points.append(CostPoint(row.method, paid, row.final.mean, row.final.deviation, place))
    named = say("seconds of a run") if cost == SECONDS else say("numbers kept beside the backbone")
    return CostPlane("A_T", named, tuple(points)) if points else None
