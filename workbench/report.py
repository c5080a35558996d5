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
    not_a_folder, unused_part.
    """

    path: str
    kind: str
    sentence: str


@dataclass(frozen=True)
class ClassReport:
    """One class of a scanned task: how many readable pictures each part has."""

    name: str
    train: int
    test: int


@dataclass(frozen=True)
class TaskReport:
    """One scanned task. `folder` is what the configuration will hold if it is accepted."""

    folder: TaskFolder
    classes: tuple[ClassReport, ...]
    has_split: bool  # the folder brings its own train and test part
    problems: tuple[Problem, ...]
    question: str = ""  # "one_class": pictures but no sub-folders; needs an answer before use
    hashes: Mapping[str, str] = field(
        default_factory=dict
    )  # content hash -> POSIX path, for later scans

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
class Choices:
    """What the settings offer."""

    backbones: tuple[BackboneChoice, ...]
    presets: tuple[Preset, ...]


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
