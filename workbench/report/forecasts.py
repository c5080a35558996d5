"""What is foretold of tasks to come, and how it turned out."""

from dataclasses import dataclass

from workbench.config import TaskFolder


@dataclass(frozen=True)
class ClassForecast:
    """One learnt class: root mean square movement of its pictures' old logits, and what it would cost."""

    class_id: int
    name: str
    task: str  # the last one that taught it
    planned: float | None  # movement by the steps planned
    ridge: float | None  # movement if the new task is learnt to the end
    lost: float | None  # share of its test probe right now and wrong afterwards, less the reverse


@dataclass(frozen=True)
class TaskForecast:
    """One learnt task: disturbances are ‖Δ̂‖² / (n C V), accuracies are fractions of its test probe."""

    position: int  # 0-based, in the run
    name: str
    planned: float | None = None
    ridge: float | None = None
    accuracy_now: float | None = None
    accuracy_competing: float | None = None  # with the new classes to choose from, nothing moved
    accuracy_after: float | None = None  # and with the movement forecast
    test_pictures: int = 0
    reason: str = ""  # why there is no number


@dataclass(frozen=True)
class Forecast:
    """What learning a folder next would do to a run's tasks, said before a step is made."""

    run: str  # its id
    candidate: TaskFolder
    new_classes: tuple[str, ...] = ()
    tasks: tuple[TaskForecast, ...] = ()  # most disturbed first
    classes: tuple[ClassForecast, ...] = ()
    pictures: int = 0  # of the candidate, looked at
    ridge: float | None = None  # λ / (tr K / N)
    steps: int = 0  # planned
    rate: float = 0.0  # mean step size, momentum included
    method: str = ""
    notes: tuple[str, ...] = ()
    reason: str = ""  # why there is no forecast

    @property
    def sentence(self) -> str:
        """The reading: which task would be disturbed most, and what that would cost."""
        name = self.candidate.name
        said = [task for task in self.tasks if not task.reason]
        if self.reason or not said:
            return f"Nothing can be forecast of '{name}': {self.reason or self.tasks[0].reason}."
        worst = said[0]
        size = worst.ridge if worst.planned is None else worst.planned
        text = (
            f"Learning '{name}' next will disturb '{worst.name}' most: by {size:.2g} of its signal"
        )
        if worst.accuracy_now is None or worst.accuracy_after is None:
            return f"{text}."
        now, after = (f"{100 * a:.0f} %" for a in (worst.accuracy_now, worst.accuracy_after))
        change = f"stays at {now}" if now == after else f"goes from {now} to {after}"
        return f"{text}; accuracy on {worst.test_pictures} of its test pictures {change}."


@dataclass(frozen=True)
class ForecastScore:
    """How a forecast compares with what a later run measured; −1 to 1, None with a reason."""

    run: str  # the later run's id and name
    run_name: str
    task_rank: float | None = (
        None  # Spearman's ρ over old tasks, of the forecast for the steps planned
    )
    task_cosine: float | None = None
    class_rank: float | None = None  # and over old classes
    class_cosine: float | None = None
    task_rank_ridge: float | None = None  # the same of the ridge forecast
    class_rank_ridge: float | None = None
    worst: str = ""  # the task that was disturbed most
    reasons: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The reading: how well the order of the disturbance was known beforehand."""
        worst = f" '{self.worst}' was disturbed most." if self.worst else ""
        known = {"tasks": self.task_rank, "classes": self.class_rank}
        said = [f"{rank:.2f} over old {what}" for what, rank in known.items() if rank is not None]
        ranks = f"rank correlation {' and '.join(said)}" if said else "too few numbers to rank"
        return f"The forecast, against what {self.run_name} measured: {ranks}.{worst}"


@dataclass(frozen=True)
class KeptForecast:
    """A forecast in the log; `reason` says why it has no score yet."""

    number: int
    created: str  # ISO 8601, UTC
    forecast: Forecast
    score: ForecastScore | None = None
    reason: str = ""


@dataclass(frozen=True)
class OrderStudy:
    """An order of tasks suggested before any training; totals are Σ_τ G_τ in squared outputs."""

    names: tuple[str, ...]  # in the present order
    suggested: tuple[int, ...]  # places in `names`, in the order suggested
    present_total: float
    suggested_total: float
    disturbance: tuple[tuple[float | None, ...], ...]  # [a][b]: of a, learnt first, by b
    method: str
    notes: tuple[str, ...] = ()

    @property
    def keeps(self) -> bool:
        """Whether the present order stays."""
        return self.suggested == tuple(range(len(self.names)))

    @property
    def sentence(self) -> str:
        """The reading: which order, and what it would save."""
        if self.keeps:
            return f"Keep the present order: no better one was found (predicted interplay {self.present_total:.3g})."
        order = ", ".join(f"'{self.names[place]}'" for place in self.suggested)
        return (
            f"Learn {order}: predicted interplay {self.suggested_total:.3g} instead of "
            f"{self.present_total:.3g}."
        )
