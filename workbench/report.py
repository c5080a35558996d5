"""What the session tells its callers about folders, runs and predictions: plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.config import Preset, TaskFolder


@dataclass(frozen=True)
class Problem:
    """Something about a path that the user should know, in one sentence.

    Kinds: unreadable, too_large, not_a_picture, empty_file, no_permission, link_loop, vanished,
    empty_class, too_few, no_pictures, no_classes, duplicate_test, duplicate_task, same_name, same_folder,
    not_a_folder, unused_part, too_long, elsewhere.
    """

    path: str
    kind: str
    sentence: str


@dataclass(frozen=True)
class ClassReport:
    """One class of a scanned task: how many pictures each part has, and which are readable.

    `pictures` and `tests` are POSIX paths relative to the task's folder; those left out are among
    them, but not counted.
    """

    name: str
    train: int
    test: int
    pictures: tuple[str, ...] = ()  # to learn from; without a test part of its own, to be divided
    tests: tuple[str, ...] = ()  # of the folder's own test part


@dataclass(frozen=True)
class TaskReport:
    """One scanned task. `folder` is what the configuration will hold if it is accepted."""

    folder: TaskFolder
    classes: tuple[ClassReport, ...]
    has_split: bool  # the folder brings its own train and test part
    problems: tuple[Problem, ...]
    question: str = ""  # "one_class": pictures but no sub-folders; needs an answer before use
    hashes: Mapping[str, str] = field(default_factory=dict)  # POSIX path -> content hash
    spare: tuple[ClassReport, ...] = ()  # classes that are there and not taken

    @property
    def usable(self) -> bool:
        """Whether the task can be trained on as it is: at least one class, no open question."""
        return bool(self.classes) and not self.question


@dataclass(frozen=True)
class ScanProgress:
    """How far a scan has come; `total` grows while folders are still being listed."""

    text: str
    done: int
    total: int


@dataclass(frozen=True)
class ScanReport:
    """Everything a scan found: one report a task, and problems that belong to no task."""

    tasks: tuple[TaskReport, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class PictureChanges:
    """What became of one task's pictures: paths relative to the task's folder.

    `gone` is the folder itself if it is not there; then nothing was compared.
    """

    task: str
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    gone: str = ""

    @property
    def number(self) -> int:
        """How many pictures are not as they were."""
        return len(self.changed) + len(self.missing) + len(self.new)


@dataclass(frozen=True)
class BackboneChoice:
    """A backbone offered in the list."""

    name: str  # "sample", or a timm name with tag
    title: str
    parameters_millions: float
    image_size: int
    licence: str
    present: bool  # its weights are on this computer
    note: str = ""


@dataclass(frozen=True)
class MethodOffer:
    """A method offered in the list."""

    name: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class BackboneFacts:
    """What is known of a backbone without loading it; numbers are 0 and texts "" where nothing is known."""

    name: str  # "sample", or a timm name with its tag
    title: str
    parameters: int
    image_size: int  # side of the square input, pixels
    patch_size: int  # pixels
    operations: float  # of one picture's pass through the blocks
    megabytes: int  # about what a download takes
    licence: str
    hub: str  # repository its weights come from; "" where they cannot be fetched
    note: str = ""
    listed: bool = False  # in the short list of the settings
    file: str = ""  # its weights on this computer
    sha256: str = ""  # of the file, recorded when it was downloaded

    @property
    def present(self) -> bool:
        """Whether its weights are on this computer."""
        return bool(self.file)

    @property
    def architecture(self) -> str:
        """The name without its tag."""
        return self.name.partition(".")[0]

    @property
    def tag(self) -> str:
        """Which weights they are, in timm's word."""
        return self.name.partition(".")[2]


@dataclass(frozen=True)
class WeightsFile:
    """Weights that are on this computer and whole."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Choices:
    """What the settings offer."""

    backbones: tuple[BackboneChoice, ...]
    presets: tuple[Preset, ...]
    methods: tuple[MethodOffer, ...] = ()


@dataclass(frozen=True)
class RunSummary:
    """One line of the table of runs; accuracies are fractions, None until measured."""

    id: str
    name: str
    state: str  # starting running finished stopped failed interrupted
    state_reason: str
    created: str  # ISO 8601, UTC
    ended: str | None
    profile: str
    backbone: str
    seed: int
    tasks_done: int
    tasks_total: int
    average_accuracy: float | None
    final_accuracy: float | None
    forgetting: float | None
    baseline_accuracy: float | None
    note: str = ""
    starred: bool = False
    tags: tuple[str, ...] = ()
    deleted: str | None = None  # when it was moved to the bin
    imported: str | None = None  # when it came in as a bundle
    group: str = ""  # id of the group of runs that it was trained for
    parent: str = ""  # id of the run that it goes on from


@dataclass(frozen=True)
class Guess:
    """One answer of `predict`: classes with their probabilities, best first."""

    path: str
    classes: tuple[str, ...]
    tasks: tuple[str, ...]
    probabilities: tuple[float, ...]
    problem: str = ""  # a sentence if the picture could not be read; then the tuples are empty


@dataclass(frozen=True)
class SelfTestRow:
    """A number of the linear-head self-test, predicted and measured; None where it is not defined."""

    name: str
    predicted: float | None
    measured: float | None

    @property
    def difference(self) -> float | None:
        """How far the two are apart."""
        if self.predicted is None or self.measured is None:
            return None
        return abs(self.predicted - self.measured)

    @property
    def holds(self) -> bool:
        """Whether they agree to 1e-10, relative to the measured number where that is above 1."""
        if self.difference is None or self.measured is None:
            return False
        return self.difference <= 1e-10 * max(1.0, abs(self.measured))


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


@dataclass(frozen=True)
class RunDetails:
    """Everything the log knows of one run, for `show` and the exporters."""

    summary: RunSummary
    config: Mapping[str, Any]
    switches: Mapping[str, str]
    tasks: tuple[Mapping[str, Any], ...]
    accuracy_matrix: tuple[tuple[float | None, ...], ...]
    metrics: tuple[Mapping[str, Any], ...]
    baseline: tuple[tuple[float | None, ...], ...]
    versions: Mapping[str, str]
    files: tuple[Mapping[str, Any], ...]  # kind, path below the home folder, bytes, sha256
    forecasts: tuple[Mapping[str, Any], ...] = ()  # `Forecast`s made from it, with their scores


@dataclass(frozen=True)
class RunEstimate:
    """What a run will need, from dry steps; memory in bytes, of the GPU or else of the computer.

    `fitting` is a batch that fits: `batch` itself, or the largest power of two within 90 % of the
    memory, 0 if there is none; `fitting_needs` is what it takes.
    """

    seconds: float
    needs: float
    total: float
    on_gpu: bool
    batch: int
    fitting: int
    fitting_needs: float

    @property
    def fits(self) -> bool:
        """Whether the memory is enough."""
        return self.needs <= self.total
