"""The accuracy matrix R as a heat map: row = after a task, column = on a task, filled as it is measured."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from workbench.events import Evaluated, Event, RunStarted
from workbench.face.drawing import DrawingPanel
from workbench.face.heat import HeatMap
from workbench.face.language import say
from workbench.face.record import RunRecord
from workbench.face.theme import Theme

FORMULA = "R[i, j]: share of the test pictures of task j recognised after task i, all classes seen"


def matrix_of(record: RunRecord) -> HeatMap:
    """Return the matrix of what a run has said so far; the last row is the frozen backbone's floor."""
    count = max(len(record.tasks), len(record.rows))
    tasks = tuple(record.task_label(index) for index in range(count))
    known = {row.after_task: row for row in record.rows}
    last = record.rows[-1] if record.rows else None
    accuracy = (known[i].accuracy if i in known else () for i in range(count))
    values = tuple(_padded(row, count) for row in (*accuracy, last.baseline if last else ()))
    whens = (*(say("After {name}").format(name=name) for name in tasks), say("Frozen backbone"))
    sizes = (*(last.sizes if last else ()), *[0] * count)

    def tell(row: int, column: int) -> str:
        return _sentence(whens[row], tasks[column], values[row][column], sizes[column])

    return HeatMap(
        (*tasks, say("frozen backbone")), tasks, values, tell, say("after ↓  on →"), FORMULA,
        lambda value: f"{value * 100:.0f}", lambda value: f"{value * 100:.1f} %", last_apart=True,
    )  # fmt: skip


def _sentence(when: str, on: str, value: float | None, size: int) -> str:
    if value is None:
        return say("{when}, on {on}: not measured.").format(when=when, on=on)
    return say("{when}, on {on}: {value:.1%} of {size} test pictures.").format(
        when=when, on=on, value=value, size=size
    )


def _padded(values: Sequence[float], count: int) -> tuple[float | None, ...]:
    return (*values, *[None] * (count - len(values)))


class MatrixPanel(DrawingPanel):
    """Numbers in per cent on viridis; the frozen backbone's row stands below, set apart."""

    def __init__(
        self,
        parent: QWidget | None = None,
        record: RunRecord | None = None,
        theme: Theme | None = None,
    ) -> None:
        super().__init__(say("Accuracy matrix"), parent, theme)
        self._record = record or RunRecord()
        self.set_title(self.tr("Accuracy matrix"))
        self.refresh()

    def show_news(self, events: Sequence[Event], run: str = "") -> None:
        """Add a run's next events; RunStarted begins a new run. `run` is its name, for the title."""
        self._record.take(events)
        self.follow(events, run)

    def follow(self, events: Sequence[Event], run: str = "") -> None:
        """Draw anew if any of these events, which the record holds by now, changes what is shown."""
        if run:
            self.set_title(self.tr("Accuracy matrix of {run}").format(run=run))
        if any(isinstance(event, (RunStarted, Evaluated)) for event in events):
            self.refresh()

    def clear(self) -> None:
        """Forget the run."""
        self._record.clear()
        self.set_title(self.tr("Accuracy matrix"))
        self.refresh()

    def refresh(self) -> None:
        """Bring the drawing in step with the record."""
        matrix, rows = matrix_of(self._record), self._record.rows
        said = self.tr("Accuracy matrix: appears after the first task.")
        if rows:
            last = rows[-1].after_task
            said = " ".join(matrix.sentence(last, column) for column in range(last + 1))
        self.show_drawing(matrix, said, empty=self.tr("Appears after the first task"))
