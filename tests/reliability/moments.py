"""The phases of a run in which it is stopped or killed, the run itself, and the table of what that took."""

import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from workbench.config import RunConfig, with_values
from workbench.events import EpochEnded, Event, Stage, Step, TaskEnded
from workbench.session import Session

COLD = "loading torch"
PHASES: dict[str, tuple[str | type[Event], ...]] = {
    COLD: (),
    "reading weights, pictures": (
        "Loading the backbone",
        "Checking backbone",
        "Looking into",
        "Reading",
    ),  # fmt: skip  (either may be over before it is told)
    "measuring the kernel": ("Measuring the NTK gap",),
    "training": (Step,),
    "saving": (EpochEnded, TaskEnded),
    "evaluating": ("Testing", "Making prototypes"),
}  # kinds of events, or the first words of a stage
FEW = {
    "data.train_per_class": 8, "data.test_per_class": 4, "train.epochs": 2, "train.device": "cpu",
    "monitor.budget": 1.0,
}  # fmt: skip
WHAT = {
    "stops": "from Stop to the run's end",
    "orphans": "from the owner's kill to the end of all it had started",
    "deaths": "from the engine's kill to the sentence on the screen",
    "cancels": "from Cancel to the work's end",
}


def configuration(session: Session) -> RunConfig:
    """Return two tasks of the sample with a few pictures of each class."""
    config = session.sample_config()
    data = replace(config.data, tasks=config.data.tasks[:2])
    return with_values(replace(config, data=data), FEW)


def is_in(phase: str, event: Event) -> bool:
    """Whether an event says that the phase has begun."""
    if isinstance(event, Stage):
        return event.text.startswith(tuple(each for each in PHASES[phase] if isinstance(each, str)))
    return any(isinstance(event, each) for each in PHASES[phase] if not isinstance(each, str))


@dataclass
class Tally:
    """Seconds by kind and phase; steps lost by an owner's kill; what did not end as it should."""

    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    lost: dict[str, list[int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, kind: str, phase: str, seconds: float) -> None:
        """Note one, and say it."""
        self.seconds.setdefault((kind, phase), []).append(seconds)
        sys.stderr.write(f"{kind}, {phase}: {seconds:.2f} s\n")

    def table(self) -> str:
        """Return the table of RESULTS.md."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for kind in dict.fromkeys(kind for kind, _ in self.seconds):
            yield f"| {WHAT[kind]}, while | times | p50 | p95 | longest | steps lost at most |"
            yield "|---" * 6 + "|"
            whole: list[float] = []
            for (its, phase), seconds in self.seconds.items():
                if its == kind:
                    whole += seconds
                    lost = self.lost.get(phase) if kind == "orphans" else None
                    yield f"| {phase} | {_row(seconds)} | {max(lost) if lost else ''} |"
            yield f"| **all** | {_row(whole)} | |"
            yield ""


def _row(seconds: list[float]) -> str:
    p95 = max(seconds)
    if len(seconds) > 1:
        p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    return f"{len(seconds)} | {statistics.median(seconds):.2f} | {p95:.2f} | {max(seconds):.2f}"
