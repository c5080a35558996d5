"""Which old classes a task moved, and which the kernel said it would: a point a class."""

from PySide6.QtWidgets import QWidget

from workbench.face import kernel_words as words, known
from workbench.face.language import say
from workbench.face.legend import Entry
from workbench.face.moment_panel import MomentPanel
from workbench.face.record import RunRecord
from workbench.face.scatter import Point, Scatter
from workbench.face.scene import Movement
from workbench.face.theme import Theme
from workbench.measures import MEASURES

_MOST_NAMES = 6  # in the legend
_FORMULA = "rms over pictures and logits: measured Δ = g(X; θ) − g(X; θ_start), forecast −η s J (∂L/∂θ + ω θ)"


class MovementPanel(MomentPanel):
    """Forecast before training against measured after it, at the last end of a task."""

    def __init__(self, parent: QWidget | None = None, theme: Theme | None = None) -> None:
        super().__init__(say("Movement of old classes"), (), parent, theme)
        self.add_legend()
        told = [MEASURES[name].told() for name in ("ntk.forecast_rank", "ntk.forecast_cosine")]
        self.setToolTip("\n\n".join((_FORMULA, *told)))

    def refresh(self) -> None:
        record, scene = self._shown.record, self._shown.ended
        moved = scene.movement if scene is not None else None
        if moved is None:
            self.show_legend([])
            self.tell(
                None,
                self._shown.ended_trouble
                or words.why_off(record)
                or say("Appears when the second task has been learnt."),
            )
            return
        names = [record.class_name(label) for label in moved.classes.tolist()]
        tasks = sorted({_task_of(record, label) for label in moved.classes.tolist()})
        colours = self.theme.task_colours(max(len(record.tasks), tasks[-1] + 1))
        self.show_legend(_legend(record, tasks, colours))
        end = known.end_of_task(record, self._shown.at)
        ranks = known.by_task(record, "ntk.forecast_rank", self._shown.at)
        rank = ranks.get(end.task) if end is not None else None
        self.tell(movement_points(record, moved, colours), words.movement(names, moved, rank))


def _legend(record: RunRecord, tasks: list[int], colours: list[str]) -> list[Entry]:
    """Return a name for each task, or one for all where they are too many."""
    if len(tasks) > _MOST_NAMES:
        every = tuple(colours[task] for task in tasks)
        return [
            Entry(
                "tasks",
                say("tasks {first} to {last}").format(first=tasks[0] + 1, last=tasks[-1] + 1),
                every,
                "solid",
                8,
            )
        ]
    return [Entry(str(t), record.task_label(t), (colours[t],), "solid", 8) for t in tasks]


def movement_points(record: RunRecord, moved: Movement, colours: list[str]) -> Scatter:
    """Return a point for each old class, in the colour of its task."""
    rows = zip(
        moved.classes.tolist(), moved.forecast, moved.measured, strict=True
    )  # fmt: skip
    points = [
        Point(
            record.class_name(label),
            colours[_task_of(record, label)],
            float(forecast),
            float(measured),
        )
        for label, forecast, measured in rows
    ]
    points.sort(key=lambda point: point.x)
    return Scatter(
        tuple(points),
        say("forecast"),
        say("measured"),
        say("logit; {formula}").format(formula=_FORMULA),
    )


def _task_of(record: RunRecord, label: int) -> int:
    """Return the task that a class belongs to; the first where the run does not say."""
    return next((index for index, task in enumerate(record.tasks) if label in task.class_ids), 0)
