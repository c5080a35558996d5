"""What is known of a run, or foreseen of its needs; what its adapter says of a picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class LearntRun(NamedTuple):
    """What tells the adapter of one run from those of others; the fields are RunSummary's."""

    id: str
    name: str
    backbone: str
    state: str
    tasks_done: int
    final_accuracy: float | None


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
    device: str = ""  # what it trains on: "cpu", or the GPU's name; "" until it has begun
    precision: str = ""  # the tier it trains in: strict, tf32 or bf16; "" until it has begun
    method: str = ""  # how it learns, by the name that the configuration has


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
    cost: Mapping[str, Any] = field(default_factory=dict)  # the fields of `log.cost.LoggedCost`


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
